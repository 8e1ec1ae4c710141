// State rows that move: between lanes, between VectorEnvs, through a file into another process.
#define BOOST_TEST_MODULE sim_state_file
#include "sim/state_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;
namespace fs = std::filesystem;
namespace ut = boost::unit_test;

namespace {

constexpr std::size_t kNumEnvs = 3;
constexpr std::size_t kSaved = 40;  // step at which rows are saved
constexpr std::size_t kEnd = 100;

std::shared_ptr<const Env> short_env(const std::string& name) {
  return make_env({.env = name, .max_episode_steps = 25});
}

/// Steps all lanes from `first` to `last`; one hash per lane.
std::vector<std::uint64_t> run(VectorEnv& envs, std::size_t first, std::size_t last) {
  const auto num_envs = static_cast<std::size_t>(envs.num_envs());
  Rows rows(envs.spec(), num_envs);
  envs.set_double_rows(rows.doubles());
  std::vector<BitHash> hashes(num_envs);
  for (std::size_t t = first; t < last; ++t) {
    for (std::size_t k = 0; k < rows.action.size(); ++k) {
      rows.action[k] = test_action(envs.spec(), t, k % rows.A);
    }
    rows.step(envs);
    for (std::size_t i = 0; i < num_envs; ++i) {
      hashes[i].add(std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(std::span(rows.acting_observation_f64).subspan(i * rows.D, rows.D));
      hashes[i].add(rows.reward_f64[i]);
    }
    for (const EpisodeRecord& record : envs.finished_episodes()) {
      hashes[static_cast<std::size_t>(record.env)].add(record.episode_return);
    }
  }
  envs.set_double_rows({});
  std::vector<std::uint64_t> values;
  for (const BitHash& hash : hashes) values.push_back(hash.value());
  return values;
}

/// N lanes that have run to step kSaved.
struct Running {
  explicit Running(const std::string& name)
      : env(short_env(name)), envs(env, seeds_from(50, kNumEnvs), pool) {
    Rows rows(envs.spec(), kNumEnvs);
    envs.reset(rows.acting_observation);
    run(envs, 0, kSaved);
  }
  ThreadPool pool{2};
  std::shared_ptr<const Env> env;
  VectorEnv envs;
};

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "anthill_XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

template <typename Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const std::exception& error) {
    return error.what();
  }
  BOOST_ERROR("no exception");
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string file_name(const std::string& task) { return task + ".rows"; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_row_goes_on_in_any_lane_of_any_vector_env) {
  for (const std::string& name : task_names()) {
    BOOST_TEST_CONTEXT(name) {
      Running source(name);
      const auto row_of_lane_1 = source.envs.row(1);
      const std::vector<double> stored(row_of_lane_1.begin(), row_of_lane_1.end());
      const std::vector<double> all(source.envs.state().begin(), source.envs.state().end());
      const auto expected = run(source.envs, kSaved, kEnd);

      // cloned over the lanes of a VectorEnv that was never reset, of another width
      ThreadPool pool(1);
      VectorEnv clones(source.env, seeds_from(900, 5), pool);
      for (std::int64_t lane = 0; lane < 5; ++lane) clones.write_row(lane, stored);
      for (const std::uint64_t hash : run(clones, kSaved, kEnd)) BOOST_TEST(hash == expected[1]);

      // into one lane of a running one: the others go on as they would have
      source.envs.restore(all);
      source.envs.write_row(2, stored);
      const auto mixed = run(source.envs, kSaved, kEnd);
      BOOST_TEST(mixed[0] == expected[0]);
      BOOST_TEST(mixed[1] == expected[1]);
      BOOST_TEST(mixed[2] == expected[1]);
      BOOST_TEST(expected[2] != expected[1]);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_gravity_is_another_physics) {
  const auto identity = [](double gravity) {
    return row_identity(*make_env({.env = "Pendulum-v1", .pendulum = {.gravity = gravity}}));
  };
  BOOST_TEST(identity(10) == "row format 1, Pendulum-v1, 12 doubles, gravity 10");
  BOOST_TEST(identity(10) != identity(10.0000000001));
}

BOOST_AUTO_TEST_CASE(rows_of_something_else_are_refused) {
  Running pendulum("Pendulum-v1");
  const std::vector<double> row(pendulum.envs.row(0).begin(), pendulum.envs.row(0).end());
  BOOST_CHECK_THROW(pendulum.envs.write_row(-1, row), std::invalid_argument);
  BOOST_CHECK_THROW(pendulum.envs.write_row(3, row), std::invalid_argument);
  BOOST_CHECK_THROW(pendulum.envs.row(3), std::invalid_argument);
  BOOST_TEST(contains(error_of([&] { pendulum.envs.write_row(0, std::span(row).first(3)); }),
                      "a row of 3 doubles"));
}

// ThreadSanitizer cannot see into MuJoCo
#if !defined(__SANITIZE_THREAD__)
BOOST_AUTO_TEST_CASE(rows_of_the_same_size_are_told_apart) {
  Running v4("Ant-v4");
  Running v5("Ant-v5");
  BOOST_REQUIRE(v4.envs.row_size() == v5.envs.row_size());
  const std::vector<double> before(v5.envs.state().begin(), v5.envs.state().end());
  const std::string message = error_of([&] { v5.envs.write_row(0, v4.envs.row(0)); });
  BOOST_TEST(contains(message, "another task, model, MuJoCo or row format"));
  BOOST_TEST(contains(message, "Ant-v5"));
  // one wrong row among good ones: nothing is written
  std::vector<double> rows = before;
  std::ranges::copy(v4.envs.row(0), rows.end() - v5.envs.row_size());
  rows[0] += 1;
  BOOST_CHECK_THROW(v5.envs.restore(rows), std::invalid_argument);
  // bytes: some words, read as doubles, are NaN
  BOOST_TEST(std::memcmp(v5.envs.state().data(), before.data(), before.size() * 8) == 0);
}
#endif

BOOST_AUTO_TEST_CASE(a_row_from_before_the_first_reset_waits_for_one) {
  ThreadPool pool(1);
  VectorEnv envs(short_env("Pendulum-v1"), seeds_from(0, 2), pool);
  Rows rows(envs.spec(), 2);
  const std::vector<double> unborn(envs.row(0).begin(), envs.row(0).end());
  envs.reset(rows.acting_observation);
  rows.step(envs);
  envs.write_row(0, unborn);
  BOOST_CHECK_THROW(rows.step(envs), std::logic_error);
  envs.write_row(0, std::vector<double>(envs.row(1).begin(), envs.row(1).end()));
  rows.step(envs);
}

// run by the next case in a process of its own
BOOST_AUTO_TEST_CASE(write_files, *ut::disabled()) {
  const char* folder = std::getenv("ANTHILL_TEST_FOLDER");
  BOOST_REQUIRE(folder != nullptr);
  for (const std::string& name : task_names()) {
    Running source(name);
    save_state_rows((fs::path(folder) / file_name(name)).string(), *source.env,
                    source.envs.state());
    std::ofstream out(fs::path(folder) / (name + ".expected"));
    for (const std::uint64_t hash : run(source.envs, kSaved, kEnd)) out << hash << "\n";
  }
}

BOOST_AUTO_TEST_CASE(rows_from_another_process_go_on_bit_for_bit) {
  const Folder folder;
  const std::string command = "ANTHILL_TEST_FOLDER='" + folder.path.string() + "' '" +
                              fs::read_symlink("/proc/self/exe").string() +
                              "' --run_test=write_files >/dev/null";
  BOOST_REQUIRE(std::system(command.c_str()) == 0);
  for (const std::string& name : task_names()) {
    BOOST_TEST_CONTEXT(name) {
      const auto env = short_env(name);
      ThreadPool pool(2);
      VectorEnv envs(env, seeds_from(0, kNumEnvs), pool);
      envs.restore(load_state_rows((folder.path / file_name(name)).string(), *env));
      std::ifstream in(folder.path / (name + ".expected"));
      for (const std::uint64_t hash : run(envs, kSaved, kEnd)) {
        std::uint64_t expected = 0;
        BOOST_REQUIRE(in >> expected);
        BOOST_TEST(hash == expected);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_do_not_fit_are_refused) {
  const Folder folder;
  const std::string path = (folder.path / "a.rows").string();
  Running source("Pendulum-v1");
  const Env& env = *source.env;
  const auto error = [&] { return error_of([&] { load_state_rows(path, env); }); };
  BOOST_TEST(contains(error(), "no such file"));
  save_state_rows(path, env, source.envs.row(0));
  BOOST_TEST(load_state_rows(path, env).size() == lane_row_size(env.spec()));
  BOOST_TEST(!fs::exists(path + ".unfinished"));
  const auto other = short_env("Ant-v4");
  const std::string message = error_of([&] { load_state_rows(path, *other); });
  BOOST_TEST(contains(message, "holds rows of (row format 1, Pendulum-v1"));
  BOOST_TEST(contains(message, "this is (row format 1, Ant-v4, "));

  std::ifstream in(path, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto write = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  };
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, good.size() / 2, good.size() - 1}) {
    write(good.substr(0, size));
    BOOST_TEST(contains(error(), path));
  }
  std::string flipped = good;
  flipped[flipped.size() - 20] ^= 4;
  write(flipped);
  BOOST_TEST(contains(error(), "damaged"));
  write(good + good.substr(good.size() - 8 * lane_row_size(env.spec())));
  BOOST_TEST(contains(error(), "damaged"));
  write("anthill state rows\n" + std::string(100'000, 'x'));
  BOOST_TEST(error().size() < 2000);
  BOOST_CHECK_THROW(save_state_rows((folder.path / "no/b.rows").string(), env, source.envs.row(0)),
                    std::runtime_error);
}

// ThreadSanitizer cannot see into MuJoCo
#if !defined(__SANITIZE_THREAD__)
BOOST_AUTO_TEST_CASE(the_model_counts_and_the_reward_does_not) {
  const auto identity = [](const SimConfig& config) { return row_identity(*make_env(config)); };
  const SimConfig plain{.env = "Ant-v5"};
  SimConfig other_reward = plain;
  other_reward.ant.ctrl_cost_weight = 3;
  BOOST_TEST(identity(plain) == identity(plain));
  BOOST_TEST(identity(plain) == identity(other_reward));
  SimConfig other_physics = plain;
  other_physics.ant.frame_skip = 4;
  BOOST_TEST(identity(plain) != identity(other_physics));
  BOOST_TEST(contains(identity(plain), "MuJoCo " + mujoco_version() + ", model "));

  const Folder folder;
  std::ifstream in(make_env(plain)->model_path());
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto identity_with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    const fs::path path = folder.path / "changed.xml";
    std::ofstream(path, std::ios::trunc) << changed;
    SimConfig config = plain;
    config.ant.xml_file = path.string();
    return identity(config);
  };
  BOOST_TEST(identity_with("density=\"5.0\"", "density=\"5.1\"") != identity(plain));
  BOOST_TEST(identity_with("timestep=\"0.01\"", "timestep=\"0.02\"") != identity(plain));
  BOOST_TEST(identity_with("height=\"1278\"", "height=\"640\"") == identity(plain));
}
#endif
