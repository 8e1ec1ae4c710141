/// Systems B to E have the settings of their sources (docs/systems.md): a change of one is no
/// accident.
#define BOOST_TEST_MODULE reference_systems
#include <map>

#include "configs/toml_text.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

/// Key, and its value as TOML.
using Settings = std::map<std::string, std::string>;

void check_settings(const std::string& file, const Settings& expected) {
  const ExperimentConfig config = read_experiment("configs/" + file, {}).config;
  for (const auto& [key, value] : expected) {
    const Field* field = find_field(key);
    BOOST_REQUIRE_MESSAGE(field != nullptr, key);
    BOOST_TEST(toml_value(field->get(config)) == value, file << ": " << key);
  }
}

Settings joined(Settings first, const Settings& second) {
  first.insert(second.begin(), second.end());
  return first;
}

}  // namespace

BOOST_AUTO_TEST_CASE(system_b) {
  const Settings agent = {
      {"agent.algorithm", "\"sac\""},       {"agent.discount", "0.99"},
      {"actor.log_std_form", "\"clamp\""},  {"actor.log_std_min", "-20.0"},
      {"actor.log_std_max", "2.0"},         {"actor.log_prob_form", "\"exact\""},
      {"agent.policy_value", "\"minimum\""}};
  check_settings("b_lunar_lander.toml", joined(agent, {{"sim.env", "\"LunarLanderContinuous-v3\""},
                                                       {"buffer.capacity", "100000"},
                                                       {"buffer.replacement", "false"},
                                                       {"training.batch_size", "128"},
                                                       {"training.burst", "50"},
                                                       {"training.replay_ratio", "1.0"},
                                                       {"training.random_steps", "0"},
                                                       {"training.learning_starts", "9950"},
                                                       {"training.total_env_steps", "1000000"},
                                                       {"training.timeout_is_terminal", "false"},
                                                       {"agent.tau", "0.003"},
                                                       {"agent.reward_scale", "3.0"},
                                                       {"actor.hidden_dims", "[128, 128]"},
                                                       {"critic.hidden_dims", "[128, 128]"},
                                                       {"actor.learning_rate", "0.001"},
                                                       {"critic.learning_rate", "0.001"},
                                                       {"temperature.automatic", "false"},
                                                       {"temperature.initial_alpha", "1.0"},
                                                       {"temperature.final_alpha", "0.01"},
                                                       {"temperature.decay_steps", "35000.0"},
                                                       {"evaluation.period", "3000"},
                                                       {"evaluation.num_episodes", "10"}}));
  check_settings("b_mountain_car.toml",
                 joined(agent, {{"sim.env", "\"MountainCarContinuous-v0\""}}));
}

BOOST_AUTO_TEST_CASE(system_c) {
  const Settings task = {{"sim.env", "\"InvertedPendulum-v5\""},
                         {"sim.num_envs", "32"},
                         {"sim.inverted_pendulum.reset_noise_scale", "0.2"},
                         {"buffer.capacity", "1000000"},
                         {"training.total_env_steps", "2097152"},
                         {"training.reset_period", "4096"},
                         {"training.burst", "4096"},
                         {"training.batch_size", "32"},
                         {"training.random_steps", "0"},
                         {"agent.reward_scale", "0.01"},
                         {"agent.discount", "0.99"}};
  const Settings decay = {{"exploration.scale", "1.0"},
                          {"exploration.final_scale", "0.05"},
                          {"exploration.decay", "0.985"},
                          {"exploration.period", "4096"},
                          {"exploration.schedule", "\"exponential\""}};
  check_settings("c_dqn.toml", joined(joined(task, decay), {{"sim.action_table", "[[-3.0], [3.0]]"},
                                                            {"training.replay_ratio", "0.015625"},
                                                            {"critic.hidden_dims", "[64, 128]"},
                                                            {"critic.learning_rate", "3e-4"},
                                                            {"agent.tau", "1.0"},
                                                            {"agent.target_period", "1024"},
                                                            {"agent.double_dqn", "false"},
                                                            {"exploration.coin", "\"shared\""}}));
  const Settings turns = {{"training.replay_ratio", "0.0166015625"},
                          {"agent.critic_updates", "64"},
                          {"agent.policy_updates", "4"},
                          {"agent.target_period", "1"},
                          {"agent.tau", "0.1"},
                          {"agent.action_units", "\"environment\""},
                          {"actor.hidden_dims", "[64]"},
                          {"critic.hidden_dims", "[64]"},
                          {"actor.learning_rate", "0.003"},
                          {"critic.learning_rate", "0.003"}};
  check_settings("c_ddpg.toml",
                 joined(joined(task, decay), joined(turns, {{"actor.output", "\"linear\""}})));
  const Settings sac = {{"actor.distribution", "\"clipped_gaussian\""},
                        {"actor.log_std_form", "\"clamp\""},
                        {"actor.log_std_min", "-1.6094379124341003"},
                        {"actor.log_std_max", "0.6931471805599453"},
                        {"agent.target_policy", "true"},
                        {"temperature.automatic", "false"}};
  for (const auto& [file, critics, alpha] :
       {std::tuple{"c_sac_m1.toml", "1", "0.0"}, std::tuple{"c_sac_m2.toml", "2", "0.0"},
        std::tuple{"c_sac_m3.toml", "2", "0.002"}}) {
    check_settings(
        file, joined(joined(task, turns), joined(sac, {{"critic.num_critics", critics},
                                                       {"temperature.initial_alpha", alpha}})));
  }
  check_settings("c_sac_m2.toml", {{"agent.policy_value", "\"first\""}});
  check_settings("c_sac_m3.toml",
                 {{"agent.policy_value", "\"first\""}, {"temperature.entropy", "\"analytic\""}});
}

