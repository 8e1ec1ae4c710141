#define BOOST_TEST_MODULE sac_gradient
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>

#include "algos/agents/sac.hpp"
#include "algos/networks/noise.hpp"

using namespace anthill;

namespace {

constexpr std::int64_t kBatch = 5, kObservation = 3, kAction = 2;

/// tanh everywhere: the losses are smooth, so a central difference says what the gradient is.
AgentConfig smooth_config(bool layer_norm) {
  AgentConfig config;
  config.tau = 0.1;
  config.actor.hidden_dims = {4, 3};
  config.critic.hidden_dims = {5, 4};
  config.actor.activation = config.critic.activation = Activation::tanh;
  config.critic.layer_norm = layer_norm;
  config.temperature.initial_alpha = 0.3;
  config.actor.learning_rate = 1e-2;
  config.critic.learning_rate = 2e-2;
  config.temperature.learning_rate = 3e-2;
  return config;
}

AgentShape shape_of(std::int64_t members) {
  const std::vector<std::uint64_t> seeds = {11, 12};
  return {kObservation, kAction, {seeds.begin(), seeds.begin() + members}, at::kCPU};
}

std::vector<AgentConfig> alike(const AgentConfig& config, std::int64_t members) {
  return std::vector<AgentConfig>(static_cast<std::size_t>(members), config);
}

Tensor numbers(at::IntArrayRef sizes, double phase) {
  const Tensor t = at::empty(sizes, at::kFloat);
  return at::sin(at::arange(t.numel(), at::kFloat) * 0.9 + phase).view(sizes);
}

Batch make_batch(std::int64_t members) {
  Batch batch(members, kBatch, kObservation, kAction, at::kCPU);
  batch.observation.copy_(numbers(batch.observation.sizes(), 0.1));
  batch.action.copy_(numbers(batch.action.sizes(), 0.2));
  batch.reward.copy_(numbers(batch.reward.sizes(), 0.3));
  batch.next_observation.copy_(numbers(batch.next_observation.sizes(), 0.4));
  batch.bootstrap.fill_(1.0);
  batch.bootstrap.select(1, 2).zero_();
  return batch;
}

/// Every element of `gradient` against the slope of `loss` (a scalar) in that element: the
/// five-point central difference, whose own error is of fourth order in the step.
template <class Loss>
void check_slopes(const Parameters& parameters, const Tensor& gradient, const Loss& loss) {
  BOOST_REQUIRE(gradient.sizes() == parameters.flat().sizes());
  at::NoGradGuard no_grad;
  const Tensor flat = parameters.flat().view(-1);
  constexpr double kStep = 2e-2;
  double largest = 0.0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const Tensor element = flat[i];
    const double saved = element.item<double>();
    const auto loss_at = [&](double steps) {
      element.fill_(saved + steps * kStep);
      return loss().template item<double>();
    };
    const double near = loss_at(1) - loss_at(-1), far = loss_at(2) - loss_at(-2);
    element.fill_(saved);
    const double slope = (8.0 * near - far) / (12.0 * kStep);
    const double found = gradient.view(-1)[i].item<double>();
    largest = std::max(largest, std::abs(slope - found));
    BOOST_TEST(std::abs(slope - found) < 2e-4 * (1.0 + std::abs(slope)),
               "element " << i << ": " << slope << " against " << found);
  }
  BOOST_TEST_MESSAGE("largest difference " << largest);
}

/// The smaller critic must not change while a parameter moves: Q1 - Q2 under the policy's actions.
Tensor q_gap(const SacModel& model, const Batch& batch, const Tensor& noise) {
  at::NoGradGuard no_grad;
  const Tensor head = mlp_forward(model.actor_shape, model.actor, batch.observation).squeeze(1);
  const Tensor action = sample_squashed_gaussian(model.config.actor, head, noise).action;
  const Tensor q =
      mlp_forward(model.critic_shape, model.critic, at::cat({batch.observation, action}, -1));
  return q.select(1, 0) - q.select(1, 1);
}

SacModel perturbed_model(bool layer_norm, std::int64_t members) {
  SacModel model = make_sac_model(alike(smooth_config(layer_norm), members), shape_of(members));
  at::NoGradGuard no_grad;
  model.target_critic.flat().mul_(0.9);
  const Tensor& critic = model.critic.flat();
  critic.add_(numbers(critic.sizes(), 0.7) * 0.3);  // LayerNorm's scale and shift away from 1 and 0
  return model;
}

}  // namespace

BOOST_AUTO_TEST_CASE(actor_gradient_equals_finite_differences) {
  for (const std::int64_t members : {1, 2}) {
    for (const bool layer_norm : {false, true}) {
      const SacModel model = perturbed_model(layer_norm, members);
      const Batch batch = make_batch(members);
      const Tensor noise = numbers({members, kBatch, kAction}, 0.6);
      BOOST_REQUIRE(q_gap(model, batch, noise).abs().min().item<double>() > 2e-2);
      const auto loss = [&] { return sac_actor_loss(model, batch, {{}, noise}).loss.sum(); };
      check_slopes(model.actor, model.actor.gradient(loss()), loss);
    }
  }
}

