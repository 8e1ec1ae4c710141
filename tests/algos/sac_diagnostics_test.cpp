// Every diagnostic against a direct computation from plain ATen operations.
#define BOOST_TEST_MODULE sac_diagnostics
#include "algos/agents/sac_diagnostics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

#include "tests/algos/plain_learner.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kMembers = 1, kBatch = 24, kObservation = 3, kAction = 2;

Tensor waves(at::IntArrayRef sizes, double phase, double scale = 1.0) {
  const Tensor t = at::empty(sizes, at::kFloat);
  return scale * at::sin(at::arange(t.numel(), at::kFloat) * 1.3 + phase).view(sizes);
}

Batch some_batch(double phase = 0.0) {
  Batch batch(kMembers, kBatch, kObservation, kAction, at::kCPU);
  batch.observation.copy_(waves(batch.observation.sizes(), phase + 0.1));
  batch.action.copy_(waves(batch.action.sizes(), phase + 0.2));
  batch.reward.copy_(waves(batch.reward.sizes(), phase + 0.3));
  batch.next_observation.copy_(waves(batch.next_observation.sizes(), phase + 0.4));
  batch.bootstrap.fill_(1.0);
  return batch;
}

AgentConfig some_config() {
  AgentConfig config;
  config.actor.hidden_dims = {9, 7};
  config.critic.hidden_dims = {12, 10};
  config.critic.layer_norm = true;
  config.critic.weight_decay = 0.01;
  config.actor.learning_rate = config.critic.learning_rate = 3e-3;
  config.actor.log_std_max = 1.5;
  config.temperature.initial_alpha = 0.4;
  return config;
}

AgentShape some_shape() { return {kObservation, kAction, {3}, at::kCPU}; }

/// Row of sac_diagnostics() by name.
Tensor row(const Tensor& values, const std::string& name) {
  const auto& names = sac_diagnostic_names();
  const auto place = std::ranges::find(names, name);
  BOOST_REQUIRE(place != names.end());
  return values[place - names.begin()];
}

