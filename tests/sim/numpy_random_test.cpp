// Reference values: NumPy 2.4 on x86-64, np.random.default_rng(seed).
#define BOOST_TEST_MODULE sim_numpy_random
#include "sim/numpy_random.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "sim/ziggurat.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

struct Reference {
  std::uint64_t seed;
  double values[7];  // random x2, uniform(-.1, .1) x2, standard_normal x3
};

constexpr Reference kReferences[] = {
    {0u,
     {0x1.461fd79fb3850p-1, 0x1.1442f7e20b674p-2, -0x1.7808d4489d6d2p-4, -0x1.8c0f80ec8f29dp-4,
      -0x1.1243418e643edp-1, 0x1.7245f95ced1e6p-2, 0x1.4dd2f26bd103cp+0}},
    {1u,
     {0x1.060d7be6f245cp-1, 0x1.e6a32d7782a55p-1, -0x1.2381235316a62p-4, 0x1.6f889bc9088e2p-4,
      0x1.cf8acddd349f3p-1, 0x1.c9166a7847147p-2, -0x1.12eb88d2b5275p-1}},
    {42u,
     {0x1.8c43f79a2db24p-1, 0x1.c16959869e47ep-2, 0x1.25c36f3afc536p-4, 0x1.435e26c08cd04p-5,
      -0x1.f3770ac89d08fp+0, -0x1.4d5ba2db7ebc8p+0, 0x1.05d13075b0043p-3}},
    {4294967301u,
     {0x1.8c647d8643bd7p-1, 0x1.e20520871ce80p-2, 0x1.40ee2bd26c4d4p-5, 0x1.034ec175ea346p-4,
      -0x1.6716908ef3c4dp-1, 0x1.6eeb318d3dc89p-2, -0x1.c3f75a3ceb5ccp+0}},
    {9223372036854775815u,
     {0x1.5f3cdbbe9c1c0p-5, 0x1.2291d6df12870p-1, -0x1.2bc6254055c35p-4, -0x1.107719c99e2c5p-4,
      -0x1.0c28a4f5c7eaap-1, -0x1.a99b20053ea49p-1, 0x1.8fe2047ea75c0p-3}},
};

/// Hash of n normals; counts those of the tail.
std::uint64_t hash_normals(NumpyGenerator& rng, int n, int& num_tail) {
  BitHash hash;
  num_tail = 0;
  for (int i = 0; i < n; ++i) {
    const double x = rng.standard_normal();
    hash.add(x);
    num_tail += std::abs(x) > kZigguratTail;
  }
  return hash.value();
}

}  // namespace

BOOST_AUTO_TEST_CASE(first_draws_of_several_seeds_have_numpys_bits) {
  for (const Reference& reference : kReferences) {
    NumpyGenerator rng(reference.seed);
    const double drawn[] = {rng.random(),         rng.random(),          rng.uniform(-.1, .1),
                            rng.uniform(-.1, .1), rng.standard_normal(), rng.standard_normal(),
                            rng.standard_normal()};
    BOOST_TEST_CONTEXT("seed " << reference.seed) {
      BOOST_CHECK_EQUAL_COLLECTIONS(std::begin(drawn), std::end(drawn),
                                    std::begin(reference.values), std::end(reference.values));
    }
  }
}

BOOST_AUTO_TEST_CASE(tables_have_numpys_checksum) {
  BOOST_TEST(ziggurat_checksum(ziggurat_tables()) == kZigguratChecksum);
  ZigguratTables changed = ziggurat_tables();
  changed.density[38] = std::nextafter(changed.density[38], 0.0);
  BOOST_TEST(ziggurat_checksum(changed) != kZigguratChecksum);
}

BOOST_AUTO_TEST_CASE(two_million_normals_with_wedges_and_tails_have_numpys_bits) {
  int num_tail = 0;
  NumpyGenerator first(0);
  BOOST_TEST(hash_normals(first, 2'000'000, num_tail) == 0x7edb69b3bef5978eull);
  BOOST_TEST(num_tail == 505);
  const NumpyGenerator::Words after = {0x9f3ac6ee532a04abull,
                                       0xf9f5d7746f9372ebull,
                                       0x418ddadb3af71a82ull,
                                       0x588133bc447873a9ull,
                                       0,
                                       0};
  BOOST_TEST(first.words() == after, boost::test_tools::per_element());
  NumpyGenerator second(7);
  BOOST_TEST(hash_normals(second, 2'000'000, num_tail) == 0xba692b96e7999f8full);
  BOOST_TEST(num_tail == 483);
}

BOOST_AUTO_TEST_CASE(small_integers_have_numpys_values) {
  NumpyGenerator rng(3);
  for (const std::int64_t expected : {8, 0, 1, 2, 1, 8, 8, 5}) {
    BOOST_TEST(rng.integers(0, 10) == expected);
  }
  for (const std::int64_t expected : {-93, -82, -34, -14, 24}) {
    BOOST_TEST(rng.integers(-100, 100) == expected);
  }
}

BOOST_AUTO_TEST_CASE(integers_of_all_ranges_between_other_draws_have_numpys_values) {
  NumpyGenerator rng(5);
  BitHash hash;
  const auto add_integer = [&](std::int64_t low, std::int64_t high) {
    hash.add(static_cast<double>(rng.integers(low, high)));
  };
  for (int i = 0; i < 200; ++i) {
    add_integer(0, 7);
    add_integer(-5, 1ll << 31);
    hash.add(rng.random());
    add_integer(3, 4);
    add_integer(0, 1ll << 32);
    add_integer(-(1ll << 31), 1ll << 31);
    add_integer(0, 3ll << 30);
    hash.add(rng.standard_normal());
    add_integer(10, 12);
  }
  BOOST_TEST(hash.value() == 0x5eb8d317caa1f93full);
}

BOOST_AUTO_TEST_CASE(words_restore_the_generator_and_its_buffered_half) {
  NumpyGenerator rng(11);
  rng.integers(0, 10);
  NumpyGenerator copy(rng.words());
  NumpyGenerator other(12);
  other.set_words(rng.words());
  for (int i = 0; i < 100; ++i) {
    const std::int64_t expected = rng.integers(0, 1000);
    BOOST_TEST(copy.integers(0, 1000) == expected);
    BOOST_TEST(other.integers(0, 1000) == expected);
    const double normal = rng.standard_normal();
    BOOST_TEST(copy.standard_normal() == normal);
    BOOST_TEST(other.standard_normal() == normal);
  }
}
