// What is captured for a GPU, on the CPU: a graph is played by a closure that runs when it is
// launched, so that whatever the queued work reads from words must be there.
#define BOOST_TEST_MODULE update_runner
#include "algos/cuda_graph/update_runner.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>

#include "algos/agents/agent.hpp"
#include "buffers/staging.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kObservation = 3, kAction = 2, kEnvs = 4, kBatch = 8;

struct PlayedGraph final : WorkGraph {
  explicit PlayedGraph(std::function<void()> work) : queue(std::move(work)) {}
  std::function<void()> queue;
  void launch() override { queue(); }
};

std::unique_ptr<WorkGraph> play(const std::function<void()>& queue) {
  return std::make_unique<PlayedGraph>(queue);
}

/// Two members that learn from a ring which overwrites its oldest rows.
struct Learner {
  std::vector<std::uint64_t> seeds = {3, 4};
  std::unique_ptr<Agent> agent;
  std::unique_ptr<ReplayBuffer> buffer;
  Batch batch{2, kBatch, kObservation, kAction, at::kCPU};
  Staging staging{2 * kEnvs, kObservation, kAction, false};
  UpdateRunner runner;
  std::int64_t steps = 0, done = 0;

  Learner(const AgentConfig& config, const Capture& capture, std::int64_t block)
      : agent(make_agent({config, config}, {kObservation, kAction, seeds, at::kCPU})),
        buffer(make_replay_buffer({.observation_dim = kObservation,
                                   .action_dim = kAction,
                                   .num_envs = kEnvs,
                                   .members = 2,
                                   .capacity = 40},
                                  seeds.data(), DeviceSystem::cpp)),
        runner(*agent, *buffer, batch, capture, block) {}

  void insert() {
    const TransitionView rows = staging.back();
    const auto fill = [&](std::span<float> values, float offset) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = std::sin(offset + 0.7f * static_cast<float>(i) + static_cast<float>(steps));
      }
    };
    fill(rows.observation, 0.0f);
    fill(rows.action, 1.0f);
    fill(rows.reward, 2.0f);
    fill(rows.next_observation, 3.0f);
    buffer->insert(rows);
    agent->observe(rows.observation);
    ++steps;
  }

  void learn(std::int64_t due) {
    while (due > 0) {
      const std::int64_t made = runner.run(done, due);
      done += made;
      due -= made;
    }
  }
};

bool same(Agent& a, Agent& b) {
  const auto left = a.parameters(), right = b.parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!at::equal(left[i].tensor, right[i].tensor)) return false;
  }
  const MetricMeans of_a = a.take_metric_means(), of_b = b.take_metric_means();
  return a.num_updates() == b.num_updates() && of_a.names == of_b.names &&
         at::equal(of_a.values, of_b.values);
}

}  // namespace

BOOST_AUTO_TEST_CASE(graphs_change_no_bit) {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 16};
  for (const std::string change : {"none", "dropout", "batch_renorm", "observations"}) {
    config.critic.dropout = change == "dropout" ? 0.1 : 0.0;
    config.critic.batch_renorm = change == "batch_renorm";
    config.critic.batch_renorm_warmup = 10;
    config.critic.weight_projection = change == "batch_renorm";
    config.observation_normalisation = change == "observations";
    Learner eager(config, {}, 1), graphs(config, play, 4);
    for (int step = 0; step < 25; ++step) {
      for (Learner* learner : {&eager, &graphs}) {
        learner->insert();
        learner->learn(step % 6);
      }
      if (step % 7 == 0) BOOST_TEST(same(*eager.agent, *graphs.agent));
    }
    BOOST_TEST(same(*eager.agent, *graphs.agent));
    BOOST_TEST(eager.runner.num_graphs() == 0u);
    BOOST_TEST(graphs.runner.num_graphs() == 2u);  // a block and a single update
  }
}

BOOST_AUTO_TEST_CASE(turns_and_subsets_are_kinds_of_their_own) {
  AgentConfig delayed, rounds;
  delayed.policy_delay = 2;
  delayed.target_period = 3;
  delayed.critic.target_subset = 1;
  rounds.critic_updates = 2;
  rounds.policy_updates = 1;
  for (AgentConfig config : {delayed, rounds}) {
    config.actor.hidden_dims = config.critic.hidden_dims = {8};
    Learner eager(config, {}, 1), graphs(config, play, 3);
    for (int step = 0; step < 25; ++step) {
      for (Learner* learner : {&eager, &graphs}) {
        learner->insert();
        learner->learn(step % 6);
      }
      if (step % 7 == 0) BOOST_TEST(same(*eager.agent, *graphs.agent));
    }
    BOOST_TEST(same(*eager.agent, *graphs.agent));
    BOOST_TEST(graphs.runner.num_graphs() > 2u);
  }
}

BOOST_AUTO_TEST_CASE(graphs_go_on_from_a_loaded_state) {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {16, 16};
  Learner whole(config, play, 4), second(config, play, 4);
  for (int i = 0; i < 5; ++i) whole.insert(), second.insert();
  whole.learn(11);
  NamedArrays arrays;
  whole.agent->save(StateWriter(arrays));
  second.agent->load(StateReader(arrays, "memory"));
  second.done = 11;
  whole.learn(9);
  second.learn(9);
  BOOST_TEST(same(*whole.agent, *second.agent));
}

BOOST_AUTO_TEST_CASE(a_ring_is_read_where_it_stands_when_the_work_runs) {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {4};
  Learner learner(config, {}, 1);
  const Batch now(2, kBatch, kObservation, kAction, at::kCPU);
  const std::int64_t draw = 6;
  for (int step = 0; step < 30; ++step) {
    learner.insert();
    learner.buffer->sample_into(learner.batch.view(), 6);
    learner.buffer->sample_at(now.view(), &draw);
    BOOST_TEST(at::equal(learner.batch.observation, now.observation));
    BOOST_TEST(at::equal(learner.batch.reward, now.reward));
  }
  const auto batches = BatchView{.num_batches = 2, .batch_size = 1};
  BOOST_CHECK_THROW(learner.buffer->sample_at(batches, &draw), std::invalid_argument);
}
