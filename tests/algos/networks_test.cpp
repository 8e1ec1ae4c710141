#define BOOST_TEST_MODULE networks
#include <boost/test/unit_test.hpp>

#include "algos/networks/adam.hpp"
#include "algos/networks/mlp.hpp"
#include "tests/algos/scalar_reference.hpp"

using namespace anthill;

namespace {

MlpShape small_shape(bool layer_norm, Activation activation = Activation::relu) {
  return {.input_dim = 3,
          .hidden_dims = {5, 4},
          .output_dim = 2,
          .activation = activation,
          .layer_norm = layer_norm};
}

Parameters initialised(const MlpShape& shape, std::int64_t members, std::int64_t ensemble,
                       Initialisation method = Initialisation::pytorch) {
  Parameters parameters(mlp_layout(shape), members, ensemble, at::kCPU, true);
  std::vector<std::uint64_t> seeds;
  for (std::int64_t m = 0; m < members; ++m) seeds.push_back(static_cast<std::uint64_t>(40 + m));
  mlp_initialise(shape, parameters, method, seeds, 0);
  return parameters;
}

Tensor numbers(at::IntArrayRef shape) {
  Tensor t = at::arange(at::prod(at::tensor(shape)).item<std::int64_t>(), at::kFloat);
  return at::sin(t * 0.7 + 0.3).view(shape);
}

}  // namespace