BOOST_AUTO_TEST_CASE(critic_gradient_equals_finite_differences) {
  for (const std::int64_t members : {1, 2}) {
    for (const bool layer_norm : {false, true}) {
      const SacModel model = perturbed_model(layer_norm, members);
      const Batch batch = make_batch(members);
      const Tensor noise = numbers({members, kBatch, kAction}, 0.5);
      const auto loss = [&] { return sac_critic_loss(model, batch, {noise, {}}).loss.sum(); };
      check_slopes(model.critic, model.critic.gradient(loss()), loss);
    }
  }
}

namespace {

enum class Part { critic, actor, temperature, target };
using Order = std::vector<Part>;

/// An update put together from the public functions, in any order of its parts.
class Recomputed {
 public:
  Recomputed(const AgentConfig& config, const AgentShape& shape)
      : shape_(shape),
        model(make_sac_model(alike(config, shape.members()), shape)),
        optimisers_(make_sac_optimisers(alike(config, shape.members()), model)) {}

  void update(const Batch& batch, const Order& order) {
    const Tensor next_noise = at::empty_like(batch.action), noise = at::empty_like(batch.action);
    fill_normal(next_noise, shape_.seeds, RandomStream::next_action_noise, num_updates_);
    fill_normal(noise, shape_.seeds, RandomStream::actor_noise, num_updates_);
    ++num_updates_;
    const Tensor log_prob =
        sac_actor_loss(model, batch, {next_noise, noise}).log_prob;  // of the old policy
    for (const Part part : order) {
      if (part == Part::critic) {
        const Tensor loss = sac_critic_loss(model, batch, {next_noise, noise}).loss.sum();
        optimisers_.critic.step(model.critic.flat(), model.critic.gradient(loss));
      } else if (part == Part::actor) {
        const Tensor loss = sac_actor_loss(model, batch, {next_noise, noise}).loss.sum();
        optimisers_.actor.step(model.actor.flat(), model.actor.gradient(loss));
      } else if (part == Part::temperature) {
        const Tensor loss = sac_temperature_loss(model, log_prob).sum();
        optimisers_.temperature.step(model.log_alpha,
                                     torch::autograd::grad({loss}, {model.log_alpha})[0]);
      } else {
        polyak_update(model.target_critic.flat(), model.critic.flat(), model.config.tau);
      }
    }
  }

 private:
  AgentShape shape_;

 public:
  SacModel model;

 private:
  SacOptimisers optimisers_;
  std::uint64_t num_updates_ = 0;
};

bool same_bits(const SacModel& a, const SacModel& b) {
  return at::equal(a.critic.flat(), b.critic.flat()) && at::equal(a.actor.flat(), b.actor.flat()) &&
         at::equal(a.log_alpha, b.log_alpha) &&
         at::equal(a.target_critic.flat(), b.target_critic.flat());
}

/// The agent after some updates against the same number of recomputed ones.
bool agent_follows(const Order& order, AlphaLossForm form = AlphaLossForm::alpha) {
  AgentConfig config = smooth_config(true);
  config.temperature.loss_form = form;
  Sac agent(alike(config, 2), shape_of(2));
  Recomputed recomputed(config, shape_of(2));
  const Batch batch = make_batch(2);
  for (int i = 0; i < 3; ++i) {
    agent.update(batch);
    recomputed.update(batch, order);
  }
  return same_bits(agent.model(), recomputed.model);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_target_follows_the_new_critic) {
  Sac agent(alike(smooth_config(true), 2), shape_of(2));
  const Batch batch = make_batch(2);
  agent.update(batch);
  const Tensor old_target = agent.model().target_critic.flat().clone();
  const Tensor old_critic = agent.model().critic.flat().clone();
  agent.update(batch);
  const Tensor& target = agent.model().target_critic.flat();
  const auto moved_to = [&](const Tensor& critic) {
    const Tensor moved = old_target.clone();
    polyak_update(moved, critic, 0.1);
    return moved;
  };
  BOOST_TEST(at::equal(target, moved_to(agent.model().critic.flat())));
  BOOST_TEST(!at::equal(target, moved_to(old_critic)));
}

BOOST_AUTO_TEST_CASE(an_update_is_critic_actor_temperature_target) {
  const Order order = {Part::critic, Part::actor, Part::temperature, Part::target};
  BOOST_TEST(agent_follows(order, AlphaLossForm::alpha));
  BOOST_TEST(agent_follows(order, AlphaLossForm::log_alpha));
  for (std::size_t dropped = 0; dropped < order.size(); ++dropped) {
    Order rest = order;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(dropped));
    BOOST_TEST(!agent_follows(rest), "without part " << dropped);
  }
}

BOOST_AUTO_TEST_CASE(no_other_order_gives_the_same_numbers) {
  Order order = {Part::critic, Part::actor, Part::temperature, Part::target};
  int num_same = 0;
  do {
    const auto place = [&](Part part) { return std::find(order.begin(), order.end(), part); };
    // the target neither reads nor changes what actor and temperature use: it may be anywhere
    // after the critic
    const bool same =
        place(Part::critic) == order.begin() && place(Part::actor) < place(Part::temperature);
    BOOST_TEST(agent_follows(order) == same);
    num_same += same ? 1 : 0;
  } while (std::next_permutation(order.begin(), order.end()));
  BOOST_TEST(num_same == 3);
}
