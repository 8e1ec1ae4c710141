// A simulation that fails ends its own episode and no other's.
#define BOOST_TEST_MODULE sim_failures
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "tests/sim/model_files.hpp"
#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

constexpr std::size_t kNumEnvs = 4;
constexpr std::size_t kBadLane = 1;
constexpr std::size_t kSteps = 60;
// ThreadSanitizer cannot see into MuJoCo
#if defined(__SANITIZE_THREAD__)
constexpr int kNumThreads = 1;
#else
constexpr int kNumThreads = 2;
#endif

struct Outcome {
  std::vector<std::uint64_t> hashes;  // per lane, of all that a step writes
  std::vector<InvalidRecord> invalid;
  std::vector<EpisodeRecord> episodes;  // those that ended as invalid
  std::int64_t num_sim_warnings = 0;
};

/// Rolls out `config`; `action(t)` is what the bad lane does, the others do nothing.
template <typename Action>
Outcome roll_out(const SimConfig& config, int num_threads, Action action) {
  ThreadPool pool(num_threads);
  VectorEnv envs(make_env(config), seeds_from(20, kNumEnvs), pool);
  Rows rows(envs.spec(), kNumEnvs);
  envs.set_double_rows(rows.doubles());
  envs.reset(rows.acting_observation);
  std::vector<BitHash> hashes(kNumEnvs);
  Outcome outcome;
  for (std::size_t t = 0; t < kSteps; ++t) {
    std::fill(rows.action.begin(), rows.action.end(), 0.0f);
    for (std::size_t j = 0; j < rows.A; ++j) rows.action[kBadLane * rows.A + j] = action(t);
    rows.step(envs);
    for (std::size_t i = 0; i < kNumEnvs; ++i) {
      hashes[i].add(std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.acting_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(rows.reward_f64[i]);
      for (std::size_t k = 0; k < rows.D; ++k) {
        BOOST_REQUIRE(std::isfinite(rows.next_observation[i * rows.D + k]));
      }
    }
    for (const InvalidRecord& record : envs.invalid_transitions()) {
      outcome.invalid.push_back(record);
      BOOST_TEST(rows.invalid[static_cast<std::size_t>(record.env)] == 1);
    }
    for (const EpisodeRecord& record : envs.finished_episodes()) {
      if (record.invalid) outcome.episodes.push_back(record);
    }
  }
  for (const BitHash& hash : hashes) outcome.hashes.push_back(hash.value());
  outcome.num_sim_warnings = envs.num_sim_warnings();
  return outcome;
}

float nothing(std::size_t) { return 0; }

/// Only the bad lane has invalid transitions, each counted and the end of an episode, and the other
/// lanes have the bits that they have beside a harmless neighbour.
template <typename Action>
Outcome check_isolated(const SimConfig& config, Action action) {
  const Outcome harmless = roll_out(config, 1, nothing);
  BOOST_TEST(harmless.num_sim_warnings == 0);
  const Outcome outcome = roll_out(config, kNumThreads, action);
  BOOST_TEST(outcome.invalid.size() >= 1u);
  BOOST_TEST(outcome.invalid.size() == outcome.episodes.size());
  BOOST_TEST(outcome.num_sim_warnings == static_cast<std::int64_t>(outcome.invalid.size()));
  for (const InvalidRecord& record : outcome.invalid) {
    BOOST_TEST(record.env == static_cast<std::int64_t>(kBadLane));
    BOOST_TEST(record.seed == 20 + kBadLane);
  }
  for (std::size_t i = 0; i < kNumEnvs; ++i) {
    if (i != kBadLane) BOOST_TEST(outcome.hashes[i] == harmless.hashes[i]);
  }
  // and one thread gives what two give
  BOOST_TEST(roll_out(config, 1, action).hashes == outcome.hashes, tt::per_element());
  return outcome;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_control_that_is_not_finite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Outcome outcome =
        check_isolated({.env = "Ant-v5"}, [&](std::size_t t) { return t == 7 ? bad : 0.0f; });
    BOOST_REQUIRE(outcome.invalid.size() == 1);
    BOOST_TEST(outcome.invalid[0].invalid_action);
    BOOST_TEST(outcome.invalid[0].step == 7);
    BOOST_TEST(outcome.episodes[0].length == 8);
  }
}

BOOST_AUTO_TEST_CASE(a_reward_that_is_not_finite) {
  // the squared action overflows float32; MuJoCo clamps the control and sees nothing wrong
  const Outcome outcome =
      check_isolated({.env = "Ant-v5"}, [](std::size_t t) { return t % 20 == 7 ? 3e38f : 0.0f; });
  BOOST_TEST(outcome.invalid.size() == 3u);
  BOOST_TEST(!outcome.invalid[0].invalid_action);
}

BOOST_AUTO_TEST_CASE(an_explosion) {
  MujocoGuard::expect_warnings();
  const ModelFiles files;
  const Outcome outcome =
      check_isolated(files.explosive(), [](std::size_t t) { return t % 20 == 7 ? 0.5f : 0.0f; });
  BOOST_TEST(outcome.invalid.size() == 3u);
  BOOST_TEST(!outcome.invalid[0].invalid_action);
}

BOOST_AUTO_TEST_CASE(a_full_buffer_is_a_warning) {
  MujocoGuard::expect_warnings();
  const ModelFiles files;
  const Outcome outcome =
      check_isolated(files.crowded("32K"), [](std::size_t t) { return t < 30 ? -1.0f : 0.0f; });
  BOOST_TEST(!outcome.invalid[0].invalid_action);
  BOOST_TEST(outcome.invalid[0].step > 0);
  BOOST_TEST(last_mujoco_warning().find("arena memory") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_full_stack_is_an_error) {
  MujocoGuard::expect_warnings();
  const ModelFiles files;
  const Outcome outcome =
      check_isolated(files.crowded("52K"), [](std::size_t t) { return t < 30 ? -1.0f : 0.0f; });
  BOOST_TEST(!outcome.invalid[0].invalid_action);
  BOOST_TEST(last_mujoco_warning().find("stack overflow") != std::string::npos);
}