BOOST_AUTO_TEST_CASE(forward_equals_scalar_loops) {
  for (const bool layer_norm : {false, true}) {
    for (const Activation activation : {Activation::relu, Activation::tanh, Activation::elu}) {
      const MlpShape shape = small_shape(layer_norm, activation);
      const Parameters parameters = initialised(shape, 2, 3);
      {
        at::NoGradGuard no_grad;  // affine LayerNorm parameters away from 1 and 0
        parameters.flat().add_(numbers(parameters.flat().sizes()) * 0.1);
      }
      const Tensor input = numbers({2, 6, 3});
      const Tensor output = mlp_forward(shape, parameters, input);
      for (std::int64_t m = 0; m < 2; ++m) {
        for (std::int64_t e = 0; e < 3; ++e) {
          for (std::int64_t b = 0; b < 6; ++b) {
            const auto expected =
                reference::mlp(shape, parameters, m, e, reference::values(input[m][b]));
            for (std::int64_t k = 0; k < 2; ++k) {
              BOOST_TEST(output[m][e][b][k].item<double>() == expected[static_cast<std::size_t>(k)],
                         boost::test_tools::tolerance(1e-4));
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gradient_is_flat_and_equals_finite_differences) {
  const MlpShape shape = small_shape(true, Activation::tanh);
  const Parameters parameters = initialised(shape, 1, 2);
  const Tensor input = numbers({1, 6, 3});
  const auto loss = [&] { return mlp_forward(shape, parameters, input).square().sum(); };
  const Tensor gradient = parameters.gradient(loss());
  BOOST_REQUIRE(gradient.sizes() == parameters.flat().sizes());
  at::NoGradGuard no_grad;
  const Tensor flat = parameters.flat().view(-1);
  constexpr float kStep = 3e-3f;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const float saved = flat[i].item<float>();
    flat[i].fill_(saved + kStep);
    const double above = loss().item<double>();
    flat[i].fill_(saved - kStep);
    const double below = loss().item<double>();
    flat[i].fill_(saved);
    const double slope = (above - below) / (2.0 * kStep);
    BOOST_TEST(
        std::abs(slope - gradient.view(-1)[i].item<double>()) < 5e-3 * (1.0 + std::abs(slope)),
        "element " << i << ": " << slope << " against " << gradient.view(-1)[i].item<double>());
  }
}

BOOST_AUTO_TEST_CASE(views_share_the_flat_memory) {
  const MlpShape shape = small_shape(false);
  const Parameters parameters = initialised(shape, 2, 2);
  at::NoGradGuard no_grad;
  parameters.flat().zero_();
  for (const Tensor& view : parameters.views()) BOOST_TEST(view.abs().sum().item<double>() == 0.0);
  parameters.view("output.bias")[1][0].fill_(3.0);
  BOOST_TEST(parameters.flat()[1][0].sum().item<double>() == 6.0);
  BOOST_TEST(parameters.flat().sum().item<double>() == 6.0);
  BOOST_CHECK_THROW(parameters.view("nobody"), std::logic_error);
}

BOOST_AUTO_TEST_CASE(initialisation_follows_its_method) {
  const MlpShape shape = {
      .input_dim = 24, .hidden_dims = {48}, .output_dim = 6, .layer_norm = true};
  const Parameters orthogonal = initialised(shape, 1, 2, Initialisation::orthogonal);
  const Tensor tall = orthogonal.view("hidden_0.weight")[0][0];  // 48 x 24
  BOOST_TEST((tall.t().mm(tall) - at::eye(24)).abs().max().item<double>() < 1e-5);
  const Tensor wide = orthogonal.view("output.weight")[0][1];  // 6 x 48
  BOOST_TEST((wide.mm(wide.t()) - at::eye(6)).abs().max().item<double>() < 1e-5);
  BOOST_TEST(orthogonal.view("hidden_0.bias").abs().max().item<double>() == 0.0);
  BOOST_TEST(at::all(orthogonal.view("layer_norm_0.weight") == 1.0).item<bool>());

  const Parameters uniform = initialised(shape, 1, 2, Initialisation::pytorch);
  const double bound = 1.0 / std::sqrt(24.0);
  const Tensor weight = uniform.view("hidden_0.weight");
  BOOST_TEST(weight.abs().max().item<double>() <= bound);
  BOOST_TEST(weight.abs().max().item<double>() > 0.98 * bound);
  BOOST_TEST(!at::equal(weight[0][0], weight[0][1]));  // the ensemble's members differ
}

BOOST_AUTO_TEST_CASE(a_member_does_not_depend_on_its_neighbours) {
  const MlpShape shape = small_shape(true);
  const Parameters one = initialised(shape, 1, 2);
  const Parameters three = initialised(shape, 3, 2);
  BOOST_TEST(at::equal(one.flat()[0], three.flat()[0]));
  BOOST_TEST(!at::equal(three.flat()[0], three.flat()[1]));
}

BOOST_AUTO_TEST_CASE(layer_norm_off_is_the_plain_network) {
  const MlpShape plain_shape = small_shape(false), normed_shape = small_shape(true);
  BOOST_TEST(mlp_layout(plain_shape).total_size() == 3 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2);
  BOOST_TEST(mlp_layout(normed_shape).total_size() ==
             mlp_layout(plain_shape).total_size() + 2 * 5 + 2 * 4);

  // LayerNorm is undone for row 0 by a scale and shift that restore that row's own deviation and
  // mean: there, and only there, the outputs agree
  const Parameters plain = initialised(plain_shape, 2, 2), normed = initialised(normed_shape, 2, 2);
  const Tensor input = numbers({2, 3, 3});
  at::NoGradGuard no_grad;
  for (const auto& entry : plain.layout().entries()) {
    BOOST_TEST(at::equal(plain.view(entry.name), normed.view(entry.name)), entry.name);
  }
  Tensor x = input.select(1, 0).unsqueeze(1).expand({2, 2, 3}).unsqueeze(-1);  // row 0, as columns
  for (const std::string layer : {"0", "1"}) {
    const Tensor z = plain.view("hidden_" + layer + ".weight").matmul(x).squeeze(-1) +
                     plain.view("hidden_" + layer + ".bias");
    const Tensor mean = z.mean(-1, true), variance = (z - mean).square().mean(-1, true);
    normed.view("layer_norm_" + layer + ".weight").copy_((variance + 1e-5).sqrt().expand_as(z));
    normed.view("layer_norm_" + layer + ".bias").copy_(mean.expand_as(z));
    x = at::relu(z).unsqueeze(-1);
  }
  const Tensor difference =
      (mlp_forward(plain_shape, plain, input) - mlp_forward(normed_shape, normed, input)).abs();
  BOOST_TEST(difference.select(2, 0).max().item<double>() < 1e-6);
  BOOST_TEST(difference.slice(2, 1).amax({2, 3}).min().item<double>() > 1e-3);
}

static void check_adam(double beta1, double beta2, double eps) {
  const Tensor p = at::full({1, 1, 3}, 0.5, at::kFloat);
  Adam adam(p, {.learning_rate = {3e-3}, .beta1 = beta1, .beta2 = beta2, .eps = eps});
  double x[3] = {0.5, 0.5, 0.5}, m[3] = {}, v[3] = {};
  for (int t = 1; t <= 50; ++t) {
    const Tensor gradient = at::sin(at::arange(3, at::kFloat) + 0.1 * t).view({1, 1, 3});
    adam.step(p, gradient);
    for (int i = 0; i < 3; ++i) {
      const double g = gradient.view(-1)[i].item<double>();
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(beta1, t));
      const double v_hat = v[i] / (1 - std::pow(beta2, t));
      x[i] -= 3e-3 * m_hat / (std::sqrt(v_hat) + eps);
      BOOST_TEST(p.view(-1)[i].item<double>() == x[i], boost::test_tools::tolerance(1e-5));
    }
  }
  BOOST_TEST(adam.num_steps() == 50);
}

BOOST_AUTO_TEST_CASE(adam_equals_the_scalar_recursion) {
  check_adam(0.9, 0.999, 1e-8);
  check_adam(0.5, 0.9, 1e-2);
  check_adam(0.0, 0.99, 0.5);
}

BOOST_AUTO_TEST_CASE(members_have_their_own_rate_decay_clip_and_target) {
  const std::vector<double> rates = {1e-2, 3e-3}, tau = {0.1, 0.5};
  const auto start = [] { return at::sin(at::arange(2 * 37, at::kFloat)).view({2, 1, 37}); };
  const Tensor p = start(), target = at::zeros_like(p);
  Adam adam(p, {.learning_rate = rates, .weight_decay = 0.2, .max_gradient_norm = 0.5});
  Tensor x = start().to(at::kDouble), follows = at::zeros_like(x);
  Tensor first = at::zeros_like(x), second = at::zeros_like(x);
  const Tensor rate = at::tensor(rates, at::kDouble).view({2, 1, 1});
  for (int t = 1; t <= 20; ++t) {
    const Tensor gradient = at::cos(at::arange(2 * 37, at::kFloat) * 0.3 * t).view({2, 1, 37}) *
                            (t % 2 == 0 ? 1.0 : 0.01);
    adam.step(p, gradient, {.flat = target, .tau = tau});
    // AdamW and clip_grad_norm_ as PyTorch documents them, in double
    const Tensor norm = gradient.to(at::kDouble).square().sum({1, 2}, true).sqrt();
    const Tensor g = gradient.to(at::kDouble) * (0.5 / (norm + 1e-6)).clamp_max(1.0);
    first = 0.9 * first + 0.1 * g;
    second = 0.999 * second + 0.001 * g * g;
    x = x * (1.0 - rate * 0.2) - rate * (first / (1 - std::pow(0.9, t))) /
                                     ((second / (1 - std::pow(0.999, t))).sqrt() + 1e-8);
    follows = follows + at::tensor(tau, at::kDouble).view({2, 1, 1}) * (x - follows);
    BOOST_TEST((p - x).abs().max().item<double>() < 1e-5);
    BOOST_TEST((target - follows).abs().max().item<double>() < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(polyak_moves_the_target_by_tau) {
  const Tensor target = at::zeros({4}), online = at::ones({4});
  polyak_update(target, online, 0.005);
  BOOST_TEST(target[0].item<double>() == 0.005, boost::test_tools::tolerance(1e-6));
  polyak_update(target, online, 1.0);
  BOOST_TEST(at::equal(target, online));
}
