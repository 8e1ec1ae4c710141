#include "algos/agents/observation_statistics.hpp"

#include <cmath>

namespace anthill {

/// A dimension that never varies is 0 once its mean is subtracted, whatever it is divided by.
constexpr double kVarianceEps = 1e-8;

ObservationStatistics::ObservationStatistics(std::int64_t members, std::int64_t dim)
    : members_(members),
      dim_(dim),
      mean_(static_cast<std::size_t>(members * dim)),
      squares_(mean_.size()) {}

void ObservationStatistics::add(std::span<const float> observation) {
  const auto dim = static_cast<std::size_t>(dim_);
  const std::size_t rows = observation.size() / mean_.size();  // N
  if (rows == 0) return;
  const auto before = static_cast<double>(count_), now = static_cast<double>(rows);
  for (std::size_t k = 0; k < mean_.size(); ++k) {
    const float* first = observation.data() + k / dim * rows * dim + k % dim;
    double mean = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < rows; ++i) mean += static_cast<double>(first[i * dim]);
    mean /= now;
    for (std::size_t i = 0; i < rows; ++i) {
      const double off = static_cast<double>(first[i * dim]) - mean;
      squares += off * off;
    }
    const double delta = mean - mean_[k];
    mean_[k] += delta * (now / (before + now));
    squares_[k] += squares + delta * delta * (before * now / (before + now));
  }
  count_ += static_cast<std::int64_t>(rows);
}

std::vector<double> ObservationStatistics::inverse_std() const {
  std::vector<double> inverse(squares_.size(), 1.0);
  for (std::size_t k = 0; count_ > 0 && k < squares_.size(); ++k) {
    inverse[k] = 1.0 / std::sqrt(squares_[k] / static_cast<double>(count_) + kVarianceEps);
  }
  return inverse;
}

void ObservationStatistics::save(StateWriter state) const {
  state.integer("count", count_);
  state.array<double>("mean", mean_, {members_, dim_});
  state.array<double>("squares", squares_, {members_, dim_});
}

void ObservationStatistics::load(const StateReader& state) {
  count_ = state.integer("count");
  state.array<double>("mean", mean_);
  state.array<double>("squares", squares_);
}

}  // namespace anthill
