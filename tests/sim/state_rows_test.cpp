// All that VectorEnv knows between two steps is in its rows.
#define BOOST_TEST_MODULE sim_state_rows
#include <boost/test/unit_test.hpp>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

void check_restored_rows_continue(const std::string& name) {
  ThreadPool pool(2);
  const auto env = make_env({.env = name, .max_episode_steps = 30});
  VectorEnv envs(env, seeds_from(0, 5), pool);
  Rows rows(envs.spec(), 5);
  const auto run = [&](VectorEnv& target, std::size_t first, std::size_t last) {
    BitHash hash;
    target.set_double_rows(rows.doubles());
    for (std::size_t t = first; t < last; ++t) {
      for (std::size_t i = 0; i < rows.action.size(); ++i) {
        rows.action[i] = test_action(envs.spec(), t, i);
      }
      rows.step(target);
      hash.add(rows.next_observation_f64);
      hash.add(rows.acting_observation_f64);
      hash.add(rows.reward_f64);
      for (const EpisodeRecord& record : target.finished_episodes()) {
        hash.add(record.episode_return);
        hash.add(static_cast<std::uint64_t>(record.episode * 1000 + record.length));
      }
    }
    return hash.value();
  };
  envs.reset(rows.acting_observation);
  run(envs, 0, 40);
  const std::vector<double> saved(envs.state().begin(), envs.state().end());
  BOOST_TEST(saved.size() == static_cast<std::size_t>(5 * envs.row_size()));
  const std::uint64_t expected = run(envs, 40, 120);

  envs.restore(saved);
  BOOST_TEST(run(envs, 40, 120) == expected);
  VectorEnv fresh(env, seeds_from(777, 5), pool);
  fresh.restore(saved);
  BOOST_TEST(run(fresh, 40, 120) == expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(restored_rows_continue_bit_for_bit) {
  for (const std::string& name : task_names()) {
    BOOST_TEST_CONTEXT(name) { check_restored_rows_continue(name); }
  }
}

BOOST_AUTO_TEST_CASE(rows_from_before_the_first_reset_repeat_the_same_episodes) {
  ThreadPool pool(1);
  VectorEnv envs(make_env({.env = "Pendulum-v1"}), seeds_from(0, 2), pool);
  const std::vector<double> initial(envs.state().begin(), envs.state().end());
  std::vector<float> first(6), second(6), again(6);
  envs.reset(first);
  envs.reset(second);
  BOOST_TEST(first != second);
  envs.restore(initial);
  envs.reset(again);
  BOOST_TEST(again == first, tt::per_element());
}
