#define BOOST_TEST_MODULE evaluator
#include "algos/training/evaluator.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <numeric>

using namespace anthill;

namespace {

/// Ends after a number of steps that it draws at the start, 1 to 20; each earns 1. Counts its
/// steps.
class Countdown final : public Env {
 public:
  const EnvSpec& spec() const override { return spec_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<Workspace>();
  }
  void reset(Workspace&, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    observation[0] = state[0] = 1.0 + static_cast<int>(20.0 * rng.random());
  }
  StepResult step(Workspace&, NumpyGenerator&, std::span<double> state, std::span<const float>,
                  std::span<double> next_observation, std::span<double>) const override {
    num_steps.fetch_add(1);
    next_observation[0] = state[0] -= 1.0;
    return {.reward = 1.0, .terminated = state[0] == 0.0};
  }

  mutable std::atomic<std::int64_t> num_steps{0};

 private:
  EnvSpec spec_{.name = "Countdown",
                .observation_dim = 1,
                .action_dim = 1,
                .action_low = {-1.0f},
                .action_high = {1.0f},
                .state_dim = 1,
                .control_dt = 1.0,
                .reward_terms = {}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_episode_is_played_once_and_no_further) {
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {4};
  const auto agent = make_agent({config}, {1, 1, {0}, at::kCPU});
  const auto env = std::make_shared<Countdown>();
  ThreadPool pool(2);
  Evaluator evaluator(env, 12, 5, pool);
  for (const ActionMode mode : {ActionMode::deterministic, ActionMode::stochastic}) {
    env->num_steps = 0;
    const EvaluationResult result = evaluator.evaluate(*agent, mode);
    for (std::size_t i = 0; i < 12; ++i) {
      NumpyGenerator rng(5 + i);
      const int length = 1 + static_cast<int>(20.0 * rng.random());
      BOOST_TEST(result.lengths[i] == length);
      BOOST_TEST(result.returns[i] == length);
    }
    BOOST_TEST(env->num_steps.load() ==
               std::accumulate(result.lengths.begin(), result.lengths.end(), std::int64_t{0}));
  }
}
