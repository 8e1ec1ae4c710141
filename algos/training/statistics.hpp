/// Statistics of a sample. Standard library only; each is NumPy's or SciPy's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace anthill {

/// nan for an empty sample.
double mean_of(std::span<const double> values);

/// np.std(values, ddof=1); nan for fewer than two.
double sample_std(std::span<const double> values);

/// np.quantile(values, q) with linear interpolation; nan for an empty sample or one with a nan.
double quantile(std::vector<double> values, double q);

/// scipy.stats.spearmanr(a, b).statistic: Pearson's correlation of the ranks, ties sharing their
/// mean rank. nan for fewer than three pairs, with a nan, or where all of one side are equal.
double spearman(std::span<const double> a, std::span<const double> b);

struct Interval {
  double low = 0.0, high = 0.0;  // nan: there is none
};

/// 95 % percentile bootstrap of the mean of `values`, drawing clusters (values with the same entry
/// in `cluster`) with replacement, all values of a drawn cluster together (Davison & Hinkley, 1997,
/// section 3.8). A function of its arguments alone: draw i of resample r is philox(seed,
/// probe_bootstrap, r, i). nan for fewer than two clusters.
Interval bootstrap_mean(std::span<const double> values, std::span<const std::int64_t> cluster,
                        std::int64_t num_resamples, std::uint64_t seed);

}  // namespace anthill
