#define BOOST_TEST_MODULE replay_buffer
#include "buffers/replay_buffer.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "buffers/cuda_device.hpp"
#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(equals_a_deque_over_random_operations) {
  for (const std::int64_t members : {1, 2, 5}) {
    for (const std::int64_t num_envs : {1, 3, 16}) {
      for (const std::int64_t num_slots : {1, 2, 13}) {
        compare_with_deque({27, 8, num_envs, members, num_slots * num_envs}, DeviceSystem::cpp);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(equals_a_deque_for_every_way_a_record_can_fill_its_lines) {
  for (const std::int64_t observation_dim : {1, 3, 6, 7, 8, 105}) {
    for (const std::int64_t action_dim : {1, 2, 17}) {
      compare_with_deque({observation_dim, action_dim, 4, 2, 40}, DeviceSystem::cpp);
    }
  }
}

BOOST_AUTO_TEST_CASE(equals_a_deque_with_simulator_rows) {
  for (const std::int64_t state_dim : {1, 2, 7, 60}) {
    compare_with_deque({27, 8, 3, 2, 21, state_dim}, DeviceSystem::cpp);
  }
}

BOOST_AUTO_TEST_CASE(record_bytes_are_whole_lines) {
  BOOST_TEST(replay_record_bytes(1, 1) == 64);
  BOOST_TEST(replay_record_bytes(6, 2) == 64);   // exactly 16 words
  BOOST_TEST(replay_record_bytes(6, 3) == 128);  // one more
  BOOST_TEST(replay_record_bytes(27, 8) == 256);
  BOOST_TEST(replay_record_bytes(105, 8) == 896);
  BOOST_TEST(replay_record_bytes(6, 2, 1) == 128);  // a double behind a full line
}

BOOST_AUTO_TEST_CASE(capacity_is_rounded_down_to_whole_vector_steps) {
  const ReplayShape shape{27, 8, 7, 3, 100};
  const auto buffer = make_buffer(shape);
  BOOST_TEST(buffer->capacity() == 98);
  BOOST_TEST(buffer->size() == 0);
  BOOST_TEST(buffer->memory_bytes() == 98 * 3 * 256);
  RowMaker maker(shape);
  for (int step = 1; step <= 20; ++step) {
    buffer->insert(maker.next());
    BOOST_TEST(buffer->size() == std::min(7 * step, 98));
  }
}

// 5 members x 8 environments; the share of each valid row of a wrapped ring is the same:
// chi-square with 199 degrees of freedom stays below 280 with probability 0.9998
BOOST_AUTO_TEST_CASE(sampling_is_uniform_over_the_members_valid_rows_and_nothing_else) {
  constexpr std::int64_t kMembers = 5, kEnvs = 8, kSlots = 25, kLanes = kMembers * kEnvs;
  const ReplayShape shape{3, 1, kEnvs, kMembers, kSlots * kEnvs};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  std::vector<std::map<float, int>> counts(kMembers);
  for (int step = 0; step < 2 * kSlots + 3; ++step) {
    const TransitionView rows = maker.next(0.15);
    buffer->insert(rows);
    if (step < kSlots + 3) continue;  // overwritten by the end
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (!rows.invalid[lane]) counts[lane / kEnvs][rows.reward[lane]] = 0;
    }
  }
  constexpr int kBatchSize = 40'000;
  const HostBatch batch = sample(*buffer, shape, 1, kBatchSize, 11);
  for (std::size_t m = 0; m < kMembers; ++m) {
    for (std::size_t b = 0; b < kBatchSize; ++b) {
      const auto found = counts[m].find(batch.reward[m * kBatchSize + b]);
      BOOST_REQUIRE(found != counts[m].end());
      ++found->second;
    }
    const double expected = kBatchSize / static_cast<double>(counts[m].size());
    double chi_square = 0;
    for (const auto& [reward, count] : counts[m]) {
      chi_square += (count - expected) * (count - expected) / expected;
    }
    BOOST_TEST(counts[m].size() < 200u);  // there were invalid rows
    BOOST_TEST(chi_square < 280.0);
  }
}

BOOST_AUTO_TEST_CASE(one_valid_row_among_very_many_is_found) {
  const ReplayShape shape{1, 1, 1000, 1, 200'000};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  for (int step = 0; step < 200; ++step) {
    const TransitionView rows = maker.next(1.0);
    if (step == 120) rows.invalid[345] = 0;
    buffer->insert(rows);
  }
  for (const float reward : sample(*buffer, shape, 1, 16, 0).reward) BOOST_TEST(reward == 120'345);
}

BOOST_AUTO_TEST_CASE(only_terminated_stops_bootstrapping) {
  const ReplayShape shape{2, 1, 4, 1, 4};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  const TransitionView rows = maker.next(0.0);
  for (std::size_t lane = 0; lane < 4; ++lane) {
    rows.terminated[lane] = lane % 2 == 1;
    rows.truncated[lane] = lane >= 2;
  }
  buffer->insert(rows);
  const HostBatch batch = sample(*buffer, shape, 1, 64, 3);
  std::map<float, float> bootstrap_of;
  for (std::size_t b = 0; b < 64; ++b) bootstrap_of[batch.reward[b]] = batch.bootstrap[b];
  const std::map<float, float> expected = {{0, 1}, {1, 0}, {2, 1}, {3, 0}};
  BOOST_TEST((bootstrap_of == expected));
}

BOOST_AUTO_TEST_CASE(many_batches_in_one_call_equal_many_calls) {
  const ReplayShape shape{5, 2, 6, 3, 120};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  for (int step = 0; step < 31; ++step) buffer->insert(maker.next());
  const std::uint64_t draw = (std::uint64_t{1} << 32) - 3;  // the counter's words carry
  const HostBatch together = sample(*buffer, shape, 7, 33, draw);
  const auto part = [](const std::vector<float>& all, std::uint64_t k, std::size_t size) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(k * size);
    return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size));
  };
  for (std::uint64_t k = 0; k < 7; ++k) {
    const HostBatch one = sample(*buffer, shape, 1, 33, draw + k);
    BOOST_TEST((part(together.observation, k, one.observation.size()) == one.observation));
    BOOST_TEST((part(together.action, k, one.action.size()) == one.action));
    BOOST_TEST((part(together.reward, k, one.reward.size()) == one.reward));
    BOOST_TEST(
        (part(together.next_observation, k, one.observation.size()) == one.next_observation));
    BOOST_TEST((part(together.bootstrap, k, one.bootstrap.size()) == one.bootstrap));
  }
}

