#include "algos/networks/batch_renorm.hpp"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <stdexcept>
#include <string>

#include "algos/networks/adam.hpp"
#include "algos/networks/batch_renorm_network.hpp"
#include "algos/networks/learner_team.hpp"

namespace anthill {
namespace {

std::string norm_name(std::size_t layer) { return "batch_renorm_" + std::to_string(layer); }

/// What every N normalises: the input, then the hidden layers.
std::vector<std::int64_t> normalised_dims(const MlpShape& shape) {
  std::vector<std::int64_t> dims = {shape.input_dim};
  dims.insert(dims.end(), shape.hidden_dims.begin(), shape.hidden_dims.end());
  return dims;
}

/// One network with a graph of its own, so that networks may be computed side by side.
struct Piece {
  Tensor flat, input;  // leaves, [1, P] and [1, B, D]
  NetworkOutputs outputs;
};

/// The node that stands for the pieces' graphs in the caller's. Its inputs: parameters.flat(),
/// first, second.
struct PiecesBackward final : torch::autograd::Node {
  std::vector<Piece> pieces;
  std::int64_t members = 0, first_dim = 0;

  std::string name() const override { return "BatchRenormBackward"; }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (pieces.empty()) {
      throw std::logic_error("batch renormalisation: this graph was freed by a backward pass");
    }
    const bool of_flat = task_should_compute_output(0);
    const bool of_first = task_should_compute_output(1), of_second = task_should_compute_output(2);
    const bool of_input = of_first || of_second;
    const Tensor d_output = gradients[0].flatten(0, 1);
    std::vector<Tensor> d_flat(pieces.size()), d_input(pieces.size());
    const auto network = [&](std::int64_t g) {
      const auto i = static_cast<std::size_t>(g);
      std::vector<Tensor> wanted;
      if (of_flat) wanted.push_back(pieces[i].flat);
      if (of_input) wanted.push_back(pieces[i].input);
      // a copy: products of the BLAS round by their operands' alignment
      const Tensor own = d_output.narrow(0, g, 1).clone(at::MemoryFormat::Contiguous);
      const auto found = torch::autograd::grad({pieces[i].outputs.output}, wanted, {own}, true);
      if (of_flat) d_flat[i] = found.front();
      if (of_input) d_input[i] = found.back();
    };
    learner_team().run(static_cast<std::int64_t>(pieces.size()), network);

    at::NoGradGuard no_grad;
    torch::autograd::variable_list result(3);
    if (of_flat) result[0] = at::cat(d_flat).unflatten(0, {members, -1});
    if (!of_input) return result;
    const Tensor all = at::cat(d_input).unflatten(0, {members, -1});
    Tensor sum = all.select(1, 0);
    for (std::int64_t e = 1; e < all.size(1); ++e) sum = sum + all.select(1, e);
    if (of_first) result[1] = sum.narrow(2, 0, first_dim);
    if (of_second) result[2] = sum.narrow(2, first_dim, sum.size(2) - first_dim);
    return result;
  }

