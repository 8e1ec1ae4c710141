/// Fails every test case during which MuJoCo warned, unless the case said that it expects that.
/// Include once per test executable.
#pragma once

#include <boost/test/framework.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "sim/mujoco_info.hpp"

namespace anthill {

class MujocoGuard : public boost::unit_test::test_observer {
 public:
  /// To be called inside a test case: at least one warning must come.
  static void expect_warnings() { expects_warnings() = true; }

  void test_unit_start(const boost::unit_test::test_unit& unit) override {
    if (unit.p_type != boost::unit_test::TUT_CASE) return;
    expects_warnings() = false;
    num_before_ = num_mujoco_warnings();
  }

  void test_unit_finish(const boost::unit_test::test_unit& unit, unsigned long) override {
    if (unit.p_type != boost::unit_test::TUT_CASE) return;
    const std::int64_t num_new = num_mujoco_warnings() - num_before_;
    if (expects_warnings()) {
      BOOST_CHECK_MESSAGE(num_new > 0, "no MuJoCo warning came, but the test expects one");
    } else {
      BOOST_CHECK_MESSAGE(num_new == 0, num_new << " MuJoCo warnings: " << last_mujoco_warning());
    }
  }

 private:
  static bool& expects_warnings() {
    static bool expects = false;
    return expects;
  }

  std::int64_t num_before_ = 0;
};

/// Registers the guard for the whole run.
struct MujocoGuardFixture {
  MujocoGuardFixture() {
    static MujocoGuard guard;
    boost::unit_test::framework::register_observer(guard);
  }
};

BOOST_GLOBAL_FIXTURE(MujocoGuardFixture);

}  // namespace anthill
