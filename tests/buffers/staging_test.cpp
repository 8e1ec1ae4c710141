#define BOOST_TEST_MODULE staging
#include "buffers/staging.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "buffers/cuda_device.hpp"

using namespace anthill;

namespace {

struct Range {
  std::uintptr_t first, last;
};

template <class T>
Range range_of(std::span<T> span) {
  const auto first = reinterpret_cast<std::uintptr_t>(span.data());
  return {first, first + span.size_bytes()};
}

std::vector<Range> ranges_of(const TransitionView& rows) {
  return {range_of(rows.observation), range_of(rows.action),           range_of(rows.reward),
          range_of(rows.terminated),  range_of(rows.next_observation), range_of(rows.truncated),
          range_of(rows.invalid)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_have_the_asked_shape_and_start_as_zeros) {
  Staging staging(3, 5, 2, false);
  for (int side = 0; side < 2; ++side, staging.flip()) {
    const TransitionView rows = staging.back();
    BOOST_TEST(rows.num_envs == 3);
    BOOST_TEST(rows.observation_dim == 5);
    BOOST_TEST(rows.action_dim == 2);
    BOOST_TEST(rows.observation.size() == 15u);
    BOOST_TEST(rows.action.size() == 6u);
    BOOST_TEST(rows.reward.size() == 3u);
    BOOST_TEST(rows.next_observation.size() == 15u);
    BOOST_TEST(rows.terminated.size() == 3u);
    BOOST_TEST(rows.truncated.size() == 3u);
    BOOST_TEST(rows.invalid.size() == 3u);
    for (const float value : rows.observation) BOOST_TEST(value == 0.0f);
    for (const std::uint8_t value : rows.invalid) BOOST_TEST(value == 0);
  }
}

BOOST_AUTO_TEST_CASE(every_array_is_aligned_and_none_overlaps_another) {
  for (const std::int64_t lanes : {1, 7, 64}) {
    Staging staging(lanes, 27, 8, false);
    std::vector<Range> ranges = ranges_of(staging.back());
    staging.flip();
    for (const Range& range : ranges_of(staging.back())) ranges.push_back(range);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      BOOST_TEST(ranges[i].first % 64 == 0u);
      for (std::size_t j = 0; j < i; ++j) {
        BOOST_TEST((ranges[i].last <= ranges[j].first || ranges[j].last <= ranges[i].first));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_next_observation_to_act_on_becomes_the_current_one_without_a_copy) {
  Staging staging(2, 3, 1, false);
  BOOST_TEST(staging.current_observation().data() == staging.back().observation.data());
  for (int step = 0; step < 4; ++step) {
    const TransitionView rows = staging.back();
    const std::span<float> next = staging.next_acting_observation();
    BOOST_TEST(next.data() != rows.observation.data());
    next[5] = static_cast<float>(step);
    staging.flip();
    BOOST_TEST(staging.current_observation().data() == next.data());
    BOOST_TEST(staging.current_observation()[5] == static_cast<float>(step));
    // the set left behind is the other one
    BOOST_TEST(staging.next_acting_observation().data() == rows.observation.data());
  }
}

BOOST_AUTO_TEST_CASE(impossible_shapes_are_refused) {
  BOOST_CHECK_THROW(Staging(0, 3, 1, false), std::invalid_argument);
  BOOST_CHECK_THROW(Staging(1, 0, 1, false), std::invalid_argument);
  BOOST_CHECK_THROW(Staging(1, 3, -1, false), std::invalid_argument);
  BOOST_CHECK_THROW(Staging(INT64_MAX, 3, 1, false), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(pinned_memory_needs_cuda) {
  if (cuda_problem().empty()) {
    Staging staging(2, 3, 1, true);
    BOOST_TEST(range_of(staging.back().reward).first % 64 == 0u);
    staging.back().reward[1] = 2.0f;
    BOOST_TEST(staging.back().reward[1] == 2.0f);
  } else {
    BOOST_CHECK_EXCEPTION(
        Staging(2, 3, 1, true), std::runtime_error, [](const std::runtime_error& error) {
          return std::string(error.what()).find(cuda_problem()) != std::string::npos;
        });
  }
}
