#define BOOST_TEST_MODULE replay_record
#include "buffers/replay_record.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

namespace {

RowPointers pointers_to(const TransitionView& rows) {
  return {rows.observation.data(),      rows.action.data(),     rows.reward.data(),
          rows.next_observation.data(), rows.terminated.data(), rows.truncated.data(),
          rows.invalid.data()};
}

/// Runs functor(0) to functor(count - 1) in a random order.
template <class Functor>
void run_shuffled(std::int64_t count, const Functor& functor) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  for (const std::int64_t index : order) functor(index);
}

/// A ring in a plain vector, whose lines start as garbage.
struct PlainRing {
  explicit PlainRing(const ReplayShape& shape) {
    view.layout = {shape.observation_dim, shape.action_dim};
    view.num_slots = shape.capacity / shape.num_envs;
    view.num_envs = shape.num_envs;
    view.members = shape.members;
    RecordLine garbage;
    std::fill(std::begin(garbage.word), std::end(garbage.word), 1e30f);
    lines.assign(
        static_cast<std::size_t>(view.num_slots * view.num_lanes() * view.layout.num_lines()),
        garbage);
    view.lines = lines.data();
  }
  std::vector<RecordLine> lines;
  RingView view;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_record_is_laid_out_as_documented) {
  const ReplayShape shape{3, 2, 2, 1, 2};
  PlainRing ring(shape);
  RowMaker maker(shape);
  const TransitionView rows = maker.next();
  rows.terminated[1] = 1;
  rows.truncated[1] = 0;
  rows.invalid[1] = 1;
  run_shuffled(2, PackRows<1>{ring.view, pointers_to(rows), 0});
  const float* record = ring.view.record(0, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(record[i] == rows.observation[3 + i]);
    BOOST_TEST(record[5 + i] == rows.next_observation[3 + i]);
  }
  BOOST_TEST(record[3] == rows.action[2]);
  BOOST_TEST(record[4] == rows.action[3]);
  BOOST_TEST(record[8] == rows.reward[1]);
  BOOST_TEST(ring.view.layout.flags(record) == (kTerminated | kInvalid));
  for (int i = 10; i < 16; ++i) BOOST_TEST(record[i] == 0.0f);
}

// what a GPU runs, 32 threads to a row in any order, against what a CPU runs
BOOST_AUTO_TEST_CASE(thirty_two_threads_a_row_equal_one) {
  for (const std::int64_t observation_dim : {1, 27, 105}) {
    const ReplayShape shape{observation_dim, 8, 5, 3, 35};
    const std::vector<std::uint64_t> seeds = make_seeds(shape.members);
    PlainRing one(shape), warp(shape);
    RowMaker maker(shape);
    for (std::int64_t slot = 0; slot < 7; ++slot) {
      const TransitionView rows = maker.next(0.3);
      run_shuffled(15, PackRows<1>{one.view, pointers_to(rows), slot});
      run_shuffled(15 * 32, PackRows<32>{warp.view, pointers_to(rows), slot});
    }
    const auto words = [](const PlainRing& ring) {
      std::vector<float> all;
      for (const RecordLine& line : ring.lines) {
        all.insert(all.end(), std::begin(line.word), std::end(line.word));
      }
      return all;
    };
    BOOST_TEST((words(one) == words(warp)));

    one.view.num_filled = warp.view.num_filled = 7;
    one.view.oldest = warp.view.oldest = 4;
    HostBatch from_one(shape, 2, 37), from_warp(shape, 2, 37);
    const GatherRows<1, 16> gather_one{one.view, from_one.view(), seeds.data(), nullptr, 9};
    const GatherRows<32, 1> gather_warp{warp.view, from_warp.view(), seeds.data(), nullptr, 9};
    BOOST_TEST(gather_one.num_groups() == (2 * 3 * 37 + 15) / 16);
    BOOST_TEST(gather_warp.num_groups() == 2 * 3 * 37);
    run_shuffled(gather_one.num_groups(), gather_one);
    run_shuffled(gather_warp.num_groups() * 32, gather_warp);
    BOOST_TEST((from_one == from_warp));
    BOOST_TEST(std::count(from_one.reward.begin(), from_one.reward.end(), HostBatch::kUnset) == 0);
  }
}