BOOST_AUTO_TEST_CASE(a_members_batch_does_not_depend_on_the_number_of_members) {
  const ReplayShape three{4, 2, 5, 3, 50}, one{4, 2, 5, 1, 50};
  const auto wide = make_buffer(three), narrow = make_buffer(one);
  RowMaker maker(three);
  for (int step = 0; step < 14; ++step) {
    TransitionView rows = maker.next();
    wide->insert(rows);
    rows.num_envs = 5;
    rows.observation = rows.observation.first(5 * 4);
    rows.action = rows.action.first(5 * 2);
    rows.reward = rows.reward.first(5);
    rows.next_observation = rows.next_observation.first(5 * 4);
    rows.terminated = rows.terminated.first(5);
    rows.truncated = rows.truncated.first(5);
    rows.invalid = rows.invalid.first(5);
    narrow->insert(rows);
  }
  HostBatch first_of_three = sample(*wide, three, 1, 20, 8);
  first_of_three.reward.resize(20);
  BOOST_TEST(first_of_three.reward == sample(*narrow, one, 1, 20, 8).reward,
             boost::test_tools::per_element());
}

#if !defined(__SANITIZE_THREAD__)  // libgomp is not instrumented: its barriers look like races
BOOST_AUTO_TEST_CASE(serial_and_openmp_give_the_same_bits) {
  const ReplayShape shape{9, 3, 3000, 3, 12'000};  // enough lanes and rows for a team
  const auto serial = make_buffer(shape), parallel = make_buffer(shape, DeviceSystem::omp);
  RowMaker maker(shape);
  for (int step = 0; step < 6; ++step) {
    const TransitionView rows = maker.next();
    serial->insert(rows);
    parallel->insert(rows);
  }
  BOOST_TEST((sample(*serial, shape, 2, 5003, 1) == sample(*parallel, shape, 2, 5003, 1)));
  BOOST_TEST((sample(*serial, shape, 1, 17, 2) == sample(*parallel, shape, 1, 17, 2)));
  compare_with_deque({27, 8, 4, 2, 40}, DeviceSystem::omp);
}
#endif

BOOST_AUTO_TEST_CASE(nothing_to_sample_is_a_logic_error) {
  const ReplayShape shape{3, 1, 2, 2, 20};
  const auto buffer = make_buffer(shape);
  BOOST_CHECK_THROW(sample(*buffer, shape, 1, 4, 0), std::logic_error);
  RowMaker maker(shape);
  const TransitionView rows = maker.next(0.0);
  rows.invalid[2] = rows.invalid[3] = 1;  // both environments of the second member
  buffer->insert(rows);
  BOOST_TEST(buffer->size() == 2);
  BOOST_CHECK_THROW(sample(*buffer, shape, 1, 4, 0), std::logic_error);
}

BOOST_AUTO_TEST_CASE(valid_rows_that_were_overwritten_do_not_count) {
  const ReplayShape shape{3, 1, 2, 1, 10};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  for (int step = 0; step < 5; ++step) buffer->insert(maker.next(0.0));
  for (int step = 0; step < 4; ++step) buffer->insert(maker.next(1.0));
  sample(*buffer, shape, 1, 4, 0);
  buffer->insert(maker.next(1.0));  // the last valid rows go
  BOOST_CHECK_THROW(sample(*buffer, shape, 1, 4, 0), std::logic_error);
  buffer->insert(maker.next(0.0));
  sample(*buffer, shape, 1, 4, 0);
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_refused) {
  const ReplayShape shape{3, 1, 2, 1, 20};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape), wider({3, 1, 3, 1, 20}), longer({4, 1, 2, 1, 20});
  BOOST_CHECK_THROW(buffer->insert(wider.next()), std::invalid_argument);
  BOOST_CHECK_THROW(buffer->insert(longer.next()), std::invalid_argument);
  TransitionView rows = maker.next(0.0);
  rows.truncated = rows.truncated.first(1);
  BOOST_CHECK_THROW(buffer->insert(rows), std::invalid_argument);
  BOOST_TEST(buffer->size() == 0);
  buffer->insert(maker.next(0.0));
  HostBatch batch(shape, 1, 4);
  BatchView view = batch.view();
  view.batch_size = 0;
  BOOST_CHECK_THROW(buffer->sample_into(view, 0), std::invalid_argument);
  view = batch.view();
  view.bootstrap = nullptr;
  BOOST_CHECK_THROW(buffer->sample_into(view, 0), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(impossible_buffers_are_refused_in_one_line) {
  const auto message = [](const ReplayShape& shape, DeviceSystem system) {
    try {
      make_buffer(shape, system);
    } catch (const ConfigError& error) {
      const std::string text = error.what();
      BOOST_TEST(text.find('\n') == std::string::npos);
      return text;
    }
    return std::string("no error");
  };
  const DeviceSystem cpp = DeviceSystem::cpp;
  BOOST_TEST(message({3, 1, 256, 1, 255}, cpp).starts_with("buffer.capacity = 255: "));
  BOOST_TEST(message({3, 1, 1, 1, -1}, cpp).starts_with("buffer.capacity = -1: "));
  BOOST_TEST(message({27, 8, 1, 1, INT64_MAX}, cpp).find("MiB") != std::string::npos);
  BOOST_TEST(message({27, 8, 1, 1, 1'000'000'000'000}, cpp).find("MiB") != std::string::npos);
  BOOST_TEST(message({0, 1, 1, 1, 10}, cpp).starts_with("replay buffer: no records of 0 "));
  BOOST_TEST(message({3, 1, 0, 1, 10}, cpp).starts_with("replay buffer: no records"));
  if (!cuda_problem().empty()) {
    BOOST_TEST(message({3, 1, 1, 1, 10}, DeviceSystem::cuda)
                   .starts_with("buffer.device_system = \"cuda\": " + cuda_problem()));
  }
}
