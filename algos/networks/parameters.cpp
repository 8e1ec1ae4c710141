#include "algos/networks/parameters.hpp"

#include <stdexcept>
#include <utility>

namespace anthill {

void ParameterLayout::add(const std::string& name, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  for (const Entry& entry : entries_) {
    if (entry.name == name) throw std::logic_error("parameter '" + name + "' is added twice");
  }
  entries_.push_back({name, std::move(shape), total_size_, size});
  total_size_ += size;
}

std::size_t ParameterLayout::index(const std::string& name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].name == name) return i;
  }
  throw std::logic_error("no parameter is named '" + name + "'");
}

Parameters::Parameters(ParameterLayout layout, std::int64_t members, std::int64_t ensemble,
                       at::Device device, bool requires_grad, at::ScalarType dtype)
    : layout_(std::move(layout)) {
  flat_ =
      at::zeros({members, ensemble, layout_.padded_size()}, at::TensorOptions(device).dtype(dtype));
  for (const ParameterLayout::Entry& entry : layout_.entries()) {
    std::vector<std::int64_t> shape = {members, ensemble};
    shape.insert(shape.end(), entry.shape.begin(), entry.shape.end());
    // a narrow of the last axis keeps a regular stride, so view() never copies
    views_.push_back(flat_.narrow(2, entry.offset, entry.size).view(shape).detach());
  }
  flat_.set_requires_grad(requires_grad);
}

Parameters::Parameters(ParameterLayout layout, Tensor flat)
    : layout_(std::move(layout)), flat_(std::move(flat)) {
  if (flat_.dim() != 3 || flat_.size(2) != layout_.padded_size()) {
    throw std::invalid_argument("parameters: flat must be [members, ensemble, padded size]");
  }
}

Tensor Parameters::gradient(const Tensor& loss, bool retain_graph) const {
  return torch::autograd::grad({loss}, {flat_}, {at::ones_like(loss)}, retain_graph)[0];
}

Parameters Parameters::member(std::int64_t index) const {
  Parameters one;
  one.layout_ = layout_;
  one.flat_ = flat_.detach().narrow(0, index, 1);
  for (const Tensor& view : views_) one.views_.push_back(view.narrow(0, index, 1));
  return one;
}

Parameters Parameters::clone(bool requires_grad) const {
  Parameters copy(layout_, members(), ensemble(), flat_.device(), requires_grad,
                  flat_.scalar_type());
  at::NoGradGuard no_grad;
  copy.flat_.copy_(flat_);
  return copy;
}

}  // namespace anthill
