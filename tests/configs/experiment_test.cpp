/// Precedence, origins, overrides, relations between keys, and what is written back.
#define BOOST_TEST_MODULE experiment
#include "configs/experiment.hpp"

#include <cmath>

#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

std::string set_error(const std::string& override) {
  return read_error("[run]\nseed = 1\n", {override});
}

std::vector<std::string> warnings(const std::string& text, int num_cores) {
  return check_experiment(read_text(text), num_cores);
}

}  // namespace

BOOST_AUTO_TEST_CASE(presets_and_origins) {
  const std::string text =
      "[agent]\npreset = \"jaxrl\"\n[actor]\nlog_std_min = -5\nlearning_rate = 3e-3\n";
  const ResolvedExperiment experiment = read_text(text, {"actor.log_prob_form=exact"});
  const AgentConfig& agent = experiment.config.agent;
  BOOST_TEST((agent.actor.log_std_form == LogStdForm::tanh_affine));
  BOOST_TEST(agent.actor.log_std_min == -5.0);
  BOOST_TEST(agent.actor.log_std_max == 2.0);
  BOOST_TEST((agent.actor.log_prob_form == LogProbForm::exact));
  BOOST_TEST((agent.initialisation == Initialisation::orthogonal));
  BOOST_TEST((agent.temperature.loss_form == AlphaLossForm::alpha));
  BOOST_TEST(agent.temperature.target_entropy_scale == 0.5);
  BOOST_TEST(agent.actor.learning_rate == 3e-3);
  const auto& origins = experiment.origins;
  BOOST_TEST(origins.size() == fields().size());
  BOOST_TEST(origins.at("agent.preset") == "x.toml:2:10");
  BOOST_TEST(origins.at("actor.log_std_min") == "x.toml:4:15");
  BOOST_TEST(origins.at("actor.log_std_form") == "preset jaxrl");
  BOOST_TEST(origins.at("actor.log_prob_form") == "--set");
  BOOST_TEST(origins.at("critic.learning_rate") == "default");
  BOOST_TEST(experiment.path == "x.toml");
  BOOST_TEST(experiment.verbatim == text);
}

