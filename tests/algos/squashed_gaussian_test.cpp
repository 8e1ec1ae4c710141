#define BOOST_TEST_MODULE squashed_gaussian
#include "algos/networks/squashed_gaussian.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/algos/scalar_reference.hpp"

using namespace anthill;

namespace {

ActorConfig actor(LogStdForm std_form, LogProbForm prob_form) {
  ActorConfig config;
  config.log_std_form = std_form;
  config.log_prob_form = prob_form;
  if (std_form == LogStdForm::tanh_affine) config.log_std_min = -10.0;
  return config;
}

/// How far float32 may be from `expected`: rounding, and in the epsilon form what an error of 2^-22
/// in an action becomes: d log(1 - a^2 + 1e-6) / da grows to 1e6 where actions saturate.
double log_prob_error(const ActorConfig& config, const reference::Sample& expected) {
  double bound = 1e-5 * (1 + std::abs(expected.log_prob));
  if (config.log_prob_form == LogProbForm::epsilon) {
    for (const double a : expected.action) bound += std::exp2(-22) * 2 / (1 - a * a + 1e-6);
  }
  return bound;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sample_equals_the_scalar_formula_in_every_form) {
  for (const LogStdForm std_form : {LogStdForm::clamp, LogStdForm::tanh_affine}) {
    for (const LogProbForm prob_form : {LogProbForm::exact, LogProbForm::epsilon}) {
      const ActorConfig config = actor(std_form, prob_form);
      const Tensor head = at::sin(at::arange(2 * 7 * 6, at::kFloat)).view({2, 7, 6}) * 1.5;
      const Tensor noise = at::cos(at::arange(2 * 7 * 3, at::kFloat)).view({2, 7, 3});
      const SquashedSample sample = sample_squashed_gaussian(config, head, noise);
      for (std::int64_t m = 0; m < 2; ++m) {
        for (std::int64_t b = 0; b < 7; ++b) {
          const auto expected = reference::squashed_gaussian(config, reference::values(head[m][b]),
                                                             reference::values(noise[m][b]));
          BOOST_TEST(std::abs(sample.log_prob[m][b].item<double>() - expected.log_prob) <
                     log_prob_error(config, expected));
          for (std::int64_t i = 0; i < 3; ++i) {
            BOOST_TEST(std::abs(sample.action[m][b][i].item<double>() -
                                expected.action[static_cast<std::size_t>(i)]) < 1e-6);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(density_integrates_to_one) {
  // mean .4, log_std -.5: sum exp(log_prob) da over a fine grid of noise
  const ActorConfig config = actor(LogStdForm::clamp, LogProbForm::exact);
  const std::int64_t count = 20001;
  const Tensor noise = at::linspace(-5.5, 5.5, count, at::kFloat).view({1, count, 1});
  const Tensor head = at::tensor({0.4f, -0.5f}).view({1, 1, 2}).expand({1, count, 2});
  const SquashedSample sample = sample_squashed_gaussian(config, head, noise);
  const Tensor a = sample.action.view(-1).to(at::kDouble),
               p = sample.log_prob.view(-1).to(at::kDouble).exp();
  const Tensor area =
      (a.slice(0, 1) - a.slice(0, 0, count - 1)) * 0.5 * (p.slice(0, 1) + p.slice(0, 0, count - 1));
  BOOST_TEST(area.sum().item<double>() == 1.0, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(saturated_actions_stay_finite_and_the_epsilon_form_goes_flat) {
  const Tensor head = at::tensor({12.0f, 0.0f}).view({1, 1, 2}).set_requires_grad(true);
  const Tensor noise = at::zeros({1, 1, 1});
  for (const LogProbForm form : {LogProbForm::exact, LogProbForm::epsilon}) {
    const Tensor log_prob =
        sample_squashed_gaussian(actor(LogStdForm::clamp, form), head, noise).log_prob.sum();
    BOOST_TEST(std::isfinite(log_prob.item<double>()));
    const double slope = torch::autograd::grad({log_prob}, {head})[0].view(-1)[0].item<double>();
    // d/du of -2 (ln 2 - u - softplus(-2u)) is 2 tanh(u)
    BOOST_TEST(slope == (form == LogProbForm::exact ? 2.0 : 0.0),
               boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(mode_is_tanh_of_the_mean) {
  const Tensor head = at::tensor({0.3f, -1.0f, 5.0f, 5.0f}).view({1, 1, 4});
  const Tensor mode = squashed_mean(head);
  BOOST_TEST(mode[0][0][0].item<float>() == std::tanh(0.3f), boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(mode[0][0][1].item<float>() == std::tanh(-1.0f), boost::test_tools::tolerance(1e-6f));
}
