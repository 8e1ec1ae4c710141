#define BOOST_TEST_MODULE mlp_gradient
#include <boost/test/unit_test.hpp>
#include <optional>

#include "algos/networks/device.hpp"
#include "tests/algos/plain_learner.hpp"

using namespace anthill;

namespace {

struct Case {
  MlpShape shape;
  std::int64_t members = 1, ensemble = 1, batch = 1, first_dim = 1;
  at::ScalarType dtype = at::kFloat;
};

std::string describe(const Case& c) {
  std::string text = "members " + std::to_string(c.members) + ", ensemble " +
                     std::to_string(c.ensemble) + ", batch " + std::to_string(c.batch) +
                     ", activation " + std::to_string(static_cast<int>(c.shape.activation)) +
                     ", hidden";
  for (const std::int64_t width : c.shape.hidden_dims)
    text.append(" ").append(std::to_string(width));
  if (c.shape.layer_norm) {
    text += c.shape.layer_norm_placement == LayerNormPlacement::before_activation ? ", norm before"
                                                                                  : ", norm after";
  }
  if (c.shape.dropout > 0) text += ", dropout";
  if (c.shape.residual) text += ", residual";
  if (c.shape.unit_features) text += ", unit features";
  return text;
}

/// Every switch at every setting that the issue of correctness can depend on.
std::vector<Case> all_cases(at::ScalarType dtype, std::int64_t width, std::int64_t batch) {
  std::vector<Case> cases;
  const auto add = [&](MlpShape shape, std::int64_t members, std::int64_t ensemble) {
    shape.input_dim = 7;
    cases.push_back({shape, members, ensemble, batch, 5, dtype});
  };
  for (const Activation activation : {Activation::relu, Activation::tanh, Activation::elu}) {
    for (const int norm : {0, 1, 2}) {
      for (const bool residual : {false, true}) {
        for (const double dropout : {0.0, 0.25}) {
          MlpShape shape{.hidden_dims = {width, width, width},
                         .output_dim = 1,
                         .activation = activation,
                         .layer_norm = norm > 0,
                         .dropout = dropout,
                         .residual = residual};
          if (norm == 2) shape.layer_norm_placement = LayerNormPlacement::after_activation;
          add(shape, 1, 2);
          shape.unit_features = true;
          add(shape, 2, 2);
          shape.hidden_dims = {width, width + 3};
          shape.output_dim = 4;
          add(shape, 3, 1);
          shape.unit_features = false;
          add(shape, 3, 1);
        }
      }
    }
  }
  add({.hidden_dims = {width}, .output_dim = 1, .layer_norm = true}, 1, 10);
  add({.hidden_dims = {width}, .output_dim = 3}, 2, 3);
  add({.hidden_dims = {}, .output_dim = 2}, 1, 2);
  add({.hidden_dims = {}, .output_dim = 1}, 3, 1);
  return cases;
}

/// Numbers without any order, the same in every run.
Tensor numbers(at::IntArrayRef sizes, at::ScalarType dtype, double phase) {
  std::int64_t size = 1;
  for (const std::int64_t extent : sizes) size *= extent;
  return at::sin(at::arange(size, at::kDouble).square() * 0.37 + phase).to(dtype).view(sizes);
}

struct Problem {
  explicit Problem(const Case& c)
      : parameters(mlp_layout(c.shape), c.members, c.ensemble, at::kCPU, true, c.dtype),
        first(numbers({c.members, c.batch, c.first_dim}, c.dtype, 0.1)),
        second(numbers({c.members, c.batch, c.shape.input_dim - c.first_dim}, c.dtype, 0.2)),
        weight(numbers({c.members, c.ensemble, c.batch, c.shape.output_dim}, c.dtype, 0.3)) {
    std::vector<std::uint64_t> seeds(static_cast<std::size_t>(c.members), 3);
    at::NoGradGuard no_grad;
    const Tensor flat = parameters.flat();
    flat.copy_(numbers(flat.sizes(), c.dtype, 0.4) / std::sqrt(12.0));
    if (c.shape.dropout > 0) {
      keep = numbers({c.members, c.ensemble, c.batch * c.shape.num_hidden()}, at::kDouble, 0.5)
                 .gt(-0.7)
                 .to(at::kByte);
    }
    first.set_requires_grad(true);
    second.set_requires_grad(true);
  }

