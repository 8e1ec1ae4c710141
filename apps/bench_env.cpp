// Transitions per second over a grid of widths and threads, beside the same physics done by a bare
// loop and by MuJoCo's own batch API, chunk by chunk in turn.
#include "apps/bench_env.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "algos/training/run_recorder.hpp"
#include "buffers/staging.hpp"
#include "sim/env_factory.hpp"
#include "sim/mujoco_info.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

/// A vector environment that plays a tape, from its first rows on, with autoreset as it comes.
class TapePlayer {
 public:
  TapePlayer(std::shared_ptr<const Env> env, const PhysicsTape& tape, std::int64_t num_envs,
             int num_threads)
      : tape_(tape),
        pool_(num_threads),
        envs_(env, std::vector<std::uint64_t>(static_cast<std::size_t>(num_envs)), pool_),
        staging_(num_envs, env->spec().observation_dim, env->spec().action_dim, false) {
    for (std::int64_t i = 0; i < num_envs; ++i) {
      first_rows_.insert(first_rows_.end(), tape.row(0, i), tape.row(0, i) + tape.row_size);
    }
    envs_.set_scale_actions(false);
  }

  void play() {
    envs_.restore(first_rows_);
    for (std::int64_t t = 0; t < tape_.num_steps; ++t) {
      const TransitionView rows = staging_.back();
      for (std::int64_t i = 0; i < rows.num_envs; ++i) {
        std::copy_n(tape_.action(t, i), tape_.action_dim,
                    rows.action.data() + i * tape_.action_dim);
      }
      envs_.begin_step(rows, staging_.next_acting_observation());
      envs_.finish_step();
      staging_.flip();
    }
  }

 private:
  const PhysicsTape& tape_;
  ThreadPool pool_;
  VectorEnv envs_;
  Staging staging_;
  std::vector<double> first_rows_;
};

EnvContestant make_contestant(const std::string& name, const std::shared_ptr<const Env>& env,
                              const PhysicsTape& tape, std::int64_t num_envs, int num_threads) {
  EnvContestant contestant{.name = name, .num_envs = num_envs, .num_threads = num_threads};
  if (name == "anthill") {
    const auto player = std::make_shared<TapePlayer>(env, tape, num_envs, num_threads);
    contestant.play = [player] { player->play(); };
    return contestant;
  }
  const std::shared_ptr<PhysicsLoop> loop =
      name == "bare" ? make_bare_loop(*env, tape, num_envs)
                     : make_batch_loop(*env, tape, num_envs, num_threads);
  contestant.play = [loop, &tape] {
    for (std::int64_t t = 0; t < tape.num_steps; ++t) loop->play_step(t);
  };
  return contestant;
}

std::vector<EnvContestant> make_grid(const EnvBenchOptions& options,
                                     const std::shared_ptr<const Env>& env,
                                     const PhysicsTape& tape) {
  std::vector<EnvContestant> contestants;
  for (const std::int64_t num_envs : options.num_envs) {
    for (const std::string& name : options.contestants) {
      // tasks without MuJoCo have nothing to compare with
      if (name != "anthill" && env->model_path().empty()) continue;
      for (const int num_threads : options.num_threads) {
        if (name == "bare" && num_threads != options.num_threads.front()) continue;
        contestants.push_back(
            make_contestant(name, env, tape, num_envs, name == "bare" ? 1 : num_threads));
      }
    }
  }
  if (contestants.empty()) {
    throw ConfigError("--contestants: " + options.env +
                      " is not simulated by MuJoCo; only anthill can step it");
  }
  return contestants;
}

double transitions_per_play(const EnvContestant& contestant, const PhysicsTape& tape) {
  return static_cast<double>(contestant.num_envs * tape.num_steps);
}

/// Everyone in turn, so that a change of the machine's speed meets all alike.
void measure_in_turn(std::vector<EnvContestant>& contestants, const PhysicsTape& tape,
                     double seconds) {
  for (int chunk = -1; chunk < BenchClock::kNumChunks; ++chunk) {
    for (EnvContestant& contestant : contestants) {
      const double wall = wall_seconds(), cpu = cpu_seconds();
      double transitions = 0.0;
      do {
        contestant.play();
        transitions += transitions_per_play(contestant, tape);
      } while (wall_seconds() - wall < seconds / BenchClock::kNumChunks);
      if (chunk < 0) continue;  // warm-up
      contestant.wall_us.push_back(1e6 * (wall_seconds() - wall) / transitions);
      contestant.cpu_us.push_back(1e6 * (cpu_seconds() - cpu) / transitions);
    }
  }
}

