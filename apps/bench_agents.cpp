// What a gradient update costs with the settings of several configuration files, in turn.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "algos/networks/device.hpp"
#include "algos/networks/learner_team.hpp"
#include "algos/training/statistics.hpp"
#include "apps/bench_learner.hpp"
#include "configs/experiment.hpp"
#include "sim/env_factory.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

struct AgentsOptions {
  std::vector<std::string> files;
  std::string device = "cpu";
  int num_threads = 1;
  BenchOutput output;
};

/// The agent of one file, and its times.
struct AgentContestant {
  std::string name;
  BenchLearner learner;
  std::vector<double> update_us = {};  // a chunk each, sampling included
};

AgentContestant make_contestant(const std::string& file, const AgentsOptions& options) {
  const ExperimentConfig config = read_experiment(file, {}).config;
  const AgentShape task =
      agent_shape(make_env(config.sim)->spec(), {0}, resolve_device(device_choice(options.device)));
  const BenchShape shape{.observation_dim = task.observation_dim,
                         .action_dim = task.action_dim,
                         .batch_size = config.training.batch_size,
                         .device = options.device};
  return {std::filesystem::path(file).stem().string(),
          make_bench_learner({config.agent}, task, shape)};
}

/// One chunk of one contestant.
void measure(AgentContestant& c, double seconds) {
  double updates = 0.0;
  const double begin = wall_seconds();
  do {
    updates += static_cast<double>(c.learner.update());
  } while (wall_seconds() - begin < seconds);
  c.update_us.push_back(1e6 * (wall_seconds() - begin) / updates);
}

/// Median over the rounds of a chunk's time over the first contestant's in the same round.
double over_first(const AgentContestant& c, const AgentContestant& first) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < c.update_us.size(); ++i) {
    ratios.push_back(c.update_us[i] / first.update_us[i]);
  }
  return quantile(ratios, 0.5);
}

void bench_agents(const AgentsOptions& options) {
  set_learner_threads(options.num_threads);
  std::vector<AgentContestant> contestants;
  for (const std::string& file : options.files) {
    contestants.push_back(make_contestant(file, options));
  }
  const double chunk_s = options.output.seconds / BenchClock::kNumChunks;
  for (int round = -1; round < BenchClock::kNumChunks; ++round) {
    for (AgentContestant& c : contestants) {
      measure(c, chunk_s);
      if (round < 0) c.update_us.clear();  // that was the warm-up
    }
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const AgentContestant& c : contestants) {
    rows.push_back({{"config", c.name},
                    {"batch_size", c.learner.batch->reward.size(1)},
                    {"updates_per_s", 1e6 / quantile(c.update_us, 0.1)},
                    {"updates_per_s_median", 1e6 / quantile(c.update_us, 0.5)},
                    {"over_first", over_first(c, contestants.front())}});
  }
  nlohmann::ordered_json result = {{"part", "agents"},
                                   {"device", contestants.front().learner.device().str()},
                                   {"num_threads", learner_threads()}};
  if (options.output.json) result["contestants"] = rows;
  print_result(result, options.output);
  if (!options.output.json) print_rows(rows);
}

}  // namespace

BenchRun add_bench_agents(CLI::App& parser) {
  const auto options = std::make_shared<AgentsOptions>();
  parser.add_option("CONFIG", options->files, "configuration files (TOML)")->required();
  parser.add_option("--threads", options->num_threads, "learner threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  parser.add_option("--device", options->device, "cpu, cuda or auto")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
  add_output_options(parser, options->output);
  return [options] {
    if (options->output.serve) throw ConfigError("--serve: not for agents; see bench learner");
    bench_agents(*options);
  };
}

}  // namespace anthill
