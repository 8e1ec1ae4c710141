// What a lane does depends on its seed and its actions alone: not on threads, width or order.
#define BOOST_TEST_MODULE sim_determinism
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>
#include <thread>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

constexpr std::size_t kNumSteps = 30;
constexpr std::int64_t kMaxEpisodeSteps = 12;

/// Whether the float32 rows are the rounded double ones.
bool is_rounded(std::span<const float> rows, std::span<const double> doubles) {
  return std::ranges::equal(rows, doubles, {}, {}, [](double x) { return static_cast<float>(x); });
}

/// Whether the caller does something else between begin_step and finish_step, so that the
/// background threads get ahead of it.
enum class Overlap { off, on };

/// Hash of each seed's trajectory, in lanes of one VectorEnv.
std::map<std::uint64_t, std::uint64_t> hash_lanes(const std::string& name,
                                                  const std::vector<std::uint64_t>& seeds,
                                                  int num_threads, Overlap overlap = Overlap::off) {
  ThreadPool pool(num_threads);
  VectorEnv envs(make_env({.env = name, .max_episode_steps = kMaxEpisodeSteps}), seeds, pool);
  Rows rows(envs.spec(), seeds.size());
  envs.set_double_rows(rows.doubles());
  envs.reset(rows.acting_observation);
  const std::size_t num_terms = envs.spec().reward_terms.size();
  std::vector<BitHash> hashes(seeds.size());
  for (std::size_t t = 0; t < kNumSteps; ++t) {
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      for (std::size_t j = 0; j < rows.A; ++j) {
        rows.action[i * rows.A + j] = test_action(envs.spec(), t + seeds[i], j);
      }
    }
    envs.begin_step(rows.view(), rows.acting_observation);
    const auto pause = std::chrono::microseconds(overlap == Overlap::on ? 50 * (t % 5) : 0);
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    envs.finish_step();
    BOOST_REQUIRE(is_rounded(rows.next_observation, rows.next_observation_f64));
    BOOST_REQUIRE(is_rounded(rows.acting_observation, rows.acting_observation_f64));
    BOOST_REQUIRE(is_rounded(rows.reward, rows.reward_f64));
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      hashes[i].add(std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.acting_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.terms).subspan(i * num_terms, num_terms));
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
  for (const std::string& name : task_names()) {
    const auto seeds = seeds_from(100, 9);
    const auto expected = hash_lanes(name, seeds, 1);
    BOOST_TEST((hash_lanes(name, seeds, 2) == expected), name);
    BOOST_TEST((hash_lanes(name, seeds, 7) == expected), name);
  }
}

BOOST_AUTO_TEST_CASE(overlap_does_not_matter) {
  for (const std::string& name : task_names()) {
    const auto seeds = seeds_from(100, 9);
    BOOST_TEST((hash_lanes(name, seeds, 3, Overlap::on) == hash_lanes(name, seeds, 1)), name);
  }
}

BOOST_AUTO_TEST_CASE(width_does_not_matter) {
  for (const std::string& name : task_names()) {
    const auto widest = hash_lanes(name, seeds_from(100, 257), 2);
    BOOST_TEST(widest.at(100) != widest.at(101), name);
    for (const auto& seeds : {seeds_from(100, 64), seeds_from(110, 3), seeds_from(150, 1)}) {
      for (const auto& [seed, hash] : hash_lanes(name, seeds, 2)) {
        BOOST_TEST(hash == widest.at(seed), name << ", width " << seeds.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(order_of_lanes_does_not_matter) {
  for (const std::string& name : task_names()) {
    auto seeds = seeds_from(100, 8);
    const auto expected = hash_lanes(name, seeds, 2);
    std::reverse(seeds.begin(), seeds.end());
    BOOST_TEST((hash_lanes(name, seeds, 3) == expected), name);
  }
}
