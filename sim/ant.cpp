#include "sim/ant.hpp"

#include <algorithm>
#include <cmath>

#include "sim/mujoco_env.hpp"
#include "sim/numpy_sum.hpp"

namespace anthill {
namespace {

/// State row: | physics (nq + 2 nv) | xpos of the main body: x, y |. MuJoCo's xpos lags qpos by one
/// pass, so it cannot be recomputed from the physics.
class Ant final : public MujocoEnv {
 public:
  Ant(AntVersion version, const SimConfig& config);

  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override;
  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 private:
  bool is_v5() const { return version_ == AntVersion::v5; }
  void find_main_body();
  void observe(const mjData& data, std::span<double> observation) const;
  bool healthy(std::span<const double> state) const;
  double contact_force(double force) const;
  float control_cost(std::span<const float> action) const;
  double contact_cost(const mjData& data) const;

  AntVersion version_;
  AntConfig config_;
  int main_body_ = 0;
  std::size_t skipped_positions_ = 0;     // leading qpos that are not observed
  std::size_t first_observed_force_ = 0;  // index into cfrc_ext
  std::size_t num_forces_ = 0;            // elements of cfrc_ext
};

void require(bool condition, const std::string& message) {
  if (!condition) throw ConfigError("sim.ant." + message);
}

/// What the version's constructor does not accept must be left alone.
void check_version_options(AntVersion version, const AntConfig& config) {
  const AntConfig defaults;
  const auto lacks = [](bool unchanged, const std::string& key, const std::string& name) {
    require(unchanged, key + ": " + name + " has no such option; remove it");
  };
  if (version == AntVersion::v4) {
    lacks(config.frame_skip == defaults.frame_skip, "frame_skip", "Ant-v4");
    lacks(config.forward_reward_weight == defaults.forward_reward_weight, "forward_reward_weight",
          "Ant-v4");
    lacks(config.main_body == defaults.main_body, "main_body", "Ant-v4");
    lacks(config.include_cfrc_ext_in_observation == defaults.include_cfrc_ext_in_observation,
          "include_cfrc_ext_in_observation", "Ant-v4");
  } else {
    lacks(config.use_contact_forces == defaults.use_contact_forces, "use_contact_forces", "Ant-v5");
  }
}

void check_ranges(const AntConfig& config) {
  const auto finite = [](double value, const std::string& key) {
    require(std::isfinite(value), key + ": must be a finite number");
  };
  finite(config.forward_reward_weight, "forward_reward_weight");
  finite(config.ctrl_cost_weight, "ctrl_cost_weight");
  finite(config.contact_cost_weight, "contact_cost_weight");
  finite(config.healthy_reward, "healthy_reward");
  finite(config.reset_noise_scale, "reset_noise_scale");
  require(config.frame_skip >= 1 && config.frame_skip <= 1000,
          "frame_skip: must be between 1 and 1000");
  require(config.reset_noise_scale >= 0, "reset_noise_scale: must be 0 or more");
  // written so that nan fails too; infinite bounds mean "no bound"
  const auto ordered = [](const std::array<double, 2>& range, const std::string& key) {
    require(range[0] < range[1], key + ": must be [low, high] with low < high");
  };
  ordered(config.healthy_z_range, "healthy_z_range");
  ordered(config.contact_force_range, "contact_force_range");
}

/// Checked before the model is loaded.
const AntConfig& checked(AntVersion version, const AntConfig& config) {
  check_version_options(version, config);
  check_ranges(config);
  return config;
}

Ant::Ant(AntVersion version, const SimConfig& config)
    : MujocoEnv(checked(version, config.ant).xml_file, config.ant.frame_skip),
      version_(version),
      config_(config.ant) {
  const mjModel& m = model();
  if (m.nq < 3) {
    throw ConfigError("model file '" + model_path() + "': an ant needs a free root joint");
  }
  find_main_body();
  skipped_positions_ = config_.exclude_current_positions_from_observation ? 2 : 0;
  num_forces_ = 6 * static_cast<std::size_t>(m.nbody);
  // v5 leaves out the world body's forces; v4 shows them
  const bool observe_forces =
      is_v5() ? config_.include_cfrc_ext_in_observation : config_.use_contact_forces;
  first_observed_force_ = observe_forces ? (is_v5() ? 6 : 0) : num_forces_;

  spec_.name = is_v5() ? "Ant-v5" : "Ant-v4";
  spec_.observation_dim = m.nq + m.nv - static_cast<std::int64_t>(skipped_positions_) +
                          static_cast<std::int64_t>(num_forces_ - first_observed_force_);
  spec_.state_dim = static_cast<std::int64_t>(physics_dim()) + 2;
  spec_.max_episode_steps = config.max_episode_steps > 0 ? config.max_episode_steps : 1000;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_contact", "reward_survive"};
}

void Ant::find_main_body() {
  if (is_v5()) {
    require(config_.main_body >= 0 && config_.main_body < model().nbody,
            "main_body: the model has bodies 0 to " + std::to_string(model().nbody - 1));
    main_body_ = static_cast<int>(config_.main_body);
    return;
  }
  main_body_ = mj_name2id(&model(), mjOBJ_BODY, "torso");
  if (main_body_ < 0) {
    throw ConfigError("model file '" + model_path() +
                      "': Ant-v4 needs a body named 'torso'; use Ant-v5 and main_body");
  }
}

double Ant::contact_force(double force) const {
  return std::min(std::max(force, config_.contact_force_range[0]), config_.contact_force_range[1]);
}

/// Observation, all float64:
///   qpos      nq (15), without x and y when exclude_current_positions_from_observation
///   qvel      nv (14)
///   cfrc_ext  6 per body, clipped to contact_force_range: v5 without the world body (78) when
///             include_cfrc_ext_in_observation, v4 with it (84) when use_contact_forces
/// Source: Gymnasium's ant_v4.py and ant_v5.py, _get_obs.
void Ant::observe(const mjData& data, std::span<double> observation) const {
  double* out = observation.data();
  out = std::copy(data.qpos + skipped_positions_, data.qpos + model().nq, out);
  out = std::copy_n(data.qvel, model().nv, out);
  for (std::size_t i = first_observed_force_; i < num_forces_; ++i) {
    *out++ = contact_force(data.cfrc_ext[i]);
  }
}

void Ant::reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                std::span<double> observation) const {
  mjData& data = static_cast<MujocoWorkspace&>(workspace).data();
  const auto nq = static_cast<std::size_t>(model().nq);
  const auto nv = static_cast<std::size_t>(model().nv);
  const double scale = config_.reset_noise_scale;
  for (std::size_t i = 0; i < nq; ++i) state[i] = model().qpos0[i] + rng.uniform(-scale, scale);
  for (std::size_t i = 0; i < nv; ++i) state[nq + i] = 0.0 + scale * rng.standard_normal();
  if (!forward(data, state)) {
    std::fill(observation.begin(), observation.end(), 0.0);
    return;
  }
  std::copy_n(data.xpos + 3 * main_body_, 2, state.data() + physics_dim());
  observe(data, observation);
}

bool Ant::healthy(std::span<const double> state) const {
  // a state that is not finite never comes here: its step is invalid
  return config_.healthy_z_range[0] <= state[2] && state[2] <= config_.healthy_z_range[1];
}

// float32 as in NumPy: a Python float times a float32 stays float32
float Ant::control_cost(std::span<const float> action) const {
  const auto square = [&](std::size_t i) { return action[i] * action[i]; };
  return static_cast<float>(config_.ctrl_cost_weight) * numpy_sum<float>(action.size(), square);
}

double Ant::contact_cost(const mjData& data) const {
  const auto square = [&](std::size_t i) {
    const double force = contact_force(data.cfrc_ext[i]);
    return force * force;
  };
  return config_.contact_cost_weight * numpy_sum<double>(num_forces_, square);
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_forward  forward_reward_weight * (xpos_x after - before) / control_dt   (v4: weight 1)
///   reward_survive  v5: healthy_reward while healthy, else 0
///                   v4: healthy_reward while healthy or when terminate_when_unhealthy, else 0
///   reward_ctrl     -ctrl_cost_weight * sum(action^2), of the action before clipping
///   reward_contact  -contact_cost_weight * sum(clip(cfrc_ext)^2) over all bodies
///                   (v4: 0 unless use_contact_forces)
///   reward          (forward + survive) - (ctrl cost + contact cost)
/// Terminated: unhealthy (z outside healthy_z_range, bounds included) and terminate_when_unhealthy.
/// Source: Gymnasium's ant_v4.py and ant_v5.py, step. With use_contact_forces, v4's info shows the
/// contact term under the name reward_ctrl; here the two are apart.
StepResult Ant::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                     std::span<const float> action, std::span<double> next_observation,
                     std::span<double> terms) const {
  mjData& data = static_cast<MujocoWorkspace&>(workspace).data();
  const double x_before = state[physics_dim()];
  if (!simulate(data, state, action)) return {.invalid = true};
  std::copy_n(data.xpos + 3 * main_body_, 2, state.data() + physics_dim());
  observe(data, next_observation);

  const double x_velocity = (state[physics_dim()] - x_before) / spec_.control_dt;
  const bool is_healthy = healthy(state);
  const bool survives = is_healthy || (!is_v5() && config_.terminate_when_unhealthy);
  const double forward_reward = is_v5() ? x_velocity * config_.forward_reward_weight : x_velocity;
  const double survive_reward = survives ? config_.healthy_reward : 0.0;
  const float ctrl_cost = control_cost(action);
  const bool pays_contact = is_v5() || config_.use_contact_forces;
  const double contact = pays_contact ? contact_cost(data) : 0.0;

  terms[0] = forward_reward;
  terms[1] = -ctrl_cost;
  terms[2] = -contact;
  terms[3] = survive_reward;
  return {.reward = (forward_reward + survive_reward) - (static_cast<double>(ctrl_cost) + contact),
          .terminated = !is_healthy && config_.terminate_when_unhealthy};
}

}  // namespace

std::unique_ptr<Env> make_ant(AntVersion version, const SimConfig& config) {
  return std::make_unique<Ant>(version, config);
}

}  // namespace anthill
