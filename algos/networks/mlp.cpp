#include "algos/networks/mlp.hpp"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <numeric>
#include <stdexcept>

#include "algos/networks/mlp_passes.hpp"

namespace anthill {
namespace {

/// The graph's node of one network call. Its inputs: parameters.flat(), first, second.
struct MlpBackward final : torch::autograd::Node {
  MlpShape shape;
  Tensor flat;
  MlpTape tape;
  std::int64_t first_dim = 0;

  std::string name() const override { return "MlpBackward"; }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (!tape.input.defined()) {
      throw std::logic_error("mlp_forward: this graph was freed by an earlier backward pass");
    }
    at::NoGradGuard no_grad;
    const MlpWanted wanted{.parameters = task_should_compute_output(0),
                           .first = task_should_compute_output(1),
                           .second = task_should_compute_output(2),
                           .first_dim = first_dim};
    // a loss may depend on one of the outputs alone
    const Tensor d_output =
        gradients[0].defined()
            ? gradients[0].contiguous()
            : at::zeros({flat.size(0), flat.size(1), tape.batch, shape.output_dim}, flat.options());
    const Tensor d_features = gradients[1].defined() ? gradients[1].contiguous() : Tensor();
    MlpGradients result = flat.is_cuda()
                              ? mlp_backward_cuda(shape, flat, tape, d_output, d_features, wanted)
                              : mlp_backward_cpu(shape, flat, tape, d_output, d_features, wanted);
    return {std::move(result.parameters), std::move(result.first), std::move(result.second)};
  }

  void release_variables() override { tape = {}; }
};

/// [M, B, input_dim] in memory of its own, or the first input itself.
Tensor join(const MlpInput& input) {
  if (!input.second.defined()) return input.first.detach().contiguous();
  return at::cat({input.first.detach(), input.second.detach()}, -1);
}

void check(const MlpShape& shape, const Parameters& parameters, const MlpInput& input,
           const Tensor& keep) {
  const std::int64_t second_dim = input.second.defined() ? input.second.size(-1) : 0;
  if (input.first.dim() != 3 || input.first.size(0) != parameters.members() ||
      input.first.size(2) + second_dim != shape.input_dim) {
    throw std::invalid_argument("mlp_forward: the input must be [members, batch, " +
                                std::to_string(shape.input_dim) + "]");
  }
  const std::int64_t mask =
      parameters.members() * parameters.ensemble() * input.first.size(1) * shape.num_hidden();
  if (keep.defined() &&
      (keep.numel() != mask || !keep.is_contiguous() || keep.scalar_type() != at::kByte)) {
    throw std::invalid_argument("mlp_forward: dropout's mask must be uint8 with " +
                                std::to_string(mask) + " elements");
  }
}

}  // namespace

std::int64_t MlpShape::num_hidden() const {
  return std::accumulate(hidden_dims.begin(), hidden_dims.end(), std::int64_t{0});
}

bool MlpShape::has_skip(std::size_t layer) const {
  return residual && layer > 0 && hidden_dims[layer - 1] == hidden_dims[layer];
}

std::vector<LinearPlace> mlp_places(const MlpShape& shape) {
  std::vector<LinearPlace> places;
  std::int64_t offset = 0, in = shape.input_dim;
  const auto take = [&](std::int64_t size) { return std::exchange(offset, offset + size); };
  for (std::size_t i = 0; i <= shape.hidden_dims.size(); ++i) {
    const bool hidden = i < shape.hidden_dims.size();
    LinearPlace place{.in = in, .out = hidden ? shape.hidden_dims[i] : shape.output_dim};
    place.weight = take(place.out * in);
    place.bias = take(place.out);
    if (hidden && shape.layer_norm) {
      place.gain = take(place.out);
      place.shift = take(place.out);
    }
    places.push_back(place);
    in = place.out;
  }
  return places;
}

/// `blocks` (rows of the last hidden layer, of a tape) as [M, E, B, W], in place where they lie
/// without padding.
static Tensor features_of(const MlpShape& shape, const Parameters& parameters, const MlpTape& tape,
                          const Tensor& blocks) {
  const std::int64_t width = shape.hidden_dims.back();
  return blocks.flatten(1)
      .narrow(1, 0, tape.batch * width)
      .reshape({parameters.members(), parameters.ensemble(), tape.batch, width});
}

static MlpOutputs forward(const MlpShape& shape, const Parameters& parameters,
                          const MlpInput& input, const Tensor& keep, bool with_features) {
  check(shape, parameters, input, keep);
  const Tensor& flat = parameters.flat();
  MlpTape tape{.batch = input.first.size(1), .input = {}, .hidden = {}, .keep = keep};
  MlpOutputs result;
  {
    at::NoGradGuard no_grad;
    tape.input = join(input);
    result.output =
        flat.is_cuda() ? mlp_forward_cuda(shape, flat, tape) : mlp_forward_cpu(shape, flat, tape);
    // a copy: the tape's own must stay as it is until the backward pass
    if (with_features) {
      result.features = features_of(shape, parameters, tape, tape.features()).clone();
    }
  }
  if (torch::autograd::compute_requires_grad(flat, input.first, input.second)) {
    auto node = std::shared_ptr<MlpBackward>(new MlpBackward(), torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(flat, input.first, input.second));
    node->shape = shape;
    node->flat = flat;
    node->tape = std::move(tape);
    node->first_dim = input.first.size(2);
    torch::autograd::set_history({result.output, result.features}, node);
  }
  return result;
}

Tensor mlp_forward(const MlpShape& shape, const Parameters& parameters, const MlpInput& input,
                   const Tensor& keep) {
  return forward(shape, parameters, input, keep, false).output;
}

MlpOutputs mlp_forward_with_features(const MlpShape& shape, const Parameters& parameters,
                                     const MlpInput& input) {
  if (shape.hidden_dims.empty()) throw std::invalid_argument("mlp_forward: no hidden layer");
  return forward(shape, parameters, input, {}, true);
}

Tensor mlp_features(const MlpShape& shape, const Parameters& parameters, const MlpInput& input) {
  check(shape, parameters, input, {});
  if (shape.hidden_dims.empty()) throw std::invalid_argument("mlp_features: no hidden layer");
  at::NoGradGuard no_grad;
  const Tensor flat = parameters.flat().detach();
  MlpTape tape{.batch = input.first.size(1), .input = join(input), .hidden = {}, .keep = {}};
  flat.is_cuda() ? mlp_forward_cuda(shape, flat, tape) : mlp_forward_cpu(shape, flat, tape);
  return features_of(shape, parameters, tape, tape.hidden.back().output);
}

}  // namespace anthill
