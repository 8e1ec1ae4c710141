/// Sweep files: what they expand to, the ids of their points, and every message.
#define BOOST_TEST_MODULE sweep
#include "configs/sweep.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "configs/model_files.hpp"
#include "configs/sweep_identity.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

const std::string kBase = "[sim]\nenv = \"Pendulum-v1\"\n[training]\ntotal_env_steps = 50000\n";

/// The points of the sweep `text` with the base `base.toml`.
std::vector<SweepPoint> expand(const std::string& text, const std::string& base = kBase,
                               const std::vector<std::string>& overrides = {}) {
  const TemporaryFolder folder;
  write_file("base.toml", base);
  write_file("s.toml", "base = \"base.toml\"\n" + text);
  return expand_sweep(read_sweep("s.toml", overrides));
}

/// "replay_ratio-8.0": all points, in order.
std::vector<std::string> names(const std::vector<SweepPoint>& points) {
  std::vector<std::string> found;
  for (const SweepPoint& point : points) found.push_back(short_overrides(point));
  return found;
}

std::set<std::string> ids(const std::vector<SweepPoint>& points) {
  std::set<std::string> found;
  for (const SweepPoint& point : points) found.insert(point.id);
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_grid_is_every_combination) {
  BOOST_TEST(names(expand("[grid]\n\"training.replay_ratio\" = [1, 8]\n"
                          "\"critic.layer_norm\" = [false, true]\n")) ==
                 (Names{"layer_norm-false-replay_ratio-1.0", "layer_norm-true-replay_ratio-1.0",
                        "layer_norm-false-replay_ratio-8.0", "layer_norm-true-replay_ratio-8.0"}),
             boost::test_tools::per_element());
  // dotted keys without quotes are the same
  BOOST_TEST(ids(expand("[grid]\ntraining.replay_ratio = [1, 8]\n")) ==
             ids(expand("[grid]\n\"training.replay_ratio\" = [8, 1.0]\n")));
  BOOST_TEST(names(expand("[grid]\n\"critic.hidden_dims\" = [[64], [256, 256]]\n")) ==
                 (Names{"hidden_dims-64", "hidden_dims-256x256"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_zip_goes_in_step_and_multiplies_with_the_rest) {
  const std::string zip =
      "[[zip]]\n\"actor.learning_rate\" = [1e-3, 1e-4]\n\"critic.learning_rate\" = [2e-3, 2e-4]\n";
  BOOST_TEST(names(expand(zip)) == (Names{"learning_rate-0.001-learning_rate-0.002",
                                          "learning_rate-1e-4-learning_rate-2e-4"}),
             boost::test_tools::per_element());
  BOOST_TEST(expand("[grid]\n\"training.replay_ratio\" = [1, 2, 4]\n" + zip).size() == 6u);
  BOOST_TEST(expand(zip + "[[zip]]\n\"sim.num_envs\" = [1, 2]\n").size() == 4u);
}

BOOST_AUTO_TEST_CASE(includes_and_excludes) {
  const std::string grid =
      "[grid]\n\"training.replay_ratio\" = [1, 8]\n\"critic.layer_norm\" = [false, true]\n";
  const std::string exclude =
      "[[exclude]]\n\"training.replay_ratio\" = 1\n\"critic.layer_norm\" = true\n";
  BOOST_TEST(expand(grid + exclude).size() == 3u);
  // keys that are not swept count too, with their resolved value
  BOOST_TEST(
      expand(grid + "[[exclude]]\n\"training.replay_ratio\" = 1\n\"sim.num_envs\" = 1\n").size() ==
      2u);
  // an include is added behind, also one that was excluded
  BOOST_TEST(ids(expand(grid + exclude +
                        "[[include]]\n\"training.replay_ratio\" = 1\n\"critic.layer_norm\" = "
                        "true\n")) == ids(expand(grid)));
  // one factor at a time: the base and what differs from it in one setting
  BOOST_TEST(names(expand("[[include]]\n\"agent.tau\" = 0.01\n[[include]]\n\"training.batch_size\""
                          " = 64\n")) == (Names{"base", "tau-0.01", "batch_size-64"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(fixed_settings_and_overrides_make_every_point) {
  const auto plain = ids(expand("[grid]\n\"training.replay_ratio\" = [1, 8]\n"));
  const auto fixed =
      ids(expand("[set]\n\"agent.tau\" = 0.5\n[grid]\n\"training.replay_ratio\" = [1, 8]\n"));
  BOOST_TEST(plain != fixed);
  BOOST_TEST(fixed ==
             ids(expand("[grid]\n\"training.replay_ratio\" = [1, 8]\n", kBase, {"agent.tau=0.5"})));
  BOOST_TEST(error_of([&] {
               expand("[grid]\n\"training.replay_ratio\" = [1, 8]\n", kBase,
                      {"training.replay_ratio=4"});
             }) ==
             "--set training.replay_ratio=4: 'training.replay_ratio' is swept; edit the "
             "sweep file");
}

BOOST_AUTO_TEST_CASE(seeds_and_names) {
  const TemporaryFolder folder;
  write_file("base.toml", kBase + "[run]\nseed = 7\n");
  const auto sweep = [](const std::string& text) {
    write_file("my sweep.toml", "base = \"base.toml\"\n" + text);
    return read_sweep("my sweep.toml", {});
  };
  using Seeds = std::vector<std::int64_t>;
  BOOST_TEST((sweep("seeds = [3, 1]\n").seeds == Seeds{3, 1}));
  BOOST_TEST((sweep("seeds = { from = 5, count = 2 }\n").seeds == Seeds{5, 6}));
  BOOST_TEST((sweep("").seeds == Seeds{7}));
  BOOST_TEST(sweep("").name == "my sweep");
  BOOST_TEST(sweep("name = \"$(x) 'y' \\\"z\\\" ä\"\n").name == "$(x) 'y' \"z\" ä");
}

BOOST_AUTO_TEST_CASE(an_id_is_the_configuration_but_for_seed_and_machine) {
  const auto id = [](const std::vector<std::string>& overrides) {
    const TemporaryFolder folder;
    write_file("base.toml", kBase);
    return point_id(read_experiment("base.toml", overrides).config);
  };
  const std::string plain = id({});
  BOOST_TEST(plain.size() == 12u);
  // this very id: finished points must be found again by later versions
  BOOST_TEST(plain == "133b1f2b59f2");
  BOOST_TEST(id({"run.seed=9"}) == plain);
  BOOST_TEST(id({"sim.num_threads=3", "learner.num_threads=1", "run.device=cpu", "run.name=x",
                 "checkpoint.period=7"}) == plain);
  BOOST_TEST(id({"agent.tau=0.005"}) == plain);  // the default, written down
  BOOST_TEST(id({"agent.tau=0.004"}) != plain);
  BOOST_TEST(id({"training.total_env_steps=50001"}) != plain);
  for (const std::string& key : machine_only_keys()) {
    BOOST_TEST(find_field(key) != nullptr, key << " is no setting");
  }
}

BOOST_AUTO_TEST_CASE(a_file_counts_by_name_and_content) {
  const TemporaryFolder folder;
  std::filesystem::create_directories("a");
  std::filesystem::create_directories("b");
  for (const char* place : {"a", "b"}) {
    write_file(std::string(place) + "/m.xml", "<mujoco/>");
    write_file(std::string(place) + "/x.toml",
               "[sim]\nenv = \"mjcf\"\n[sim.mjcf]\nmodel = "
               "\"m.xml\"\n");
  }
  const std::string id = point_id(read_experiment("a/x.toml", {}).config);
  BOOST_TEST(point_id(read_experiment("b/x.toml", {}).config) == id);
  write_file("b/m.xml", "<mujoco></mujoco>");
  BOOST_TEST(point_id(read_experiment("b/x.toml", {}).config) != id);
}

BOOST_AUTO_TEST_CASE(the_files_of_a_model_count) {
  const TemporaryFolder folder;
  std::filesystem::create_directories("a/parts/meshes");
  write_file("x.toml", "[sim]\nenv = \"Ant-v5\"\n[sim.ant]\nxml_file = \"./a/m.xml\"\n");
  write_file("a/m.xml", "<mujoco><include file='parts/body.xml'/></mujoco>");
  write_file(
      "a/parts/body.xml",
      "<compiler meshdir = \"parts/meshes\"/><mesh file=\"trunk.stl\"/><include file=\"m.xml\"/>");
  write_file("a/parts/meshes/trunk.stl", "1");
  write_file("a/trunk.stl", "1");
  const auto names = [] {
    std::vector<std::string> found;
    for (const ModelFile& file : model_files("a/m.xml")) found.push_back(file.name);
    return found;
  };
  BOOST_TEST(
      names() == (std::vector<std::string>{"m.xml", "parts/body.xml", "trunk.stl", "trunk.stl"}),
      boost::test_tools::per_element());
  const auto id = [] { return point_id(read_experiment("x.toml", {}).config); };
  std::string before = id();
  for (const ModelFile& file : model_files("a/m.xml")) {
    write_file(file.path, file.bytes + " ");
    const std::string after = id();
    BOOST_TEST(after != before, file.path);
    before = after;
  }
  std::filesystem::remove("a/m.xml");
  BOOST_CHECK_THROW(id(), ConfigError);
}

BOOST_AUTO_TEST_CASE(order_decides_nothing) {
  std::mt19937 random(1);
  const std::vector<std::pair<std::string, std::vector<std::string>>> axes = {
      {"training.replay_ratio", {"0.5", "1", "8"}},
      {"critic.layer_norm", {"true", "false"}},
      {"agent.tau", {"0.01", "0.005"}},
      {"agent.preset", {"\"sb3\"", "\"jaxrl\""}},
      {"critic.hidden_dims", {"[8]", "[8, 16]"}}};
  std::set<std::string> expected;
  for (int repeat = 0; repeat < 20; ++repeat) {
    auto shuffled = axes;
    std::ranges::shuffle(shuffled, random);
    std::string grid = "[grid]\n", zips;
    for (auto& [key, values] : shuffled) {
      std::ranges::shuffle(values, random);
      std::string list;
      for (const std::string& value : values) list += (list.empty() ? "" : ", ") + value;
      const std::string line = "\"" + key + "\" = [" + list + "]\n";
      // a zip of one key is a grid's axis
      (random() % 2 == 0 ? grid : zips) += line;
      if (!zips.empty() && zips.ends_with(line))
        zips.insert(zips.size() - line.size(), "[[zip]]\n");
    }
    const std::vector<SweepPoint> points = expand(grid + zips);
    BOOST_TEST(points.size() == 48u);
    if (repeat == 0) expected = ids(points);
    BOOST_TEST((ids(points) == expected));
  }
}

BOOST_AUTO_TEST_CASE(excludes_are_set_differences) {
  std::mt19937 random(2);
  const std::string grid =
      "[grid]\n\"sim.num_envs\" = [1, 2, 3]\n\"training.batch_size\" = [4, 5, 6]\n"
      "\"evaluation.num_episodes\" = [7, 8]\n";
  const auto all = expand(grid);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const int envs = 1 + static_cast<int>(random() % 3), batch = 4 + static_cast<int>(random() % 3);
    const std::string a = "[[exclude]]\n\"sim.num_envs\" = " + std::to_string(envs) + "\n";
    const std::string b = "[[exclude]]\n\"training.batch_size\" = " + std::to_string(batch) +
                          "\n\"evaluation.num_episodes\" = 7\n";
    std::set<std::string> expected;
    for (const SweepPoint& point : all) {
      const auto value = [&](std::size_t i) {
        return std::get<std::int64_t>(point.settings[i].value);
      };
      // sorted by key: evaluation.num_episodes, sim.num_envs, training.batch_size
      const bool out = value(1) == envs || (value(2) == batch && value(0) == 7);
      if (!out) expected.insert(point.id);
    }
    BOOST_TEST((ids(expand(grid + a + b)) == expected));
    BOOST_TEST((ids(expand(grid + b + a)) == expected));
  }
}
