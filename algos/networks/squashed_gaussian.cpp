#include "algos/networks/squashed_gaussian.hpp"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <stdexcept>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/cuda_kernels.hpp"
#include "algos/networks/device.hpp"

namespace anthill {
namespace {

/// Everything but the results' addresses.
template <class T>
SquashedRows<T> rows_of(const ActorConfig& config, const Tensor& head, const Tensor& noise,
                        const Tensor& scale) {
  return {.rows = noise.numel() / noise.size(-1),
          .action_dim = noise.size(-1),
          .log_std_form = config.log_std_form,
          .log_prob_form = config.log_prob_form,
          .log_std_min = static_cast<T>(config.log_std_min),
          .log_std_max = static_cast<T>(config.log_std_max),
          .head = head.data_ptr<T>(),
          .noise = noise.data_ptr<T>(),
          .scale = scale.defined() ? scale.data_ptr<T>() : nullptr};
}

template <class T>
void forward(const ActorConfig& config, const Tensor& head, const Tensor& noise,
             const Tensor& scale, const SquashedSample& sample) {
  SquashedRows<T> rows = rows_of<T>(config, head, noise, scale);
  rows.action = sample.action.data_ptr<T>();
  rows.log_prob = sample.log_prob.data_ptr<T>();
  if constexpr (std::is_same_v<T, float>) {
    if (head.is_cuda()) {
      squashed_forward_cuda(rows, current_stream(head.device()));
      return;
    }
  }
  cpu_kernels<T>().squashed_forward(rows);
}

template <class T>
void backward(const ActorConfig& config, const Tensor& head, const Tensor& noise,
              const Tensor& scale, const Tensor& d_action, const Tensor& d_log_prob,
              const Tensor& d_head) {
  const SquashedRows<T> rows = rows_of<T>(config, head, noise, scale);
  const T* da = d_action.defined() ? d_action.data_ptr<T>() : nullptr;
  const T* dl = d_log_prob.defined() ? d_log_prob.data_ptr<T>() : nullptr;
  if constexpr (std::is_same_v<T, float>) {
    if (head.is_cuda()) {
      squashed_backward_cuda(rows, da, dl, d_head.data_ptr<T>(), current_stream(head.device()));
      return;
    }
  }
  cpu_kernels<T>().squashed_backward(rows, da, dl, d_head.data_ptr<T>());
}

struct SquashedGaussianBackward final : torch::autograd::Node {
  ActorConfig config;
  Tensor head, noise, scale;

  std::string name() const override { return "SquashedGaussianBackward"; }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (!head.defined()) {
      throw std::logic_error("squashed Gaussian: this graph was freed by an earlier backward pass");
    }
    at::NoGradGuard no_grad;
    const auto dense = [](const Tensor& t) { return t.defined() ? t.contiguous() : t; };
    const Tensor d_action = dense(gradients[0]), d_log_prob = dense(gradients[1]);
    Tensor d_head = at::empty_like(head);
    if (head.scalar_type() == at::kDouble) {
      backward<double>(config, head, noise, scale, d_action, d_log_prob, d_head);
    } else {
      backward<float>(config, head, noise, scale, d_action, d_log_prob, d_head);
    }
    return {std::move(d_head)};
  }

  void release_variables() override { head = noise = Tensor(); }
};

}  // namespace

SquashedSample sample_squashed_gaussian(const ActorConfig& config, const Tensor& head,
                                        const Tensor& noise, const Tensor& scale) {
  const std::int64_t action_dim = noise.size(-1);
  if (scale.defined() && (scale.numel() != action_dim || !scale.is_contiguous() ||
                          scale.scalar_type() != noise.scalar_type())) {
    throw std::invalid_argument("squashed Gaussian: scale must be [A], of the noise's type");
  }
  if (head.dim() != 3 || noise.dim() != 3 || head.size(-1) != 2 * action_dim) {
    throw std::invalid_argument("squashed Gaussian: head must be [M, B, 2A] and noise [M, B, A]");
  }
  const Tensor dense_head = head.detach().contiguous(), dense_noise = noise.contiguous();
  SquashedSample sample{at::empty_like(dense_noise),
                        at::empty({noise.size(0), noise.size(1)}, dense_noise.options())};
  if (head.scalar_type() == at::kDouble) {
    forward<double>(config, dense_head, dense_noise, scale, sample);
  } else {
    forward<float>(config, dense_head, dense_noise, scale, sample);
  }
  // in the exact form the scale is a constant term
  if (scale.defined() && config.log_prob_form == LogProbForm::exact) {
    sample.log_prob.sub_(scale.log().sum());
  }
  if (torch::autograd::compute_requires_grad(head)) {
    auto node = std::shared_ptr<SquashedGaussianBackward>(new SquashedGaussianBackward(),
                                                          torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(head));
    node->config = config;
    node->head = dense_head;
    node->noise = dense_noise;
    node->scale = scale;
    torch::autograd::set_history({sample.action, sample.log_prob}, node);
  }
  return sample;
}

Tensor squashed_mean(const Tensor& head) { return at::tanh(head.narrow(-1, 0, head.size(-1) / 2)); }

}  // namespace anthill
