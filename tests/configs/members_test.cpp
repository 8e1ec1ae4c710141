#define BOOST_TEST_MODULE members
#include "configs/members.hpp"

#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

constexpr const char* kConfig = "[sim]\nenv = \"Ant-v4\"\n[agent]\ntau = 0.01\n";

std::vector<MemberExperiment> read(const std::string& members, const std::string& config = kConfig,
                                   const std::vector<std::string>& overrides = {}) {
  const TemporaryFolder folder;
  write_file("x.toml", config);
  write_file("m.toml", members);
  return read_members("x.toml", overrides, "m.toml");
}

void check_error(const std::string& members, const std::string& message) {
  BOOST_TEST(error_of([&] { read(members); }) == message);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_member_is_the_configuration_with_its_settings_on_top) {
  const auto members = read(
      "[[members]]\nrun.seed = 1\n"
      "[[members]]\nfolder = \"b\"\nagent.discount = 0.9\nagent.tau = 1\n"
      "[members.critic]\nlearning_rate = 1e-3\n",
      kConfig, {"agent.tau=0.5"});
  BOOST_REQUIRE(members.size() == 2u);
  BOOST_TEST(members[0].folder == "member-0");
  BOOST_TEST(members[1].folder == "b");
  const ExperimentConfig &first = members[0].experiment.config,
                         &second = members[1].experiment.config;
  BOOST_TEST(first.run.seed == 1);
  BOOST_TEST(first.agent.tau == 0.5);
  BOOST_TEST(first.agent.discount == 0.99);
  BOOST_TEST(second.run.seed == 0);
  BOOST_TEST(second.agent.tau == 1.0);
  BOOST_TEST(second.agent.discount == 0.9);
  BOOST_TEST(second.agent.critic.learning_rate == 1e-3);
  BOOST_TEST(members[1].experiment.origins.at("agent.discount") == "m.toml:5:18");
  BOOST_TEST(members[0].experiment.origins.at("agent.tau") == "--set");
}

BOOST_AUTO_TEST_CASE(what_members_may_change_exists) {
  for (const std::string& key : keys_that_members_may_change()) {
    BOOST_TEST(find_field(key) != nullptr, key);
  }
}

BOOST_AUTO_TEST_CASE(every_other_setting_is_shared) {
  for (const Field& field : fields()) {
    if (std::ranges::count(keys_that_members_may_change(), field.key()) > 0) continue;
    const std::string text = error_of([&] {
      read("[[members]]\n" + field.key() + " = " + toml_value(field.get(ExperimentConfig{})) +
           "\n");
    });
    BOOST_TEST(text.find(field.key()) != std::string::npos, text);
    BOOST_TEST(text.find('\n') == std::string::npos, text);
  }
  const std::string text = error_of([] { read("[[members]]\ntraining.replay_ratio = 2\n"); });
  BOOST_TEST(text.starts_with("m.toml:2:25: training.replay_ratio is shared by the members of a "
                              "stack; give it in the configuration or with --set. Members may "
                              "differ in run.seed, "),
             text);
}

BOOST_AUTO_TEST_CASE(bad_files_of_members) {
  const std::string none =
      "m.toml:1:1: no member in this file; start with [[members]] and "
      "run.seed = 0";
  check_error("", none);
  check_error("members = []\n",
              "m.toml:1:1: 'members' does not belong here; a file of members holds [[members]] "
              "tables alone");
  check_error("[run]\nseed = 1\n",
              "m.toml:1:2: 'run' does not belong here; a file of members holds [[members]] tables "
              "alone");
  check_error("[[members]]\nrun.sed = 1\n",
              "m.toml:2:5: unknown key 'sed' in [run]; did you mean 'seed'?");
  check_error("[[members]]\nrun.seed = 1.5\n",
              "m.toml:2:12: run.seed must be an integer >= 0, got the real number 1.5; "
              "write for example seed = 0");
  check_error("[[members]]\nfolder = 3\n",
              "m.toml:2:10: folder must be a text such as \"seed-0\", got the integer 3");
  check_error("[[members]]\nfolder = \"a\"\n[[members]]\nfolder = \"./a\"\n",
              "m.toml: two members have the folder \"a\"; give each its own");
  BOOST_TEST(error_of([] {
               read("[[members]]\n[[members]]\n", "[training]\non_non_finite = \"continue\"\n");
             }).starts_with("training.on_non_finite: a stack knows \"abort\" alone"));
}
