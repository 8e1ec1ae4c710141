#define BOOST_TEST_MODULE overlap
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <sstream>

#include "buffers/replay_buffer.hpp"
#include "buffers/staging.hpp"
#include "sim/env_factory.hpp"
#include "sim/vector_env.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kNumEnvs = 5, kBatchSize = 16, kDrawsPerStep = 3;

/// Host storage for one batch of Pendulum's rows.
struct HostBatch {
  std::vector<float> observation, action, reward, next_observation, bootstrap;

  explicit HostBatch(const EnvSpec& spec)
      : observation(static_cast<std::size_t>(kBatchSize * spec.observation_dim)),
        action(static_cast<std::size_t>(kBatchSize * spec.action_dim)),
        reward(kBatchSize),
        next_observation(observation.size()),
        bootstrap(kBatchSize) {}

  BatchView view() {
    return {.num_batches = 1,
            .batch_size = kBatchSize,
            .observation = observation.data(),
            .action = action.data(),
            .reward = reward.data(),
            .next_observation = next_observation.data(),
            .bootstrap = bootstrap.data()};
  }

  void append_to(std::vector<float>& all) const {
    for (const auto* part : {&observation, &action, &reward, &next_observation, &bootstrap}) {
      all.insert(all.end(), part->begin(), part->end());
    }
  }
};

struct Outcome {
  std::vector<float> sampled;  // every batch, in order
  std::string ring;            // the buffer as saved at the end
};

/// The training loop without a learner: sampling while the simulator steps.
Outcome run_loop(int num_threads, int num_steps) {
  SimConfig config;
  config.env = "Pendulum-v1";
  config.max_episode_steps = 9;  // the loop crosses many autoresets
  const auto env = make_env(config);
  const EnvSpec& spec = env->spec();
  Staging staging(kNumEnvs, spec.observation_dim, spec.action_dim, false);
  ThreadPool pool(num_threads);
  std::vector<std::uint64_t> seeds(kNumEnvs);
  std::iota(seeds.begin(), seeds.end(), 3u);
  VectorEnv envs(env, seeds, pool);
  const std::uint64_t buffer_seed = 17;
  const auto buffer = make_replay_buffer({.observation_dim = spec.observation_dim,
                                          .action_dim = spec.action_dim,
                                          .num_envs = kNumEnvs,
                                          .capacity = 40 * kNumEnvs},  // wraps around
                                         &buffer_seed, DeviceSystem::cpp);
  HostBatch batch(spec);
  Outcome outcome;
  std::uint64_t draw = 0;
  envs.reset(staging.current_observation());
  for (int step = 0; step < num_steps; ++step) {
    const TransitionView rows = staging.back();
    for (std::size_t i = 0; i < rows.action.size(); ++i) {  // a feedback on what was observed
      const float angular_velocity = rows.observation[3 * i + 2];
      rows.action[i] = std::sin(0.7f * static_cast<float>(step) + angular_velocity);
    }
    envs.begin_step(rows, staging.next_acting_observation());
    for (int i = 0; step > 0 && i < kDrawsPerStep; ++i) {
      buffer->sample_into(batch.view(), draw++);
      batch.append_to(outcome.sampled);
    }
    envs.finish_step();
    buffer->insert(rows);
    staging.flip();
  }
  BOOST_TEST(buffer->size() == 40 * kNumEnvs);
  std::ostringstream saved;
  buffer->save(saved);
  outcome.ring = saved.str();
  return outcome;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sampling_while_stepping_is_the_same_with_any_number_of_threads) {
  constexpr int kNumSteps = 200;
  const Outcome one = run_loop(1, kNumSteps);
  BOOST_TEST(one.sampled.size() == (kNumSteps - 1) * kDrawsPerStep * kBatchSize * (2u * 3 + 1 + 2));
  const auto [low, high] = std::minmax_element(one.sampled.begin(), one.sampled.end());
  BOOST_TEST(*low < *high);
  for (const int num_threads : {2, 3}) {
    const Outcome several = run_loop(num_threads, kNumSteps);
    BOOST_TEST((several.sampled == one.sampled), num_threads << " threads");
    BOOST_TEST((several.ring == one.ring), num_threads << " threads");
  }
}
