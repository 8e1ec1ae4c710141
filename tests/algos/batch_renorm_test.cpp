// Batch renormalisation: its passes, their gradients and what they remember.
#define BOOST_TEST_MODULE batch_renorm
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "algos/networks/batch_renorm_network.hpp"
#include "algos/networks/device.hpp"
#include "tests/algos/plain_batch_renorm.hpp"

using namespace anthill;

namespace {

Tensor numbers(at::IntArrayRef sizes, double phase, at::ScalarType dtype = at::kDouble) {
  std::int64_t size = 1;
  for (const std::int64_t extent : sizes) size *= extent;
  return at::sin(at::arange(size, at::kDouble).square() * 0.37 + phase).to(dtype).view(sizes);
}

/// Networks of M members with E critics in float64, or as SAC has them.
struct Networks {
  Networks(MlpShape of, std::int64_t members, std::int64_t ensemble,
           at::ScalarType dtype = at::kDouble)
      : shape(std::move(of)),
        parameters(batch_renorm_layout(shape), members, ensemble, at::kCPU, true, dtype),
        state(make_batch_renorm_state(shape, members, ensemble, at::kCPU, dtype)) {
    at::NoGradGuard no_grad;
    parameters.flat().copy_(numbers(parameters.flat().sizes(), 0.4));
    state.running.flat().copy_(numbers(state.running.flat().sizes(), 0.7).abs() + 0.01);
  }

  MlpShape shape;
  Parameters parameters;
  BatchRenormState state;
};

MlpShape small_shape(Activation activation = Activation::tanh) {
  return {.input_dim = 5, .hidden_dims = {6, 4}, .output_dim = 1, .activation = activation};
}

double relative_error(const Tensor& found, const Tensor& expected) {
  return ((found - expected).norm() / expected.norm()).item<double>();
}

}  // namespace

