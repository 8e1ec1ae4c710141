#include "configs/agent_fields.hpp"

#include "configs/section_table.hpp"

namespace anthill {
namespace {

constexpr EnumName<Initialisation> kInitialisations[] = {{Initialisation::pytorch, "pytorch"},
                                                         {Initialisation::orthogonal, "orthogonal"},
                                                         {Initialisation::kaiming, "kaiming"}};
constexpr EnumName<NetworkInitialisation> kNetworkInitialisations[] = {
    {NetworkInitialisation::as_agent, "as_agent"},
    {NetworkInitialisation::pytorch, "pytorch"},
    {NetworkInitialisation::orthogonal, "orthogonal"},
    {NetworkInitialisation::kaiming, "kaiming"}};
constexpr EnumName<Activation> kActivations[] = {
    {Activation::relu, "relu"}, {Activation::tanh, "tanh"}, {Activation::elu, "elu"}};
constexpr EnumName<LayerNormPlacement> kLayerNormPlacements[] = {
    {LayerNormPlacement::before_activation, "before_activation"},
    {LayerNormPlacement::after_activation, "after_activation"}};
constexpr EnumName<LogStdForm> kLogStdForms[] = {{LogStdForm::clamp, "clamp"},
                                                 {LogStdForm::tanh_affine, "tanh_affine"}};
constexpr EnumName<LogProbForm> kLogProbForms[] = {{LogProbForm::exact, "exact"},
                                                   {LogProbForm::epsilon, "epsilon"}};
constexpr EnumName<AlphaLossForm> kAlphaLossForms[] = {{AlphaLossForm::alpha, "alpha"},
                                                       {AlphaLossForm::log_alpha, "log_alpha"}};
constexpr EnumName<TargetClip> kTargetClips[] = {
    {TargetClip::none, "none"}, {TargetClip::bound, "bound"}, {TargetClip::range, "range"}};
constexpr EnumName<ResetUnit> kResetUnits[] = {{ResetUnit::updates, "updates"},
                                               {ResetUnit::env_steps, "env_steps"}};
constexpr EnumName<PolicyOutput> kPolicyOutputs[] = {{PolicyOutput::tanh, "tanh"},
                                                     {PolicyOutput::linear, "linear"}};
constexpr EnumName<PolicyDistribution> kPolicyDistributions[] = {
    {PolicyDistribution::squashed_gaussian, "squashed_gaussian"},
    {PolicyDistribution::clipped_gaussian, "clipped_gaussian"},
    {PolicyDistribution::gsde, "gsde"}};
constexpr EnumName<EntropyForm> kEntropyForms[] = {{EntropyForm::sampled, "sampled"},
                                                   {EntropyForm::analytic, "analytic"}};
constexpr EnumName<PolicyValue> kPolicyValues[] = {
    {PolicyValue::minimum, "minimum"}, {PolicyValue::first, "first"}, {PolicyValue::mean, "mean"}};
constexpr EnumName<TargetAggregation> kTargetAggregations[] = {
    {TargetAggregation::minimum, "minimum"}, {TargetAggregation::mean_minus_std, "mean_minus_std"}};
constexpr EnumName<ActionUnits> kActionUnits[] = {{ActionUnits::normalised, "normalised"},
                                                  {ActionUnits::environment, "environment"}};
constexpr EnumName<ExplorationSchedule> kExplorationSchedules[] = {
    {ExplorationSchedule::constant, "constant"},
    {ExplorationSchedule::linear, "linear"},
    {ExplorationSchedule::exponential, "exponential"}};
constexpr EnumName<ExplorationCoin> kExplorationCoins[] = {
    {ExplorationCoin::per_environment, "per_environment"}, {ExplorationCoin::shared, "shared"}};

void add_agent(std::vector<Field>& fields) {
  std::vector<std::string> preset_names;
  for (const Preset& preset : presets()) preset_names.push_back(preset.name);
  SectionTable table(
      fields, "agent", [](auto& config) -> auto& { return config.agent; });
  table.add("algorithm", &AgentConfig::algorithm, {"sac", "td3", "ddpg", "dqn"},
            "The learning algorithm; dqn is for discrete actions, the others for continuous ones.");
  table.add(
      "preset", &AgentConfig::preset, preset_names,
      "Whose form of the algorithm fills in the keys marked with presets; explicit keys win.");
  table.add("discount", &AgentConfig::discount, between(0, 1), "",
            "Weight of the next step's value.");
  table.add("n_step", &AgentConfig::n_step, between(1, 1000), "env steps",
            "Rewards of one environment that the target sums before it bootstraps; fewer where an "
            "episode or what is stored ends.");
  table.add("tau", &AgentConfig::tau, above(0, 1), "",
            "Share of a network that its target takes over at a time; 1: a copy.");
  table.add("target_period", &AgentConfig::target_period, between(1, 1e9), "updates",
            "The targets follow in every so-many-th update.");
  table.add("policy_delay", &AgentConfig::policy_delay, between(1, 1e9), "updates",
            "The policy learns in every so-many-th update.");
  table.add("critic_updates", &AgentConfig::critic_updates, between(0, 1e6), "updates",
            "0: every update is one of the critics; else so many of the critics alone take turns "
            "with policy_updates of the policy alone, and target_period counts such rounds.");
  table.add("policy_updates", &AgentConfig::policy_updates, between(1, 1e6), "updates",
            "The policy's turn, where critic_updates is set.");
  table.add("target_noise", &AgentConfig::target_noise, between(0, 100), "",
            "TD3: standard deviation of the noise on the target policy's actions in [-1, 1].");
  table.add("noise_clip", &AgentConfig::noise_clip, between(0, 100), "",
            "TD3: that noise is clipped to +- this.");
  table.add("double_dqn", &AgentConfig::double_dqn,
            "DQN: the online network chooses the action whose target value is taken.");
  table.add("policy_value", &AgentConfig::policy_value,
            "SAC: the policy climbs the minimum of the critics, the first one, or their mean.");
  table.add("target_policy", &AgentConfig::target_policy,
            "SAC: a target network of the policy chooses the action in the critics' target.");
  table.add("action_units", &AgentConfig::action_units,
            "What critics, log-probabilities, exploration.scale and linear or clipped policies "
            "measure actions in: [-1, 1], or the environment's units.");
  table.add("reward_scale", &AgentConfig::reward_scale, between(-1e12, 1e12), "",
            "Factor on rewards in the critic's target; logged returns are unscaled.");
  table.add(
      "observation_normalisation", &AgentConfig::observation_normalisation,
      "Networks see observations on a common scale: running means and variances of those of the "
      "training environments (SimBa; Lee et al., 2025).");
  table.add("reset_period", &AgentConfig::reset_period, between(0, 1e12), "reset_unit",
            "SAC: networks and their optimisers start anew after every so many, the replay buffer "
            "stays (Nikishin et al., 2022); 0: never.");
  table.add("reset_times", &AgentConfig::reset_times, 1000, between(1, 1e12), "reset_unit",
            "The same at these times alone, in rising order.");
  table.add("reset_unit", &AgentConfig::reset_unit, "What reset_period and reset_times count.");
  table.add("reset_networks", &AgentConfig::reset_networks, {"actor", "critic", "temperature"},
            "What starts anew; critic: with its targets.");
  table.add(
      "initialisation", &AgentConfig::initialisation,
      "First weights; pytorch: uniform by fan-in, orthogonal: gain 1 and zero biases, kaiming: "
      "normal with variance 2 / fan-in and zero biases.");
}

// what everything that Adam trains shares
template <class Table, class TrainedConfig>
void add_adam(Table& table, TrainedConfig /*only its type counts*/, std::string step_size) {
  table.add("learning_rate", &TrainedConfig::learning_rate, between(0, 1), "",
            std::move(step_size));
  constexpr double kAlmostOne = 0.99999;
  table.add("adam_beta1", &TrainedConfig::adam_beta1, between(0, kAlmostOne), "",
            "Adam: what the gradients' mean keeps of itself in an update.");
  table.add("adam_beta2", &TrainedConfig::adam_beta2, between(0, kAlmostOne), "",
            "Adam: what the mean of their squares keeps of itself.");
  table.add("adam_eps", &TrainedConfig::adam_eps, above(0, 1), "",
            "Adam: added to the root of that mean.");
}

// what actor and critic share
template <class Table, class NetworkConfig>
void add_network(Table& table, NetworkConfig /*only its type counts*/) {
  table.add("hidden_dims", &NetworkConfig::hidden_dims, 16, between(1, 65'536), "units",
            "Width of every hidden layer; []: none.");
  table.add("activation", &NetworkConfig::activation, "After every hidden layer.");
  table.add("layer_norm", &NetworkConfig::layer_norm,
            "LayerNorm at every hidden layer (eps 1e-5, affine).");
  table.add("layer_norm_placement", &NetworkConfig::layer_norm_placement,
            "Where layer_norm stands: between a Linear and its activation, or behind both.");
  table.add("residual", &NetworkConfig::residual,
            "Add a hidden layer's input to its output where both are equally wide.");
  table.add("unit_features", &NetworkConfig::unit_features,
            "Divide the last hidden layer's output by its norm (OFN, Hussing et al., 2024).");
  add_adam(table, NetworkConfig{}, "Adam's step size.");
  table.add("weight_decay", &NetworkConfig::weight_decay, between(0, 1), "",
            "Decoupled (AdamW): parameters shrink by learning_rate * weight_decay per update.");
  table.add("max_gradient_norm", &NetworkConfig::max_gradient_norm, between(0, 1e12), "",
            "The network's gradient is scaled down to this norm; 0: never.");
  table.add("initialisation", &NetworkConfig::initialisation,
            "First weights of this network; as_agent: agent.initialisation.");
  table.add("output_init_bound", &NetworkConfig::output_init_bound, between(0, 100), "",
            "The last layer is drawn from U(-this, this) instead; 0: as the others.");
}

void add_actor(std::vector<Field>& fields) {
  SectionTable table(
      fields, "actor", [](auto& config) -> auto& { return config.agent.actor; });
  add_network(table, ActorConfig{});
  table.add("log_std_form", &ActorConfig::log_std_form,
            "From the head's output x to log_std: clamp(x), or tanh(x) scaled to the range.");
  table.add("log_std_min", &ActorConfig::log_std_min, between(-100, 100), "",
            "Lower end of log_std's range.");
  table.add("log_std_max", &ActorConfig::log_std_max, between(-100, 100), "",
            "Upper end of log_std's range.");
  table.add("log_prob_form", &ActorConfig::log_prob_form,
            "Correction for tanh; exact: through softplus, epsilon: log(relu(1 - a^2) + 1e-6).");
  table.add("output", &ActorConfig::output,
            "DDPG, TD3: tanh, or linear: clipped to the action's bounds only where the environment "
            "acts.");
  table.add("distribution", &ActorConfig::distribution,
            "SAC: the sample of a Gaussian squashed by tanh, or clipped to the action's bounds; "
            "gsde: squashed, the noise a function of the state (Raffin et al., 2020).");
  table.add("log_std_init", &ActorConfig::log_std_init, between(-100, 100), "",
            "gsde: log_std at the start, of every feature and action element.");
  table.add("sde_learn_features", &ActorConfig::sde_learn_features,
            "gsde: gradients of the standard deviation reach the features, as in SB3's SAC; false: "
            "log_std alone, as in its PPO.");
}

void add_critic(std::vector<Field>& fields) {
  SectionTable table(
      fields, "critic", [](auto& config) -> auto& { return config.agent.critic; });
  add_network(table, CriticConfig{});
  table.add("target_clip", &CriticConfig::target_clip,
            "SAC: bound: targets stay within what any policy can earn, by the rewards stored and "
            "alpha; range: the next value stays within the targets seen (TD7; Fujimoto et al., "
            "2023).");
  table.add("target_range_period", &CriticConfig::target_range_period, between(1, 1e9), "updates",
            "target_clip = range: the range is renewed after every so many.");
  table.add("dropout", &CriticConfig::dropout, between(0, 0.99), "probability",
            "Share of hidden units dropped behind every Linear of critics and targets (DroQ).");
  table.add("batch_renorm", &CriticConfig::batch_renorm,
            "SAC: batch renormalisation of the input and behind every hidden layer, as in CrossQ "
            "(Bhatt et al., 2024); with agent.tau = 1 its joint pass without target networks.");
  table.add("batch_renorm_momentum", &CriticConfig::batch_renorm_momentum, between(0, 1), "",
            "batch_renorm: what the running statistics keep of themselves in an update.");
  table.add("batch_renorm_warmup", &CriticConfig::batch_renorm_warmup, between(0, 1e12), "updates",
            "batch_renorm: plain batch normalisation before so many.");
  table.add(
      "weight_projection", &CriticConfig::weight_projection,
      "SAC: after every update the weights into each hidden unit are scaled to norm 1 (CrossQ + "
      "WN; Palenicek et al., 2025); needs layer_norm or batch_renorm.");
  table.add("num_critics", &CriticConfig::num_critics, between(1, 64), "networks", "SAC: critics.");
  table.add("target_subset", &CriticConfig::target_subset, between(0, 64), "networks",
            "SAC: the target looks at so many critics alone, drawn anew for every update "
            "(REDQ; Chen et al., 2021); 0: of all.");
  table.add("target_aggregation", &CriticConfig::target_aggregation,
            "SAC: the target takes the critics' minimum, or their mean - target_beta * standard "
            "deviation (Moskovitz et al., 2021).");
  table.add("target_beta", &CriticConfig::target_beta, between(-100, 100), "",
            "mean_minus_std: pessimism; with two critics 1 is the minimum, 0 the mean, -1 the "
            "maximum.");
}

void add_temperature(std::vector<Field>& fields) {
  SectionTable table(
      fields, "temperature", [](auto& config) -> auto& { return config.agent.temperature; });
  table.add(
      "automatic", &TemperatureConfig::automatic,
      "Tune alpha towards the target entropy; false: it stays at initial_alpha, or follows the "
      "schedule of decay_steps.");
  table.add("initial_alpha", &TemperatureConfig::initial_alpha, between(0, 1e6), "",
            "Alpha at the start; 0 only where automatic is false.");
  table.add("max_alpha", &TemperatureConfig::max_alpha, between(0, 1e12), "",
            "Alpha is cut down to this after every update; 0: no cap.");
  table.add(
      "decay_steps", &TemperatureConfig::decay_steps, between(0, 1e12), "env steps",
      "alpha = final_alpha + (initial_alpha - final_alpha) exp(-env_steps / decay_steps); 0: no "
      "schedule.");
  table.add("final_alpha", &TemperatureConfig::final_alpha, between(0, 1e6), "",
            "Where that schedule ends.");
  table.add("entropy", &TemperatureConfig::entropy,
            "The policy's entropy in the losses: -log pi(a|s) of the sample, or that of a clipped "
            "Gaussian before it is clipped.");
  add_adam(table, TemperatureConfig{}, "Adam's step size on log alpha.");
  table.add("target_entropy_scale", &TemperatureConfig::target_entropy_scale, between(-1, 100),
            "nats per action dimension", "target_entropy = -target_entropy_scale * action_dim.");
  table.add("loss_form", &TemperatureConfig::loss_form,
            "What multiplies -(log_prob + target_entropy) in the loss.");
}

void add_exploration(std::vector<Field>& fields) {
  SectionTable table(
      fields, "exploration", [](auto& config) -> auto& { return config.agent.exploration; });
  table.add(
      "scale", &ExplorationConfig::scale, between(0, 100), "",
      "DDPG, TD3: standard deviation of Gaussian noise on actions, in agent.action_units; DQN: "
      "chance of a random action.");
  table.add("schedule", &ExplorationConfig::schedule,
            "How it changes: linearly to final_scale over `period`, or times `decay` once a "
            "`period` down to final_scale.");
  table.add("final_scale", &ExplorationConfig::final_scale, between(0, 100), "",
            "Where a schedule ends.");
  table.add("period", &ExplorationConfig::period, between(1, 1e12), "env steps",
            "Time of the schedule.");
  table.add("decay", &ExplorationConfig::decay, between(0, 1), "", "Factor of \"exponential\".");
  table.add("coin", &ExplorationConfig::coin,
            "DQN: every environment throws its own coin, or one is thrown for all.");
  table.add(
      "correlation_steps", &ExplorationConfig::correlation_steps, between(0, 1e9), "env steps",
      "DDPG, TD3, SAC: the noise is an Ornstein-Uhlenbeck process that forgets within so many "
      "steps of an environment (SAC then adds it to its samples); 0: independent noise.");
  table.add("sde_sample_freq", &ExplorationConfig::sde_sample_freq, between(1, 1e9), "env steps",
            "gsde: every environment draws its noise matrix anew after so many of its steps.");
}

}  // namespace

std::span<const EnumName<Initialisation>> enum_names(Initialisation) { return kInitialisations; }
std::span<const EnumName<NetworkInitialisation>> enum_names(NetworkInitialisation) {
  return kNetworkInitialisations;
}
std::span<const EnumName<PolicyDistribution>> enum_names(PolicyDistribution) {
  return kPolicyDistributions;
}
std::span<const EnumName<EntropyForm>> enum_names(EntropyForm) { return kEntropyForms; }
std::span<const EnumName<PolicyValue>> enum_names(PolicyValue) { return kPolicyValues; }
std::span<const EnumName<TargetAggregation>> enum_names(TargetAggregation) {
  return kTargetAggregations;
}
std::span<const EnumName<ActionUnits>> enum_names(ActionUnits) { return kActionUnits; }
std::span<const EnumName<Activation>> enum_names(Activation) { return kActivations; }
std::span<const EnumName<LayerNormPlacement>> enum_names(LayerNormPlacement) {
  return kLayerNormPlacements;
}
std::span<const EnumName<LogStdForm>> enum_names(LogStdForm) { return kLogStdForms; }
std::span<const EnumName<LogProbForm>> enum_names(LogProbForm) { return kLogProbForms; }
std::span<const EnumName<AlphaLossForm>> enum_names(AlphaLossForm) { return kAlphaLossForms; }
std::span<const EnumName<TargetClip>> enum_names(TargetClip) { return kTargetClips; }
std::span<const EnumName<ResetUnit>> enum_names(ResetUnit) { return kResetUnits; }
std::span<const EnumName<PolicyOutput>> enum_names(PolicyOutput) { return kPolicyOutputs; }
std::span<const EnumName<ExplorationSchedule>> enum_names(ExplorationSchedule) {
  return kExplorationSchedules;
}
std::span<const EnumName<ExplorationCoin>> enum_names(ExplorationCoin) { return kExplorationCoins; }

void add_agents(std::vector<Field>& fields) {
  add_agent(fields);
  add_actor(fields);
  add_critic(fields);
  add_temperature(fields);
  add_exploration(fields);
}

}  // namespace anthill
