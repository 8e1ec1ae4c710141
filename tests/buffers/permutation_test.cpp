// Sampling without replacement: the keyed permutation, and batches that hold no row twice.
#define BOOST_TEST_MODULE permutation
#include "buffers/permutation.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(every_size_is_permuted) {
  const PermutationKey key = permutation_key(3, 7);
  for (std::uint64_t size = 1; size <= 300; ++size) {
    std::vector<bool> seen(size);
    for (std::uint64_t place = 0; place < size; ++place) {
      const std::uint64_t to = permuted(place, size, key);
      BOOST_REQUIRE(to < size);
      BOOST_TEST(!seen[to]);
      seen[to] = true;
    }
  }
}

BOOST_AUTO_TEST_CASE(the_integers_are_fixed) {
  const PermutationKey key = permutation_key(0x123456789abcdef, 42);
  const std::vector<std::uint64_t> sizes = {10, 1000, 1'000'000, 10'000'000'000};
  std::vector<std::uint64_t> found;
  for (const std::uint64_t size : sizes) found.push_back(permuted(5, size, key));
  const std::vector<std::uint64_t> expected = {9, 299, 837529, 6711506259};
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(places_are_uniform_over_keys_and_pairs_independent) {
  constexpr std::uint64_t kSize = 10;
  constexpr int kDraws = 20'000;
  int first[kSize] = {}, pair[kSize][kSize] = {};
  for (int draw = 0; draw < kDraws; ++draw) {
    const PermutationKey key = permutation_key(9, static_cast<std::uint64_t>(draw));
    const std::uint64_t a = permuted(0, kSize, key), b = permuted(1, kSize, key);
    ++first[a];
    ++pair[a][b];
  }
  double chi2 = 0.0, pair_chi2 = 0.0;
  for (std::size_t i = 0; i < kSize; ++i) {
    chi2 += std::pow(first[i] - kDraws / 10.0, 2) / (kDraws / 10.0);
    BOOST_TEST(pair[i][i] == 0);
    for (std::size_t j = 0; j < kSize; ++j) {
      if (i != j) pair_chi2 += std::pow(pair[i][j] - kDraws / 90.0, 2) / (kDraws / 90.0);
    }
  }
  BOOST_TEST(chi2 < 27.9);         // 9 degrees of freedom, one in a thousand
  BOOST_TEST(pair_chi2 < 135.98);  // 89, the same
}

BOOST_AUTO_TEST_CASE(no_row_is_twice_in_a_batch) {
  ReplayShape shape{3, 2, 4, 2, 400};
  shape.replacement = false;
  const auto buffer = make_buffer(shape);
  RowMaker rows(shape);
  // a few rows are invalid: the others are enough for each place of a batch to find one
  for (int step = 0; step < 130; ++step) {
    buffer->insert(rows.next(0.02));
  }
  std::set<float> ever;
  for (std::uint64_t draw = 0; draw < 50; ++draw) {
    const HostBatch batch = sample(*buffer, shape, 2, 100, draw);
    for (std::size_t part = 0; part < 4; ++part) {
      const auto begin = batch.reward.begin() + static_cast<std::ptrdiff_t>(100 * part);
      BOOST_TEST(std::set<float>(begin, begin + 100).size() == 100u);
      ever.insert(begin, begin + 100);
    }
  }
  BOOST_TEST(ever.size() > 700u);  // nearly all of the 784 or so
}

BOOST_AUTO_TEST_CASE(a_whole_buffer_is_one_batch) {
  ReplayShape shape{3, 2, 1, 1, 32};
  shape.replacement = false;
  const auto buffer = make_buffer(shape);
  RowMaker rows(shape);
  for (int step = 0; step < 40; ++step) buffer->insert(rows.next(0.0));
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const HostBatch batch = sample(*buffer, shape, 1, 32, draw);
    const std::set<float> all(batch.reward.begin(), batch.reward.end());
    BOOST_TEST((all.size() == 32u && *all.begin() == 8.0f && *all.rbegin() == 39.0f));
  }
}

#if !defined(__SANITIZE_THREAD__)  // libgomp is not instrumented: its barriers look like races
BOOST_AUTO_TEST_CASE(openmp_draws_the_same_rows) {
  ReplayShape shape{3, 2, 4, 2, 400};
  shape.replacement = false;
  const auto serial = make_buffer(shape), parallel = make_buffer(shape, DeviceSystem::omp);
  RowMaker rows(shape);
  for (int step = 0; step < 130; ++step) {
    const TransitionView view = rows.next(0.02);
    serial->insert(view);
    parallel->insert(view);
  }
  for (std::uint64_t draw = 0; draw < 50; ++draw) {
    BOOST_TEST((sample(*serial, shape, 2, 100, draw) == sample(*parallel, shape, 2, 100, draw)));
  }
}
#endif
