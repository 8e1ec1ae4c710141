// What the remedies do to a learner; their arithmetic is compared in sac_oracle_test.cpp.
#define BOOST_TEST_MODULE remedies
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <numbers>

#include "algos/agents/sac_remedies.hpp"
#include "algos/networks/noise.hpp"
#include "tests/algos/plain_learner.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kBatch = 16, kObservation = 3, kAction = 2;

Tensor waves(at::IntArrayRef sizes, double phase) {
  const Tensor t = at::empty(sizes, at::kFloat);
  return at::sin(at::arange(t.numel(), at::kFloat) * 1.3 + phase).view(sizes);
}

Batch some_batch(double phase = 0.0) {
  Batch batch(1, kBatch, kObservation, kAction, at::kCPU);
  batch.observation.copy_(waves(batch.observation.sizes(), phase + 0.1));
  batch.action.copy_(waves(batch.action.sizes(), phase + 0.2));
  batch.reward.copy_(waves(batch.reward.sizes(), phase + 0.3));
  batch.next_observation.copy_(waves(batch.next_observation.sizes(), phase + 0.4));
  batch.bootstrap.fill_(1.0);
  return batch;
}

AgentConfig some_config() {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {8, 8};
  config.actor.learning_rate = config.critic.learning_rate = 1e-2;
  config.temperature.learning_rate = 1e-2;
  return config;
}

AgentShape some_shape() { return {kObservation, kAction, {5}, at::kCPU}; }

