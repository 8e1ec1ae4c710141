// Against numbers from NumPy 2 and SciPy 1 (the calls stand beside them).
#define BOOST_TEST_MODULE statistics
#include "algos/training/statistics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace anthill;
namespace tt = boost::test_tools;

namespace {
const std::vector<double> kA = {3.0, -1.5, 2.25, 2.25, 10.0, 0.5};
const std::vector<double> kB = {1.0, 0.0, 5.0, -2.0, 5.0, 5.0};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}  // namespace

BOOST_AUTO_TEST_CASE(moments_and_quantiles) {
  BOOST_TEST(mean_of(kA) == 2.75, tt::tolerance(1e-15));                  // np.mean(a)
  BOOST_TEST(sample_std(kA) == 3.905124837953327, tt::tolerance(1e-14));  // np.std(a, ddof=1)
  BOOST_TEST(quantile(kA, 0.05) == -1.0, tt::tolerance(1e-14));           // np.quantile(a, .05)
  BOOST_TEST(quantile(kA, 0.5) == 2.25);
  BOOST_TEST(quantile(kA, 0.95) == 8.25, tt::tolerance(1e-14));
  BOOST_TEST(quantile(kA, 0.0) == -1.5);
  BOOST_TEST(quantile(kA, 1.0) == 10.0);
  BOOST_TEST(std::isnan(mean_of({})));
  BOOST_TEST(std::isnan(sample_std(std::vector{1.0})));
  BOOST_TEST(std::isnan(quantile({}, 0.5)));
  BOOST_TEST(std::isnan(quantile({1.0, kNan}, 0.5)));
}

BOOST_AUTO_TEST_CASE(rank_correlation) {
  // scipy.stats.spearmanr(a, b).statistic
  BOOST_TEST(spearman(kA, kB) == 0.27721849663516385, tt::tolerance(1e-14));
  BOOST_TEST(spearman(kA, kA) == 1.0, tt::tolerance(1e-14));
  const std::vector<double> equal(6, 2.0), two = {1.0, 2.0}, nan = {1.0, kNan, 2.0, 3.0, 4.0, 5.0};
  BOOST_TEST(std::isnan(spearman(kA, equal)));
  BOOST_TEST(std::isnan(spearman(two, two)));
  BOOST_TEST(std::isnan(spearman(kA, nan)));
}

BOOST_AUTO_TEST_CASE(the_bootstrap_draws_clusters) {
  // 40 clusters of 5 equal values: the error is that of 40 values, not of 200
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal(1.0, 2.0);
  std::vector<double> values, centers;
  std::vector<std::int64_t> cluster;
  for (std::int64_t c = 0; c < 40; ++c) {
    centers.push_back(normal(generator));
    for (int i = 0; i < 5; ++i) {
      values.push_back(centers.back());
      cluster.push_back(1000 - c);
    }
  }
  const Interval interval = bootstrap_mean(values, cluster, 4000, 1);
  // the percentile interval is about mean +- 1.96 * std / sqrt(n), std with 1 / n
  const double error = sample_std(centers) * std::sqrt(39.0 / 40.0) / std::sqrt(40.0);
  BOOST_TEST(interval.low == mean_of(centers) - 1.96 * error, tt::tolerance(0.1));
  BOOST_TEST(interval.high == mean_of(centers) + 1.96 * error, tt::tolerance(0.1));
  const Interval again = bootstrap_mean(values, cluster, 4000, 1);
  BOOST_TEST((again.low == interval.low && again.high == interval.high));
  BOOST_TEST(bootstrap_mean(values, cluster, 4000, 2).low != interval.low);

  const std::vector<std::int64_t> one(values.size(), 7);
  BOOST_TEST(std::isnan(bootstrap_mean(values, one, 100, 0).low));
  BOOST_TEST(std::isnan(bootstrap_mean({}, {}, 100, 0).high));
}

BOOST_AUTO_TEST_CASE(the_bootstrap_covers) {
  // 95 % intervals of 200 samples of 30 hold the true mean about 190 times
  std::mt19937_64 generator(11);
  std::normal_distribution<double> normal(5.0, 3.0);
  std::vector<std::int64_t> cluster(30);
  std::iota(cluster.begin(), cluster.end(), 0);
  int covered = 0;
  for (std::uint64_t sample = 0; sample < 200; ++sample) {
    std::vector<double> values(30);
    for (double& value : values) value = normal(generator);
    const Interval interval = bootstrap_mean(values, cluster, 400, sample);
    covered += interval.low < 5.0 && 5.0 < interval.high;
  }
  BOOST_TEST(covered >= 178);
  BOOST_TEST(covered <= 198);
}
