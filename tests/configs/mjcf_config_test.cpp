/// What [sim.mjcf] brought to the field table: paths that count from the file, and lists of texts.
#define BOOST_TEST_MODULE mjcf_config
#include "tests/configs/config_files.hpp"

using namespace anthill;
namespace fs = std::filesystem;

namespace {

std::string model_of(const std::string& path, const std::vector<std::string>& overrides = {}) {
  return read_experiment(path, overrides).config.sim.mjcf.model;
}

void write_config(const std::string& path, const std::string& model) {
  write_file(path, "[sim]\nenv = \"mjcf\"\n[sim.mjcf]\nmodel = \"" + model + "\"\n");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_relative_path_counts_from_the_file) {
  const TemporaryFolder folder;
  const std::string here = fs::current_path().string();
  fs::create_directories("a/b");
  write_config("a/x.toml", "models/robot.xml");
  BOOST_TEST(model_of("a/x.toml") == here + "/a/models/robot.xml");
  BOOST_TEST(model_of(here + "/a/x.toml") == here + "/a/models/robot.xml");
  write_config("x.toml", "robot.xml");
  BOOST_TEST(model_of("x.toml") == here + "/robot.xml");
  write_config("a/b/x.toml", "../../robot.xml");
  BOOST_TEST(model_of("a/b/x.toml") == here + "/robot.xml");
  write_config("a/x.toml", "/models/robot.xml");
  BOOST_TEST(model_of("a/x.toml") == "/models/robot.xml");
  write_config("a/x.toml", "");
  BOOST_TEST(model_of("a/x.toml") == "");
}

BOOST_AUTO_TEST_CASE(a_path_of_the_command_line_counts_from_the_working_directory) {
  const TemporaryFolder folder;
  fs::create_directories("a");
  write_config("a/x.toml", "robot.xml");
  BOOST_TEST(model_of("a/x.toml", {"sim.mjcf.model=other.xml"}) ==
             fs::current_path().string() + "/other.xml");
}

BOOST_AUTO_TEST_CASE(a_resolved_file_holds_from_everywhere) {
  const TemporaryFolder folder;
  fs::create_directories("a");
  fs::create_directories("run");
  write_config("a/x.toml", "robot.xml");
  const ResolvedExperiment experiment = read_experiment("a/x.toml", {});
  write_file("run/resolved.toml", write_experiment(experiment, true));
  BOOST_TEST(model_of("run/resolved.toml") == experiment.config.sim.mjcf.model);
}

BOOST_AUTO_TEST_CASE(lists_of_texts) {
  const ResolvedExperiment experiment = read_text(
      "[sim]\nenv = \"mjcf\"\n[sim.mjcf]\nmodel = \"a.xml\"\nobservation = [\"qpos[2:]\", 'a "
      "\"b\"']\n",
      {"sim.mjcf.healthy=[\"0 < qpos[2]\"]"});
  const MjcfConfig& mjcf = experiment.config.sim.mjcf;
  BOOST_TEST(mjcf.observation == (std::vector<std::string>{"qpos[2:]", "a \"b\""}),
             boost::test_tools::per_element());
  BOOST_TEST(mjcf.healthy == std::vector<std::string>{"0 < qpos[2]"},
             boost::test_tools::per_element());
  const ResolvedExperiment again = read_text(write_experiment(experiment, true));
  BOOST_TEST((again.config.sim.mjcf == mjcf));

  const std::string accepted =
      "sim.mjcf.observation must be a list of 0 to 100 texts of at most 1000 bytes each, got ";
  const std::string remedy = "; write for example observation = [\"qpos\", \"qvel\"]";
  BOOST_TEST(read_error("[sim.mjcf]\nobservation = \"qpos\"\n") ==
             "x.toml:2:15: " + accepted + "the string \"qpos\"" + remedy);
  BOOST_TEST(read_error("[sim.mjcf]\nobservation = [\"qpos\", 3]\n") ==
             "x.toml:2:15: " + accepted + "a list of other elements" + remedy);
  BOOST_TEST(read_error("[sim.mjcf]\nobservation = [\"two\\nlines\"]\n") ==
             "x.toml:2:15: " + accepted + "[\"two\\nlines\"]" + remedy);
  BOOST_TEST(read_error("[sim.mjcf]\nobservatoin = []\n") ==
             "x.toml:2:1: unknown key 'observatoin' in [sim.mjcf]; did you mean 'observation'?");
  BOOST_TEST(read_error("[sim]\nenv = \"Ant-v5\"\n[sim.mjcf]\nmodel = \"a.xml\"\n") ==
             "x.toml:4:9: sim.mjcf.model has no effect on Ant-v5; remove it");
}

BOOST_AUTO_TEST_CASE(lunar_landers_options_serve_both_tasks) {
  for (const char* env : {"LunarLander-v3", "LunarLanderContinuous-v3"}) {
    const std::string text = std::string("[sim]\nenv = \"") + env + "\"\n";
    BOOST_TEST(read_text(text + "[sim.lunar_lander]\nenable_wind = true\n")
                   .config.sim.lunar_lander.enable_wind);
  }
  BOOST_TEST(read_error("[sim]\nenv = \"Ant-v5\"\n[sim.lunar_lander]\nenable_wind = true\n") ==
             "x.toml:4:15: sim.lunar_lander.enable_wind has no effect on Ant-v5; remove it");
}
