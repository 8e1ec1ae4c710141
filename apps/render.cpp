/// anthill render: episodes of a run's policy as a video, with what its critics say and what then
/// came of it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "algos/networks/device.hpp"
#include "algos/training/evaluation_mode.hpp"
#include "algos/training/evaluator.hpp"
#include "algos/training/thread_plan.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/render_grid.hpp"
#include "apps/render_policy.hpp"
#include "apps/render_video.hpp"
#include "configs/experiment.hpp"
#include "sim/env_factory.hpp"
#include "sim/render_scene.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t g_stop = 0;

constexpr std::chrono::seconds kTellEvery{5};

/// MUJOCO_GL may also name what needs a screen, such as glfw: that is no wish of this program's.
std::string usual_backend() {
  const char* variable = std::getenv("MUJOCO_GL");
  const std::string name = variable == nullptr ? "" : variable;
  return name == "egl" || name == "osmesa" ? name : "auto";
}

struct Arguments {
  std::string run, output, checkpoint, choose = "first", gl = usual_backend(), values;
  std::int64_t episodes = 1, among = 0, seed = -1, every = 1, steps = 0, at = -1;
  bool stochastic = false, plain = false, overwrite = false;
  double fps = 0.0;
  SceneOptions scene;
  std::vector<std::string> overrides;
};

GlBackend backend_of(const std::string& name) {
  if (name == "egl") return GlBackend::egl;
  return name == "osmesa" ? GlBackend::osmesa : GlBackend::automatic;
}

/// Indices of the episodes to show: by their returns, in the order of their numbers.
std::vector<std::size_t> chosen(const std::string& choose, const std::vector<double>& returns,
                                std::size_t count) {
  std::vector<std::size_t> order(returns.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return returns[i]; });
  if (choose == "best") std::ranges::reverse(order);
  const std::size_t begin = choose == "median" ? (order.size() - count) / 2 : 0;
  std::vector<std::size_t> result(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                  order.begin() + static_cast<std::ptrdiff_t>(begin + count));
  std::ranges::sort(result);
  return result;
}

void play(const Arguments& arguments, Agent& agent, ThreadPool& pool, Show& show) {
  const std::int64_t among = std::max(arguments.among, arguments.episodes);
  const auto count = static_cast<std::size_t>(arguments.episodes);
  const std::uint64_t first = arguments.seed >= 0 ? static_cast<std::uint64_t>(arguments.seed)
                                                  : evaluation_seed(show.config.run.seed);
  EpisodeOptions options = {
      .mode = evaluation_mode(arguments.stochastic, show.config.agent.algorithm),
      .agent_seed = static_cast<std::uint64_t>(show.config.run.seed),
      .horizon = show.config.overestimation.horizon};
  options.seeds.resize(static_cast<std::size_t>(among));
  std::iota(options.seeds.begin(), options.seeds.end(), first);
  if (arguments.choose == "first") {
    show.numbers.resize(count);
    std::iota(show.numbers.begin(), show.numbers.end(), 0u);
  } else {
    Evaluator evaluator(show.env, among, first, pool);
    show.numbers = chosen(arguments.choose, evaluator.evaluate(agent, options.mode).returns, count);
  }
  options.keep = show.numbers;
  show.episodes = record_episodes(show.env, agent, pool, options);
}

/// In real time, but for a task whose step is no time.
double frames_per_second(const Arguments& arguments, const EnvSpec& spec) {
  if (arguments.fps > 0.0) return arguments.fps;
  constexpr double kUsual = 30.0, kLongStep = 0.5;  // s
  const bool real = spec.control_dt > 0.0 && spec.control_dt < kLongStep;
  return real ? 1.0 / (spec.control_dt * static_cast<double>(arguments.every)) : kUsual;
}

void write_values_of(const Arguments& arguments, const Show& show) {
  if (arguments.values.empty()) return;
  make_parent("--values", arguments.values);
  write_values(arguments.values, show);
}

