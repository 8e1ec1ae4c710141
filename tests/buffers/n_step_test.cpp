// Batches without replacement and over several steps against the plainest buffer.
#define BOOST_TEST_MODULE n_step
#include <boost/test/unit_test.hpp>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(equals_a_deque_without_replacement) {
  ReplayShape shape{3, 2, 3, 2, 60};
  shape.replacement = false;
  compare_with_deque(shape, DeviceSystem::cpp);
}

BOOST_AUTO_TEST_CASE(equals_a_deque_over_several_steps) {
  for (const std::int64_t n_step : {2, 5, 100}) {
    for (const bool replacement : {true, false}) {
      ReplayShape shape{3, 2, 3, 2, 60};
      shape.replacement = replacement;
      shape.n_step = n_step;
      shape.discounts = {0.99f, 0.5f};
      compare_with_deque(shape, DeviceSystem::cpp);
    }
  }
}

BOOST_AUTO_TEST_CASE(several_steps_by_hand) {
  ReplayShape shape{1, 1, 1, 1, 10};
  shape.n_step = 3;
  shape.discounts = {0.5f};
  const auto buffer = make_buffer(shape);
  RowMaker maker(shape);
  for (int step = 0; step < 6; ++step) {
    TransitionView rows = maker.next(0.0);
    rows.reward[0] = static_cast<float>(step + 1);
    rows.observation[0] = static_cast<float>(step);
    rows.next_observation[0] = static_cast<float>(step + 1);
    rows.terminated[0] = 0;
    rows.truncated[0] = step == 2;  // an episode ends behind the third step
    buffer->insert(rows);
  }
  // 1 + 2/2 + 3/4, 2 + 3/2, 3; 4 + 5/2 + 6/4, 5 + 6/2, 6
  const float rewards[] = {2.75f, 3.5f, 3.0f, 8.0f, 8.0f, 6.0f};
  const float ends[] = {3, 3, 3, 6, 6, 6}, bootstraps[] = {.25f, .5f, 1, .25f, .5f, 1};
  const HostBatch batch = sample(*buffer, shape, 1, 64, 3);
  for (std::size_t i = 0; i < 64; ++i) {
    const auto row = static_cast<std::size_t>(batch.observation[i]);
    BOOST_TEST(batch.reward[i] == rewards[row]);
    BOOST_TEST(batch.next_observation[i] == ends[row]);
    BOOST_TEST(batch.bootstrap[i] == bootstraps[row]);
  }
}