void count_instructions(std::vector<EnvContestant>& contestants, const PhysicsTape& tape,
                        const EnvBenchOptions& options) {
  for (EnvContestant& contestant : contestants) {
    if (contestant.num_threads != 1) continue;
    contestant.instructions =
        counted_instructions(contestant, transitions_per_play(contestant, tape));
    if (contestant.instructions) continue;
    // callgrind's counts do not depend on the width: one run for each kind of contestant
    const auto earlier = std::ranges::find_if(contestants, [&](const EnvContestant& other) {
      return other.name == contestant.name && other.instructions;
    });
    contestant.instructions = earlier != contestants.end()
                                  ? earlier->instructions
                                  : callgrind_instructions(contestant.name, options);
  }
}

void serve(const EnvBenchOptions& options, EnvContestant contestant, const PhysicsTape& tape) {
  BenchClock clock(options.output);
  do {
    contestant.play();
  } while (clock.add(transitions_per_play(contestant, tape)));
}

void compare(const EnvBenchOptions& options, const std::shared_ptr<const Env>& env,
             const PhysicsTape& tape, std::ofstream& csv) {
  const double memory_kib = memory_kib_per_env(env);
  const nlohmann::ordered_json pool = pool_costs(options.num_threads);
  std::vector<EnvContestant> contestants = make_grid(options, env, tape);
  measure_in_turn(contestants, tape, options.output.seconds);
  if (options.instructions) count_instructions(contestants, tape, options);
  const nlohmann::ordered_json rows = env_rows(contestants, memory_kib);
  if (csv.is_open() && !write_rows_csv(rows, csv)) {
    throw std::runtime_error("cannot write '" + options.csv + "'; is the disk full?");
  }
  if (options.output.json) {
    print_result({{"part", "env"},
                  {"env", options.env},
                  {"mujoco", mujoco_version()},
                  {"memory_kib_per_env", memory_kib},
                  {"pool", pool},
                  {"contestants", rows}},
                 options.output);
    return;
  }
  std::printf("%s, MuJoCo %s, %.2f KiB for one more environment\n", options.env.c_str(),
              mujoco_version().c_str(), memory_kib);
  for (const auto& cost : pool) {
    std::printf("pool of %d: %.1f ns for a chunk, %.2f us to begin and finish a step\n",
                cost["num_threads"].get<int>(), cost["chunk_ns"].get<double>(),
                cost["step_us"].get<double>());
  }
  print_env_table(rows);
}

void bench_env(const EnvBenchOptions& options) {
  std::ofstream csv;
  if (!options.csv.empty()) {
    csv.open(options.csv);  // a wrong path is found before the measurement
    if (!csv) throw std::runtime_error("cannot write '" + options.csv + "'; make its folder");
  }
  const auto env = make_env({.env = options.env});
  const bool few = options.play_once;  // under callgrind everything is fifty times slower
  const PhysicsTape tape = record_tape(env, few ? 8 : 64, few ? 20 : 200, 8);
  const auto first = [&] {
    return make_contestant(options.contestants.front(), env, tape, options.num_envs.front(),
                           options.num_threads.front());
  };
  if (options.output.serve) return serve(options, first(), tape);
  if (!options.play_once) return compare(options, env, tape, csv);
  const EnvContestant contestant = first();
  contestant.play();  // what happens only once is not counted
  play_counted(contestant);
}

}  // namespace

BenchRun add_bench_env(CLI::App& parser) {
  const auto options = std::make_shared<EnvBenchOptions>();
  parser.add_option("--env", options->env, "task to step")->capture_default_str();
  parser.add_option("--num-envs", options->num_envs, "widths, e.g. 64,256,1024")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser.add_option("--threads", options->num_threads, "numbers of threads, e.g. 1,2")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  parser
      .add_option("--contestants", options->contestants,
                  "anthill, bare (mj_step in a loop), mjbatch (MuJoCo's own batch API)")
      ->delimiter(',')
      ->check(CLI::IsMember({"anthill", "bare", "mjbatch"}))
      ->capture_default_str();
  parser.add_flag("--instructions", options->instructions,
                  "count instructions per transition: by the CPU's counter, else by callgrind");
  parser.add_option("--csv", options->csv, "also write the table as CSV");
  parser.add_flag("--play-once", options->play_once, "play a short tape; for callgrind")->group("");
  add_output_options(parser, options->output);
  return [options] {
    const bool single = options->num_envs.size() == 1 && options->num_threads.size() == 1 &&
                        options->contestants.size() == 1;
    if (options->output.serve && !single) {
      throw ConfigError("--serve: give one of --num-envs, --threads and --contestants");
    }
    bench_env(*options);
  };
}

}  // namespace anthill
