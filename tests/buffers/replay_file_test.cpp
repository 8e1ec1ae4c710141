#define BOOST_TEST_MODULE replay_file
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

namespace {

const ReplayShape kShape{5, 2, 4, 2, 40};  // 10 vector steps, one line a record
constexpr std::size_t kHeaderBytes = 72, kFirstFlags = kHeaderBytes + 4 * (2 * 5 + 2 + 1);

std::unique_ptr<ReplayBuffer> filled_buffer(int num_steps, const ReplayShape& shape = kShape) {
  auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  for (int step = 0; step < num_steps; ++step) buffer->insert(maker.next());
  return buffer;
}

std::string saved(const ReplayBuffer& buffer) {
  std::ostringstream out;
  buffer.save(out);
  return out.str();
}

void load(ReplayBuffer& buffer, const std::string& bytes) {
  std::istringstream in(bytes);
  buffer.load(in);
}

std::string load_error(ReplayBuffer& buffer, const std::string& bytes) {
  try {
    load(buffer, bytes);
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    BOOST_TEST(text.find('\n') == std::string::npos);
    return text;
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_CASE(steps_that_are_read_and_appended_are_the_same_steps) {
  for (const int num_steps : {0, 1, 9, 10, 11, 27}) {
    const auto original = filled_buffer(num_steps);
    const auto copy = filled_buffer(13);
    copy->clear();
    BOOST_TEST(copy->num_steps() == 0);
    // in pieces of 3, across the end of the memory
    std::vector<char> piece(static_cast<std::size_t>(3 * original->step_bytes()));
    for (std::int64_t first = 0; first < original->num_steps(); first += 3) {
      const std::int64_t count = std::min<std::int64_t>(3, original->num_steps() - first);
      original->read_steps(first, count, piece.data());
      copy->append_steps(count, piece.data());
    }
    BOOST_TEST((saved(*copy) == saved(*original)));
    BOOST_CHECK_THROW(original->read_steps(original->num_steps(), 1, piece.data()),
                      std::invalid_argument);
    BOOST_CHECK_THROW(original->read_steps(-1, 1, piece.data()), std::invalid_argument);
  }
}

BOOST_AUTO_TEST_CASE(more_steps_than_fit_keep_the_newest_and_damage_is_found) {
  const auto original = filled_buffer(10);
  std::vector<char> steps(static_cast<std::size_t>(10 * original->step_bytes()));
  original->read_steps(0, 10, steps.data());
  const auto copy = filled_buffer(4);
  copy->append_steps(10, steps.data());
  BOOST_TEST((saved(*copy) == saved(*original)));
  steps[kFirstFlags - kHeaderBytes + 1] = '\x7f';
  BOOST_CHECK_THROW(copy->append_steps(10, steps.data()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_loaded_buffer_goes_on_like_the_saved_one) {
  for (const int num_steps : {0, 1, 9, 10, 11, 27}) {
    const auto original = filled_buffer(num_steps);
    const auto copy = filled_buffer(3);  // its own content must go
    load(*copy, saved(*original));
    BOOST_TEST(copy->size() == original->size());
    BOOST_TEST((saved(*copy) == saved(*original)));
    RowMaker maker(kShape);
    for (int step = 0; step < 13; ++step) {
      const TransitionView rows = maker.next();
      original->insert(rows);
      copy->insert(rows);
      BOOST_TEST((sample(*copy, kShape, 2, 30, 5) == sample(*original, kShape, 2, 30, 5)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_ring_larger_than_one_chunk_survives) {
  const ReplayShape shape{105, 8, 3, 1, 18'000};  // 15 MiB
  const auto original = filled_buffer(8'000, shape), copy = filled_buffer(0, shape);
  load(*copy, saved(*original));
  BOOST_TEST((sample(*copy, shape, 1, 20'000, 5) == sample(*original, shape, 1, 20'000, 5)));
}

BOOST_AUTO_TEST_CASE(the_bytes_follow_the_content_not_the_position_of_the_write_head) {
  const auto wrapped = filled_buffer(17);
  const auto straight = filled_buffer(0);
  RowMaker maker(kShape);
  for (int step = 0; step < 17; ++step) {
    const TransitionView rows = maker.next();
    if (step >= 7) straight->insert(rows);
  }
  BOOST_TEST((saved(*wrapped) == saved(*straight)));
}

BOOST_AUTO_TEST_CASE(another_shape_is_refused_and_the_content_kept) {
  const std::string bytes = saved(*filled_buffer(6));
  const auto error_for = [&](ReplayShape shape) {
    const auto buffer = filled_buffer(2, shape);
    const std::string before = saved(*buffer);
    const std::string error = load_error(*buffer, bytes);
    BOOST_TEST((saved(*buffer) == before));
    return error;
  };
  const std::string start = "saved replay buffer: ";
  BOOST_TEST(
      error_for({6, 2, 4, 2, 40}).starts_with(start + "observation_dim is 5, this run's is 6"));
  BOOST_TEST(error_for({5, 3, 4, 2, 40}).starts_with(start + "action_dim is 2, this run's is 3"));
  BOOST_TEST(error_for({5, 2, 8, 2, 80}).starts_with(start + "num_envs is 4, this run's is 8"));
  BOOST_TEST(error_for({5, 2, 4, 3, 40}).starts_with(start + "members is 2, this run's is 3"));
  BOOST_TEST(error_for({5, 2, 4, 2, 40, 1}).starts_with(start + "size of a state row is 0"));
  BOOST_TEST(error_for({5, 2, 4, 2, 44}).starts_with(start + "capacity is 40, this run's is 44"));
}

BOOST_AUTO_TEST_CASE(a_file_that_ends_early_is_refused_at_every_length) {
  const std::string bytes = saved(*filled_buffer(3));
  BOOST_TEST(bytes.size() == kHeaderBytes + 3 * 8 * 64);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto buffer = filled_buffer(2);
    BOOST_REQUIRE(load_error(*buffer, bytes.substr(0, length)).find("ends early") !=
                  std::string::npos);
    // a short header leaves the content alone, short records leave nothing
    BOOST_REQUIRE(buffer->size() == (length < kHeaderBytes ? 8 : 0));
    if (length >= kHeaderBytes) {
      BOOST_REQUIRE_THROW(sample(*buffer, kShape, 1, 1, 0), std::logic_error);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_bytes_are_refused) {
  const std::string bytes = saved(*filled_buffer(3));
  const auto error_with = [&](std::size_t at, std::int64_t value, std::size_t size) {
    std::string damaged = bytes;
    std::memcpy(damaged.data() + at, &value, size);
    const auto buffer = filled_buffer(2);
    const std::string error = load_error(*buffer, damaged);
    if (error.find("damaged record") != std::string::npos) {
      BOOST_TEST(buffer->size() == 0);
      BOOST_CHECK_THROW(sample(*buffer, kShape, 1, 1, 0), std::logic_error);
    }
    return error;
  };
  BOOST_TEST(error_with(0, 'x', 1).find("no replay buffer") != std::string::npos);
  BOOST_TEST(error_with(8, 3, 4).find("format version 3") != std::string::npos);
  BOOST_TEST(error_with(12, 0x04030201, 4).find("byte order") != std::string::npos);
  BOOST_TEST(error_with(56, 11, 8).find("capacity is 44") != std::string::npos);
  BOOST_TEST(error_with(64, 11, 8).find("damaged header") != std::string::npos);
  BOOST_TEST(error_with(64, -1, 8).find("damaged header") != std::string::npos);
  BOOST_TEST(error_with(kFirstFlags, 0x40, 4).find("damaged record") != std::string::npos);
  BOOST_TEST(error_with(kFirstFlags + 20 * 64, -1, 4).find("damaged record") != std::string::npos);
  BOOST_TEST(error_with(kFirstFlags, 7, 4) == "no error");  // all three flags are known
}

BOOST_AUTO_TEST_CASE(a_failed_write_is_reported) {
  std::ofstream full("/dev/full", std::ios::binary);
  BOOST_REQUIRE(full.is_open());
  BOOST_CHECK_THROW(
      {
        full << std::unitbuf;
        filled_buffer(3)->save(full);
      },
      std::runtime_error);
}
