#define BOOST_TEST_MODULE launch_schedule
#include "algos/cuda_graph/launch_schedule.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace anthill;

namespace {

/// Updates of kinds that repeat; does nothing.
struct Kinds final : CapturedUpdate {
  explicit Kinds(std::int64_t updates) : period(updates) {}
  std::int64_t period;
  std::int64_t kind(std::int64_t update) const override { return update % period; }
  std::int64_t kind_period() const override { return period; }
  void queue(const Batch&, std::int64_t) override {}
  void count(std::int64_t) override {}
  const std::int64_t* update_word() const override { return nullptr; }
};

/// "e e e 4 4 1": eager ones and sizes of the launches from `done` on.
std::string plan(LaunchSchedule& schedule, std::int64_t done, std::int64_t due) {
  std::string text;
  while (due > 0) {
    const Launch launch = schedule.next(done, due);
    BOOST_REQUIRE(launch.size() >= 1);
    BOOST_REQUIRE(launch.size() <= due);
    if (launch.eager) BOOST_TEST(launch.size() == 1);
    if (!text.empty()) text += ' ';
    text += launch.eager ? "e" : std::to_string(launch.size());
    done += launch.size();
    due -= launch.size();
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_block_is_what_a_vector_step_earns) {
  BOOST_TEST(updates_per_block(1.0, 8, 1) == 8);
  BOOST_TEST(updates_per_block(0.29, 64, 1) == 18);
  BOOST_TEST(updates_per_block(0.01, 8, 1) == 1);
  BOOST_TEST(updates_per_block(8.0, 1000, 1) == LaunchSchedule::kMaxBlock);
  // whole periods of a delayed policy, where there is room for one
  BOOST_TEST(updates_per_block(1.0, 9, 2) == 8);
  BOOST_TEST(updates_per_block(1.0, 1, 2) == 1);
  BOOST_TEST(updates_per_block(1.0, 64, 3) == 63);
}

BOOST_AUTO_TEST_CASE(first_eager_then_whole_blocks_then_what_is_left) {
  const Kinds update(1);
  LaunchSchedule schedule(update, 4);
  BOOST_TEST(plan(schedule, 0, 4) == "e e e 1");
  BOOST_TEST(plan(schedule, 4, 4) == "4");
  BOOST_TEST(plan(schedule, 8, 11) == "4 4 1 1 1");
  BOOST_TEST(plan(schedule, 19, 1) == "1");
}

BOOST_AUTO_TEST_CASE(every_kind_is_warmed_up) {
  const Kinds update(2);
  LaunchSchedule schedule(update, 2);
  BOOST_TEST(plan(schedule, 0, 8) == "e e e e e e 2");
  BOOST_TEST(plan(schedule, 8, 3) == "2 1");
  // from an odd update on a block is another one
  LaunchSchedule odd(update, 2);
  plan(odd, 0, 7);
  const Launch launch = odd.next(7, 2);
  BOOST_TEST((launch.kinds == std::vector<std::int64_t>{1, 0}));
}

BOOST_AUTO_TEST_CASE(not_too_many_different_blocks) {
  const Kinds update(50);
  LaunchSchedule schedule(update, 3);
  plan(schedule, 0, 3 * 50);
  std::int64_t blocks = 0;
  for (std::int64_t done = 150; done < 200; ++done) {
    blocks += schedule.next(done, 3).size() == 3 ? 1 : 0;
  }
  BOOST_TEST(blocks == static_cast<std::int64_t>(LaunchSchedule::kMaxBlocks));
}