void draw_still(const Arguments& arguments, const Show& show) {
  if (arguments.at >= show.longest()) {
    throw ConfigError("--at " + std::to_string(arguments.at) + ": the longest episode has " +
                      std::to_string(show.longest()) + " steps; name one below");
  }
  write_values_of(arguments, show);
  Grid grid(show, arguments.scene, arguments.plain);
  make_parent("-o", arguments.output);
  write_png(arguments.output, grid.draw(arguments.at));
  print_message("step " + std::to_string(arguments.at) + " in '" + arguments.output + "', by " +
                grid.backend());
}

void draw_video(const Arguments& arguments, const Show& show) {
  Grid grid(show, arguments.scene, arguments.plain);
  std::string note;
  const double fps = frames_per_second(arguments, show.env->spec());
  const auto sink =
      make_sink({.output = arguments.output, .fps = fps, .overwrite = arguments.overwrite}, note);
  if (!note.empty()) print_message(note);
  write_values_of(arguments, show);  // they may lie in the folder of the frames
  const std::int64_t steps =
      arguments.steps > 0 ? std::min(arguments.steps, show.longest()) : show.longest();
  // until here there is nothing to clear away, and a signal ends the process by itself
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) { g_stop = number; });
  }
  std::int64_t num_frames = 0;
  const std::int64_t all_frames = (steps + arguments.every - 1) / arguments.every;
  auto told = std::chrono::steady_clock::now();
  for (std::int64_t step = 0; step < steps; step += arguments.every, ++num_frames) {
    if (const auto now = std::chrono::steady_clock::now(); now - told > kTellEvery) {
      told = now;
      print_message("frame " + std::to_string(num_frames) + " of " + std::to_string(all_frames));
    }
    if (g_stop != 0) {
      throw std::runtime_error("stopped by a signal after " + std::to_string(num_frames) +
                               " frames; " + sink->what_is_left());
    }
    sink->add(grid.draw(step));
  }
  sink->finish();
  print_message(std::to_string(num_frames) + " frames in '" + sink->path().string() + "', by " +
                grid.backend());
}

/// Everything about the files to be written that can be known before an episode is played.
void check_outputs(const Arguments& arguments) {
  const std::string ending = fs::path(arguments.output).extension().string();
  if (arguments.at >= 0 && ending != ".png") {
    throw ConfigError("-o " + arguments.output + ": --at draws one picture; name a .png file");
  }
  if (arguments.at < 0) check_video_name(arguments.output);
  check_output("-o", arguments.output, arguments.overwrite);
  if (std::error_code error; !ending.empty() && fs::is_directory(arguments.output, error)) {
    throw ConfigError("-o " + arguments.output + ": is a folder; name a file in it");
  }
  if (arguments.values.empty()) return;
  const auto whole = [](const std::string& path) { return fs::absolute(path).lexically_normal(); };
  if (whole(arguments.values) == whole(arguments.output)) {
    throw ConfigError("--values " + arguments.values + ": -o names the same file; choose another");
  }
  check_output("--values", arguments.values, arguments.overwrite);
  std::error_code error;
  if (fs::is_directory(arguments.values, error)) {
    throw ConfigError("--values " + arguments.values + ": is a folder; name a .csv file");
  }
}

