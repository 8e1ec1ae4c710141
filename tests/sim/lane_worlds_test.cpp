// EnvSpec::workspace_per_lane: every lane keeps its own live world, and the row alone decides.
#define BOOST_TEST_MODULE sim_lane_worlds
#include <atomic>
#include <boost/test/unit_test.hpp>

#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

std::atomic<int> num_replays{0};

/// A running sum that cannot be written as a row, but for the start and the actions that led to it.
struct Diary : Workspace {
  double start = -1;
  std::size_t num_steps = 0;
  double sum = 0;

  void add(double action) {
    sum = 0.5 * sum + action;
    ++num_steps;
  }
};

/// State: | start | number of actions | actions |. The observation is the sum.
class DiaryEnv final : public Env {
 public:
  static constexpr std::int64_t kLimit = 6;

  DiaryEnv()
      : spec_{.name = "Diary",
              .observation_dim = 1,
              .action_dim = 1,
              .action_low = {-1},
              .action_high = {1},
              .state_dim = 2 + kLimit,
              .max_episode_steps = kLimit,
              .control_dt = 1.0,
              .reward_terms = {},
              .workspace_per_lane = true} {}

  const EnvSpec& spec() const override { return spec_; }
  std::unique_ptr<Workspace> make_workspace() const override { return std::make_unique<Diary>(); }
  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    state[0] = rng.random();
    state[1] = 0;
    begin(workspace, state);
    observation[0] = state[0];
  }
  StepResult step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double>) const override {
    auto& diary = static_cast<Diary&>(workspace);
    const auto num_steps = static_cast<std::size_t>(state[1]);
    if (diary.start != state[0] || diary.num_steps != num_steps) {
      ++num_replays;
      begin(workspace, state);
      for (std::size_t i = 0; i < num_steps; ++i) diary.add(state[2 + i]);
    }
    state[2 + num_steps] = static_cast<double>(action[0]);
    state[1] += 1;
    diary.add(static_cast<double>(action[0]));
    next_observation[0] = diary.sum;
    return {.reward = diary.sum};
  }

 private:
  static void begin(Workspace& workspace, std::span<const double> state) {
    auto& diary = static_cast<Diary&>(workspace);
    diary.start = diary.sum = state[0];
    diary.num_steps = 0;
  }

  EnvSpec spec_;
};

std::uint64_t run(VectorEnv& envs, std::size_t first, std::size_t last) {
  Rows rows(envs.spec(), static_cast<std::size_t>(envs.num_envs()));
  envs.set_double_rows(rows.doubles());
  BitHash hash;
  for (std::size_t t = first; t < last; ++t) {
    for (std::size_t i = 0; i < rows.N; ++i) rows.action[i] = test_action(t, i);
    rows.step(envs);
    hash.add(rows.next_observation_f64);
    hash.add(rows.acting_observation_f64);
  }
  envs.set_double_rows({});
  return hash.value();
}

}  // namespace

BOOST_AUTO_TEST_CASE(live_worlds_go_on_without_replays_on_any_thread) {
  const auto env = std::make_shared<DiaryEnv>();
  std::vector<std::uint64_t> hashes;
  num_replays = 0;
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    VectorEnv envs(env, seeds_from(0, 40), pool);
    Rows rows(envs.spec(), 40);
    envs.reset(rows.acting_observation);
    hashes.push_back(run(envs, 0, 50));
  }
  BOOST_TEST(num_replays == 0);
  BOOST_TEST(hashes[1] == hashes[0]);
  BOOST_TEST(hashes[2] == hashes[0]);
}

BOOST_AUTO_TEST_CASE(a_written_row_makes_its_world_anew) {
  const auto env = std::make_shared<DiaryEnv>();
  ThreadPool pool(2);
  VectorEnv envs(env, seeds_from(0, 4), pool);
  Rows rows(envs.spec(), 4);
  envs.reset(rows.acting_observation);
  run(envs, 0, 3);
  const std::vector<double> saved(envs.state().begin(), envs.state().end());
  num_replays = 0;
  const std::uint64_t expected = run(envs, 3, 20);
  BOOST_TEST(num_replays == 0);

  envs.restore(saved);
  BOOST_TEST(run(envs, 3, 20) == expected);
  BOOST_TEST(num_replays == 4);
  VectorEnv other(env, seeds_from(70, 4), pool);
  const std::span<const double> all = saved;
  const auto size = static_cast<std::size_t>(envs.row_size());
  for (std::size_t i = 0; i < 4; ++i) {
    other.write_row(static_cast<std::int64_t>(i), all.subspan(i * size, size));
  }
  BOOST_TEST(run(other, 3, 20) == expected);
  BOOST_TEST(num_replays == 8);
}
