// Stepping allocates nothing, and one more Ant costs little more than its row.
#define BOOST_TEST_MODULE sim_memory
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

// sanitizers replace malloc themselves and keep shadow memory
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsAllocations = false;
#else
constexpr bool kCountsAllocations = true;
#endif

namespace {

std::atomic<std::int64_t> num_allocations{0};

[[maybe_unused]] void count_allocation() {
  num_allocations.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// every allocation of the process, MuJoCo's and operator new's too, comes through these
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count_allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  count_allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  count_allocation();
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count_allocation();
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count_allocation();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  count_allocation();
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif

namespace {

boost::test_tools::assertion_result not_sanitized(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result counts(kCountsAllocations);
  counts.message() << "a sanitizer owns malloc in this build";
  return counts;
}

std::int64_t resident_bytes() {
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

void fill_actions(Rows& rows, std::size_t t) {
  for (std::size_t i = 0; i < rows.action.size(); ++i) {
    rows.action[i] = test_action(t + i / rows.A, i);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_hooks_count, *boost::unit_test::precondition(not_sanitized)) {
  const std::int64_t before = num_allocations;
  const auto data = make_env({.env = "Ant-v4"})->make_workspace();
  BOOST_TEST(num_allocations - before > 100);  // MuJoCo's parser and mjData among them
  const std::int64_t middle = num_allocations;
  std::vector<double> vector(10);
  BOOST_TEST(vector.size() == 10u);
  BOOST_TEST(num_allocations > middle);
}

BOOST_AUTO_TEST_CASE(stepping_256_ants_allocates_nothing,
                     *boost::unit_test::precondition(not_sanitized)) {
  ThreadPool pool(2);
  // a short time limit, so that resets and episode records are in the steps counted
  VectorEnv envs(make_env({.env = "Ant-v5", .max_episode_steps = 3}), seeds_from(0, 256), pool);
  Rows rows(envs.spec(), 256);
  envs.reset(rows.acting_observation);
  for (std::size_t t = 0; t < 2; ++t) {
    fill_actions(rows, t);
    rows.step(envs);
  }
  std::size_t num_episodes = 0;
  const std::int64_t before = num_allocations;
  for (std::size_t t = 2; t < 8; ++t) {
    fill_actions(rows, t);
    rows.action[0] = t == 5 ? std::nanf("") : 0.0f;
    rows.step(envs);
    num_episodes += envs.finished_episodes().size();
  }
  const std::int64_t num_new = num_allocations - before;
  BOOST_TEST(num_new == 0);
  BOOST_TEST(num_episodes >= 512u);
  BOOST_TEST(envs.num_sim_warnings() == 1);
}

BOOST_AUTO_TEST_CASE(stepping_any_task_allocates_nothing,
                     *boost::unit_test::precondition(not_sanitized)) {
  ThreadPool pool(2);
  for (const std::string& name : task_names()) {
    VectorEnv envs(make_env({.env = name, .max_episode_steps = 3}), seeds_from(0, 16), pool);
    if (envs.spec().workspace_per_lane) continue;  // Box2D makes a new world for every episode
    Rows rows(envs.spec(), 16);
    envs.reset(rows.acting_observation);
    const auto step = [&](std::size_t t) {
      for (std::size_t i = 0; i < rows.action.size(); ++i) {
        rows.action[i] = test_action(envs.spec(), t, i);
      }
      rows.step(envs);
    };
    for (std::size_t t = 0; t < 4; ++t) step(t);
    const std::int64_t before = num_allocations;
    for (std::size_t t = 4; t < 12; ++t) step(t);
    const std::int64_t num_new = num_allocations - before;
    BOOST_TEST(num_new == 0, name << ": " << num_new << " allocations");
  }
}

BOOST_AUTO_TEST_CASE(one_more_ant_costs_less_than_4_kib,
                     *boost::unit_test::precondition(not_sanitized)) {
  ThreadPool pool(2);
  const auto env = make_env({.env = "Ant-v4"});
  // resident memory of a stepped VectorEnv, its rows (which belong to the buffer) left out
  const auto measure = [&](std::size_t num_envs) {
    const auto seeds = seeds_from(0, num_envs);
    Rows rows(env->spec(), num_envs);
    fill_actions(rows, 0);
    std::fill(rows.reward.begin(), rows.reward.end(), 0.0f);
    const std::int64_t before = resident_bytes();
    VectorEnv envs(env, seeds, pool);
    envs.reset(rows.acting_observation);
    rows.step(envs);
    return resident_bytes() - before;
  };
  measure(64);  // code and MuJoCo's own pages
  const std::int64_t few = measure(256);
  const std::int64_t many = measure(4352);
  const std::int64_t per_ant = (many - few) / 4096;
  BOOST_TEST_MESSAGE("bytes per additional Ant: " << per_ant);
  BOOST_TEST(per_ant < 4096);
  BOOST_TEST(per_ant > 300);  // its row alone: otherwise the measurement is blind
}

BOOST_AUTO_TEST_CASE(ten_thousand_ants_cost_less_than_64_mib,
                     *boost::unit_test::precondition(not_sanitized)) {
  ThreadPool pool(2);
  const auto env = make_env({.env = "Ant-v5"});
  // everything that steps them, rows in float32 and in double included
  const auto measure = [&](std::size_t num_envs) {
    const std::int64_t before = resident_bytes();
    Rows rows(env->spec(), num_envs);
    VectorEnv envs(env, seeds_from(0, num_envs), pool);
    envs.set_double_rows(rows.doubles());
    envs.reset(rows.acting_observation);
    fill_actions(rows, 0);
    rows.step(envs);
    BOOST_TEST(envs.num_sim_warnings() == 0);
    return resident_bytes() - before;
  };
  measure(1);  // code and MuJoCo's own pages
  const std::int64_t one = measure(1);
  const std::int64_t beyond = measure(10'000) - one;
  BOOST_TEST_MESSAGE("bytes of 10,000 Ants beyond one: " << beyond);
  BOOST_TEST(beyond < 64 << 20);
  BOOST_TEST(beyond > 10'000 * 1000);  // the observations alone: otherwise the measurement is blind
}
