#define BOOST_TEST_MODULE thread_plan
#include "algos/training/thread_plan.hpp"

#include <boost/test/unit_test.hpp>

using namespace anthill;

namespace {

void check(const ThreadPlan& plan, int simulation, int learner) {
  BOOST_TEST(plan.simulation == simulation);
  BOOST_TEST(plan.learner == learner);
}

}  // namespace

BOOST_AUTO_TEST_CASE(few_cores_are_shared_in_turns) {
  check(plan_threads(0, 0, 1, false, 1), 1, 1);
  check(plan_threads(0, 0, 1, false, 2), 2, 2);
  check(plan_threads(0, 0, 4, false, 2), 2, 2);
  check(plan_threads(0, 0, 1, false, 4), 4, 2);
}

BOOST_AUTO_TEST_CASE(many_cores_are_divided) {
  check(plan_threads(0, 0, 1, false, 16), 15, 2);
  check(plan_threads(0, 0, 3, false, 16), 11, 6);
  check(plan_threads(0, 0, 32, false, 16), 9, 8);
  check(plan_threads(0, 0, 1, true, 16), 16, 1);
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_kept) {
  check(plan_threads(3, 5, 1, false, 2), 3, 5);
  check(plan_threads(0, 5, 1, false, 8), 4, 5);
  check(plan_threads(0, 9, 1, false, 8), 1, 9);
  check(plan_threads(3, 0, 1, false, 8), 3, 2);
}
