// The fused learner against the plain one, and members against themselves alone.
#define BOOST_TEST_MODULE sac_oracle
#include <boost/test/unit_test.hpp>

#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "tests/algos/plain_learner.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kBatch = 64, kObservation = 11, kAction = 3;

Tensor numbers(at::IntArrayRef sizes, double phase) {
  const Tensor t = at::empty(sizes, at::kFloat);
  return at::sin(at::arange(t.numel(), at::kDouble).square() * 0.37 + phase)
      .to(at::kFloat)
      .view(sizes);
}

Batch make_batch(std::int64_t members) {
  Batch batch(members, kBatch, kObservation, kAction, at::kCPU);
  batch.observation.copy_(numbers(batch.observation.sizes(), 0.1));
  batch.action.copy_(numbers(batch.action.sizes(), 0.2));
  batch.reward.copy_(numbers(batch.reward.sizes(), 0.3));
  batch.next_observation.copy_(numbers(batch.next_observation.sizes(), 0.4));
  batch.bootstrap.copy_(numbers(batch.bootstrap.sizes(), 0.5).gt(-0.9).to(at::kFloat));
  return batch;
}

/// The settings in which learners differ in form.
std::vector<AgentConfig> all_configs() {
  std::vector<AgentConfig> configs;
  for (const bool layer_norm : {false, true}) {
    for (const bool jaxrl : {false, true}) {
      AgentConfig config;
      config.critic.dropout = layer_norm && jaxrl ? 0.1 : 0.0;
      config.actor.hidden_dims = config.critic.hidden_dims = {64, 48};
      config.critic.layer_norm = layer_norm;
      config.critic.weight_decay = jaxrl ? 1e-2 : 0.0;
      config.actor.learning_rate = config.critic.learning_rate = 1e-3;
      config.reward_scale = 2.0;
      if (jaxrl) {
        config.actor.log_std_form = LogStdForm::tanh_affine;
        config.actor.log_std_min = -10.0;
        config.actor.log_prob_form = LogProbForm::epsilon;
        config.temperature.loss_form = AlphaLossForm::alpha;
      }
      configs.push_back(config);
    }
  }
  // the remedies
  AgentConfig config = configs[0];
  config.actor.unit_features = config.critic.unit_features = true;
  config.critic.target_clip = TargetClip::bound;
  config.temperature.initial_alpha = 1e-4;
  configs.push_back(config);
  config = configs[1];
  config.critic.target_clip = TargetClip::range;
  config.critic.target_range_period = 6;
  config.temperature.initial_alpha = 0.85;  // from where it wants to rise
  config.temperature.max_alpha = 0.86;
  config.temperature.target_entropy_scale = -5.0;
  configs.push_back(config);
  config = configs[0];
  config.critic.num_critics = 5;
  config.critic.target_subset = 2;
  config.policy_value = PolicyValue::mean;
  configs.push_back(config);
  config.critic.target_aggregation = TargetAggregation::mean_minus_std;
  config.critic.target_beta = 0.7;
  configs.push_back(config);
  config = configs[1];
  config.critic.layer_norm = config.critic.weight_projection = true;
  configs.push_back(config);
  config = configs[0];
  config.critic.batch_renorm = true;
  config.critic.batch_renorm_momentum = 0.8;
  config.critic.batch_renorm_warmup = 5;
  configs.push_back(config);
  config.tau = 1.0;  // one pass of both halves
  config.critic.weight_projection = true;
  config.critic.batch_renorm_warmup = 0;
  config.critic.num_critics = 3;
  config.critic.target_subset = 2;
  configs.push_back(config);
  config = configs[1];
  config.actor.distribution = PolicyDistribution::gsde;
  config.actor.layer_norm = true;
  configs.push_back(config);
  config.actor.sde_learn_features = false;
  config.actor.unit_features = true;
  config.actor.log_std_init = -0.5;
  configs.push_back(config);
  return configs;
}

/// What Sac draws for update `counter` of seed 5.
SacNoise noise_of(const AgentConfig& config, const Batch& batch, std::uint64_t counter) {
  SacNoise noise{at::empty_like(batch.action), at::empty_like(batch.action)};
  fill_normal(noise.next_action, {5}, RandomStream::next_action_noise, counter);
  fill_normal(noise.action, {5}, RandomStream::actor_noise, counter);
  if (config.critic.target_subset > 0) {
    const Tensor keys = at::empty({1, config.critic.num_critics}, at::kFloat);
    fill_normal(keys, {5}, RandomStream::target_subset, counter);
    noise.subset = std::get<1>(keys.sort(1, true)).narrow(1, 0, config.critic.target_subset);
  }
  if (config.critic.dropout == 0.0) return noise;
  const auto mask = [&](RandomStream stream) {
    const Tensor keep = at::empty({1, 2, kBatch * (64 + 48)}, at::kByte);
    fill_keep(keep, config.critic.dropout, {5}, stream, counter);
    return keep;
  };
  noise.target_keep = mask(RandomStream::target_dropout);
  noise.critic_keep = mask(RandomStream::critic_dropout);
  noise.actor_keep = mask(RandomStream::actor_dropout);
  return noise;
}

double relative_error(const Tensor& found, const Tensor& expected) {
  return ((found - expected).norm() / expected.norm()).item<double>();
}

