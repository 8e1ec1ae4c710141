#include "algos/agents/metric_sums.hpp"

#include <algorithm>

namespace anthill {

MetricMeans means_of(const std::vector<std::string>& names, const Tensor& sums,
                     std::span<const std::int64_t> counts) {
  MetricMeans means;
  std::vector<Tensor> values = {at::empty({0, sums.size(1)}, at::kFloat)};
  const Tensor on_host = sums.to(at::kCPU);
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (counts[k] == 0) continue;
    means.names.push_back(names[k]);
    values.push_back(on_host.narrow(0, static_cast<std::int64_t>(k), 1) /
                     static_cast<double>(counts[k]));
  }
  means.values = at::cat(values);
  return means;
}

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

MetricMeans MetricSums::take_means() {
  MetricMeans means = means_of(names_, sums_, counts_);
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
