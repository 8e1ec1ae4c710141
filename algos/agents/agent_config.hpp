/// Settings of the agents: the sections [agent], [actor], [critic], [temperature] and
/// [exploration].
/// The defaults are the preset "sb3"; configs/ applies "jaxrl" on top when agent.preset asks for
/// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace anthill {

enum class LogStdForm {
  clamp,        // log_std = clamp(x, log_std_min, log_std_max)
  tanh_affine,  // log_std = log_std_min + (log_std_max - log_std_min) * (1 + tanh x) / 2
};

enum class LogProbForm {
  exact,    // log(1 - tanh(u)^2) = 2 (ln 2 - u - softplus(-2u))
  epsilon,  // log(relu(1 - a^2) + 1e-6)
};

enum class AlphaLossForm {
  alpha,      // -alpha * (log_prob + target_entropy), eq. 18 of 1812.05905
  log_alpha,  // -log(alpha) * (log_prob + target_entropy)
};

enum class Initialisation {
  pytorch,     // nn.Linear's default: weights and biases U(+-1/sqrt(fan_in))
  orthogonal,  // gain 1 for every weight, zero biases
  kaiming,     // weights N(0, 2 / fan_in), zero biases
};

/// The same for one network alone.
enum class NetworkInitialisation { as_agent, pytorch, orthogonal, kaiming };

enum class Activation { relu, tanh, elu };

/// What the network of a deterministic policy puts out.
enum class PolicyOutput {
  tanh,    // actions in (-1, 1)
  linear,  // any number; clipped to the action's bounds only where the environment acts
};

/// How SAC's policy becomes an action.
enum class PolicyDistribution {
  squashed_gaussian,  // tanh(mean + std * noise)
  clipped_gaussian,   // mean + std * noise, clipped to the action's bounds
  gsde,               // tanh(mean + features^T E), one E per environment (networks/gsde.hpp)
};

/// What SAC's losses take for the policy's entropy.
enum class EntropyForm {
  sampled,   // -log pi(a|s) of the sampled action
  analytic,  // the Gaussian's own, sum(log_std + ln(2 pi e) / 2)
};

/// Which critic SAC's policy climbs.
enum class PolicyValue { minimum, first, mean };

/// What the critics' target takes of the target networks: their minimum, or their mean -
/// target_beta * standard deviation.
enum class TargetAggregation { minimum, mean_minus_std };

/// What critics and log-probabilities measure actions in.
enum class ActionUnits {
  normalised,   // [-1, 1]
  environment,  // action_low to action_high
};

/// How the scale of exploration depends on the env steps t of a member.
enum class ExplorationSchedule {
  constant,     // scale
  linear,       // from scale to final_scale over `period` env steps, then final_scale
  exponential,  // max(final_scale, scale * decay^floor(t / period))
};

enum class ExplorationCoin {
  per_environment,
  shared,  // all environments act at random together
};

enum class LayerNormPlacement { before_activation, after_activation };

/// What keeps the critics' targets in bounds.
enum class TargetClip {
  none,
  bound,  // y within what any policy can earn, from the rewards stored and alpha
  range,  // the next value within the targets seen so far (TD7)
};

/// What AgentConfig::reset_period and reset_times count.
enum class ResetUnit { updates, env_steps };

struct ActorConfig {
  std::vector<std::int64_t> hidden_dims = {256, 256};
  Activation activation = Activation::relu;
  bool layer_norm = false;
  LayerNormPlacement layer_norm_placement = LayerNormPlacement::before_activation;
  bool residual = false;
  bool unit_features = false;
  double learning_rate = 3e-4;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_eps = 1e-8;
  double weight_decay = 0.0;
  double max_gradient_norm = 0.0;
  LogStdForm log_std_form = LogStdForm::clamp;
  double log_std_min = -20.0;
  double log_std_max = 2.0;
  LogProbForm log_prob_form = LogProbForm::exact;
  PolicyOutput output = PolicyOutput::tanh;                                 // DDPG and TD3
  PolicyDistribution distribution = PolicyDistribution::squashed_gaussian;  // SAC
  double log_std_init = -3.0;      // gsde: every element of log_std at the start
  bool sde_learn_features = true;  // gsde: gradients of the noise reach the features
  NetworkInitialisation initialisation = NetworkInitialisation::as_agent;
  double output_init_bound = 0.0;  // last layer U(+-this); 0: as the other layers
};