int render(const Arguments& arguments) {
  if (arguments.among > 0 && arguments.among < arguments.episodes) {
    throw ConfigError("--among " + std::to_string(arguments.among) + ": --episodes shows " +
                      std::to_string(arguments.episodes) + " of them; play at least as many");
  }
  const fs::path folder = arguments.run;
  const bool still = arguments.at >= 0;
  check_outputs(arguments);
  const ResolvedExperiment experiment =
      read_experiment((folder / "resolved.toml").string(), arguments.overrides);
  check_experiment(experiment, 0);
  Show show{.config = experiment.config, .env = make_env(experiment.config.sim)};
  const ExperimentConfig& config = show.config;
  evaluation_mode(arguments.stochastic, config.agent.algorithm);  // refused before it is loaded
  const AgentShape shape =
      agent_shape(show.env->spec(), {static_cast<std::uint64_t>(config.run.seed)},
                  resolve_device(config.run.device));
  const auto agent = make_agent({config.agent}, shape);
  load_agent(folder, arguments.checkpoint, *agent);
  if (config.agent.algorithm == "sac") show.alpha = agent->actor_critic(0)->alpha();
  const ThreadPlan threads = plan_threads(config.sim.num_threads, config.learner.num_threads, 1,
                                          shape.device.is_cuda(), num_available_cores());
  set_learner_threads(threads.learner);
  ThreadPool pool(threads.simulation, false);
  play(arguments, *agent, pool, show);
  still ? draw_still(arguments, show) : draw_video(arguments, show);
  return kExitFinished;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("run", arguments.run, "run folder that `anthill train` made")->required();
  app.add_option("-o,--output", arguments.output,
                 "video (.mp4, .mkv, .webm, .mov, .gif; needs ffmpeg), or a folder for PNG files")
      ->required();
  app.add_option("--checkpoint", arguments.checkpoint,
                 "a checkpoint's env steps, name or path, or latest; default: policy.safetensors");
  app.add_option("--episodes", arguments.episodes, "episodes side by side")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--among", arguments.among, "play that many episodes and --choose of them")
      ->check(CLI::Range(1, 10000));
  app.add_option("--choose", arguments.choose, "which of them, by return")
      ->check(CLI::IsMember({"first", "best", "median", "worst"}))
      ->capture_default_str();
  app.add_option("--seed", arguments.seed,
                 "first seed, episode i uses seed + i; default: the run's evaluation seeds")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 53));
  app.add_flag("--stochastic", arguments.stochastic,
               "sample actions instead of taking the distribution's mode; gives soft values; "
               "SAC alone");
  auto* every = app.add_option("--every", arguments.every, "draw each n-th control step")
                    ->check(CLI::Range(1, 1000000))
                    ->capture_default_str();
  auto* steps = app.add_option("--steps", arguments.steps, "draw the first n control steps alone")
                    ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}));
  app.add_option("--at", arguments.at, "draw this control step alone, as a .png file")
      ->excludes(every)
      ->excludes(steps)
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{10'000'000}));
  app.add_option("--fps", arguments.fps, "frames per second; default: real time")
      ->check(CLI::Range(0.1, 1000.0));
  app.add_option("--width", arguments.scene.width, "of one episode's picture, pixels")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  app.add_option("--height", arguments.scene.height, "of one episode's picture, pixels")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  app.add_option("--azimuth", arguments.scene.azimuth, "of MuJoCo's camera, degrees");
  app.add_option("--elevation", arguments.scene.elevation, "of MuJoCo's camera, degrees");
  app.add_option("--zoom", arguments.scene.zoom, "above 1 the camera is nearer")
      ->check(CLI::Range(0.01, 100.0));
  app.add_option("--gl", arguments.gl,
                 "egl, osmesa, or auto: the first that works; default: MUJOCO_GL, if it names one")
      ->check(CLI::IsMember({"auto", "egl", "osmesa"}));
  app.add_flag("--plain", arguments.plain, "no numbers and curves over the pictures");
  app.add_option("--values", arguments.values, "also write the numbers of every step as CSV");
  app.add_flag("--overwrite", arguments.overwrite, "replace an output that is there");
  add_set_option(app, arguments.overrides);
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::Arguments arguments;
  return anthill::run_command(
      argc, argv, "render", [&](CLI::App& app) { anthill::add_options(app, arguments); },
      [&] {
        arguments.scene.backend = anthill::backend_of(arguments.gl);
        return anthill::render(arguments);
      });
}