SacNoise some_noise() {
  SacNoise noise{waves({1, kBatch, kAction}, 0.5), waves({1, kBatch, kAction}, 0.9)};
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

BOOST_AUTO_TEST_CASE(no_target_leaves_the_bounds) {
  AgentConfig config = some_config();
  config.critic.target_clip = TargetClip::bound;
  SacModel model = make_sac_model({config}, some_shape());
  {
    at::NoGradGuard no_grad;
    model.target_critic.flat().mul_(30.0);  // values far outside
  }
  const RewardRange rewards = {-0.5f, 0.25f};
  update_clip_bounds(model, make_sac_rewards({rewards}, at::kCPU));
  const double high = (0.25 + 0.99 * 1.0 * kAction * std::numbers::ln2) / 0.01;
  BOOST_TEST(model.clip.high[0].item<double>() == high, boost::test_tools::tolerance(1e-4));
  BOOST_TEST(model.clip.low[0].item<double>() == -0.5 / 0.01, boost::test_tools::tolerance(1e-4));
  const SacCriticLoss loss = sac_critic_loss(model, some_batch(), some_noise());
  BOOST_TEST(loss.target.max().item<float>() <= model.clip.high[0].item<float>());
  BOOST_TEST(loss.target.min().item<float>() >= model.clip.low[0].item<float>());
  model.config.critic.target_clip = TargetClip::none;
  const Tensor free = sac_critic_loss(model, some_batch(), some_noise()).target;
  BOOST_TEST((free.max().item<double>() > high || free.min().item<double>() < -50.0));
  // a density that was seen widens the lower bound
  model.config.critic.target_clip = TargetClip::bound;
  remember_targets(model, loss, 0);
  const double log_prob = std::max(0.0, loss.next_log_prob.max().item<double>());
  update_clip_bounds(model, make_sac_rewards({rewards}, at::kCPU));
  BOOST_TEST(model.clip.low[0].item<double>() == (-0.5 - 0.99 * log_prob) / 0.01,
             boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(the_range_is_that_of_the_targets_seen) {
  AgentConfig config = some_config();
  config.critic.target_clip = TargetClip::range;
  config.critic.target_range_period = 2;
  SacModel model = make_sac_model({config}, some_shape());
  double low = INFINITY, high = -INFINITY;
  for (std::int64_t update = 0; update < 5; ++update) {
    const SacCriticLoss loss =
        sac_critic_loss(model, some_batch(static_cast<double>(update)), some_noise());
    low = std::min(low, loss.target.min().item<double>());
    high = std::max(high, loss.target.max().item<double>());
    remember_targets(model, loss, update);
    if (update == 0) BOOST_TEST(model.clip.high[0].item<double>() == 0.0);
    if (update % 2 == 1) BOOST_TEST(model.clip.high[0].item<double>() == high);
    if (update % 2 == 1) BOOST_TEST(model.clip.low[0].item<double>() == low);
  }
}

BOOST_AUTO_TEST_CASE(every_update_draws_its_own_critics) {
  AgentConfig config = some_config();
  config.critic.num_critics = 4;
  config.critic.target_subset = 2;
  const SacModel model = make_sac_model({config}, some_shape());
  BOOST_TEST(model.critic.ensemble() == 4);
  const Batch batch = some_batch();
  const auto target = [&](std::vector<std::int64_t> critics) {
    SacNoise noise = some_noise();
    if (!critics.empty()) noise.subset = at::tensor(critics, at::kLong).unsqueeze(0);
    return sac_critic_loss(model, batch, noise).target;
  };
  // the minimum over a pair is at least that over all; some pair has it where one critic is lowest
  const Tensor all = target({});
  BOOST_TEST((target({0, 3}) >= all).all().item<bool>());
  BOOST_TEST(at::equal(target({3, 0}), target({0, 3})));
  BOOST_TEST(!at::equal(target({0, 1}), target({2, 3})));
  BOOST_TEST(at::equal(at::minimum(target({0, 1}), target({2, 3})), all));
  // how often each pair comes: 6 pairs, 3,000 updates
  std::map<std::pair<std::int64_t, std::int64_t>, int> pairs;
  for (std::uint64_t update = 0; update < 3000; ++update) {
    const Tensor keys = at::empty({1, 4}, at::kFloat);
    fill_normal(keys, {5}, RandomStream::target_subset, update);
    const Tensor subset = std::get<1>(keys.topk(2, 1))[0];
    ++pairs[std::minmax(subset[0].item<std::int64_t>(), subset[1].item<std::int64_t>())];
  }
  BOOST_TEST(pairs.size() == 6u);
  for (const auto& [pair, count] : pairs) BOOST_TEST(std::abs(count - 500) < 100);
}

BOOST_AUTO_TEST_CASE(beta_goes_from_the_maximum_over_the_mean_to_the_minimum) {
  AgentConfig config = some_config();
  const Batch batch = some_batch();
  const auto target = [&](const std::vector<std::int64_t>& critics) {
    const SacModel model = make_sac_model({config}, some_shape());
    SacNoise noise = some_noise();
    if (!critics.empty()) noise.subset = at::tensor(critics, at::kLong).unsqueeze(0);
    return sac_critic_loss(model, batch, noise).target;
  };
  const Tensor minimum = target({}), first = target({0}), second = target({1});
  config.critic.target_aggregation = TargetAggregation::mean_minus_std;
  for (const double beta : {-1.0, 0.0, 0.5, 1.0}) {
    config.critic.target_beta = beta;
    const Tensor expected = (first + second) / 2 - beta * (first - second).abs() / 2;
    BOOST_TEST(at::allclose(target({}), expected, 1e-5, 1e-6), beta);
  }
  BOOST_TEST(at::allclose(target({}), minimum, 1e-5, 1e-6));
  BOOST_TEST(at::allclose(target({1}), second, 1e-5, 1e-6));  // one critic has no deviation
}

BOOST_AUTO_TEST_CASE(the_temperature_keeps_below_its_cap) {
  AgentConfig config = some_config();
  config.temperature.initial_alpha = 0.5;
  config.temperature.max_alpha = 0.55;
  config.temperature.target_entropy_scale = -10.0;  // more entropy than there can be
  Sac capped({config}, some_shape());
  config.temperature.max_alpha = 0.0;
  Sac free({config}, some_shape());
  for (int update = 0; update < 30; ++update) {
    capped.update(some_batch());
    free.update(some_batch());
  }
  BOOST_TEST(capped.model().log_alpha[0].item<double>() == std::log(0.55),
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(free.model().log_alpha[0].item<double>() > std::log(0.6));
}

BOOST_AUTO_TEST_CASE(a_reset_is_a_new_start_of_what_is_named) {
  AgentConfig config = some_config();
  config.reset_period = 4;
  config.reset_networks = {"critic"};
  Sac agent({config}, some_shape());
  config.reset_period = 0;
  Sac oracle_start({config}, some_shape());
  plain::Sac before(oracle_start.model());
  const auto noise_of = [](std::uint64_t update) {
    SacNoise noise{at::empty({1, kBatch, kAction}), at::empty({1, kBatch, kAction})};
    fill_normal(noise.next_action, {5}, RandomStream::next_action_noise, update);
    fill_normal(noise.action, {5}, RandomStream::actor_noise, update);
    return noise;
  };
  for (std::uint64_t update = 0; update < 4; ++update) {
    agent.update(some_batch());
    before.update(some_batch(), noise_of(update));
  }
  // by hand: new critics, targets and moments; actor and temperature go on
  Parameters fresh(agent.model().critic.layout(), 1, 2, at::kCPU, false);
  mlp_initialise(agent.model().critic_shape, fresh, config.initialisation, {5}, 3);
  {
    at::NoGradGuard no_grad;
    BOOST_TEST(!at::equal(fresh.flat(), oracle_start.model().critic.flat()));
    before.critic.copy_(fresh.flat());
    before.target.copy_(fresh.flat());
  }
  before.restart_critic_optimiser();
  for (std::uint64_t update = 4; update < 7; ++update) {
    agent.update(some_batch());
    before.update(some_batch(), noise_of(update));
  }
  const auto close = [](const Tensor& found, const Tensor& expected) {
    return ((found - expected).norm() / expected.norm()).item<double>() < 1e-4;
  };
  BOOST_TEST(close(agent.model().critic.flat(), before.critic));
  BOOST_TEST(close(agent.model().target_critic.flat(), before.target));
  BOOST_TEST(close(agent.model().actor.flat(), before.actor));
  BOOST_TEST(close(agent.model().log_alpha, before.log_alpha));
}

BOOST_AUTO_TEST_CASE(resets_come_by_updates_or_by_env_steps) {
  AgentConfig config = some_config();
  config.temperature.automatic = false;
  config.reset_period = 10;
  config.reset_unit = ResetUnit::env_steps;
  Sac agent({config}, some_shape());
  const auto distance_from_start = [&] {
    const Sac start({config}, some_shape());
    return (agent.model().actor.flat() - start.model().actor.flat()).norm().item<double>();
  };
  std::vector<double> distance;
  for (const std::int64_t env_steps : {8, 9, 10, 11, 19, 33}) {
    agent.set_env_steps(env_steps);
    agent.update(some_batch());
    distance.push_back(distance_from_start());
  }
  // a small step from the first weights, then another start at 10 and at 33 (30 is past)
  BOOST_TEST(distance[1] < 0.5);
  BOOST_TEST(distance[2] > 1.0);
  BOOST_TEST(std::abs(distance[4] - distance[2]) < 0.5);
  BOOST_TEST(std::abs(distance[5] - distance[4]) > 1e-3);
}

BOOST_AUTO_TEST_CASE(listed_resets_come_at_their_times_alone) {
  AgentConfig config = some_config();
  Sac never({config}, some_shape());
  config.reset_period = 4;
  Sac every_fourth({config}, some_shape());
  config.reset_period = 0;
  config.reset_times = {4, 8};
  Sac twice({config}, some_shape());
  for (int update = 0; update < 14; ++update) {
    BOOST_TEST(same_bits(twice, never) == (update <= 4), update);  // the reset of 4 opens update 4
    BOOST_TEST(same_bits(twice, every_fourth) == (update <= 12), update);
    for (Sac* agent : {&never, &every_fourth, &twice}) agent->update(some_batch(update));
  }
}

BOOST_AUTO_TEST_CASE(what_the_remedies_remember_is_saved) {
  for (const TargetClip clip : {TargetClip::bound, TargetClip::range}) {
    AgentConfig config = some_config();
    config.critic.target_clip = clip;
    config.critic.target_range_period = 3;
    config.reset_period = 5;
    Sac whole({config}, some_shape()), first({config}, some_shape()),
        second({config}, some_shape());
    for (Sac* agent : {&whole, &first, &second}) agent->set_reward_ranges({{-0.02f, 0.01f}});
    for (int update = 0; update < 12; ++update) {
      whole.update(some_batch(update));
      if (update < 7) first.update(some_batch(update));
    }
    NamedArrays arrays;
    first.save(StateWriter(arrays));
    second.load(StateReader(arrays, "test"));
    for (int update = 7; update < 12; ++update) second.update(some_batch(update));
    BOOST_TEST(same_bits(whole, second));
  }
}

BOOST_AUTO_TEST_CASE(weights_into_a_hidden_unit_have_norm_one_from_the_start_on) {
  AgentConfig config = some_config();
  config.critic.layer_norm = config.critic.weight_projection = true;
  config.reset_period = 3;
  Sac agent({config}, some_shape());
  const auto largest_error = [&](const Parameters& critic) {
    double largest = 0.0;
    for (const char* name : {"hidden_0.weight", "hidden_1.weight"}) {
      const Tensor norms = at::linalg_vector_norm(critic.view(name), 2, {-1});
      largest = std::max(largest, (norms - 1.0).abs().max().item<double>());
    }
    return largest;
  };
  for (int update = 0; update < 5; ++update) {
    BOOST_TEST(largest_error(agent.model().critic) < 1e-6, update);
    // copies at the start; then behind, on chords of the sphere, that is inside of it
    const double behind = largest_error(agent.model().target_critic);
    BOOST_TEST((update == 0 ? behind < 1e-6 : behind > 1e-8 && behind < 0.1), update);
    agent.update(some_batch(update));
  }
  const Tensor output = agent.model().critic.view("output.weight");
  BOOST_TEST(at::linalg_vector_norm(output, 2, {-1}).sub(1.0).abs().min().item<double>() > 1e-3);
}