struct CriticConfig {
  std::vector<std::int64_t> hidden_dims = {256, 256};
  Activation activation = Activation::relu;
  bool layer_norm = false;
  LayerNormPlacement layer_norm_placement = LayerNormPlacement::before_activation;
  bool residual = false;
  bool unit_features = false;
  bool batch_renorm = false;  // SAC (networks/batch_renorm.hpp)
  double batch_renorm_momentum = 0.99;
  std::int64_t batch_renorm_warmup = 100'000;  // updates of plain batch normalisation
  bool weight_projection = false;              // SAC: weights of every hidden unit have norm 1
  TargetClip target_clip = TargetClip::none;
  std::int64_t target_range_period = 250;  // updates between which the range stands still
  double dropout = 0.0;                    // probability
  std::int64_t num_critics = 2;            // SAC
  std::int64_t target_subset = 0;  // critics, drawn anew every update, of the target; 0: all
  TargetAggregation target_aggregation = TargetAggregation::minimum;  // SAC
  double target_beta = 1.0;  // mean_minus_std: with two critics 1 is the minimum, -1 the maximum
  double learning_rate = 3e-4;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_eps = 1e-8;
  double weight_decay = 0.0;
  double max_gradient_norm = 0.0;
  NetworkInitialisation initialisation = NetworkInitialisation::as_agent;
  double output_init_bound = 0.0;
};

struct TemperatureConfig {
  bool automatic = true;  // false: alpha stays at initial_alpha, or follows the schedule
  double initial_alpha = 1.0;
  // a schedule where decay_steps > 0, of a member's env steps t:
  // alpha = final_alpha + (initial_alpha - final_alpha) * exp(-t / decay_steps)
  double decay_steps = 0.0;
  double final_alpha = 0.0;
  EntropyForm entropy = EntropyForm::sampled;
  double learning_rate = 3e-4;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_eps = 1e-8;
  double max_alpha = 0.0;             // 0: no cap
  double target_entropy_scale = 1.0;  // target_entropy = -scale * A
  AlphaLossForm loss_form = AlphaLossForm::log_alpha;
};

/// How DDPG, TD3 and DQN explore. SAC samples its policy, and adds noise where it is correlated.
struct ExplorationConfig {
  double scale = 0.1;  // DDPG, TD3: std of Gaussian noise on actions; DQN: chance of a random one
  double final_scale = 0.1;
  ExplorationSchedule schedule = ExplorationSchedule::constant;
  std::int64_t period = 100'000;  // env steps
  double decay = 0.985;
  ExplorationCoin coin = ExplorationCoin::per_environment;
  // > 0: the noise is an Ornstein-Uhlenbeck process whose correlation falls to 1/e in so many steps
  double correlation_steps = 0.0;
  std::int64_t sde_sample_freq = 8;  // gsde: steps of an environment that share a matrix
};

struct AgentConfig {
  std::string algorithm = "sac";
  std::string preset = "sb3";
  double discount = 0.99;
  std::int64_t n_step = 1;  // rewards that the critics' target sums before it bootstraps
  double tau = 0.005;
  double reward_scale = 1.0;
  std::int64_t policy_delay = 1;   // the policy learns in every k-th update
  std::int64_t target_period = 1;  // the targets follow in every k-th update
  // > 0: so many updates of the critics alone, then policy_updates of the policy alone, in turns
  std::int64_t critic_updates = 0;
  std::int64_t policy_updates = 1;
  double target_noise = 0.2;  // TD3: std of the noise on the target policy's actions
  double noise_clip = 0.5;    // TD3: that noise stays within +- this
  bool double_dqn = true;     // DQN: the online network chooses the target's action
  PolicyValue policy_value = PolicyValue::minimum;  // SAC
  bool target_policy = false;  // SAC: a target network of the policy chooses the target's action
  ActionUnits action_units = ActionUnits::normalised;
  bool observation_normalisation = false;  // by running statistics (normalising_agent.hpp)
  std::int64_t reset_period = 0;  // updates or env steps after which networks start anew; 0: never
  std::vector<std::int64_t> reset_times;  // the same at these alone, in rising order
  ResetUnit reset_unit = ResetUnit::updates;
  std::vector<std::string> reset_networks = {"actor", "critic", "temperature"};
  Initialisation initialisation = Initialisation::pytorch;
  ActorConfig actor;
  CriticConfig critic;
  TemperatureConfig temperature;
  ExplorationConfig exploration;
};

/// Whether networks start anew during a run.
inline bool has_resets(const AgentConfig& config) {
  return config.reset_period > 0 || !config.reset_times.empty();
}

}  // namespace anthill
