/// anthill evaluate: the policy of a run folder on fresh environments.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "algos/networks/device.hpp"
#include "algos/training/evaluation_mode.hpp"
#include "algos/training/evaluator.hpp"
#include "algos/training/policy_file.hpp"
#include "algos/training/thread_plan.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "configs/experiment.hpp"
#include "sim/env_factory.hpp"
#include "sim/thread_pool.hpp"

namespace anthill {
namespace {

struct Arguments {
  std::string run;
  std::int64_t num_episodes = 10;
  std::int64_t seed = -1;
  bool stochastic = false;
  bool json = false;
  std::vector<std::string> overrides;
};

void print_text(const EvaluationResult& result, const Arguments& arguments) {
  for (std::size_t i = 0; i < result.returns.size(); ++i) {
    std::printf("episode %3zu  return %10.2f  length %5lld\n", i, result.returns[i],
                static_cast<long long>(result.lengths[i]));
  }
  const auto [low, high] = std::ranges::minmax(result.returns);
  std::printf("%s policy, %zu episodes: return %.2f +- %.2f (min %.2f, max %.2f), length %.1f\n",
              arguments.stochastic ? "stochastic" : "deterministic", result.returns.size(),
              result.return_mean(), result.return_std(), low, high, result.length_mean());
}

void print_json(const EvaluationResult& result, const Arguments& arguments) {
  const nlohmann::json object = {{"deterministic", !arguments.stochastic},
                                 {"num_episodes", result.returns.size()},
                                 {"return_mean", result.return_mean()},
                                 {"return_std", result.return_std()},
                                 {"length_mean", result.length_mean()},
                                 {"returns", result.returns},
                                 {"lengths", result.lengths},
                                 {"invalid_episodes", result.num_invalid},
                                 {"seconds", result.seconds}};
  std::puts(object.dump().c_str());
}

int evaluate(const Arguments& arguments) {
  const std::filesystem::path folder = arguments.run;
  const ResolvedExperiment experiment =
      read_experiment((folder / "resolved.toml").string(), arguments.overrides);
  for (const std::string& warning : check_experiment(experiment, num_available_cores())) {
    print_message("warning: " + warning);
  }
  const ExperimentConfig& config = experiment.config;
  const ActionMode mode = evaluation_mode(arguments.stochastic, config.agent.algorithm);
  const auto env = make_env(config.sim);
  const AgentShape shape = agent_shape(env->spec(), {static_cast<std::uint64_t>(config.run.seed)},
                                       resolve_device(config.run.device));
  const auto agent = make_agent({config.agent}, shape);
  load_policy(folder / "policy.safetensors", *agent);

  const ThreadPlan threads = plan_threads(config.sim.num_threads, config.learner.num_threads, 1,
                                          shape.device.is_cuda(), num_available_cores());
  set_learner_threads(threads.learner);
  ThreadPool pool(threads.simulation, config.sim.pin_threads);
  const std::uint64_t seed = arguments.seed >= 0 ? static_cast<std::uint64_t>(arguments.seed)
                                                 : evaluation_seed(config.run.seed);
  Evaluator evaluator(env, arguments.num_episodes, seed, pool);
  const EvaluationResult result = evaluator.evaluate(*agent, mode);
  arguments.json ? print_json(result, arguments) : print_text(result, arguments);
  return kExitFinished;
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::Arguments arguments;
  return anthill::run_command(
      argc, argv, "evaluate",
      [&](CLI::App& app) {
        app.add_option("run", arguments.run, "run folder that `anthill train` made")->required();
        app.add_option("--episodes", arguments.num_episodes, "number of episodes")
            ->check(CLI::Range(1, 1000000))
            ->capture_default_str();
        app.add_option("--seed", arguments.seed,
                       "first seed, episode i uses seed + i; default: the run's evaluation seeds")
            ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 53));
        app.add_flag("--stochastic", arguments.stochastic,
                     "sample actions instead of taking the distribution's mode; SAC alone");
        app.add_flag("--json", arguments.json, "print one machine-readable object");
        anthill::add_set_option(app, arguments.overrides);
      },
      [&] { return anthill::evaluate(arguments); });
}
