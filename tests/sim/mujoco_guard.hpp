/// Fails every test case during which MuJoCo warned, unless the case said that it expects that.
/// Include once per test executable.
#pragma once

#include <boost/test/framework.hpp>
#include <boost/test/tree/fixture.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "sim/mujoco_info.hpp"

namespace anthill {

/// Runs before and after each test case.
class MujocoGuard : public boost::unit_test::test_unit_fixture {
 public:
  /// To be called inside a test case: at least one warning must come.
  static void expect_warnings() { expects_warnings() = true; }

  void setup() override {
    expects_warnings() = false;
    num_before_ = num_mujoco_warnings();
  }

  void teardown() override {
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

/// Gives every test case of the executable a guard.
struct MujocoGuards : boost::unit_test::test_tree_visitor {
  MujocoGuards() {
    namespace ut = boost::unit_test;
    ut::traverse_test_tree(ut::framework::master_test_suite(), *this, true);
  }

  void visit(const boost::unit_test::test_case& test) override {
    auto& unit = boost::unit_test::framework::get<boost::unit_test::test_case>(test.p_id);
    unit.p_fixtures.value.push_back(boost::unit_test::test_unit_fixture_ptr(new MujocoGuard));
  }
};

BOOST_GLOBAL_FIXTURE(MujocoGuards);

}  // namespace anthill