BOOST_AUTO_TEST_CASE(passes_and_gradients_equal_plain_autograd) {
  for (const Activation activation : {Activation::relu, Activation::tanh, Activation::elu}) {
    for (const std::int64_t warmup : {0, 3}) {
      const Networks n(small_shape(activation), 2, 3);
      const Tensor first = numbers({2, 9, 3}, 0.1).set_requires_grad(true);
      const Tensor second = numbers({2, 9, 2}, 0.2).set_requires_grad(true);
      const Tensor weight = numbers({2, 3, 9, 1}, 0.3);
      const std::vector<Tensor> inputs = {n.parameters.flat(), first, second};
      plain::Renorm renorm{n.state.running.flat(), 0};
      const auto check = [&](const Tensor& found, plain::Pass pass) {
        const Tensor expected = plain::renormalised_mlp(n.shape, n.parameters.flat(), renorm,
                                                        at::cat({first, second}, -1), pass, warmup);
        BOOST_TEST(relative_error(found, expected) < 1e-12);
        for (const auto& wanted : {inputs, std::vector<Tensor>{second}}) {
          const auto a = torch::autograd::grad({(found * weight).sum()}, wanted, {}, true);
          const auto b = torch::autograd::grad({(expected * weight).sum()}, wanted, {}, true);
          for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(relative_error(a[i], b[i]) < 1e-11);
        }
      };
      check(batch_renorm_forward(n.shape, n.parameters, n.state.running, {first, second}).output,
            plain::Pass::evaluation);
      const BatchRenormOutputs trained =
          batch_renorm_train(n.shape, n.parameters, n.state, {first, second}, warmup);
      check(trained.output, plain::Pass::training);
      for (const auto& entry : n.state.running.layout().entries()) {
        const auto part = [&](const Tensor& t) { return t.narrow(2, entry.offset, entry.size); };
        BOOST_TEST(relative_error(part(trained.batch_statistics), part(renorm.seen)) < 1e-12);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(running_statistics_move_towards_the_batch) {
  const Networks n(small_shape(), 2, 3, at::kFloat);
  const Tensor before = n.state.running.flat().clone();
  const Tensor seen = numbers(before.sizes(), 0.2, at::kFloat);
  remember(n.state, seen, {0.9, 0.25});
  BOOST_TEST((n.state.num_batches == 1).all().item<bool>());
  for (const auto& [m, momentum] : {std::pair{0, 0.9}, std::pair{1, 0.25}}) {
    const Tensor expected = momentum * before[m] + (1 - momentum) * seen[m];
    BOOST_TEST(relative_error(n.state.running.flat()[m], expected) < 1e-6, "member " << m);
  }
  reset(n.state);
  BOOST_TEST((n.state.num_batches == 0).all().item<bool>());
  BOOST_TEST((n.state.running.view("batch_renorm_1.variance") == 1.0).all().item<bool>());
  BOOST_TEST((n.state.running.view("batch_renorm_1.mean") == 0.0).all().item<bool>());
}

// independent of PyTorch's differentiation; r and d, which have no gradient, are out of the way
BOOST_AUTO_TEST_CASE(gradients_are_slopes) {
  const Networks n(small_shape(), 1, 2);
  const Tensor input = numbers({1, 7, 5}, 0.1).set_requires_grad(true);
  const Tensor weight = numbers({1, 2, 7, 1}, 0.3);
  for (const bool training : {false, true}) {
    const auto loss = [&] {
      const Tensor output =
          training ? batch_renorm_train(n.shape, n.parameters, n.state, input, 1).output
                   : batch_renorm_forward(n.shape, n.parameters, n.state.running, input).output;
      return (output * weight).sum();
    };
    const std::vector<Tensor> leaves = {n.parameters.flat(), input};
    const auto gradients = torch::autograd::grad({loss()}, leaves);
    at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      double* values = leaves[i].data_ptr<double>();
      for (std::int64_t k = 0; k < leaves[i].numel(); ++k) {
        const double saved = values[k], step = 1e-5;
        values[k] = saved + step;
        const double above = loss().item<double>();
        values[k] = saved - step;
        const double below = loss().item<double>();
        values[k] = saved;
        const double slope = (above - below) / (2 * step);
        const double found = gradients[i].reshape(-1)[k].item<double>();
        BOOST_TEST(std::abs(slope - found) < 1e-6 * (1.0 + std::abs(slope)),
                   "gradient " << i << ", element " << k << ": " << slope << ", " << found);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(training_is_evaluation_where_the_statistics_agree_or_nothing_is_clipped) {
  const Networks n(small_shape(), 1, 2, at::kFloat);
  const Tensor input = numbers({1, 50, 5}, 0.1, at::kFloat);
  at::NoGradGuard no_grad;
  const auto train = [&](std::int64_t warmup) {
    return batch_renorm_train(n.shape, n.parameters, n.state, input, warmup);
  };
  const auto evaluate = [&] {
    return batch_renorm_forward(n.shape, n.parameters, n.state.running, input).output;
  };
  // some r or d is clipped
  BOOST_TEST(relative_error(train(0).output, evaluate()) > 1e-2);
  // statistics of this very batch: what a batch normalisation in training does
  for (int i = 0; i < 3; ++i) remember(n.state, train(9).batch_statistics, {0.0});
  BOOST_TEST(relative_error(train(9).output, evaluate()) < 1e-5);
  // somewhat other ones, within the clips: r and d make up for them, a warm-up does not
  for (const Tensor& view : n.state.running.views()) view.mul_(1.1);
  BOOST_TEST(relative_error(train(0).output, evaluate()) < 1e-5);
  BOOST_TEST(relative_error(train(9).output, evaluate()) > 1e-3);
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_dead_in_a_batch_has_a_gradient) {
  Networks n(small_shape(Activation::relu), 1, 1);
  {
    at::NoGradGuard no_grad;
    n.parameters.view("hidden_0.bias").fill_(-1e3);
  }
  const Tensor output =
      batch_renorm_train(n.shape, n.parameters, n.state, numbers({1, 8, 5}, 0.1), 0).output;
  BOOST_TEST(at::isfinite(n.parameters.gradient(output.sum())).all().item<bool>());
}

// on a GPU all networks are one stack
BOOST_AUTO_TEST_CASE(a_stack_computes_what_its_networks_do) {
  const Networks n(small_shape(), 2, 2);
  const Tensor input = numbers({2, 9, 5}, 0.1);
  const Tensor all = input.unsqueeze(1).expand({2, 2, 9, 5}).flatten(0, 1);
  for (const bool training : {false, true}) {
    const Tensor warm =
        training ? at::tensor({1, 1, 0, 0}, at::kLong).view({4, 1, 1}).gt(0) : Tensor();
    if (training) n.state.num_batches.copy_(at::tensor({4, 3}, at::kLong));
    const NetworkOutputs stack = networks_forward(
        n.shape, {n.parameters.flat().flatten(0, 1), n.state.running.flat().flatten(0, 1), warm},
        all);
    const BatchRenormOutputs single =
        training ? batch_renorm_train(n.shape, n.parameters, n.state, input, 4)
                 : batch_renorm_forward(n.shape, n.parameters, n.state.running, input);
    BOOST_TEST(relative_error(stack.output.view_as(single.output), single.output) < 1e-12);
    BOOST_TEST(relative_error(stack.features.view_as(single.features), single.features) < 1e-12);
    if (!training) continue;
    BOOST_TEST(relative_error(stack.batch_statistics.view_as(single.batch_statistics),
                              single.batch_statistics) < 1e-12);
  }
}

// large enough for LibTorch to share a sum between threads of its own
BOOST_AUTO_TEST_CASE(neither_threads_nor_members_change_a_bit) {
  const MlpShape shape{.input_dim = 29, .hidden_dims = {256, 250}, .output_dim = 1};
  const Networks n(shape, 3, 2, at::kFloat);
  const Tensor first = numbers({3, 257, 21}, 0.1, at::kFloat).set_requires_grad(true);
  const Tensor second = numbers({3, 257, 8}, 0.2, at::kFloat).set_requires_grad(true);
  const auto run = [&](const Parameters& parameters, const BatchRenormState& state, const Tensor& a,
                       const Tensor& b) {
    const BatchRenormOutputs out = batch_renorm_train(shape, parameters, state, {a, b}, 0);
    std::vector<Tensor> all =
        torch::autograd::grad({out.output.square().sum()}, {parameters.flat(), a, b});
    all.insert(all.end(), {out.output.detach(), out.features, out.batch_statistics});
    return all;
  };
  std::vector<Tensor> reference;
  for (const int threads : {1, 2, 3}) {
    set_learner_threads(threads);
    const std::vector<Tensor> found = run(n.parameters, n.state, first, second);
    if (reference.empty()) reference = found;
    for (std::size_t i = 0; i < found.size(); ++i) BOOST_TEST(at::equal(found[i], reference[i]));
  }
  set_learner_threads(1);
  for (std::int64_t m = 0; m < 3; ++m) {
    const auto own = [&](const Tensor& t) {
      return t.detach().narrow(0, m, 1).clone().set_requires_grad(true);
    };
    Parameters parameters = n.parameters.member(m).clone(true);
    const BatchRenormState state{n.state.running.member(m), n.state.num_batches.narrow(0, m, 1)};
    const std::vector<Tensor> found = run(parameters, state, own(first), own(second));
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_TEST(at::equal(found[i], reference[i].narrow(0, m, 1)), "member " << m << ", " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(wrong_inputs_and_freed_graphs_are_refused) {
  const Networks n(small_shape(), 1, 1);
  BOOST_CHECK_THROW(
      batch_renorm_forward(n.shape, n.parameters, n.state.running, at::ones({1, 2, 4})),
      std::invalid_argument);
  const Tensor loss =
      batch_renorm_train(n.shape, n.parameters, n.state, numbers({1, 4, 5}, 0.1), 0).output.sum();
  n.parameters.gradient(loss, /*retain_graph=*/true);
  n.parameters.gradient(loss);
  BOOST_CHECK_THROW(n.parameters.gradient(loss), std::exception);
}
