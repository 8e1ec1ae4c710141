/// The columns of overestimation.csv against numbers worked out by hand.
#define BOOST_TEST_MODULE overestimation_summary
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

#include "algos/training/overestimation.hpp"

using namespace anthill;

namespace {

ProbedKind two_states() {
  ProbedState first{.episode = 0,
                    .q_mean = 30.0,
                    .soft_return = 20.0,
                    .soft_return_std = 2.0,
                    .hard_return = 24.0,
                    .entropy_sum = 5.0};
  first.undiscounted_return = 40.0;
  first.log_prob = 1.5;
  first.q_deterministic = 33.0;
  first.deterministic_return = 30.0;
  first.td_residual = 3.0;
  ProbedState second{.episode = 1,
                     .q_mean = 4.0,
                     .soft_return = 6.0,
                     .soft_return_std = 4.0,
                     .hard_return = 2.0,
                     .entropy_sum = -10.0};
  second.undiscounted_return = 5.0;
  second.log_prob = -2.0;
  second.q_deterministic = 1.0;
  second.deterministic_return = 2.0;
  second.td_residual = -4.0;
  ProbeContext context;
  context.config.num_rollouts = 2;
  context.discount = 0.9;
  context.alpha = 0.5;
  context.action_dim = 3;
  context.rewards = {-1.0, 2.0};
  context.log_prob_max = 1.2;
  context.episodes.returns = {8.0, 4.0};
  context.episodes.lengths = {100.0, 50.0};
  context.start_q = {10.0, 20.0};
  ProbedKind kind;
  kind.states = {first, second};
  kind.summary = summarise(StateKind::on_policy, kind.states, context);
  return kind;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_five_variants) {
  const ProbedKind kind = two_states();
  const auto close = [&](const char* column, double expected) {
    BOOST_TEST(std::abs(kind.value(column) - expected) < 1e-9,
               column << ": " << kind.value(column) << ", expected " << expected);
  };
  close("bias_mean", 4.0);           // (30 - 20, 4 - 6)
  close("bias_reward", 0.4);         // times 1 - discount
  close("redq_bias", 0.3);           // (30 - 25) / 25 and, with the floor of 10, (4 - 0) / 10
  close("crossq_bias", 3.875);       // 30 - (20 - .75), 4 - (6 + 1)
  close("droq_bias", 1.0);           // 33 - 30, 1 - 2
  close("undiscounted_bias", -5.5);  // 30 - 40, 4 - 5
  close("episode_bias", 9.0);        // mean of (10, 20) - mean of (8, 4)
  close("episode_return", 6.0);
  close("episode_length", 75.0);
}

BOOST_AUTO_TEST_CASE(spread_alarm_and_residual) {
  const ProbedKind kind = two_states();
  const auto close = [&](const char* column, double expected) {
    BOOST_TEST(std::abs(kind.value(column) - expected) < 1e-9,
               column << ": " << kind.value(column) << ", expected " << expected);
  };
  close("bias_normalised", 4.0 / 13.0);
  close("bias_median", 4.0);
  close("bias_p05", -1.4);
  close("bias_p95", 9.4);
  close("bias_std", std::sqrt(72.0));
  close("bias_std_corrected", std::sqrt(72.0 - 5.0));  // (2^2 + 4^2) / 2 states / 2 rollouts
  close("bias_positive", 0.5);
  close("td_residual", -0.5);
  close("td_residual_rms", std::sqrt(12.5));
  close("plausible_high", (2.0 + 0.45 * 3.0 * std::numbers::ln2) / 0.1);
  close("plausible_low", (-1.0 - 0.45 * 1.2) / 0.1);
  close("implausible_share", 0.5);  // 30 lies above 29.4
}
