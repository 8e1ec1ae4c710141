#define BOOST_TEST_MODULE replay_ratio
#include "algos/training/replay_ratio.hpp"

#include <boost/test/unit_test.hpp>

using anthill::period_is_due;
using anthill::ReplayRatio;

BOOST_AUTO_TEST_CASE(narrates_a_run_at_one_quarter) {
  const ReplayRatio ratio(0.25, 10);
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
      const ReplayRatio ratio(static_cast<double>(hundredths) / 100.0, starts);
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
  BOOST_TEST(ReplayRatio(1.0, 0).updates_due(5, 9) == 0);
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
