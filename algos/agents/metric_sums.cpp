#include "algos/agents/metric_sums.hpp"

#include <algorithm>
#include <limits>

namespace anthill {

MetricSums::MetricSums(std::vector<std::string> names, const Tensor& like)
    : names_(std::move(names)),
      sums_(at::zeros({static_cast<std::int64_t>(names_.size()), like.size(0)},
                      like.options().dtype(at::kFloat))),
      counts_(names_.size(), 0) {}

void MetricSums::add(std::size_t first, std::initializer_list<Tensor> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  sums_.narrow(0, static_cast<std::int64_t>(first), count).add_(at::stack(at::TensorList(values)));
  for (std::size_t k = first; k < first + values.size(); ++k) ++counts_[k];
}

Tensor MetricSums::take_means() {
  Tensor means = sums_.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    means[static_cast<std::int64_t>(k)].div_(counts_[k] > 0
                                                 ? static_cast<double>(counts_[k])
                                                 : std::numeric_limits<double>::quiet_NaN());
  }
  sums_.zero_();
  std::ranges::fill(counts_, 0);
  return means;
}

void MetricSums::save(StateWriter state) const {
  state.array("counts", std::span<const std::int64_t>(counts_));
  state.tensor("sums", sums_);
}

void MetricSums::load(const StateReader& state) {
  state.array("counts", std::span(counts_));
  state.tensor("sums", sums_);
}

}  // namespace anthill
