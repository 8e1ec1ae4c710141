#include "apps/bench_parts.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "algos/training/run_recorder.hpp"
#include "buffers/staging.hpp"
#include "sim/env_factory.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

constexpr int kNumChunks = 20;

struct Rates {
  double best = 0.0, median = 0.0;  // units per second
};

/// `finish` waits for work that is still queued, and counts. Repeats `work` (which returns how many
/// units it did) in chunks of equal time for `seconds`, after one chunk of warm-up.
Rates measure(
    double seconds, const std::function<double()>& work,
    const std::function<void()>& finish = [] {}) {
  using Clock = std::chrono::steady_clock;
  const auto chunk = [&] {
    const auto start = Clock::now();
    double units = 0.0, elapsed = 0.0;
    do {
      units += work();
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds / kNumChunks);
    finish();
    return units / std::chrono::duration<double>(Clock::now() - start).count();
  };
  chunk();
  std::vector<double> rates(kNumChunks);
  for (double& rate : rates) rate = chunk();
  std::ranges::sort(rates);
  return {rates.back(), rates[kNumChunks / 2]};
}

DeviceChoice device_choice(const std::string& name) {
  if (name == "cpu") return DeviceChoice::cpu;
  return name == "cuda" ? DeviceChoice::cuda : DeviceChoice::automatic;
}

nlohmann::json bench_env(const BenchOptions& options) {
  SimConfig config;
  config.env = options.env;
  const auto env = make_env(config);
  const EnvSpec& spec = env->spec();
  ThreadPool pool(options.num_threads);
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(options.num_envs));
  std::iota(seeds.begin(), seeds.end(), 0);
  const double memory_before = resident_memory_mib();
  VectorEnv envs(env, seeds, pool);
  Staging staging(options.num_envs, spec.observation_dim, spec.action_dim, false);
  envs.reset(staging.current_observation());
  std::uint64_t step = 0;
  const Rates rates = measure(options.seconds, [&] {
    const TransitionView rows = staging.back();
    fill_uniform_actions(rows.action.data(), options.num_envs * spec.action_dim, {0},
                         RandomStream::random_action, step++);
    envs.begin_step(rows, staging.next_acting_observation());
    envs.finish_step();
    staging.flip();
    return static_cast<double>(options.num_envs);
  });
  return {{"part", "env"},
          {"env", options.env},
          {"num_envs", options.num_envs},
          {"num_threads", pool.num_threads()},
          {"env_steps_per_s", rates.best},
          {"env_steps_per_s_median", rates.median},
          {"us_per_env_step", 1e6 / rates.best},
          {"sim_warnings", envs.num_sim_warnings()},
          {"memory_mib", resident_memory_mib() - memory_before}};
}

/// A ring filled with uniform numbers.
std::unique_ptr<ReplayBuffer> filled_buffer(const BenchOptions& options, at::Device device) {
  constexpr std::int64_t kNumEnvs = 64;
  const std::uint64_t seed = 0;
  auto buffer =
      make_replay_buffer({.observation_dim = options.observation_dim,
                          .action_dim = options.action_dim,
                          .num_envs = kNumEnvs,
                          .members = 1,
                          .capacity = std::max(options.capacity, kNumEnvs)},
                         &seed, device.is_cuda() ? DeviceSystem::cuda : DeviceSystem::cpp);
  Staging staging(kNumEnvs, options.observation_dim, options.action_dim, device.is_cuda());
  const TransitionView rows = staging.back();
  for (const std::span<float> field :
       {rows.observation, rows.action, rows.reward, rows.next_observation}) {
    fill_uniform_actions(field.data(), static_cast<std::int64_t>(field.size()), {seed},
                         RandomStream::random_action, 0);
  }
  while (buffer->size() < buffer->capacity()) buffer->insert(rows, current_stream(device));
  return buffer;
}

nlohmann::json bench_buffer(const BenchOptions& options) {
  const at::Device device = resolve_device(device_choice(options.device));
  const auto buffer = filled_buffer(options, device);
  Batch batch(1, options.batch_size, options.observation_dim, options.action_dim, device);
  std::uint64_t draw = 0;
  const Rates rates = measure(options.seconds, [&] {
    for (int i = 0; i < 100; ++i) buffer->sample_into(batch.view(), draw++, current_stream(device));
    synchronize(device);
    return 100.0;
  });
  return {{"part", "buffer"},
          {"device", device.str()},
          {"observation_dim", options.observation_dim},
          {"action_dim", options.action_dim},
          {"batch_size", options.batch_size},
          {"capacity", buffer->capacity()},
          {"batches_per_s", rates.best},
          {"batches_per_s_median", rates.median},
          {"us_per_batch", 1e6 / rates.best},
          {"memory_mib", static_cast<double>(buffer->memory_bytes()) / (1024.0 * 1024.0)}};
}

nlohmann::json bench_learner(const BenchOptions& options) {
  const at::Device device = resolve_device(device_choice(options.device));
  set_learner_threads(std::max(1, options.num_threads));
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {options.hidden_dim, options.hidden_dim};
  config.critic.layer_norm = options.layer_norm;
  const auto agent = make_agent(config, {options.observation_dim, options.action_dim, {0}, device});
  BenchOptions small = options;
  small.capacity = 10'000;  // sampling has its own benchmark
  const auto buffer = filled_buffer(small, device);
  Batch batch(1, options.batch_size, options.observation_dim, options.action_dim, device);
  std::uint64_t draw = 0;
  const Rates rates = measure(
      options.seconds,
      [&] {
        buffer->sample_into(batch.view(), draw++, current_stream(device));
        agent->update(batch);
        if (draw % 100 == 0) synchronize(device);  // the clock must not run ahead of the device
        return 1.0;
      },
      [&] { synchronize(device); });
  return {{"part", "learner"},
          {"algorithm", config.algorithm},
          {"device", device.str()},
          {"num_threads", learner_threads()},
          {"observation_dim", options.observation_dim},
          {"action_dim", options.action_dim},
          {"batch_size", options.batch_size},
          {"hidden_dim", options.hidden_dim},
          {"layer_norm", options.layer_norm},
          {"updates_per_s", rates.best},
          {"updates_per_s_median", rates.median},
          {"ms_per_update", 1e3 / rates.best},
          {"memory_mib", resident_memory_mib()}};
}

}  // namespace

nlohmann::json bench_part(const std::string& part, const BenchOptions& options) {
  if (part == "env") return bench_env(options);
  if (part == "buffer") return bench_buffer(options);
  return bench_learner(options);
}

}  // namespace anthill