  std::vector<Tensor> inputs() const { return {parameters.flat(), first, second}; }

  Parameters parameters;
  Tensor first, second, weight, keep;
};

struct Outcome {
  Tensor output;
  std::vector<Tensor> gradients;  // of the parameters and both inputs
};

Outcome fused(const Case& c, const Problem& p) {
  const Tensor output = mlp_forward(c.shape, p.parameters, {p.first, p.second}, p.keep);
  return {output.detach(), torch::autograd::grad({(output * p.weight).sum()}, p.inputs())};
}

Outcome plain_outcome(const Case& c, const Problem& p) {
  const Tensor output =
      plain::mlp(c.shape, p.parameters.flat(), at::cat({p.first, p.second}, -1), p.keep);
  return {output.detach(), torch::autograd::grad({(output * p.weight).sum()}, p.inputs())};
}

double relative_error(const Tensor& found, const Tensor& expected) {
  const double size = expected.to(at::kDouble).norm().item<double>();
  const double error = (found - expected).to(at::kDouble).norm().item<double>();
  return error / std::max(size, 1e-12);
}

void check_close(const Outcome& found, const Outcome& expected, double bound) {
  BOOST_TEST(relative_error(found.output, expected.output) < bound);
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    BOOST_REQUIRE(found.gradients[i].sizes() == expected.gradients[i].sizes());
    BOOST_TEST(relative_error(found.gradients[i], expected.gradients[i]) < bound, "gradient " << i);
  }
}

