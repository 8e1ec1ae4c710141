#define BOOST_TEST_MODULE sac
#include "algos/agents/sac.hpp"

#include <boost/test/unit_test.hpp>

#include "algos/agents/sac_metrics.hpp"
#include "algos/networks/noise.hpp"
#include "tests/algos/scalar_reference.hpp"

using namespace anthill;
using reference::Vector;

namespace {

constexpr std::int64_t kMembers = 2, kBatch = 5, kObservation = 3, kAction = 2;

AgentConfig small_config(bool layer_norm) {
  AgentConfig config;
  config.actor.hidden_dims = {6, 5};
  config.critic.hidden_dims = {7, 4};
  config.critic.layer_norm = layer_norm;
  config.temperature.initial_alpha = 0.3;
  return config;
}

std::vector<AgentConfig> both(const AgentConfig& config) { return {config, config}; }

AgentShape small_shape() { return {kObservation, kAction, {11, 12}, at::kCPU}; }

Batch small_batch() {
  Batch batch(kMembers, kBatch, kObservation, kAction, at::kCPU);
  const auto fill = [](const Tensor& t, double phase) {
    t.copy_(at::sin(at::arange(t.numel(), at::kFloat) * 0.9 + phase).view(t.sizes()));
  };
  fill(batch.observation, 0.1);
  fill(batch.action, 0.2);
  fill(batch.reward, 0.3);
  fill(batch.next_observation, 0.4);
  batch.bootstrap.fill_(1.0);
  batch.bootstrap.select(1, 2).zero_();
  return batch;
}

Tensor small_noise(double phase) {
  return at::sin(at::arange(kMembers * kBatch * kAction, at::kFloat) + phase)
      .view({kMembers, kBatch, kAction});
}

/// A model whose targets differ from its critics.
SacModel small_model(bool layer_norm) {
  SacModel model = make_sac_model(both(small_config(layer_norm)), small_shape());
  at::NoGradGuard no_grad;
  model.target_critic.flat().mul_(0.9);
  return model;
}

double scalar_q(const SacModel& model, const Parameters& critic, std::int64_t m, std::int64_t e,
                Vector observation, const Vector& action) {
  observation.insert(observation.end(), action.begin(), action.end());
  return reference::mlp(model.critic_shape, critic, m, e, observation)[0];
}

reference::Sample scalar_policy(const SacModel& model, std::int64_t m, const Tensor& observation,
                                const Tensor& noise) {
  const Vector head =
      reference::mlp(model.actor_shape, model.actor, m, 0, reference::values(observation));
  return reference::squashed_gaussian(model.config.actor, head, reference::values(noise));
}

}  // namespace

BOOST_AUTO_TEST_CASE(critic_loss_equals_the_equation) {
  for (const bool layer_norm : {false, true}) {
    const SacModel model = small_model(layer_norm);
    const Batch batch = small_batch();
    const Tensor noise = small_noise(0.5);
    const SacCriticLoss result = sac_critic_loss(model, batch, {noise, {}});
    for (std::int64_t m = 0; m < kMembers; ++m) {
      double loss = 0;
      for (std::int64_t b = 0; b < kBatch; ++b) {
        const auto next = scalar_policy(model, m, batch.next_observation[m][b], noise[m][b]);
        const Vector next_observation = reference::values(batch.next_observation[m][b]);
        const double next_q =
            std::min(scalar_q(model, model.target_critic, m, 0, next_observation, next.action),
                     scalar_q(model, model.target_critic, m, 1, next_observation, next.action));
        const double y =
            batch.reward[m][b].item<double>() +
            0.99 * batch.bootstrap[m][b].item<double>() * (next_q - 0.3 * next.log_prob);
        BOOST_TEST(result.target[m][b].item<double>() == y, boost::test_tools::tolerance(1e-4));
        for (std::int64_t e = 0; e < 2; ++e) {
          const double q =
              scalar_q(model, model.critic, m, e, reference::values(batch.observation[m][b]),
                       reference::values(batch.action[m][b]));
          BOOST_TEST(result.q[m][e][b].item<double>() == q, boost::test_tools::tolerance(1e-3));
          loss += (q - y) * (q - y) / kBatch;
        }
      }
      BOOST_TEST(result.loss[m].item<double>() == loss, boost::test_tools::tolerance(1e-4));
    }
  }
}