void check(const Tensor& values, const std::string& name, const Tensor& expected,
           double tolerance = 1e-4) {
  const Tensor got = row(values, name);
  BOOST_TEST(at::allclose(got, expected.to(at::kFloat), tolerance, 1e-7),
             name << ": " << got << " instead of " << expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(effective_rank_is_that_of_the_singular_values) {
  const Tensor features = waves({2, 3, 20, 6}, 0.7).add(waves({2, 3, 20, 6}, 0.2).square());
  for (const Tensor& f : {features, features.transpose(2, 3).contiguous()}) {
    const Tensor sigma = std::get<1>(at::linalg_svd(f.to(at::kDouble), false));
    const Tensor p = sigma / sigma.sum(-1, true);
    const Tensor expected = (-(p * p.log()).sum(-1)).exp().mean(-1);
    BOOST_TEST(at::allclose(effective_rank(f), expected.to(at::kFloat), 1e-4, 1e-6));
  }
  // r equal singular values have rank r; one direction has rank 1
  const Tensor orthogonal = at::eye(8, at::kFloat).narrow(1, 0, 5).contiguous().view({1, 1, 8, 5});
  BOOST_TEST(effective_rank(orthogonal)[0].item<double>() == 5.0,
             boost::test_tools::tolerance(1e-5));
  const Tensor line = at::ones({1, 1, 8, 5}, at::kFloat);
  BOOST_TEST(effective_rank(line)[0].item<double>() == 1.0, boost::test_tools::tolerance(1e-5));
  Tensor broken = features.clone();
  broken[1][2][3][4] = INFINITY;
  BOOST_TEST(at::isnan(effective_rank(broken)).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(dormant_units_are_counted) {
  Tensor features = at::ones({1, 2, 10, 4}, at::kFloat);
  features.select(3, 1).fill_(0.0);         // silent in both networks
  features[0][1].select(1, 2).fill_(-0.2);  // weak in one, whose mean is .3125
  features[0][1].select(1, 3).fill_(0.05);
  const double mean_1 = (1.0 + 0.0 + 0.2 + 0.05) / 4.0;
  BOOST_TEST(0.05 / mean_1 > 0.1);
  BOOST_TEST(dormant_share(features, 0.025)[0].item<double>() == 2.0 / 8.0);
  BOOST_TEST(dormant_share(features, 0.17)[0].item<double>() == 3.0 / 8.0);
  BOOST_TEST(dormant_share(at::zeros({1, 1, 3, 4}, at::kFloat), 0.1)[0].item<double>() == 1.0);
}

BOOST_AUTO_TEST_CASE(every_row_is_what_its_formula_says) {
  for (const LogStdForm form : {LogStdForm::clamp, LogStdForm::tanh_affine}) {
    AgentConfig config = some_config();
    config.actor.log_std_form = form;
    SacModel model = make_sac_model({config}, some_shape());
    {
      at::NoGradGuard no_grad;
      model.target_critic.flat().mul_(0.9);
      model.critic.flat().mul_(3.0);
    }
    const SacOptimisers optimisers = make_sac_optimisers({config}, model);
    const Batch batch = some_batch();
    const SacNoise noise = {waves({kMembers, kBatch, kAction}, 0.5, 2.0),
                            waves({kMembers, kBatch, kAction}, 0.9, 2.0)};
    const RewardRange rewards = {-0.02f, 0.03f};
    const Tensor got = sac_diagnostics(model, optimisers, batch, noise, rewards);
    BOOST_TEST(
        (got.sizes() ==
         at::IntArrayRef{static_cast<std::int64_t>(sac_diagnostic_names().size()), kMembers}));

    const plain::Sac oracle(model);
    Tensor log_prob;
    const auto norm = [](const Tensor& t) { return t.detach().flatten(1).square().sum(1).sqrt(); };
    const auto gradient = [](const Tensor& loss, const Tensor& flat) {
      return torch::autograd::grad({loss}, {flat})[0];
    };
    check(got, "critic_gradient_norm",
          norm(gradient(oracle.critic_loss(batch, noise), oracle.critic)));
    check(got, "actor_gradient_norm",
          norm(gradient(oracle.actor_loss(batch, noise, log_prob), oracle.actor)), 1e-3);
    check(got, "actor_parameter_norm", norm(model.actor.flat()));
    check(got, "critic_parameter_norm", norm(model.critic.flat()));
    check(got, "actor_update_ratio", at::zeros({kMembers}));
    check(got, "critic_update_ratio", at::zeros({kMembers}));

    // the policy's inside
    const Tensor head =
        plain::mlp(model.actor_shape, model.actor.flat().detach(), batch.observation).squeeze(1);
    const Tensor raw = head.narrow(-1, kAction, kAction);
    const Tensor log_std = form == LogStdForm::clamp ? raw.clamp(-20.0, 1.5)
                                                     : -20.0 + 21.5 * (1.0 + at::tanh(raw)) / 2.0;
    const Tensor u = head.narrow(-1, 0, kAction) + log_std.exp() * noise.action;
    check(got, "policy_log_std", log_std.mean({1, 2}));
    check(got, "policy_u_abs", u.abs().mean({1, 2}));
    check(got, "policy_saturated", (u.tanh().abs() > 0.99).to(at::kFloat).mean({1, 2}));

    // the critic's slope in the action
    const Tensor action = u.tanh().detach().clone().set_requires_grad(true);
    const Tensor critic = model.critic.flat().detach();
    const Tensor q_policy =
        plain::mlp(model.critic_shape, critic, at::cat({batch.observation, action}, -1))
            .squeeze(-1)
            .amin(1);
    check(got, "action_gradient_norm", gradient(q_policy.sum(), action).norm(2, -1).mean(-1), 1e-3);

    // the alarm
    const Tensor q =
        plain::mlp(model.critic_shape, critic, at::cat({batch.observation, batch.action}, -1))
            .squeeze(-1);
    for (std::int64_t m = 0; m < kMembers; ++m) {
      const double high = std::max(0.0, (0.03 + 0.99 * 0.4 * kAction * std::numbers::ln2) / 0.01);
      const double low =
          std::min(0.0, (-0.02 - 0.99 * 0.4 * log_prob[m].max().item<double>()) / 0.01);
      const double share =
          at::logical_or(q[m] > high, q[m] < low).to(at::kDouble).mean().item<double>();
      BOOST_TEST(row(got, "implausible_share")[m].item<double>() == share,
                 boost::test_tools::tolerance(1e-6));
    }
    const RewardRange none;
    BOOST_TEST(
        at::isnan(row(sac_diagnostics(model, optimisers, batch, noise, none), "implausible_share"))
            .all()
            .item<bool>());
    const RewardRange tight = {-1e-4f, 1e-4f};
    model.log_alpha.detach().fill_(-30.0);
    BOOST_TEST(row(sac_diagnostics(model, optimisers, batch, noise, tight), "implausible_share")
                   .min()
                   .item<double>() > 0.5);
  }
}

BOOST_AUTO_TEST_CASE(features_are_those_of_the_last_hidden_layer) {
  AgentConfig config = some_config();
  config.critic.residual = true;
  config.critic.hidden_dims = {10, 10};
  for (const auto placement :
       {LayerNormPlacement::before_activation, LayerNormPlacement::after_activation}) {
    config.critic.layer_norm_placement = placement;
    const SacModel model = make_sac_model({config}, some_shape());
    const Batch batch = some_batch();
    const Tensor features =
        mlp_features(model.critic_shape, model.critic, {batch.observation, batch.action});
    // the output layer on these features is the critic's value
    const Tensor q = at::matmul(features, model.critic.view("output.weight").transpose(-1, -2)) +
                     model.critic.view("output.bias").unsqueeze(2);
    const Tensor expected = plain::mlp(model.critic_shape, model.critic.flat().detach(),
                                       at::cat({batch.observation, batch.action}, -1));
    BOOST_TEST(at::allclose(q, expected, 1e-4, 1e-5));
  }
}

BOOST_AUTO_TEST_CASE(update_ratios_are_those_of_the_latest_update) {
  const AgentConfig config = some_config();
  Sac agent({config}, some_shape());
  for (int update = 0; update < 5; ++update) {
    const Tensor actor = agent.model().actor.flat().detach().clone();
    const Tensor critic = agent.model().critic.flat().detach().clone();
    agent.update(some_batch(update));
    const Tensor got = agent.diagnose(some_batch(update), {{-1.0f, 1.0f}});
    const auto ratio = [](const Tensor& before, const Tensor& after) {
      return norm_per_member((after.detach() - before).to(at::kDouble)) /
             norm_per_member(after.detach().to(at::kDouble));
    };
    check(got, "actor_update_ratio", ratio(actor, agent.model().actor.flat()), 1e-3);
    check(got, "critic_update_ratio", ratio(critic, agent.model().critic.flat()), 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(a_diagnosis_changes_no_bit) {
  AgentConfig config = some_config();
  config.critic.dropout = 0.1;
  Sac watched({config}, some_shape()), alone({config}, some_shape());
  for (int update = 0; update < 6; ++update) {
    watched.diagnose(some_batch(7.0), {{-1.0f, 1.0f}});
    watched.update(some_batch(update));
    alone.update(some_batch(update));
  }
  const auto a = watched.parameters(), b = alone.parameters();
  for (std::size_t i = 0; i < a.size(); ++i)
    BOOST_TEST(at::equal(a[i].tensor, b[i].tensor), a[i].name);
  BOOST_TEST(at::equal(watched.take_metric_means().values, alone.take_metric_means().values));
}

BOOST_AUTO_TEST_CASE(members_are_measured_apart) {
  const AgentConfig config = some_config();
  const std::vector<std::uint64_t> seeds = {3, 8};
  Sac both({config, config}, {kObservation, kAction, seeds, at::kCPU});
  const Batch one = some_batch();
  Batch stack(2, kBatch, kObservation, kAction, at::kCPU);
  stack.observation.copy_(one.observation.expand_as(stack.observation));
  stack.action.copy_(one.action.expand_as(stack.action));
  stack.reward.copy_(one.reward.expand_as(stack.reward));
  stack.next_observation.copy_(one.next_observation.expand_as(stack.next_observation));
  stack.bootstrap.copy_(one.bootstrap.expand_as(stack.bootstrap));
  both.update(stack);
  const Tensor got = both.diagnose(stack, {{-1.0f, 1.0f}, {-1.0f, 1.0f}});
  for (std::size_t m = 0; m < 2; ++m) {
    Sac alone({config}, {kObservation, kAction, {seeds[m]}, at::kCPU});
    alone.update(one);
    BOOST_TEST(at::equal(got.select(1, static_cast<std::int64_t>(m)),
                         alone.diagnose(one, {{-1.0f, 1.0f}}).select(1, 0)));
  }
}

BOOST_AUTO_TEST_CASE(a_critic_without_hidden_layers_has_no_features) {
  AgentConfig config = some_config();
  config.critic.hidden_dims = {};
  config.critic.layer_norm = false;
  Sac agent({config}, some_shape());
  agent.update(some_batch());
  const Tensor got = agent.diagnose(some_batch(), {{-1.0f, 1.0f}});
  BOOST_TEST(at::isnan(row(got, "critic_effective_rank")).all().item<bool>());
  BOOST_TEST(at::isnan(row(got, "critic_dormant_025")).all().item<bool>());
  BOOST_TEST(at::isfinite(row(got, "critic_gradient_norm")).all().item<bool>());
}