bool same_bits(const Outcome& a, const Outcome& b) {
  bool same = at::equal(a.output, b.output);
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    same = same && at::equal(a.gradients[i], b.gradients[i]);
  }
  return same;
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_equal_plain_autograd_in_float32) {
  for (const Case& c : all_cases(at::kFloat, 64, 33)) {
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem problem(c);
      check_close(fused(c, problem), plain_outcome(c, problem), 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_equal_plain_autograd_in_float64) {
  for (const std::int64_t batch : {1, 2, 9}) {
    for (const Case& c : all_cases(at::kDouble, 6, batch)) {
      BOOST_TEST_CONTEXT(describe(c)) {
        const Problem problem(c);
        check_close(fused(c, problem), plain_outcome(c, problem), 1e-12);
      }
    }
  }
}

// independent of PyTorch's differentiation: central differences of the fused forward pass
BOOST_AUTO_TEST_CASE(gradients_are_slopes) {
  for (const Case& c : all_cases(at::kDouble, 4, 3)) {
    if (c.shape.activation == Activation::relu) continue;  // has a kink
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem problem(c);
      const Outcome outcome = fused(c, problem);
      at::NoGradGuard no_grad;
      const auto loss = [&] {
        const Tensor output =
            mlp_forward(c.shape, problem.parameters, {problem.first, problem.second}, problem.keep);
        return (output * problem.weight).sum().item<double>();
      };
      for (std::size_t i = 0; i < 3; ++i) {
        const Tensor x = problem.inputs()[i].view(-1);
        for (std::int64_t k = 0; k < x.numel(); ++k) {
          double* element = x.data_ptr<double>() + k;
          const double saved = *element, step = 1e-5;
          *element = saved + step;
          const double above = loss();
          *element = saved - step;
          const double below = loss();
          *element = saved;
          const double slope = (above - below) / (2 * step);
          const double found = outcome.gradients[i].view(-1)[k].item<double>();
          BOOST_TEST(std::abs(slope - found) < 1e-7 * (1.0 + std::abs(slope)),
                     "gradient " << i << ", element " << k << ": " << slope << ", " << found);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_through_features_equal_plain_autograd) {
  for (const Case& c : all_cases(at::kDouble, 6, 9)) {
    if (c.shape.hidden_dims.empty() || c.shape.dropout > 0.0) continue;
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem p(c);
      const Tensor input = at::cat({p.first, p.second}, -1);
      const MlpOutputs found = mlp_forward_with_features(c.shape, p.parameters, {input});
      const Tensor features =
          plain::features(c.shape, p.parameters.flat(), input).view(found.features.sizes());
      BOOST_TEST(relative_error(found.features, features) < 1e-12);
      const auto loss = [&](const Tensor& phi, const Tensor& out) {
        return (phi.square() * numbers(phi.sizes(), c.dtype, 0.8)).sum() + (out * p.weight).sum();
      };
      const auto check = [&](const Tensor& ours, const Tensor& expected, const auto& wanted) {
        const auto a = torch::autograd::grad({ours}, wanted, {}, true);
        const auto b = torch::autograd::grad({expected}, wanted, {}, true);
        for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(relative_error(a[i], b[i]) < 1e-12);
      };
      const Tensor output = plain::mlp(c.shape, p.parameters.flat(), input);
      const Tensor ours = loss(found.features, found.output), expected = loss(features, output);
      for (const auto& wanted : {p.inputs(), std::vector{p.second}}) check(ours, expected, wanted);
      check(found.features.sin().sum(), features.sin().sum(), p.inputs());
    }
  }
}

BOOST_AUTO_TEST_CASE(two_threads_give_the_same_bits) {
  for (const Case& c : all_cases(at::kFloat, 64, 33)) {
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem problem(c);
      std::optional<Outcome> first;
      for (const int threads : {1, 2, 3}) {
        set_learner_threads(threads);
        const Outcome outcome = fused(c, problem);
        if (first) BOOST_TEST(same_bits(*first, outcome), "threads " << threads);
        if (!first) first = outcome;
      }
      set_learner_threads(1);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_member_does_not_depend_on_the_others) {
  for (Case c : all_cases(at::kFloat, 64, 33)) {
    if (c.members == 1) continue;
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem stack(c);
      const Outcome together = fused(c, stack);
      Case alone = c;
      alone.members = 1;
      for (std::int64_t m = 0; m < c.members; ++m) {
        const auto own = [&](const Tensor& t) { return t.narrow(0, m, 1); };
        Problem problem(alone);
        {
          at::NoGradGuard no_grad;
          problem.parameters.flat().copy_(own(stack.parameters.flat()));
          problem.first.copy_(own(stack.first));
          problem.second.copy_(own(stack.second));
          problem.weight = own(stack.weight).clone();
          if (stack.keep.defined()) problem.keep = own(stack.keep).clone();
        }
        Outcome part{own(together.output), {}};
        for (const Tensor& gradient : together.gradients) part.gradients.push_back(own(gradient));
        BOOST_TEST(same_bits(fused(alone, problem), part), "member " << m);
      }
    }
  }
}

// the actor's pass: rows without a gradient are left out, which must not be seen
BOOST_AUTO_TEST_CASE(input_gradients_alone_equal_plain_autograd) {
  for (const Case& c : all_cases(at::kDouble, 6, 9)) {
    BOOST_TEST_CONTEXT(describe(c)) {
      const Problem p(c);
      const Tensor choice = numbers(p.weight.sizes(), at::kDouble, 0.9).gt(0.2).to(at::kDouble);
      const auto gradient = [&](const Tensor& output) {
        return torch::autograd::grad({(output * p.weight * choice).sum()}, {p.second})[0];
      };
      const Tensor found =
          gradient(mlp_forward(c.shape, p.parameters, {p.first.detach(), p.second}, p.keep));
      const Tensor expected = gradient(
          plain::mlp(c.shape, p.parameters.flat(), at::cat({p.first, p.second}, -1), p.keep));
      BOOST_TEST(relative_error(found, expected) < 1e-12);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_freed_graph_is_refused) {
  const Case c = all_cases(at::kDouble, 4, 3).front();
  const Problem p(c);
  const Tensor loss = mlp_forward(c.shape, p.parameters, {p.first, p.second}).sum();
  torch::autograd::grad({loss}, {p.first}, {}, true);
  torch::autograd::grad({loss}, {p.first});
  BOOST_CHECK_THROW(torch::autograd::grad({loss}, {p.first}), std::exception);
}

BOOST_AUTO_TEST_CASE(wrong_inputs_are_refused) {
  const Case c = all_cases(at::kDouble, 4, 3).front();
  const Problem p(c);
  BOOST_CHECK_THROW(mlp_forward(c.shape, p.parameters, p.first), std::invalid_argument);
  const Tensor keep = at::ones({5}, at::kByte);
  BOOST_CHECK_THROW(mlp_forward(c.shape, p.parameters, {p.first, p.second}, keep),
                    std::invalid_argument);
}