BOOST_AUTO_TEST_CASE(system_d) {
  const Settings task = {{"sim.env", "\"Pendulum-v1\""},
                         {"training.total_env_steps", "200000"},
                         {"training.learning_starts", "128"},
                         {"training.random_steps", "0"},
                         {"training.replay_ratio", "1.0"},
                         {"training.batch_size", "128"},
                         {"training.solved_return", "-370.0"},
                         {"training.solved_episodes", "100"},
                         {"buffer.capacity", "100000"},
                         {"agent.discount", "0.99"},
                         {"agent.tau", "0.005"},
                         {"agent.action_units", "\"environment\""},
                         {"agent.initialisation", "\"kaiming\""},
                         {"critic.hidden_dims", "[400, 300]"},
                         {"critic.output_init_bound", "0.003"},
                         {"critic.learning_rate", "0.001"},
                         {"actor.learning_rate", "1e-4"}};
  const Settings deterministic = {{"actor.hidden_dims", "[400, 300]"},
                                  {"actor.output_init_bound", "0.003"},
                                  {"actor.output", "\"tanh\""},
                                  {"exploration.scale", "0.1"}};
  const Settings delayed = {{"agent.policy_delay", "2"}, {"agent.target_period", "2"}};
  check_settings("d_ddpg.toml",
                 joined(joined(task, deterministic),
                        {{"agent.policy_delay", "1"}, {"agent.target_period", "1"}}));
  check_settings(
      "d_td3.toml",
      joined(joined(task, deterministic),
             joined(delayed, {{"agent.target_noise", "0.2"}, {"agent.noise_clip", "0.5"}})));
  check_settings("d_sac.toml",
                 joined(joined(task, delayed), {{"actor.hidden_dims", "[256, 256]"},
                                                {"actor.initialisation", "\"pytorch\""},
                                                {"actor.log_std_form", "\"tanh_affine\""},
                                                {"actor.log_std_min", "-5.0"},
                                                {"actor.log_std_max", "2.0"},
                                                {"actor.log_prob_form", "\"epsilon\""},
                                                {"agent.policy_value", "\"minimum\""},
                                                {"temperature.automatic", "false"},
                                                {"temperature.initial_alpha", "0.2"}}));
}

BOOST_AUTO_TEST_CASE(system_e) {
  check_settings("e_half_cheetah.toml", {{"sim.env", "\"HalfCheetah-v4\""},
                                         {"buffer.capacity", "1000000"},
                                         {"training.total_env_steps", "300000"},
                                         {"training.random_steps", "10000"},
                                         {"training.learning_starts", "1000"},
                                         {"training.replay_ratio", "1.0"},
                                         {"training.batch_size", "256"},
                                         {"training.timeout_is_terminal", "false"},
                                         {"agent.discount", "0.99"},
                                         {"agent.tau", "0.005"},
                                         {"actor.hidden_dims", "[256, 256]"},
                                         {"critic.hidden_dims", "[256, 256]"},
                                         {"actor.learning_rate", "3e-4"},
                                         {"critic.learning_rate", "3e-4"},
                                         {"temperature.learning_rate", "3e-4"},
                                         {"actor.log_std_form", "\"clamp\""},
                                         {"actor.log_std_min", "-20.0"},
                                         {"actor.log_std_max", "2.0"},
                                         {"actor.log_prob_form", "\"epsilon\""},
                                         {"temperature.automatic", "true"},
                                         {"temperature.initial_alpha", "1.0"},
                                         {"temperature.loss_form", "\"log_alpha\""},
                                         {"temperature.target_entropy_scale", "1.0"},
                                         {"evaluation.period", "5000"}});
}
