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

BOOST_AUTO_TEST_CASE(written_members_read_back) {
  const auto members = read(
      "[[members]]\nfolder = \"../a b/\\\"x\\\"\"\nrun.seed = 3\n"
      "[[members]]\nagent.discount = 0.1\nrun.name = \"$(x) ä\"\n[members.temperature]\n"
      "initial_alpha = 0.3\n");
  const std::string text = write_members(members);
  const auto again = read(text);
  BOOST_REQUIRE(again.size() == 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(again[i].folder == members[i].folder);
    for (const Field& field : fields()) {
      const bool same =
          field.get(again[i].experiment.config) == field.get(members[i].experiment.config);
      BOOST_TEST(same, field.key());
    }
  }
  // a text that says nothing twice
  BOOST_TEST(text.find("agent.tau") == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(members_that_differ_in_what_they_share_are_not_written) {
  auto members = read("[[members]]\n[[members]]\nrun.seed = 1\n");
  members[1].experiment.config.training.replay_ratio = 7.0;
  BOOST_TEST(error_of([&] { write_members(members); }) ==
             "x.toml: training.replay_ratio differs from that of x.toml; such runs do not fit one "
             "stack");
}

BOOST_AUTO_TEST_CASE(shared_settings_are_all_others) {
  const auto text_with = [](const std::string& setting) {
    const TemporaryFolder folder;
    write_file("x.toml", kConfig);
    return shared_settings(read_experiment("x.toml", {setting}).config);
  };
  const std::string plain = text_with("run.seed=0");
  for (const char* own : {"run.seed=7", "run.name=x", "agent.discount=0.5",
                          "critic.learning_rate=1", "overestimation.seed=9"}) {
    BOOST_TEST((text_with(own) == plain), own);
  }
  for (const char* shared :
       {"training.replay_ratio=3", "critic.layer_norm=true", "sim.num_threads=3",
        "checkpoint.period=9", "training.total_env_steps=1234567"}) {
    BOOST_TEST((text_with(shared) != plain), shared);
  }
  const auto lines = static_cast<std::size_t>(std::ranges::count(plain, '\n'));
  BOOST_TEST(lines == fields().size() - keys_that_members_may_change().size());
}

BOOST_AUTO_TEST_CASE(what_a_stack_refuses) {
  ExperimentConfig config;
  BOOST_TEST(stack_refusal(config) == "");
  config.training.solved_return = 5.0;
  BOOST_TEST(stack_refusal(config).starts_with("training.solved_return: a stack of members ends"));
  const std::string solved = "[training]\nsolved_return = 5.0\n";
  BOOST_TEST(read("[[members]]\n", solved).size() == 1u);
  BOOST_TEST(error_of([&] { read("[[members]]\n[[members]]\n", solved); }) ==
             stack_refusal(config));
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
