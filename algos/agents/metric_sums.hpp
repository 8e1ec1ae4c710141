/// What an algorithm measures, summed over updates where the learner runs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/checkpoint/state.hpp"
#include "algos/tensor.hpp"

namespace anthill {

/// sums (K x M) over `counts` (K) updates, by name; copies them to the host.
MetricMeans means_of(const std::vector<std::string>& names, const Tensor& sums,
                     std::span<const std::int64_t> counts);

/// K metrics of M members. Nothing here waits for a device but take_means(), save() and load().
class MetricSums {
 public:
  MetricSums() = default;
  /// `names`: columns of train.csv. `like`: any tensor (M) on the learner's device.
  MetricSums(std::vector<std::string> names, const Tensor& like);

  /// Adds one update's `values`, each (M), to the metrics first, first + 1, ...
  void add(std::size_t first, std::initializer_list<Tensor> values);

  /// Means since the last call.
  MetricMeans take_means();

  void save(StateWriter state) const;
  void load(const StateReader& state);

 private:
  std::vector<std::string> names_;
  Tensor sums_;                       // (K x M)
  std::vector<std::int64_t> counts_;  // (K) updates in each sum
};

}  // namespace anthill
