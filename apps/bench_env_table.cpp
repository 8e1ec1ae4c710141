// The results of `anthill bench env` as rows, table and CSV.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "algos/training/run_recorder.hpp"
#include "algos/training/statistics.hpp"
#include "apps/bench_env.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

const EnvContestant* bare_of_width(const std::vector<EnvContestant>& contestants,
                                   std::int64_t num_envs) {
  const auto found = std::ranges::find_if(contestants, [&](const EnvContestant& other) {
    return other.name == "bare" && other.num_envs == num_envs;
  });
  return found == contestants.end() ? nullptr : &*found;
}

/// A ratio, or null where one of the two is missing.
nlohmann::ordered_json ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return nullptr;
  return *a / *b;
}

}  // namespace

nlohmann::ordered_json env_rows(const std::vector<EnvContestant>& contestants, double memory_kib) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const EnvContestant& c : contestants) {
    const EnvContestant* bare = bare_of_width(contestants, c.num_envs);
    const double wall_us = quantile(c.wall_us, 0.1);
    const double cpu_us = quantile(c.cpu_us, 0.1);
    std::optional<double> bare_cpu_us, bare_instructions;
    if (bare != nullptr) bare_cpu_us = quantile(bare->cpu_us, 0.1);
    if (bare != nullptr) bare_instructions = bare->instructions;
    rows.push_back({{"contestant", c.name},
                    {"num_envs", c.num_envs},
                    {"num_threads", c.num_threads},
                    {"env_steps_per_s", 1e6 / wall_us},
                    {"us_per_env_step", wall_us},
                    {"us_per_env_step_median", quantile(c.wall_us, 0.5)},
                    {"cpu_us_per_env_step", cpu_us},
                    {"cpu_over_bare", ratio(cpu_us, bare_cpu_us)},
                    {"instructions_per_env_step", ratio(c.instructions, 1.0)},
                    {"instructions_over_bare", ratio(c.instructions, bare_instructions)},
                    {"memory_kib_per_env", nullptr}});
    if (c.name == "anthill") rows.back()["memory_kib_per_env"] = memory_kib;
  }
  return rows;
}

void print_env_table(const nlohmann::ordered_json& rows) {
  std::printf(
      "us: 10th percentile of %d chunks in turn (median); bare: mj_step in a loop, same "
      "width\n\n",
      BenchClock::kNumChunks);
  std::printf("%-10s %8s %7s %12s %16s %12s %9s %13s %9s\n", "contestant", "num_envs", "threads",
              "env steps/s", "us/step (median)", "CPU us/step", "x bare", "instructions", "x bare");
  const auto cell = [](const nlohmann::ordered_json& value, const char* format) {
    char text[32] = "-";
    if (value.is_number()) std::snprintf(text, sizeof text, format, value.get<double>());
    return std::string(text);
  };
  for (const auto& row : rows) {
    const std::string us =
        cell(row["us_per_env_step"], "%.2f") + cell(row["us_per_env_step_median"], " (%.2f)");
    std::printf("%-10s %8lld %7d %12.0f %16s %12.2f %9s %13s %9s\n",
                row["contestant"].get<std::string>().c_str(), row["num_envs"].get<long long>(),
                row["num_threads"].get<int>(), row["env_steps_per_s"].get<double>(), us.c_str(),
                row["cpu_us_per_env_step"].get<double>(),
                cell(row["cpu_over_bare"], "%.4f").c_str(),
                cell(row["instructions_per_env_step"], "%.0f").c_str(),
                cell(row["instructions_over_bare"], "%.4f").c_str());
  }
}

nlohmann::ordered_json pool_costs(const std::vector<int>& num_threads) {
  constexpr std::int64_t kNumChunks = 100'000;
  constexpr int kNumSteps = 1000;
  const auto nothing = [](void*, std::int64_t, int) {};
  nlohmann::ordered_json costs = nlohmann::ordered_json::array();
  for (const int threads : num_threads) {
    ThreadPool pool(threads);
    std::vector<double> chunk_ns, step_us;
    for (int repeat = 0; repeat < BenchClock::kNumChunks; ++repeat) {
      const double begin = wall_seconds();
      pool.run(nothing, nullptr, kNumChunks);
      const double middle = wall_seconds();
      for (int i = 0; i < kNumSteps; ++i) pool.run(nothing, nullptr, threads);
      chunk_ns.push_back(1e9 * (middle - begin) * threads / kNumChunks);
      step_us.push_back(1e6 * (wall_seconds() - middle) / kNumSteps);
    }
    costs.push_back({{"num_threads", threads},
                     {"chunk_ns", quantile(chunk_ns, 0.5)},
                     {"step_us", quantile(step_us, 0.5)}});
  }
  return costs;
}

double memory_kib_per_env(const std::shared_ptr<const Env>& env) {
  ThreadPool pool(1);
  const auto resident = [&](std::size_t num_envs) {
    std::vector<std::uint64_t> seeds(num_envs);
    std::iota(seeds.begin(), seeds.end(), 0);
    // what is acted on is the buffer's; ones, so that its pages are there
    std::vector<float> acting_observation(
        num_envs * static_cast<std::size_t>(env->spec().observation_dim), 1.0f);
    const double before = resident_memory_mib();
    VectorEnv envs(env, seeds, pool);
    envs.reset(acting_observation);  // live worlds (Box2D) are made here
    return resident_memory_mib() - before;
  };
  resident(64);  // code and a first workspace
  const double few = resident(256);
  return 1024.0 * (resident(256 + 4096) - few) / 4096.0;
}

}  // namespace anthill
