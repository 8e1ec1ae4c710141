// Simulator rows in the records (that they come back is part of replay_buffer_test.cpp).
#define BOOST_TEST_MODULE replay_state
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(simulator_rows_change_no_sample) {
  const ReplayShape plain{5, 2, 4, 2, 40}, with{5, 2, 4, 2, 40, 9};
  const auto first = make_buffer(plain), second = make_buffer(with);
  BOOST_TEST(!first->stores_state());
  BOOST_TEST(second->stores_state());
  BOOST_TEST(second->memory_bytes() > first->memory_bytes());
  RowMaker maker(plain);
  const std::vector<double> state(8 * 9, 1.5);
  for (int step = 0; step < 25; ++step) {
    TransitionView rows = maker.next();
    first->insert(rows);
    rows.state = state;
    second->insert(rows);
  }
  BOOST_TEST((sample(*first, plain, 3, 20, 5) == sample(*second, with, 3, 20, 5)));
  TransitionView rows = maker.next();
  BOOST_CHECK_THROW(second->insert(rows), std::invalid_argument);  // without its states
  std::vector<float> observation(5), action(2), short_action(1);
  BOOST_CHECK_THROW(second->read_row(0, 40, {observation, action, {}}), std::out_of_range);
  BOOST_CHECK_THROW(second->read_row(0, 0, {observation, short_action, {}}), std::invalid_argument);
}
