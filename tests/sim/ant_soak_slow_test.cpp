// Ants with random actions for a long time: no warning, no leak, no number that is not finite, and
// the state is still one that a fresh environment goes on from with the same bits.
// ANTHILL_SOAK_STEPS sets the number of transitions, ANTHILL_SOAK_RESULT a file for what was seen
// (scripts/soak).
#define BOOST_TEST_MODULE sim_ant_soak_slow
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

constexpr std::size_t kNumEnvs = 64;

std::int64_t wanted_steps() {
  const char* text = std::getenv("ANTHILL_SOAK_STEPS");
  return text == nullptr ? 100'000 : std::strtoll(text, nullptr, 10);
}

double resident_mib() {
  std::int64_t total_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return static_cast<double>(resident_pages * sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

/// What was seen on the way.
struct Seen {
  std::int64_t episodes = 0, terminated = 0, not_finite = 0;
  double length_sum = 0, return_sum = 0;
  double largest_observation = 0, largest_quaternion_error = 0;
  double resident_mib_early = 0, resident_mib_late = 0;
};

void look(const VectorEnv& envs, const Rows& rows, Seen& seen) {
  for (const EpisodeRecord& record : envs.finished_episodes()) {
    ++seen.episodes;
    seen.terminated += record.terminated;
    seen.length_sum += static_cast<double>(record.length);
    seen.return_sum += record.episode_return;
  }
  for (const float value : rows.next_observation) {
    seen.not_finite += !std::isfinite(value);
    seen.largest_observation = std::max(seen.largest_observation, std::abs(double{value}));
  }
}

/// Row layout of Ant: x, y, z and the quaternion come first.
void look_at_rows(const VectorEnv& envs, const Rows& rows, Seen& seen) {
  const auto row_size = static_cast<std::size_t>(envs.row_size());
  for (std::size_t i = 0; i < kNumEnvs; ++i) {
    const auto row = envs.state().subspan(i * row_size, row_size);
    double norm = 0;
    for (std::size_t j = 3; j < 7; ++j) norm += row[j] * row[j];
    // a start has noise on its quaternion, which the first step normalises
    const bool is_start = rows.terminated[i] != 0 || rows.truncated[i] != 0;
    const double error = is_start ? 0 : std::abs(std::sqrt(norm) - 1);
    if (!(error <= seen.largest_quaternion_error)) seen.largest_quaternion_error = error;
    const auto physics = row.first(15 + 14 + 14 + 2);
    seen.not_finite += std::ranges::count_if(physics, [](double x) { return !std::isfinite(x); });
  }
}

/// Steps a fresh VectorEnv with one thread from the same rows beside the old one.
void check_that_a_fresh_one_goes_on_alike(const std::shared_ptr<const Env>& env, VectorEnv& old,
                                          Rows& rows) {
  ThreadPool pool(1);
  VectorEnv fresh(env, seeds_from(0, kNumEnvs), pool);
  Rows fresh_rows(env->spec(), kNumEnvs);
  fresh.restore(old.state());
  for (std::size_t t = 0; t < 20; ++t) {
    for (std::size_t i = 0; i < rows.action.size(); ++i) rows.action[i] = test_action(t, i);
    fresh_rows.action = rows.action;
    rows.step(old);
    fresh_rows.step(fresh);
    BitHash a, b;
    a.add(old.state());
    b.add(fresh.state());
    BOOST_REQUIRE(a.value() == b.value());
    BOOST_REQUIRE((rows.next_observation == fresh_rows.next_observation));
  }
}

void write_result(std::int64_t num_steps, std::int64_t num_warnings, const Seen& seen) {
  const char* path = std::getenv("ANTHILL_SOAK_RESULT");
  if (path == nullptr) return;
  const auto episodes = static_cast<double>(seen.episodes);
  std::ofstream file(path);
  file << "{\"env\": \"Ant-v5\", \"num_envs\": " << kNumEnvs << ", \"env_steps\": " << num_steps
       << ",\n \"mujoco\": \"" << mujoco_version() << "\", \"sim_warnings\": " << num_warnings
       << ", \"mujoco_warnings\": " << num_mujoco_warnings()
       << ", \"not_finite\": " << seen.not_finite << ",\n \"episodes\": " << seen.episodes
       << ", \"terminated\": " << seen.terminated
       << ", \"mean_length\": " << seen.length_sum / episodes
       << ", \"mean_return\": " << seen.return_sum / episodes
       << ",\n \"largest_observation\": " << seen.largest_observation
       << ", \"largest_quaternion_error\": " << seen.largest_quaternion_error
       << ",\n \"resident_mib_after_a_tenth\": " << seen.resident_mib_early
       << ", \"resident_mib_at_the_end\": " << seen.resident_mib_late << "}\n";
  BOOST_REQUIRE_MESSAGE(file.good(), "cannot write " << path);
}

}  // namespace

BOOST_AUTO_TEST_CASE(ants_for_a_long_time) {
  const std::int64_t num_steps = wanted_steps();
  BOOST_REQUIRE_MESSAGE(num_steps >= 10'000, "ANTHILL_SOAK_STEPS: at least 10000");
  const auto env = make_env({.env = "Ant-v5"});
  ThreadPool pool(2);
  VectorEnv envs(env, seeds_from(0, kNumEnvs), pool);
  Rows rows(env->spec(), kNumEnvs);
  NumpyGenerator rng(1);
  Seen seen;
  envs.reset(rows.acting_observation);
  const std::int64_t num_vector_steps = num_steps / static_cast<std::int64_t>(kNumEnvs);
  for (std::int64_t t = 0; t < num_vector_steps; ++t) {
    for (float& action : rows.action) action = static_cast<float>(rng.uniform(-1, 1));
    rows.step(envs);
    look(envs, rows, seen);
    if (t % 100 == 0) look_at_rows(envs, rows, seen);
    if (t == num_vector_steps / 10) seen.resident_mib_early = resident_mib();
  }
  seen.resident_mib_late = resident_mib();
  write_result(num_vector_steps * static_cast<std::int64_t>(kNumEnvs), envs.num_sim_warnings(),
               seen);
  BOOST_TEST(envs.num_sim_warnings() == 0);
  BOOST_TEST(seen.not_finite == 0);
  BOOST_TEST(seen.episodes > num_steps / 1000 / 2);
  BOOST_TEST(seen.terminated > 0);
  BOOST_TEST(seen.largest_quaternion_error < 1e-12);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(seen.resident_mib_late - seen.resident_mib_early < 1.0);
#endif
  check_that_a_fresh_one_goes_on_alike(env, envs, rows);
}
