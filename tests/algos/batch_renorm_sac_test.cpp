// What SAC does with batch renormalisation in its critics; its numbers are compared in
// batch_renorm_vectors_test.cpp and sac_oracle_test.cpp.
#define BOOST_TEST_MODULE batch_renorm_sac
#include <boost/test/unit_test.hpp>

#include "algos/agents/sac.hpp"
#include "sim/errors.hpp"

using namespace anthill;

namespace {

Tensor numbers(at::IntArrayRef sizes, double phase) {
  std::int64_t size = 1;
  for (const std::int64_t extent : sizes) size *= extent;
  return at::sin(at::arange(size, at::kDouble).square() * 0.37 + phase).to(at::kFloat).view(sizes);
}

double relative_error(const Tensor& found, const Tensor& expected) {
  return ((found - expected).norm() / expected.norm()).item<double>();
}

constexpr std::int64_t kBatch = 16, kObservation = 3, kAction = 2;

AgentConfig some_config() {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {8, 8};
  config.critic.batch_renorm = true;
  config.critic.batch_renorm_momentum = 0.9;
  config.critic.batch_renorm_warmup = 3;
  return config;
}

AgentShape some_shape(std::vector<std::uint64_t> seeds = {5}) {
  return {kObservation, kAction, std::move(seeds), at::kCPU};
}

Batch some_batch(double phase = 0.0) {
  Batch batch(1, kBatch, kObservation, kAction, at::kCPU);
  batch.observation.copy_(numbers(batch.observation.sizes(), phase + 0.1));
  batch.action.copy_(numbers(batch.action.sizes(), phase + 0.2));
  batch.reward.copy_(numbers(batch.reward.sizes(), phase + 0.3));
  batch.next_observation.copy_(numbers(batch.next_observation.sizes(), phase + 0.4));
  batch.bootstrap.fill_(1.0);
  return batch;
}

SacNoise some_noise() {
  SacNoise noise{numbers({1, kBatch, kAction}, 0.5), numbers({1, kBatch, kAction}, 0.9)};
  return noise;
}

bool same_bits(const Agent& a, const Agent& b) {
  const auto left = a.parameters(), right = b.parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!at::equal(left[i].tensor, right[i].tensor)) return false;
  }
  return left.size() == right.size();
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_target_networks_both_halves_are_one_batch) {
  AgentConfig config = some_config();
  const auto q_of = [&](double tau, double phase) {
    config.tau = tau;
    const SacModel model = make_sac_model({config}, some_shape());
    BOOST_TEST(model.joint_critics == (tau == 1.0));
    Batch batch = some_batch();
    batch.next_observation.copy_(numbers(batch.next_observation.sizes(), phase));
    return sac_critic_loss(model, batch, some_noise());
  };
  // Q(s, a) depends on s' through the statistics of the one batch
  BOOST_TEST(!at::equal(q_of(1.0, 0.4).q, q_of(1.0, 0.8).q));
  BOOST_TEST(at::equal(q_of(0.005, 0.4).q, q_of(0.005, 0.8).q));
  // the statistics are of both halves: the input's means
  const SacCriticLoss joint = q_of(1.0, 0.4);
  const Batch batch = some_batch();
  const Tensor means = at::cat({batch.observation, batch.next_observation}, 1).mean(1)[0];
  const Tensor found = joint.statistics[0][0].narrow(0, 0, kObservation);
  BOOST_TEST(relative_error(found, means) < 1e-5);
  // without a copy in every update there are target networks
  config.tau = 1.0;
  config.target_period = 2;
  BOOST_TEST(!make_sac_model({config}, some_shape()).joint_critics);
  config.target_period = 1;
  std::vector<AgentConfig> members = {config, config};
  members[1].tau = 0.5;
  BOOST_CHECK_THROW(make_sac_model(members, some_shape({5, 6})), ConfigError);
}

BOOST_AUTO_TEST_CASE(only_the_critics_own_loss_is_remembered) {
  AgentConfig config = some_config();
  config.policy_delay = 2;
  Sac agent({config}, some_shape()), observed({config}, some_shape());
  const SacModel& model = observed.model();
  for (int update = 0; update < 5; ++update) {
    const Tensor before = model.critic_statistics.running.flat().clone();
    observed.diagnose(some_batch(2.0), {{-1.0f, 1.0f}});
    observed.critic_losses(some_batch(3.0));
    const auto critics = observed.actor_critic(0);
    const Batch batch = some_batch(4.0);
    const Tensor q = critics->q(batch.observation[0], batch.action[0]);
    // rows do not see each other outside of the critics' loss
    const Tensor half = critics->q(batch.observation[0].narrow(0, 0, 8).contiguous(),
                                   batch.action[0].narrow(0, 0, 8).contiguous());
    BOOST_TEST(relative_error(half, q.narrow(1, 0, 8)) < 1e-5);
    BOOST_TEST(at::equal(model.critic_statistics.running.flat(), before));
    observed.update(some_batch(update));
    agent.update(some_batch(update));
    BOOST_TEST(!at::equal(model.critic_statistics.running.flat(), before));
  }
  BOOST_TEST(same_bits(agent, observed));
  BOOST_TEST(model.critic_statistics.num_batches.item<std::int64_t>() == 5);
}

BOOST_AUTO_TEST_CASE(statistics_are_saved_named_and_begin_anew_with_their_critics) {
  AgentConfig config = some_config();
  Sac whole({config}, some_shape()), first({config}, some_shape()), second({config}, some_shape());
  for (int update = 0; update < 9; ++update) {
    whole.update(some_batch(update));
    if (update < 5) first.update(some_batch(update));
  }
  NamedArrays arrays;
  first.save(StateWriter(arrays));
  second.load(StateReader(arrays, "test"));
  for (int update = 5; update < 9; ++update) second.update(some_batch(update));
  BOOST_TEST(same_bits(whole, second));
  int named = 0;
  for (const NamedTensor& t : whole.parameters()) {
    named += t.name == "critic.batch_renorm_2.variance" ||
             t.name == "target_critic.batch_renorm_0.mean" ||
             t.name == "critic.batch_renorm_1.bias";
  }
  BOOST_TEST(named == 3);
  // a reset is due before the sixth update, the first one of the fresh critics
  config.reset_period = 5;
  config.reset_networks = {"critic"};
  Sac agent({config}, some_shape());
  for (int update = 0; update < 6; ++update) agent.update(some_batch(update));
  BOOST_TEST(agent.model().critic_statistics.num_batches.item<std::int64_t>() == 1);
  const Tensor& mean = agent.model().critic_statistics.running.view("batch_renorm_0.mean");
  const Tensor of_batch = at::cat({some_batch(5).observation, some_batch(5).action}, 2).mean(1);
  BOOST_TEST(relative_error(mean[0][1], 0.1 * of_batch[0]) < 1e-5);
  const Tensor& gain = agent.model().critic.view("batch_renorm_1.weight");
  BOOST_TEST((gain - 1.0).abs().max().item<double>() < 2e-3);
}