BOOST_AUTO_TEST_CASE(actor_loss_equals_the_equation) {
  const SacModel model = small_model(true);
  const Batch batch = small_batch();
  const Tensor noise = small_noise(0.6);
  const SacActorLoss result = sac_actor_loss(model, batch, {{}, noise});
  for (std::int64_t m = 0; m < kMembers; ++m) {
    double loss = 0;
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const auto policy = scalar_policy(model, m, batch.observation[m][b], noise[m][b]);
      const Vector observation = reference::values(batch.observation[m][b]);
      const double q = std::min(scalar_q(model, model.critic, m, 0, observation, policy.action),
                                scalar_q(model, model.critic, m, 1, observation, policy.action));
      loss += (0.3 * policy.log_prob - q) / kBatch;
      BOOST_TEST(result.log_prob[m][b].item<double>() == policy.log_prob,
                 boost::test_tools::tolerance(1e-3));
    }
    BOOST_TEST(result.loss[m].item<double>() == loss, boost::test_tools::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_CASE(temperature_loss_has_both_forms) {
  SacModel model = small_model(false);
  const Tensor log_prob = small_noise(0.1).select(2, 0);
  const double target_entropy = model.target_entropy[0].item<double>();
  const double gap = log_prob[0].mean().item<double>() + target_entropy;
  BOOST_TEST(target_entropy == -2.0);
  for (const auto form : {AlphaLossForm::alpha, AlphaLossForm::log_alpha}) {
    model.config.temperature.loss_form = form;
    const Tensor loss = sac_temperature_loss(model, log_prob);
    const double factor = form == AlphaLossForm::alpha ? 0.3 : std::log(0.3);
    BOOST_TEST(loss[0].item<double>() == -factor * gap, boost::test_tools::tolerance(1e-5));
    const double slope =
        torch::autograd::grad({loss.sum()}, {model.log_alpha})[0][0].item<double>();
    BOOST_TEST(slope == -(form == AlphaLossForm::alpha ? 0.3 : 1.0) * gap,
               boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(updates_fit_a_fixed_batch_and_measure_themselves) {
  AgentConfig config = small_config(false);
  config.critic.hidden_dims = {32, 32};
  config.critic.learning_rate = 3e-3;
  config.discount = 0.0;  // the target is the reward: supervised learning
  Sac agent(both(config), small_shape());
  const Batch batch = small_batch();
  BOOST_TEST(agent.take_metric_means().names.empty());
  agent.update(batch);
  const double first = agent.take_metric_means().values[0][0].item<double>();
  for (int i = 0; i < 500; ++i) agent.update(batch);
  agent.take_metric_means();
  agent.update(batch);
  const double last = agent.take_metric_means().values[0][0].item<double>();
  BOOST_TEST(last < 0.05 * first);
  BOOST_TEST(agent.num_updates() == 502);
  BOOST_TEST(agent.parameters_are_finite());
}

BOOST_AUTO_TEST_CASE(metrics_are_the_means_that_they_say) {
  const Tensor sums = at::zeros({11, 2});
  const auto numbers = [](at::IntArrayRef sizes, double phase) {
    const Tensor t = at::empty(sizes, at::kFloat);
    return at::sin(at::arange(t.numel(), at::kFloat) * 1.7 + phase).view(sizes);
  };
  SacMeasured m{numbers({2}, 0.1),      numbers({2}, 0.2),    numbers({2}, 0.3),
                numbers({2}, 0.4),      numbers({2}, 0.5),    numbers({2, 37}, 0.6),
                numbers({2, 2, 37}, 7), numbers({2, 37}, 0.8)};
  add_sac_metrics(sums, m);
  add_sac_metrics(sums, m);
  const Tensor q = m.q.flatten(1);
  const std::vector<Tensor> expected = {
      m.critic_loss,     m.actor_loss,         m.alpha_loss,
      m.alpha,           -m.log_prob.mean(-1), q.mean(-1),
      q.amin(-1),        q.amax(-1),           (m.q.select(1, 0) - m.q.select(1, 1)).abs().mean(-1),
      m.target.mean(-1), m.target_entropy};
  BOOST_REQUIRE(sac_metric_names().size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    BOOST_TEST(at::allclose(sums[static_cast<std::int64_t>(k)], 2.0 * expected[k], 1e-5, 1e-6),
               sac_metric_names()[k]);
  }
  m.q[1][1][30] = NAN;  // must not be lost
  add_sac_metrics(sums, m);
  for (const std::int64_t k : {5, 6, 7, 8}) {
    BOOST_TEST(std::isfinite(sums[k][0].item<double>()));
    BOOST_TEST(!std::isfinite(sums[k][1].item<double>()),
               sac_metric_names()[static_cast<std::size_t>(k)]);
  }
}

BOOST_AUTO_TEST_CASE(fixed_temperature_stays) {
  AgentConfig config = small_config(false);
  config.temperature.automatic = false;
  Sac agent(both(config), small_shape());
  for (int i = 0; i < 3; ++i) agent.update(small_batch());
  BOOST_TEST(agent.model().log_alpha[0].item<double>() == std::log(0.3),
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(acting_is_deterministic_or_keyed) {
  Sac agent(both(small_config(false)), small_shape());
  std::vector<float> observation(kMembers * 4 * kObservation, 0.3f), a(kMembers * 4 * kAction),
      b(a.size());
  agent.act(observation, a, ActionMode::deterministic, RandomStream::exploration_noise, 0);
  agent.act(observation, b, ActionMode::deterministic, RandomStream::exploration_noise, 1);
  BOOST_TEST(a == b, boost::test_tools::per_element());
  agent.act(observation, a, ActionMode::stochastic, RandomStream::exploration_noise, 0);
  agent.act(observation, b, ActionMode::stochastic, RandomStream::exploration_noise, 0);
  BOOST_TEST(a == b, boost::test_tools::per_element());
  agent.act(observation, b, ActionMode::stochastic, RandomStream::exploration_noise, 1);
  BOOST_TEST(a != b);
  for (const float x : a) BOOST_TEST(std::abs(x) <= 1.0f);
}
