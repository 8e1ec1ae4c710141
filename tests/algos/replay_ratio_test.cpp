#define BOOST_TEST_MODULE replay_ratio
#include "algos/training/replay_ratio.hpp"

#include <boost/test/unit_test.hpp>

using anthill::period_is_due;
using anthill::ReplayRatio;
using anthill::TrainingConfig;

BOOST_AUTO_TEST_CASE(narrates_a_run_at_one_quarter) {
  const ReplayRatio ratio({.learning_starts = 10, .replay_ratio = 0.25});
  BOOST_TEST(ratio.updates_due(0, 0) == 0);
  BOOST_TEST(ratio.updates_due(10, 0) == 0);  // learning starts after the tenth transition
  BOOST_TEST(ratio.updates_due(13, 0) == 0);
  BOOST_TEST(ratio.updates_due(14, 0) == 1);
  BOOST_TEST(ratio.updates_due(14, 1) == 0);
  BOOST_TEST(ratio.updates_due(26, 1) == 3);
  BOOST_TEST(ratio.achieved(26, 4) == 0.25);
}

BOOST_AUTO_TEST_CASE(is_exact_at_every_width) {
  // hundredths, so that the expected count is integer arithmetic
  for (const std::int64_t hundredths : {25, 100, 370, 800, 29, 1, 0}) {
    for (const std::int64_t width : {1, 7, 64, 256}) {
      const std::int64_t starts = 1000;
      const ReplayRatio ratio(
          {.learning_starts = starts, .replay_ratio = static_cast<double>(hundredths) / 100.0});
      std::int64_t steps = 0, done = 0;
      while (steps < 200'000) {
        steps += width;
        done += ratio.updates_due(steps, done);
        const std::int64_t transitions = steps > starts ? steps - starts : 0;
        BOOST_REQUIRE_EQUAL(done, transitions * hundredths / 100);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(never_asks_for_less_than_nothing) {
  BOOST_TEST(ReplayRatio({.learning_starts = 0}).updates_due(5, 9) == 0);
}

BOOST_AUTO_TEST_CASE(prefill_comes_with_the_first_update) {
  const ReplayRatio ratio({.learning_starts = 100, .replay_ratio = 0.5, .prefill_updates = 1000});
  BOOST_TEST(ratio.updates_due(100, 0) == 0);
  BOOST_TEST(ratio.updates_due(101, 0) == 1000);
  BOOST_TEST(ratio.updates_due(104, 0) == 1002);
  BOOST_TEST(ratio.updates_due(104, 1001) == 1);
}

BOOST_AUTO_TEST_CASE(a_schedule_is_summed_over_transitions) {
  const TrainingConfig config = {.learning_starts = 100,
                                 .replay_ratio = 0.29,
                                 .replay_ratio_schedule = {{50, 3.0}, {200, 0.5}, {300, 8.0}}};
  const ReplayRatio ratio(config);
  // the first entry came before learning did; hundredths, so that what is expected is exact
  for (const std::int64_t width : {1, 7, 64}) {
    std::int64_t done = 0;
    for (std::int64_t steps = width; steps < 1000; steps += width) {
      done += ratio.updates_due(steps, done);
      std::int64_t expected = 0;
      for (std::int64_t t = 101; t <= steps; ++t) expected += t <= 200 ? 300 : t <= 300 ? 50 : 800;
      BOOST_REQUIRE_EQUAL(done, expected / 100);
    }
  }
  TrainingConfig later = config;
  later.replay_ratio_schedule = {{200, 1.0}};
  BOOST_TEST(ReplayRatio(later).updates_due(200, 0) == 29);
  BOOST_TEST(ReplayRatio(later).updates_due(210, 0) == 39);
  later.burst = 50;
  BOOST_TEST(ReplayRatio(later).updates_due(210, 0) == 29);
  BOOST_TEST(ReplayRatio(later).updates_due(250, 0) == 79);
}

BOOST_AUTO_TEST_CASE(periods_are_due_once_per_multiple) {
  BOOST_TEST(period_is_due(0, 64, 64));
  BOOST_TEST(!period_is_due(64, 100, 64));
  BOOST_TEST(period_is_due(100, 400, 64));
  BOOST_TEST(!period_is_due(0, 1000, 0));
  int count = 0;
  for (std::int64_t steps = 0; steps < 7000; steps += 7)
    count += period_is_due(steps, steps + 7, 100);
  BOOST_TEST(count == 70);
}
