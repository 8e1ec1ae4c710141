// Transitions per second of a vector environment with uniform random actions.
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "algos/networks/noise.hpp"
#include "algos/training/run_recorder.hpp"
#include "apps/bench_parts.hpp"
#include "buffers/staging.hpp"
#include "sim/env_factory.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

struct EnvOptions {
  BenchOutput output;
  std::string env = "Ant-v4";
  std::int64_t num_envs = 64;
  int num_threads = 1;
};

void bench_env(const EnvOptions& options) {
  const auto env = make_env({.env = options.env});
  const EnvSpec& spec = env->spec();
  ThreadPool pool(options.num_threads);
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(options.num_envs));
  std::iota(seeds.begin(), seeds.end(), 0);
  const double memory_before = resident_memory_mib();
  VectorEnv envs(env, seeds, pool);
  Staging staging(options.num_envs, spec.observation_dim, spec.action_dim, false);
  envs.reset(staging.current_observation());
  std::uint64_t step = 0;
  BenchClock clock(options.output);
  do {
    const TransitionView rows = staging.back();
    fill_uniform_actions(rows.action.data(), options.num_envs * spec.action_dim, {0},
                         RandomStream::random_action, step++);
    envs.begin_step(rows, staging.next_acting_observation());
    envs.finish_step();
    staging.flip();
  } while (clock.add(static_cast<double>(options.num_envs)));
  const BenchRates rates = clock.rates();
  print_result({{"part", "env"},
                {"env", options.env},
                {"num_envs", options.num_envs},
                {"num_threads", pool.num_threads()},
                {"env_steps_per_s", rates.best},
                {"env_steps_per_s_median", rates.median},
                {"us_per_env_step", 1e6 / rates.best},
                {"sim_warnings", envs.num_sim_warnings()},
                {"memory_mib", resident_memory_mib() - memory_before}},
               options.output);
}

}  // namespace

BenchRun add_bench_env(CLI::App& parser) {
  const auto options = std::make_shared<EnvOptions>();
  parser.add_option("--env", options->env, "task to step")->capture_default_str();
  parser.add_option("--num-envs", options->num_envs, "environments")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser.add_option("--threads", options->num_threads, "simulation threads; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_output_options(parser, options->output);
  return [options] { bench_env(*options); };
}

}  // namespace anthill
