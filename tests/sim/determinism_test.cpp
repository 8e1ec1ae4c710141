// What a lane does depends on its seed and its actions alone: not on threads, width or order.
#define BOOST_TEST_MODULE sim_determinism
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

struct Case {
  std::string env;
  std::size_t num_steps;
  std::int64_t max_episode_steps;
};

// ThreadSanitizer cannot see into MuJoCo, so only our own code is run under it
#if defined(__SANITIZE_THREAD__)
const std::vector<Case> kCases = {{"Pendulum-v1", 60, 25}};
#else
const std::vector<Case> kCases = {{"Pendulum-v1", 60, 25}, {"Ant-v4", 30, 12}, {"Ant-v5", 30, 12}};
#endif

/// Hash of each seed's trajectory, in lanes of one VectorEnv.
std::map<std::uint64_t, std::uint64_t> hash_lanes(const Case& test,
                                                  const std::vector<std::uint64_t>& seeds,
                                                  int num_threads) {
  ThreadPool pool(num_threads);
  const SimConfig config{.env = test.env, .max_episode_steps = test.max_episode_steps};
  VectorEnv envs(make_env(config), seeds, pool);
  Rows rows(envs.spec(), seeds.size());
  envs.set_double_rows(rows.doubles());
  envs.reset(rows.acting_observation);
  std::vector<BitHash> hashes(seeds.size());
  for (std::size_t t = 0; t < test.num_steps; ++t) {
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      for (std::size_t j = 0; j < rows.A; ++j) {
        rows.action[i * rows.A + j] = test_action(t + seeds[i], j);
      }
    }
    rows.step(envs);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      hashes[i].add(std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.acting_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(rows.reward_f64[i]);
      hashes[i].add(std::uint64_t{rows.terminated[i]} + 2u * rows.truncated[i]);
    }
  }
  BOOST_TEST(envs.num_sim_warnings() == 0);
  std::map<std::uint64_t, std::uint64_t> by_seed;
  for (std::size_t i = 0; i < seeds.size(); ++i) by_seed[seeds[i]] = hashes[i].value();
  return by_seed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(threads_do_not_matter) {
  for (const Case& test : kCases) {
    const auto seeds = seeds_from(100, 9);
    const auto expected = hash_lanes(test, seeds, 1);
    BOOST_TEST((hash_lanes(test, seeds, 2) == expected), test.env);
    BOOST_TEST((hash_lanes(test, seeds, 7) == expected), test.env);
  }
}

BOOST_AUTO_TEST_CASE(width_does_not_matter) {
  for (const Case& test : kCases) {
    const auto wide = hash_lanes(test, seeds_from(100, 64), 2);
    const auto narrow = hash_lanes(test, seeds_from(110, 3), 2);
    const auto single = hash_lanes(test, {150}, 2);
    for (const auto& [seed, hash] : narrow) BOOST_TEST(hash == wide.at(seed), test.env);
    BOOST_TEST(single.at(150) == wide.at(150), test.env);
    BOOST_TEST(wide.at(100) != wide.at(101));
  }
}

BOOST_AUTO_TEST_CASE(order_of_lanes_does_not_matter) {
  for (const Case& test : kCases) {
    auto seeds = seeds_from(100, 8);
    const auto expected = hash_lanes(test, seeds, 2);
    std::reverse(seeds.begin(), seeds.end());
    BOOST_TEST((hash_lanes(test, seeds, 3) == expected), test.env);
  }
}
