/// The committed files of configs/.
#define BOOST_TEST_MODULE shipped_files
#include <algorithm>
#include <map>

#include "configs/sweep.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

const std::string kConfigs = "configs/";

/// Keys in which two shipped experiments differ.
std::vector<std::string> differences(const std::string& a, const std::string& b) {
  const ExperimentConfig first = read_experiment(kConfigs + a, {}).config;
  const ExperimentConfig second = read_experiment(kConfigs + b, {}).config;
  std::vector<std::string> keys;
  for (const Field& field : fields()) {
    if (field.get(first) != field.get(second)) keys.push_back(field.key());
  }
  return keys;
}

}  // namespace

BOOST_AUTO_TEST_CASE(reference_is_fresh) {
  BOOST_TEST((file_text(kConfigs + "reference.toml") == reference_toml()),
             "configs/reference.toml is stale: run `anthill config --reference` into it");
}

BOOST_AUTO_TEST_CASE(reference_holds_the_defaults_of_every_key) {
  const ResolvedExperiment reference = read_experiment(kConfigs + "reference.toml", {});
  BOOST_TEST(values_of(reference.config) == values_of(ExperimentConfig{}),
             boost::test_tools::per_element());
  for (const auto& [key, origin] : reference.origins) {
    BOOST_TEST(origin.starts_with(kConfigs), key << " is missing");
  }
}

BOOST_AUTO_TEST_CASE(every_shipped_file_is_read_without_a_warning) {
  std::size_t num_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".toml") continue;
    ++num_files;
    BOOST_TEST_CONTEXT(entry.path()) {
      const ResolvedExperiment experiment = read_experiment(entry.path().string(), {});
      const std::vector<std::string> warnings = check_experiment(experiment, 1);
      BOOST_TEST(warnings.empty());
    }
  }
  BOOST_TEST(num_files >= 7u);
}

BOOST_AUTO_TEST_CASE(every_experiment_has_an_explaining_header) {
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".toml" || entry.path().stem() == "reference") continue;
    BOOST_TEST_CONTEXT(entry.path()) {
      const std::string text = file_text(entry.path().string());
      const std::string header = text.substr(0, text.find("\n["));
      for (const char* part : {"scripts/train configs/",
                               "# Reproduces: ", "# Expected: ", "# Cost: ", "# Deviations"}) {
        BOOST_TEST(header.find(part) != std::string::npos, part << " is missing");
      }
      BOOST_TEST(header.find("configs/" + entry.path().filename().string()) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_three_arms_differ_only_in_the_arm) {
  BOOST_TEST(differences("ant_rr1.toml", "ant_rr8.toml") ==
                 std::vector<std::string>{"training.replay_ratio"},
             boost::test_tools::per_element());
  BOOST_TEST(differences("ant_rr8.toml", "ant_rr8_layer_norm.toml") ==
                 std::vector<std::string>{"critic.layer_norm"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_arm_with_a_remedy_differs_in_the_remedy_alone) {
  const std::map<std::string, std::vector<std::string>> remedies = {
      {"ant_rr8_ofn.toml", {"critic.unit_features"}},
      {"ant_rr8_batch_renorm.toml", {"critic.batch_renorm"}},
      {"ant_rr8_weight_projection.toml", {"critic.layer_norm", "critic.weight_projection"}},
      {"ant_rr8_observation_normalisation.toml", {"agent.observation_normalisation"}},
      {"ant_rr8_target_clip.toml", {"critic.target_clip"}},
      {"ant_rr8_target_bound.toml", {"critic.target_clip"}},
      {"ant_rr8_max_alpha.toml", {"temperature.initial_alpha", "temperature.max_alpha"}},
      {"ant_rr8_pessimism.toml", {"critic.target_aggregation", "critic.target_beta"}},
      {"ant_rr8_droq.toml", {"critic.layer_norm", "critic.dropout"}},
      {"ant_rr8_redq.toml", {"agent.policy_value", "critic.num_critics", "critic.target_subset"}},
      {"ant_rr8_adam.toml", {"actor.adam_beta1", "critic.adam_beta1"}},
      {"ant_rr8_early_resets.toml", {"agent.reset_times", "agent.reset_unit"}},
      {"ant_rr8_resets.toml", {"agent.reset_period"}}};
  for (const auto& [file, keys] : remedies) {
    BOOST_TEST(differences("ant_rr8.toml", file) == keys, boost::test_tools::per_element());
  }
  BOOST_TEST(differences("ant_rr1.toml", "ant_rr1_priming.toml") ==
                 std::vector<std::string>{"training.prefill_updates"},
             boost::test_tools::per_element());
  BOOST_TEST(differences("ant_rr1.toml", "ant_rr1_to_rr8.toml") ==
                 std::vector<std::string>{"training.replay_ratio_schedule"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_arms_have_the_settings_of_the_study) {
  const ExperimentConfig config = read_experiment(kConfigs + "ant_rr8_layer_norm.toml", {}).config;
  BOOST_TEST(config.sim.env == "Ant-v4");
  BOOST_TEST(config.sim.num_envs == 1);
  BOOST_TEST(config.training.random_steps == 999);
  BOOST_TEST(config.training.learning_starts == 999);
  BOOST_TEST(config.training.replay_ratio == 8.0);
  BOOST_TEST(config.training.overlap == false);
  BOOST_TEST(config.agent.actor.learning_rate == 3e-3);
  BOOST_TEST(config.agent.critic.learning_rate == 3e-3);
  BOOST_TEST(config.agent.temperature.learning_rate == 3e-3);
  BOOST_TEST(config.agent.temperature.target_entropy_scale == 0.5);
  BOOST_TEST((config.agent.temperature.loss_form == AlphaLossForm::alpha));
  BOOST_TEST((config.agent.initialisation == Initialisation::orthogonal));
  BOOST_TEST((config.agent.actor.log_std_form == LogStdForm::tanh_affine));
  BOOST_TEST(config.agent.actor.log_std_min == -10.0);
  BOOST_TEST((config.agent.actor.log_prob_form == LogProbForm::epsilon));
  BOOST_TEST(config.agent.critic.layer_norm);
  BOOST_TEST(!config.agent.actor.layer_norm);
}

BOOST_AUTO_TEST_CASE(every_shipped_sweep_expands_without_a_warning) {
  std::size_t num_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs + "sweeps")) {
    ++num_files;
    BOOST_TEST_CONTEXT(entry.path()) {
      const SweepFile sweep = read_sweep(entry.path().string(), {});
      for (const SweepPoint& point : expand_sweep(sweep)) {
        const std::vector<std::string> warnings = check_experiment(resolve_point(sweep, point), 0);
        BOOST_TEST(warnings.empty());
      }
      const std::string path = "configs/sweeps/" + entry.path().filename().string();
      BOOST_TEST(sweep.verbatim.find(path) != std::string::npos);
    }
  }
  BOOST_TEST(num_files >= 3u);
}
