#include "algos/training/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "buffers/philox.hpp"

namespace anthill {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Such values have no order.
bool any_nan(std::span<const double> values) {
  return std::ranges::any_of(values, [](double v) { return std::isnan(v); });
}

/// Ranks from 1; ties share the mean of theirs.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = (static_cast<double>(begin + end) + 1.0) / 2.0;
    for (; begin < end; ++begin) ranks[order[begin]] = rank;
  }
  return ranks;
}

double pearson(std::span<const double> a, std::span<const double> b) {
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double aa = 0.0, bb = 0.0, ab = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  return aa > 0.0 && bb > 0.0 ? ab / std::sqrt(aa * bb) : kNan;
}

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return kNan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sample_std(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double center = mean_of(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile(std::vector<double> values, double q) {
  if (values.empty() || any_nan(values)) return kNan;
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

double spearman(std::span<const double> a, std::span<const double> b) {
  return a.size() < 3 || any_nan(a) || any_nan(b) ? kNan : pearson(ranks_of(a), ranks_of(b));
}

Interval bootstrap_mean(std::span<const double> values, std::span<const std::int64_t> cluster,
                        std::int64_t num_resamples, std::uint64_t seed) {
  // a cluster is its sum and its size: all that the mean of a resample needs
  std::map<std::int64_t, std::pair<double, double>> by_cluster;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& [sum, size] = by_cluster[cluster[i]];
    sum += values[i];
    size += 1.0;
  }
  if (by_cluster.size() < 2 || num_resamples < 1) return {kNan, kNan};
  std::vector<std::pair<double, double>> clusters;
  for (const auto& [key, total] : by_cluster) clusters.push_back(total);

  std::vector<double> means;
  for (std::int64_t r = 0; r < num_resamples; ++r) {
    double sum = 0.0, size = 0.0;
    for (std::size_t i = 0; i < clusters.size(); ++i) {
      const PhiloxWords words =
          philox(seed, RandomStream::probe_bootstrap, static_cast<std::uint64_t>(r),
                 static_cast<std::uint32_t>(i));
      const auto& drawn = clusters[philox_below(words.word[0], words.word[1], clusters.size())];
      sum += drawn.first;
      size += drawn.second;
    }
    means.push_back(sum / size);
  }
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

}  // namespace anthill
