#define BOOST_TEST_MODULE philox
#include "buffers/philox.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <utility>

using namespace anthill;

namespace {

using Words = std::array<std::uint32_t, 4>;

Words words_of(const PhiloxWords& value) {
  return {value.word[0], value.word[1], value.word[2], value.word[3]};
}

}  // namespace

// known answers of the Random123 distribution for philox4x32 with 10 rounds
BOOST_AUTO_TEST_CASE(known_answers) {
  const Words zeros = words_of(philox4x32({{0, 0, 0, 0}}, 0, 0));
  const Words zeros_expected = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  BOOST_TEST(zeros == zeros_expected);

  const std::uint32_t ones = 0xffffffff;
  const Words all_ones = words_of(philox4x32({{ones, ones, ones, ones}}, ones, ones));
  const Words all_ones_expected = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  BOOST_TEST(all_ones == all_ones_expected);

  const Words pi = words_of(
      philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0));
  const Words pi_expected = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  BOOST_TEST(pi == pi_expected);
}

BOOST_AUTO_TEST_CASE(key_goes_where_documented) {
  const std::uint64_t seed = 0x299f31d0a4093822, counter = 0x85a308d3243f6a88;
  const Words keyed = words_of(philox(seed, RandomStream::actor_noise, counter, 77, 3));
  const Words bare =
      words_of(philox4x32({{0x243f6a88, 0x85a308d3, 77, (5u << 16) | 3u}}, 0xa4093822, 0x299f31d0));
  BOOST_TEST(keyed == bare);
}

// Every run's numbers hang on these: computed once by a separate program from the documented key.
BOOST_AUTO_TEST_CASE(streams_keep_their_numbers) {
  const std::pair<RandomStream, Words> golden[] = {
      {RandomStream::batch_rows, {0x9effbab2, 0xee746344, 0xf685d7aa, 0x10dca4a5}},
      {RandomStream::random_action, {0x88e594b7, 0x08cba83c, 0x402d024a, 0x1f28fc46}},
      {RandomStream::exploration_noise, {0x4f644182, 0x999e4ceb, 0x2f5d552e, 0x2d5b2f59}},
      {RandomStream::next_action_noise, {0xceafacd1, 0xd36e2b44, 0xf810b3ba, 0x793ee994}},
      {RandomStream::actor_noise, {0xbc5b6467, 0x656099d4, 0x958ed415, 0xd5ac1899}},
      {RandomStream::initialisation, {0x3ab8e651, 0x3dcbc4a8, 0xe8b51c0f, 0x1200c04a}},
      {RandomStream::evaluation_noise, {0x3bcc6a6e, 0x0c38df82, 0x164e1f87, 0xa1aceb71}}};
  for (const auto& [stream, words] : golden) {
    BOOST_TEST(words_of(philox(0x0123456789abcdef, stream, 0x1000000002, 3, 4)) == words,
               "stream " << static_cast<int>(stream));
  }
}

BOOST_AUTO_TEST_CASE(every_part_of_the_key_matters) {
  const auto first = [](std::uint64_t seed, RandomStream stream, std::uint64_t counter,
                        std::uint32_t lane, std::uint32_t attempt) {
    return words_of(philox(seed, stream, counter, lane, attempt));
  };
  const RandomStream rows = RandomStream::batch_rows;
  const std::set<Words> different = {first(0, rows, 0, 0, 0),
                                     first(1, rows, 0, 0, 0),
                                     first(std::uint64_t{1} << 32, rows, 0, 0, 0),
                                     first(0, RandomStream::actor_noise, 0, 0, 0),
                                     first(0, rows, 1, 0, 0),
                                     first(0, rows, std::uint64_t{1} << 32, 0, 0),
                                     first(0, rows, 0, 1, 0),
                                     first(0, rows, 0, 0, 1)};
  BOOST_TEST(different.size() == 8u);
}

BOOST_AUTO_TEST_CASE(uniform_stays_inside_the_open_interval) {
  BOOST_TEST(philox_uniform(0) > 0.0f);
  BOOST_TEST(philox_uniform(0xffffffff) < 1.0f);
  BOOST_TEST(philox_uniform(0x80000000) == 0.5f + 0.5f / 8388608.0f);
}

BOOST_AUTO_TEST_CASE(uniform_has_the_moments_of_the_uniform_distribution) {
  constexpr int kCount = 400'000;
  double sum = 0, sum_squares = 0;
  for (std::uint32_t lane = 0; lane < kCount / 4; ++lane) {
    for (const std::uint32_t word : philox(1, RandomStream::random_action, 0, lane).word) {
      const double value = philox_uniform(word);
      sum += value;
      sum_squares += value * value;
    }
  }
  // five standard errors: sd of u is sqrt(1/12), of u^2 sqrt(4/45)
  BOOST_TEST(std::abs(sum / kCount - 0.5) < 5 * std::sqrt(1.0 / 12 / kCount));
  BOOST_TEST(std::abs(sum_squares / kCount - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / kCount));
}

BOOST_AUTO_TEST_CASE(below_reaches_its_ends_and_no_further) {
  const std::uint32_t ones = 0xffffffff;
  for (const std::uint64_t range : {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{1} << 40}) {
    BOOST_TEST(philox_below(0, 0, range) == 0u);
    BOOST_TEST(philox_below(ones, ones, range) == range - 1);
  }
  BOOST_TEST(philox_below(0x80000000, 0, 10) == 5u);
  BOOST_TEST(philox_below(0x7fffffff, ones, 10) == 4u);
}

// chi-square with 9 degrees of freedom stays below 33.7 with probability 0.9999
BOOST_AUTO_TEST_CASE(below_is_uniform) {
  constexpr int kRange = 10, kCount = 100'000;
  std::array<int, kRange> histogram{};
  for (std::uint32_t lane = 0; lane < kCount; ++lane) {
    const PhiloxWords words = philox(5, RandomStream::batch_rows, 9, lane);
    ++histogram[philox_below(words.word[0], words.word[1], kRange)];
  }
  double chi_square = 0;
  for (const int count : histogram) {
    chi_square += (count - kCount / kRange) * static_cast<double>(count - kCount / kRange) /
                  (kCount / kRange);
  }
  BOOST_TEST(chi_square < 33.7);
}
