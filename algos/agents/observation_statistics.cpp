#include "algos/agents/observation_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace anthill {

/// A dimension that has never varied is 0 once its mean is subtracted, whatever it is divided by.
constexpr double kVarianceEps = 1e-8;

ObservationStatistics::ObservationStatistics(std::int64_t members, std::int64_t dim)
    : members_(members),
      dim_(dim),
      mean_(static_cast<std::size_t>(members * dim)),
      squares_(mean_.size()),
      inverse_std_(mean_.size(), 1.0),
      batch_mean_(static_cast<std::size_t>(dim)),
      batch_squares_(batch_mean_.size()) {}

void ObservationStatistics::add(std::span<const float> observation) {
  const std::size_t dim = batch_mean_.size(), rows = observation.size() / mean_.size();  // N
  if (rows == 0 || rows * mean_.size() != observation.size()) {
    throw std::invalid_argument("observation statistics: the rows are not those of all members");
  }
  const auto before = static_cast<double>(count_), now = static_cast<double>(rows);
  const float* row = observation.data();
  for (std::size_t first = 0; first < mean_.size(); first += dim, row += rows * dim) {
    std::ranges::fill(batch_mean_, 0.0);
    std::ranges::fill(batch_squares_, 0.0);
    for (std::size_t i = 0; i < rows * dim; i += dim) {
      for (std::size_t k = 0; k < dim; ++k) batch_mean_[k] += static_cast<double>(row[i + k]);
    }
    for (double& mean : batch_mean_) mean /= now;
    for (std::size_t i = 0; i < rows * dim; i += dim) {
      for (std::size_t k = 0; k < dim; ++k) {
        const double off = static_cast<double>(row[i + k]) - batch_mean_[k];
        batch_squares_[k] += off * off;
      }
    }
    for (std::size_t k = 0; k < dim; ++k) {
      const double delta = batch_mean_[k] - mean_[first + k];
      mean_[first + k] += delta * (now / (before + now));
      squares_[first + k] += batch_squares_[k] + delta * delta * (before * now / (before + now));
    }
  }
  count_ += static_cast<std::int64_t>(rows);
  update_inverse_std();
}

void ObservationStatistics::update_inverse_std() {
  const auto count = static_cast<double>(count_);
  for (std::size_t k = 0; k < squares_.size(); ++k) {
    inverse_std_[k] = count_ == 0 ? 1.0 : 1.0 / std::sqrt(squares_[k] / count + kVarianceEps);
  }
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
  update_inverse_std();
}

}  // namespace anthill
