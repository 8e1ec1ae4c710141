#define BOOST_TEST_MODULE sim_env_factory
#include "sim/env_factory.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sim/assets.hpp"
#include "sim/nearest_name.hpp"
#include "tests/sim/mujoco_guard.hpp"

using namespace anthill;
namespace fs = std::filesystem;

namespace {

template <typename Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    BOOST_TEST(text.find('\n') == std::string::npos, "more than one line: " << text);
    return text;
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A folder that goes away.
struct TemporaryFolder {
  TemporaryFolder() {
    path = fs::temp_directory_path() / ("anthill_sim_" + std::to_string(getpid()));
    fs::create_directories(path);
  }
  ~TemporaryFolder() { fs::remove_all(path); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }

  fs::path path;
};

std::string ant_error(const std::string& xml_file) {
  SimConfig config{.env = "Ant-v4"};
  config.ant.xml_file = xml_file;
  return error_of([&] { make_env(config); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_listed_name_makes_its_task) {
  for (const std::string& name : env_names()) {
    SimConfig config{.env = name};
    config.mjcf.model = find_asset("ant.xml").string();  // the one task that needs a file named
    BOOST_TEST(make_env(config)->spec().name == name);
  }
}

BOOST_AUTO_TEST_CASE(unknown_names_get_the_known_and_the_nearest) {
  const std::string near = error_of([] { make_env({.env = "ant-v6"}); });
  BOOST_TEST(contains(near, "unknown environment 'ant-v6'"));
  BOOST_TEST(contains(near, "did you mean 'Ant-v4'?"));
  BOOST_TEST(contains(near, "known: Ant-v4, Ant-v5, HalfCheetah-v4, "));
  const std::string far = error_of([] { make_env({.env = "Breakout"}); });
  BOOST_TEST(!contains(far, "did you mean"));
  BOOST_TEST(contains(far, "known: Ant-v4"));
}

BOOST_AUTO_TEST_CASE(nearest_name_counts_letters_and_swaps) {
  const std::vector<std::string> known = {"batch_size", "capacity", "replay_ratio"};
  BOOST_TEST(nearest_name("bacth_size", known) == "batch_size");
  BOOST_TEST(nearest_name("replay_ration", known) == "replay_ratio");
  BOOST_TEST(nearest_name("CAPACITY", known) == "capacity");
  BOOST_TEST(nearest_name("xyz", known) == "");
  BOOST_TEST(nearest_name(std::string(100'000, 'a'), known) == "");
  BOOST_TEST(name_distance("bacth", "batch") == 1u);
  BOOST_TEST(name_distance("", "abc") == 3u);
  BOOST_TEST(name_distance("kitten", "sitting") == 3u);
}

BOOST_AUTO_TEST_CASE(a_negative_time_limit_is_refused) {
  BOOST_TEST(contains(error_of([] { make_env({.env = "Ant-v4", .max_episode_steps = -1}); }),
                      "sim.max_episode_steps"));
}

BOOST_AUTO_TEST_CASE(missing_model_files_are_named_with_the_places_tried) {
  BOOST_TEST(contains(ant_error("no_such.xml"), "model file 'no_such.xml': not found in"));
  BOOST_TEST(contains(ant_error("no_such.xml"), "ANTHILL_ASSETS"));
  BOOST_TEST(contains(ant_error("/no/such.xml"), "model file '/no/such.xml': no such file"));
  BOOST_TEST(contains(ant_error(""), "model file ''"));
  BOOST_TEST(contains(ant_error("/"), "model file '/'"));  // a folder is not a file
}

BOOST_AUTO_TEST_CASE(wrong_model_files_are_refused) {
  const TemporaryFolder folder;
  BOOST_TEST(contains(ant_error(folder.write("a.xml", "not xml")), "MuJoCo cannot load it"));
  BOOST_TEST(contains(ant_error(folder.write("b.xml", "<mujoco/>")), "needs a free root joint"));
  // no ctrlrange: the action space would be empty
  const std::string body =
      "<worldbody><body name='torso'><freejoint/><geom size='.1'/><body><joint name='j'/>"
      "<geom size='.1'/></body></body></worldbody>";
  BOOST_TEST(contains(ant_error(folder.write("c.xml", "<mujoco>" + body +
                                                          "<actuator><motor joint='j'/></actuator>"
                                                          "</mujoco>")),
                      "actuator 0 has no ctrlrange"));
  BOOST_TEST(contains(
      ant_error(folder.write(
          "d.xml", "<mujoco><option><flag sleep='enable'/></option>" + body + "</mujoco>")),
      "which bodies sleep is not kept between steps"));
}

BOOST_AUTO_TEST_CASE(assets_come_from_the_environment_variable_first) {
  const TemporaryFolder folder;
  const std::string file = folder.write("ant.xml", "x");
  BOOST_REQUIRE(setenv("ANTHILL_ASSETS", folder.path.c_str(), 1) == 0);
  BOOST_TEST(find_asset("ant.xml").string() == file);
  BOOST_REQUIRE(unsetenv("ANTHILL_ASSETS") == 0);
  BOOST_TEST(find_asset("ant.xml").string() != file);
}
