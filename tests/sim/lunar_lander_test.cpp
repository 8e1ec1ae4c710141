#define BOOST_TEST_MODULE sim_lunar_lander
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "sim/state_file.hpp"
#include "sim/tasks.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace tt = boost::test_tools;

namespace {

const std::vector<std::string> kNames = {"LunarLander-v3", "LunarLanderContinuous-v3"};

SimConfig windy(const std::string& name, std::int64_t max_episode_steps = 0) {
  SimConfig config{.env = name, .max_episode_steps = max_episode_steps};
  config.lunar_lander.enable_wind = true;
  return config;
}

/// Action j of environment `seed` at step t: an index, or a throttle in [-1.25, 1.25].
float action_at(const EnvSpec& spec, std::size_t t, std::size_t j) {
  if (spec.num_actions > 0) return static_cast<float>((t / 3 + t % 7 + j) % 4);
  return test_action(t, j);
}

/// Steps all lanes from `first` to `last`; one hash per lane.
std::vector<std::uint64_t> run(VectorEnv& envs, std::size_t first, std::size_t last,
                               std::size_t* num_episodes = nullptr) {
  Rows rows(envs.spec(), static_cast<std::size_t>(envs.num_envs()));
  envs.set_double_rows(rows.doubles());
  std::vector<BitHash> hashes(rows.N);
  for (std::size_t t = first; t < last; ++t) {
    for (std::size_t i = 0; i < rows.N; ++i) {
      for (std::size_t j = 0; j < rows.A; ++j) {
        rows.action[i * rows.A + j] = action_at(envs.spec(), t, j);
      }
    }
    rows.step(envs);
    for (std::size_t i = 0; i < rows.N; ++i) {
      BOOST_REQUIRE(rows.invalid[i] == 0);
      hashes[i].add(std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.acting_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(rows.reward_f64[i]);
    }
    if (num_episodes != nullptr) *num_episodes += envs.finished_episodes().size();
  }
  envs.set_double_rows({});
  std::vector<std::uint64_t> values;
  for (const BitHash& hash : hashes) values.push_back(hash.value());
  return values;
}

void reset(VectorEnv& envs) {
  std::vector<float> observation(static_cast<std::size_t>(envs.num_envs()) * 8);
  envs.reset(observation);
}

std::string error_of(const SimConfig& config) {
  try {
    make_env(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(spec_is_gymnasiums) {
  const EnvSpec discrete = make_env({.env = kNames[0]})->spec();
  BOOST_TEST(discrete.observation_dim == 8);
  BOOST_TEST(discrete.action_dim == 1);
  BOOST_TEST(discrete.num_actions == 4);
  BOOST_TEST(discrete.max_episode_steps == 1000);
  BOOST_TEST(discrete.control_dt == 0.02);
  const EnvSpec continuous = make_env({.env = kNames[1]})->spec();
  BOOST_TEST(continuous.action_dim == 2);
  BOOST_TEST(continuous.num_actions == 0);
  BOOST_TEST(continuous.action_low == (std::vector<float>{-1, -1}), tt::per_element());
  BOOST_TEST(continuous.action_high == (std::vector<float>{1, 1}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(threads_and_width_do_not_matter) {
  for (const std::string& name : kNames) {
    const auto env = make_env(windy(name));
    std::vector<std::vector<std::uint64_t>> hashes;
    std::size_t num_episodes = 0;
    for (const int num_threads : {1, 2, 5}) {
      ThreadPool pool(num_threads);
      VectorEnv envs(env, seeds_from(30, 6), pool);
      reset(envs);
      hashes.push_back(run(envs, 0, 250, &num_episodes));
    }
    BOOST_TEST(num_episodes > 10u);
    BOOST_TEST(hashes[1] == hashes[0], tt::per_element());
    BOOST_TEST(hashes[2] == hashes[0], tt::per_element());
    ThreadPool pool(1);
    VectorEnv narrow(env, seeds_from(32, 1), pool);
    reset(narrow);
    BOOST_TEST(run(narrow, 0, 250)[0] == hashes[0][2]);
    BOOST_TEST(hashes[0][2] != hashes[0][3]);
  }
}

BOOST_AUTO_TEST_CASE(rows_restored_in_mid_episode_go_on_bit_for_bit) {
  for (const std::string& name : kNames) {
    BOOST_TEST_CONTEXT(name) {
      const auto env = make_env(windy(name, 90));
      ThreadPool pool(2);
      VectorEnv envs(env, seeds_from(5, 4), pool);
      reset(envs);
      run(envs, 0, 130);
      const std::vector<double> saved(envs.state().begin(), envs.state().end());
      const auto expected = run(envs, 130, 400);

      envs.restore(saved);
      BOOST_TEST(run(envs, 130, 400) == expected, tt::per_element());
      // cloned into other lanes of another VectorEnv
      VectorEnv other(env, seeds_from(900, 3), pool);
      const std::span<const double> all = saved;
      const auto size = static_cast<std::size_t>(envs.row_size());
      for (std::int64_t lane = 0; lane < 3; ++lane) other.write_row(lane, all.subspan(size, size));
      for (const std::uint64_t hash : run(other, 130, 400)) BOOST_TEST(hash == expected[1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_world_of_another_row_is_never_used) {
  // two rows of one episode, equal in length, that differ in one action only
  const auto env = make_env({.env = kNames[1]});
  const EnvSpec& spec = env->spec();
  const auto size = static_cast<std::size_t>(spec.state_dim);
  struct Lane {
    std::unique_ptr<Workspace> world;
    NumpyGenerator rng;
    std::vector<double> state;
  };
  std::vector<double> observation(8);
  const auto play = [&](Lane& lane, float main, int num_steps) {
    const std::vector<float> action = {main, 0.75f};
    for (int t = 0; t < num_steps; ++t) {
      BOOST_REQUIRE(!env->step(*lane.world, lane.rng, lane.state, action, observation, {}).invalid);
    }
  };
  Lane a{env->make_workspace(), NumpyGenerator(4), std::vector<double>(size)};
  Lane b{env->make_workspace(), NumpyGenerator(4), std::vector<double>(size)};
  env->reset(*a.world, a.rng, a.state, observation);
  env->reset(*b.world, b.rng, b.state, observation);
  play(a, 0.5f, 1);
  play(b, 0.25f, 1);
  play(a, 0.0f, 20);
  play(b, 0.0f, 20);
  const Lane saved{nullptr, a.rng, a.state};
  play(a, 1.0f, 5);
  const std::vector<double> expected = observation;
  // a's row in b's world, at the same step of the same episode
  b.rng = saved.rng;
  b.state = saved.state;
  play(b, 1.0f, 5);
  BOOST_TEST(observation == expected, tt::per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replayed_is_invalid) {
  const auto env = make_env({.env = kNames[0], .max_episode_steps = 5});
  const auto world = env->make_workspace();
  NumpyGenerator rng(1);
  std::vector<double> state(static_cast<std::size_t>(env->spec().state_dim)), observation(8);
  const std::vector<float> action = {2};
  env->reset(*world, rng, state, observation);
  const auto step = [&](Workspace& w, NumpyGenerator& generator) {
    return env->step(w, generator, state, action, observation, {}).invalid;
  };
  BOOST_TEST(!step(*world, rng));
  // a generator that the episode did not lead to
  NumpyGenerator wrong(2);
  BOOST_TEST(step(*env->make_workspace(), wrong));
  for (int t = 1; t < 5; ++t) BOOST_TEST(!step(*world, rng));
  BOOST_TEST(step(*world, rng));  // beyond the time limit
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused) {
  const auto error_with = [](const LunarLanderConfig& lunar_lander) {
    SimConfig config{.env = "LunarLander-v3"};
    config.lunar_lander = lunar_lander;
    return error_of(config);
  };
  for (const double gravity : {-12.0, 0.0, 1.0, std::nan("")}) {
    BOOST_TEST(error_with({.gravity = gravity}).starts_with("sim.lunar_lander.gravity: "));
  }
  BOOST_TEST(error_with({.wind_power = std::nan("")}).starts_with("sim.lunar_lander.wind_power"));
  BOOST_TEST(error_with({.turbulence_power = INFINITY}).find("turbulence_power") == 17u);
  BOOST_TEST(error_of({.env = "LunarLander-v3", .max_episode_steps = 100'001})
                 .starts_with("sim.max_episode_steps: "));
}

BOOST_AUTO_TEST_CASE(gravity_wind_and_limit_belong_to_the_row) {
  const auto identity = [](const SimConfig& config) { return row_identity(*make_env(config)); };
  const SimConfig plain{.env = "LunarLander-v3"};
  SimConfig lighter = plain;
  lighter.lunar_lander.gravity = -3;
  BOOST_TEST(identity(plain) == identity({.env = "LunarLander-v3"}));
  BOOST_TEST(identity(plain) != identity(lighter));
  BOOST_TEST(identity(plain) != identity(windy("LunarLander-v3")));
  BOOST_TEST(identity(plain) != identity({.env = "LunarLanderContinuous-v3"}));
  BOOST_TEST(identity(plain) != identity({.env = "LunarLander-v3", .max_episode_steps = 999}));
  BOOST_TEST(identity(plain).find("Box2D 2.4.") != std::string::npos);
}
