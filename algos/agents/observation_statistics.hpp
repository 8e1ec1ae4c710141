/// Running mean and variance of what every dimension of the observations has been.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "algos/checkpoint/state.hpp"

namespace anthill {

/// Of M members, D dimensions each, in float64. Batches are merged by Chan et al.'s formula
/// (1983, "Algorithms for computing the sample variance"), so that a mean far from 0 costs no
/// digits. A member's numbers do not depend on the others. One owner thread.
class ObservationStatistics {
 public:
  ObservationStatistics(std::int64_t members, std::int64_t dim);

  /// `observation` [M*N, D] in host memory: N more of every member. std::invalid_argument for
  /// another size. Allocates nothing.
  void add(std::span<const float> observation);

  /// Observations of every member so far.
  std::int64_t count() const { return count_; }
  std::span<const double> mean() const { return mean_; }  // (M x D)
  /// 1 / sqrt(variance + 1e-8), with the population's variance; 1 before the first. (M x D)
  std::span<const double> inverse_std() const { return inverse_std_; }

  void save(StateWriter state) const;
  void load(const StateReader& state);

 private:
  void update_inverse_std();

  std::int64_t members_, dim_, count_ = 0;
  std::vector<double> mean_, squares_, inverse_std_;  // (M x D) squares: sum of (x - mean)^2
  std::vector<double> batch_mean_, batch_squares_;    // (D) of the rows being added
};

}  // namespace anthill
