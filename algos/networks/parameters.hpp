/// Network parameters in one flat array with named views.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algos/tensor.hpp"

namespace anthill {

/// Where each named parameter lies in the flat array of one network.
class ParameterLayout {
 public:
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;
    std::int64_t size = 0;
  };

  /// Appends a parameter; names are unique (std::logic_error otherwise).
  void add(const std::string& name, std::vector<std::int64_t> shape);

  const std::vector<Entry>& entries() const { return entries_; }
  /// Position of `name` in entries(); std::logic_error when there is none.
  std::size_t index(const std::string& name) const;
  /// Values of one network.
  std::int64_t total_size() const { return total_size_; }
  /// P: the same with padding, so that every network begins at a multiple of 64 bytes (in float32).
  std::int64_t padded_size() const { return (total_size_ + 15) / 16 * 16; }

 private:
  std::vector<Entry> entries_;
  std::int64_t total_size_ = 0;
};

/// Parameters of members x ensemble networks of one layout: flat [M, E, P] (owned here, float32
/// unless asked otherwise), a leaf for automatic differentiation, and one view [M, E, shape...] per
/// entry that shares its memory and is outside of any graph.
class Parameters {
 public:
  Parameters() = default;
  Parameters(ParameterLayout layout, std::int64_t members, std::int64_t ensemble, at::Device device,
             bool requires_grad, at::ScalarType dtype = at::kFloat);
  /// `flat` [M, E, P] as it is, also from inside of a graph; without views.
  Parameters(ParameterLayout layout, Tensor flat);

  const ParameterLayout& layout() const { return layout_; }
  std::int64_t members() const { return flat_.size(0); }
  std::int64_t ensemble() const { return flat_.size(1); }
  const Tensor& flat() const { return flat_; }
  const std::vector<Tensor>& views() const { return views_; }
  const Tensor& view(const std::string& name) const { return views_[layout_.index(name)]; }

  /// d(sum of the members' losses)/d(flat), [M, E, P]; `loss` is [M] or a scalar. Frees the graph
  /// unless `retain_graph`.
  Tensor gradient(const Tensor& loss, bool retain_graph = false) const;

  /// One member's networks, [1, E, P], in shared memory and outside of any graph.
  Parameters member(std::int64_t index) const;

  /// A copy in its own memory.
  Parameters clone(bool requires_grad) const;

 private:
  ParameterLayout layout_;
  Tensor flat_;
  std::vector<Tensor> views_;
};

}  // namespace anthill