BOOST_AUTO_TEST_CASE(without_a_preset_it_is_sb3) {
  const ResolvedExperiment experiment = read_text("[run]\nseed = 1\n");
  BOOST_TEST((experiment.config.agent.actor.log_std_form == LogStdForm::clamp));
  BOOST_TEST(experiment.origins.at("actor.log_std_form") == "preset sb3");
  ExperimentConfig expected;
  expected.run.seed = 1;
  BOOST_TEST(values_of(experiment.config) == values_of(expected), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_command_line_overrides_the_file_and_its_preset) {
  const ResolvedExperiment experiment =
      read_text("[agent]\npreset = \"jaxrl\"\n", {"agent.preset=sb3"});
  BOOST_TEST(experiment.config.agent.preset == "sb3");
  BOOST_TEST(experiment.config.agent.temperature.target_entropy_scale == 1.0);
}

BOOST_AUTO_TEST_CASE(override_values) {
  const ResolvedExperiment experiment = read_text(
      "[run]\nseed = 1\n",
      {"training.replay_ratio=0.25", "sim.env=Ant-v5", "training.overlap=false",
       "critic.hidden_dims=[64, 32]", "run.name=\"a = b\"", "sim.ant.xml_file=./my/ant.xml",
       "run.seed=2", "run.seed=3", "training.total_env_steps=1_000_000 # long"});
  const ExperimentConfig& config = experiment.config;
  BOOST_TEST(config.training.replay_ratio == 0.25);
  BOOST_TEST(config.sim.env == "Ant-v5");
  BOOST_TEST(config.training.overlap == false);
  BOOST_TEST((config.agent.critic.hidden_dims == std::vector<std::int64_t>{64, 32}));
  BOOST_TEST(config.run.name == "a = b");
  // a path holds from everywhere; the folder is gone by now
  BOOST_TEST(config.sim.ant.xml_file.starts_with("/"));
  BOOST_TEST(config.sim.ant.xml_file.ends_with("/my/ant.xml"));
  BOOST_TEST(config.run.seed == 3);
  BOOST_TEST(config.training.total_env_steps == 1'000'000);
}

BOOST_AUTO_TEST_CASE(bad_overrides) {
  BOOST_TEST(set_error("training.replay_ratio=fast") ==
             "--set training.replay_ratio=fast: training.replay_ratio must be a finite real number "
             "in [0.0, 10000.0], got the string \"fast\"; write for example replay_ratio = 1.0");
  BOOST_TEST(set_error("training.replay_ratio=nan") ==
             "--set training.replay_ratio=nan: training.replay_ratio must be a finite real number "
             "in [0.0, 10000.0], got nan; write for example replay_ratio = 1.0");
  BOOST_TEST(set_error("training.overlap=1") ==
             "--set training.overlap=1: training.overlap must be true or false, got the integer 1; "
             "write for example overlap = true");
  BOOST_TEST(set_error("sim.num_envs=0") ==
             "--set sim.num_envs=0: sim.num_envs must be an integer in [1, 1000000], got 0; write "
             "for example num_envs = 1");
  BOOST_TEST(set_error("training.replay_ration=1") ==
             "--set training.replay_ration=1: unknown key 'replay_ration' in [training]; did you "
             "mean 'replay_ratio'?");
  BOOST_TEST(set_error("trainning.replay_ratio=1") ==
             "--set trainning.replay_ratio=1: unknown section [trainning]; did you mean "
             "[training]?");
  BOOST_TEST(set_error("replay_ratio=1") ==
             "--set replay_ratio=1: unknown key 'replay_ratio' outside any section; did you mean "
             "'replay_ratio' in [training]?");
  BOOST_TEST(set_error("sim.ant=1") ==
             "--set sim.ant=1: sim.ant is a section; write --set sim.ant.KEY=VALUE");
  BOOST_TEST(set_error("training.replay_ratio") ==
             "--set training.replay_ratio: no '=' in it; write --set section.key=value");
  BOOST_TEST(set_error("run.seed=1\nrun.name=2") ==
             "--set run.seed=1\\nrun.name=2: the value has a line break; write it on one line");
  BOOST_TEST(set_error("run.seed=").starts_with("--set run.seed=: invalid TOML, "));
  BOOST_TEST(set_error("run.seed=[1").starts_with("--set run.seed=[1: invalid TOML, "));
  BOOST_TEST(
      set_error("run.name=" + std::string(50'000, '['))
          .ends_with(": brackets are nested deeper than 8; write [section] and key = value"));
}

BOOST_AUTO_TEST_CASE(contradictions) {
  BOOST_TEST(read_error("[buffer]\ncapacity = 100\n") ==
             "x.toml:2:12: training.batch_size = 256 exceeds buffer.capacity = 100; lower the "
             "first or raise the second");
  BOOST_TEST(read_error("[buffer]\ncapacity = 100\n[training]\nbatch_size = 101\n") ==
             "x.toml:4:14: training.batch_size = 101 exceeds buffer.capacity = 100; lower the "
             "first or raise the second");
  BOOST_TEST(read_error("[buffer]\ncapacity = 1000\n", {"sim.num_envs=1001"}) ==
             "--set sim.num_envs: sim.num_envs = 1001 exceeds buffer.capacity = 1000; lower the "
             "first or raise the second");
  BOOST_TEST(read_error("[training]\ntotal_env_steps = 9_999\n") ==
             "x.toml:2:19: training.learning_starts = 10000 exceeds training.total_env_steps = "
             "9999; lower the first or raise the second");
  for (const std::string schedule : {"[[5, 1.0], [5, 2.0]]", "[[5]]", "[[5.5, 1.0]]", "[[5, -1.0]]",
                                     "[[-5, 1.0]]", "[[5, 1.0, 2.0]]"}) {
    const std::string said = read_error("[training]\nreplay_ratio_schedule = " + schedule + "\n");
    BOOST_TEST(said.starts_with("x.toml:2:25: training.replay_ratio_schedule must be pairs"), said);
  }
  BOOST_TEST(read_error("[critic]\ntarget_beta = 0.5\n") ==
             "x.toml:2:15: critic.target_beta has no effect without critic.target_aggregation = "
             "\"mean_minus_std\"; set that or remove it");
  BOOST_TEST(read_error("[critic]\ntarget_subset = 3\n") ==
             "x.toml:2:17: critic.target_subset = 3 exceeds critic.num_critics = 2; lower the "
             "first or raise the second");
  BOOST_TEST(read_error("[actor]\nlog_std_min = 2.0\n") ==
             "x.toml:2:15: actor.log_std_min: the lower end is not below the upper end; swap or "
             "correct them");
  BOOST_TEST(read_error("[sim.ant]\nhealthy_z_range = [1.0, 0.2]\n") ==
             "x.toml:2:19: sim.ant.healthy_z_range: the lower end is not below the upper end; swap "
             "or correct them");
  for (const char* range : {"[0.2, -inf]", "[inf, inf]", "[-inf, -inf]", "[1.0, 1.0]"}) {
    BOOST_TEST(read_error(std::string("[sim.ant]\ncontact_force_range = ") + range + "\n") ==
               "x.toml:2:23: sim.ant.contact_force_range: the lower end is not below the upper "
               "end; swap or correct them");
  }
  BOOST_TEST(read_error("[temperature]\ninitial_alpha = 0\n") ==
             "x.toml:2:17: temperature.initial_alpha = 0 cannot be tuned; give a positive one or "
             "set automatic = false");
  BOOST_TEST(read_error("[run]\ndevice = \"cpu\"\n[buffer]\ndevice_system = \"cuda\"\n") ==
             "x.toml:4:17: buffer.device_system and run.device are not on the same device; set "
             "buffer.device_system = \"auto\"");
}

BOOST_AUTO_TEST_CASE(the_limits_themselves_are_accepted) {
  const ResolvedExperiment experiment = read_text(
      "[buffer]\ncapacity = 256\n[sim]\nnum_envs = 256\n[training]\ntotal_env_steps = 10_000\n"
      "[temperature]\nautomatic = false\ninitial_alpha = 0\n");
  BOOST_TEST(check_experiment(experiment, 1).empty());
}

BOOST_AUTO_TEST_CASE(an_infinite_end_is_no_bound) {
  const ResolvedExperiment experiment = read_text("[sim.ant]\nhealthy_z_range = [0.2, inf]\n",
                                                  {"sim.ant.contact_force_range=[-inf, 1]"});
  BOOST_TEST(check_experiment(experiment, 1).empty());
  BOOST_TEST(experiment.config.sim.ant.healthy_z_range[1] == HUGE_VAL);
  BOOST_TEST(experiment.config.sim.ant.contact_force_range[0] == -HUGE_VAL);
}

BOOST_AUTO_TEST_CASE(doubtful_settings_warn) {
  const auto threads = warnings("[sim]\nnum_threads = 64\n", 2);
  BOOST_REQUIRE(threads.size() == 1u);
  BOOST_TEST(threads[0] ==
             "x.toml:2:15: sim.num_threads = 64 exceeds the 2 available cores; 0 takes one per "
             "core");
  BOOST_TEST(warnings("[sim]\nnum_threads = 64\n", 64).empty());
  BOOST_TEST(warnings("[sim]\nnum_threads = 64\n", 0).empty());
  const auto random = warnings("[training]\nrandom_steps = 2_000_000\n", 2);
  BOOST_REQUIRE(random.size() == 1u);
  BOOST_TEST(random[0] ==
             "x.toml:2:16: training.random_steps = 2000000 exceeds training.total_env_steps; every "
             "action will be random, lower it to train");
}

BOOST_AUTO_TEST_CASE(a_configuration_made_in_code_is_checked_too) {
  ResolvedExperiment experiment;
  BOOST_TEST(check_experiment(experiment, 1).empty());
  experiment.config.sim.num_envs = 0;
  BOOST_TEST(error_of([&] { check_experiment(experiment, 1); }) ==
             "configuration: sim.num_envs must be an integer in [1, 1000000], got 0; write for "
             "example num_envs = 1");
  experiment.config.sim.num_envs = 1;
  experiment.config.training.batch_size = 999'999;
  experiment.config.buffer.capacity = 999'998;
  BOOST_TEST(error_of([&] { check_experiment(experiment, 1); }) ==
             "configuration: training.batch_size = 999999 exceeds buffer.capacity = 999998; lower "
             "the first or raise the second");
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_to_the_same_values) {
  ResolvedExperiment experiment = read_text(
      "[agent]\npreset = \"jaxrl\"\n[actor]\nlog_std_form = \"clamp\"\nhidden_dims = []\n"
      "[run]\nname = \"quote \\\" back \\\\ hash # \u00e9\"\nseed = 9223372036854775807\n");
  // doubles whose shortest decimal has 17 digits, extremes, and the smallest subnormal
  experiment.config.agent.discount = 0.1 + 0.2;
  experiment.config.agent.tau = 4.9e-324;
  experiment.config.training.replay_ratio = 1.0 / 3.0;
  experiment.config.sim.ant.healthy_reward = -1.7976931348623157e308;
  experiment.config.sim.ant.ctrl_cost_weight = -0.0;
  experiment.config.sim.ant.healthy_z_range = {-1e22, 123456789.12345679};
  experiment.config.sim.ant.contact_force_range = {-HUGE_VAL, HUGE_VAL};
  for (const bool with_origins : {false, true}) {
    const ResolvedExperiment again = read_text(write_experiment(experiment, with_origins));
    for (const Field& field : fields()) {
      BOOST_TEST_CONTEXT(field.key()) {
        BOOST_TEST((field.get(again.config) == field.get(experiment.config)));
        BOOST_TEST(again.origins.at(field.key()).starts_with("x.toml:"));
      }
    }
    BOOST_TEST(std::signbit(again.config.sim.ant.ctrl_cost_weight));
    BOOST_TEST(write_experiment(again, false) == write_experiment(experiment, false));
  }
}

BOOST_AUTO_TEST_CASE(origins_are_written_beside_the_values) {
  const std::string text = write_experiment(
      read_text("[agent]\npreset = \"jaxrl\"\n[run]\nseed = 4\n", {"sim.num_envs=2"}), true);
  const auto origin_of = [&](const std::string& line_start) {
    const std::size_t line = text.find("\n" + line_start);
    BOOST_REQUIRE(line != std::string::npos);
    const std::size_t comment = text.find("# ", line);
    return text.substr(comment + 2, text.find('\n', comment) - comment - 2);
  };
  BOOST_TEST(origin_of("seed = 4") == "x.toml:4:8");
  BOOST_TEST(origin_of("num_envs = 2") == "--set");
  BOOST_TEST(origin_of("initialisation = \"orthogonal\"") == "preset jaxrl");
  BOOST_TEST(origin_of("discount = 0.99") == "default");
  BOOST_TEST(write_experiment(ResolvedExperiment{}, true).find("  # code\n") != std::string::npos);
}