  void release_variables() override { pieces.clear(); }
};

/// The same for every network of a member: [M, B, n] -> [M*E, B, n].
Tensor per_network(const Tensor& all, std::int64_t ensemble) {
  return all.unsqueeze(1).expand({-1, ensemble, -1, -1}).flatten(0, 1);
}

BatchRenormOutputs stacked(const NetworkOutputs& all, std::int64_t members) {
  const auto by_member = [&](const Tensor& t) {
    return t.defined() ? t.unflatten(0, {members, -1}) : t;
  };
  return {by_member(all.output), by_member(all.features), by_member(all.batch_statistics)};
}

/// On a CPU network by network: a stack of products may round as its size has it.
BatchRenormOutputs by_pieces(const MlpShape& shape, const Parameters& parameters,
                             const Parameters& running, const Tensor& warm, const MlpInput& input) {
  const std::int64_t members = parameters.members(), ensemble = parameters.ensemble();
  const Tensor flat = parameters.flat().detach().flatten(0, 1);
  const Tensor statistics = running.flat().flatten(0, 1);
  const bool grad =
      torch::autograd::compute_requires_grad(parameters.flat(), input.first, input.second);
  const Tensor first = input.first.detach();
  const Tensor second = input.second.defined() ? input.second.detach() : first.narrow(2, 0, 0);
  std::vector<Piece> pieces(static_cast<std::size_t>(members * ensemble));
  learner_team().run(members * ensemble, [&](std::int64_t g) {
    const at::AutoGradMode mode(grad);
    Piece& piece = pieces[static_cast<std::size_t>(g)];
    const std::int64_t m = g / ensemble;
    piece.flat = flat.narrow(0, g, 1);
    piece.input = at::cat({first.narrow(0, m, 1), second.narrow(0, m, 1)}, 2);
    if (grad) {
      piece.flat = piece.flat.detach().set_requires_grad(true);
      piece.input.set_requires_grad(true);
    }
    piece.outputs = networks_forward(shape,
                                     {.flat = piece.flat,
                                      .running = statistics.narrow(0, g, 1),
                                      .warm = warm.defined() ? warm.narrow(0, m, 1) : warm},
                                     piece.input);
  });

  NetworkOutputs all;
  {
    at::NoGradGuard no_grad;
    const auto cat = [&](Tensor NetworkOutputs::*part) {
      std::vector<Tensor> parts;
      for (const Piece& piece : pieces) parts.push_back(piece.outputs.*part);
      return parts.front().defined() ? at::cat(parts).detach() : Tensor();
    };
    all = {cat(&NetworkOutputs::output), cat(&NetworkOutputs::features),
           cat(&NetworkOutputs::batch_statistics)};
  }
  BatchRenormOutputs result = stacked(all, members);
  if (grad) {
    auto node = std::shared_ptr<PiecesBackward>(new PiecesBackward(), torch::autograd::deleteNode);
    node->set_next_edges(
        torch::autograd::collect_next_edges(parameters.flat(), input.first, input.second));
    node->pieces = std::move(pieces);
    node->members = members;
    node->first_dim = first.size(2);
    torch::autograd::set_history(result.output, node);
  }
  return result;
}

BatchRenormOutputs forward(const MlpShape& shape, const Parameters& parameters,
                           const Parameters& running, const Tensor& warm, const MlpInput& input) {
  const std::int64_t second_dim = input.second.defined() ? input.second.size(-1) : 0;
  if (input.first.dim() != 3 || input.first.size(0) != parameters.members() ||
      input.first.size(2) + second_dim != shape.input_dim) {
    throw std::invalid_argument("batch renormalisation: the input must be [members, batch, " +
                                std::to_string(shape.input_dim) + "]");
  }
  if (parameters.flat().is_cpu()) return by_pieces(shape, parameters, running, warm, input);
  const std::int64_t ensemble = parameters.ensemble();
  const Tensor x = input.second.defined() ? at::cat({input.first, input.second}, 2) : input.first;
  return stacked(networks_forward(shape,
                                  {.flat = parameters.flat().flatten(0, 1),
                                   .running = running.flat().flatten(0, 1),
                                   .warm = warm.defined() ? per_network(warm, ensemble) : warm},
                                  per_network(x, ensemble)),
                 parameters.members());
}

}  // namespace

ParameterLayout batch_renorm_layout(const MlpShape& shape) {
  ParameterLayout layout = mlp_layout(shape);
  const std::vector<std::int64_t> dims = normalised_dims(shape);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    layout.add(norm_name(i) + ".weight", {dims[i]});
    layout.add(norm_name(i) + ".bias", {dims[i]});
  }
  return layout;
}

ParameterLayout batch_renorm_statistics_layout(const MlpShape& shape) {
  ParameterLayout layout;
  const std::vector<std::int64_t> dims = normalised_dims(shape);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    layout.add(norm_name(i) + ".mean", {dims[i]});
    layout.add(norm_name(i) + ".variance", {dims[i]});
  }
  return layout;
}

void batch_renorm_initialise(const Parameters& parameters) {
  at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters.views().size(); ++i) {
    const std::string& name = parameters.layout().entries()[i].name;
    if (name.starts_with("batch_renorm_")) {
      parameters.views()[i].fill_(name.ends_with(".weight") ? 1.0 : 0.0);
    }
  }
}

BatchRenormState make_batch_renorm_state(const MlpShape& shape, std::int64_t members,
                                         std::int64_t ensemble, at::Device device,
                                         at::ScalarType dtype) {
  BatchRenormState state;
  state.running =
      Parameters(batch_renorm_statistics_layout(shape), members, ensemble, device, false, dtype);
  state.num_batches = at::zeros({members}, at::TensorOptions(device).dtype(at::kLong));
  reset(state);
  return state;
}

void reset(const BatchRenormState& state) {
  for (std::size_t i = 0; i < state.running.views().size(); ++i) {
    const bool mean = state.running.layout().entries()[i].name.ends_with(".mean");
    state.running.views()[i].fill_(mean ? 0.0 : 1.0);
  }
  state.num_batches.zero_();
}

void remember(const BatchRenormState& state, const Tensor& batch_statistics,
              const std::vector<double>& momentum) {
  PolyakTarget running{.flat = state.running.flat(), .tau = {}};
  for (const double m : momentum) running.tau.push_back(1.0 - m);
  follow(running, batch_statistics);
  state.num_batches.add_(1);
}

BatchRenormOutputs batch_renorm_forward(const MlpShape& shape, const Parameters& parameters,
                                        const Parameters& running, const MlpInput& input) {
  return forward(shape, parameters, running, {}, input);
}

BatchRenormOutputs batch_renorm_train(const MlpShape& shape, const Parameters& parameters,
                                      const BatchRenormState& state, const MlpInput& input,
                                      std::int64_t warmup) {
  const Tensor warm = state.num_batches.ge(warmup).view({-1, 1, 1});
  return forward(shape, parameters, state.running, warm, input);
}

}  // namespace anthill