bool same_bits(const Agent& a, std::int64_t member_a, const Agent& b, std::int64_t member_b) {
  const auto left = a.parameters(), right = b.parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!at::equal(left[i].tensor[member_a], right[i].tensor[member_b])) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_one_update_equal_the_plain_learner) {
  for (const AgentConfig& config : all_configs()) {
    const SacModel model = make_sac_model({config}, {kObservation, kAction, {5}, at::kCPU});
    const plain::Sac oracle(model);
    const Batch batch = make_batch(1);
    const SacNoise noise = noise_of(config, batch, 3);
    const auto oracle_gradient = [](const Tensor& loss, const Tensor& flat) {
      return torch::autograd::grad({loss}, {flat})[0];
    };
    // per tensor: a small one must not hide behind a large one
    const auto check = [&](const Parameters& parameters, const Tensor& found,
                           const Tensor& expected) {
      for (const auto& entry : parameters.layout().entries()) {
        const auto part = [&](const Tensor& t) { return t.narrow(2, entry.offset, entry.size); };
        BOOST_TEST(relative_error(part(found), part(expected)) < 1e-5, entry.name);
      }
    };
    check(model.critic, model.critic.gradient(sac_critic_loss(model, batch, noise).loss.sum()),
          oracle_gradient(oracle.critic_loss(batch, noise), oracle.critic));
    Tensor log_prob;
    const SacActorLoss actor = sac_actor_loss(model, batch, noise);
    check(model.actor, model.actor.gradient(actor.loss.sum()),
          oracle_gradient(oracle.actor_loss(batch, noise, log_prob), oracle.actor));
    const auto slope = [](const Tensor& loss, const Tensor& log_alpha) {
      return torch::autograd::grad({loss.sum()}, {log_alpha})[0];
    };
    BOOST_TEST(relative_error(slope(sac_temperature_loss(model, actor.log_prob), model.log_alpha),
                              slope(oracle.alpha_loss(log_prob), oracle.log_alpha)) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(twenty_updates_stay_with_the_plain_learner) {
  for (const AgentConfig& config : all_configs()) {
    Sac agent({config}, {kObservation, kAction, {5}, at::kCPU});
    plain::Sac oracle(agent.model());
    const Tensor start = oracle.critic.detach().clone();
    const Batch batch = make_batch(1);
    oracle.reward_low = -0.005f;  // so narrow that a bound binds
    oracle.reward_high = 0.004f;
    agent.set_reward_ranges({{-0.005f, 0.004f}});
    for (std::uint64_t i = 0; i < 20; ++i) {
      oracle.update(batch, noise_of(config, batch, i));
      agent.update(batch);
    }
    const SacModel& model = agent.model();
    BOOST_TEST(relative_error(model.critic.flat(), start) > 1e-2);  // there was something to learn
    BOOST_TEST(relative_error(model.critic.flat(), oracle.critic) < 1e-4);
    BOOST_TEST(relative_error(model.actor.flat(), oracle.actor) < 1e-4);
    BOOST_TEST(relative_error(model.target_critic.flat(), oracle.target) < 1e-4);
    if (config.critic.batch_renorm) {
      BOOST_TEST(relative_error(model.critic_statistics.running.flat(),
                                oracle.critic_norm.running) < 1e-4);
      BOOST_TEST(relative_error(model.target_statistics.flat(), oracle.target_norm.running) < 1e-4);
      BOOST_TEST(model.critic_statistics.num_batches.item<std::int64_t>() == 20);
    }
    BOOST_TEST(relative_error(model.log_alpha, oracle.log_alpha) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_a_bit) {
  for (const AgentConfig& config : all_configs()) {
    std::vector<std::unique_ptr<Sac>> agents;
    for (const int threads : {1, 2, 3}) {
      set_learner_threads(threads);
      agents.push_back(std::make_unique<Sac>(std::vector<AgentConfig>{config},
                                             AgentShape{kObservation, kAction, {5}, at::kCPU}));
      for (int i = 0; i < 5; ++i) agents.back()->update(make_batch(1));
    }
    set_learner_threads(1);
    BOOST_TEST(same_bits(*agents[0], 0, *agents[1], 0));
    BOOST_TEST(same_bits(*agents[0], 0, *agents[2], 0));
  }
}

BOOST_AUTO_TEST_CASE(a_member_is_what_it_would_be_alone) {
  for (const AgentConfig& config : all_configs()) {
    std::vector<AgentConfig> members(3, config);
    members[1].discount = 0.9;
    if (config.tau < 1.0) members[1].tau = 0.05;
    members[1].actor.learning_rate = 3e-3;
    members[1].temperature.initial_alpha = 0.2;
    members[2].reward_scale = 0.5;
    members[2].critic.learning_rate = 1e-4;
    members[2].temperature.learning_rate = 1e-2;
    members[2].temperature.target_entropy_scale = 0.5;
    const std::vector<std::uint64_t> seeds = {5, 6, 5};
    Sac together(members, {kObservation, kAction, seeds, at::kCPU});
    const Batch stack = make_batch(3);
    for (int i = 0; i < 4; ++i) together.update(stack);
    for (std::size_t m = 0; m < 3; ++m) {
      const auto index = static_cast<std::int64_t>(m);
      Sac alone({members[m]}, {kObservation, kAction, {seeds[m]}, at::kCPU});
      for (int i = 0; i < 4; ++i) alone.update(member_of(stack, index));
      BOOST_TEST(same_bits(together, index, alone, 0), "member " << m);
    }
    BOOST_TEST(!same_bits(together, 0, together, 2));
  }
}
