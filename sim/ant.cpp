#include <algorithm>

#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

/// State row: | physics (nq + 2 nv) | xpos of the main body: x, y |. MuJoCo's xpos lags qpos by one
/// pass, so it cannot be recomputed from the physics.
class Ant final : public MujocoTask {
 public:
  Ant(TaskVersion version, const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void remember(const mjData& data, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  bool is_v5() const { return version_ == TaskVersion::v5; }
  int find_main_body() const;
  bool healthy(std::span<const double> state) const;
  double contact_force(double force) const;
  double contact_cost(const mjData& data) const;

  TaskVersion version_;
  AntConfig config_;
  int main_body_ = 0;
  int num_skipped_ = 0;                   // leading qpos that are not observed
  std::size_t first_observed_force_ = 0;  // index into cfrc_ext
  std::size_t num_forces_ = 0;            // elements of cfrc_ext
};

/// Checked before the model is loaded.
const AntConfig& checked(TaskVersion version, const AntConfig& config) {
  const AntConfig defaults;
  const OptionChecks checks("sim.ant", task_name("Ant", version));
  if (version == TaskVersion::v4) {
    checks.lacks("frame_skip", config.frame_skip, defaults.frame_skip);
    checks.lacks("forward_reward_weight", config.forward_reward_weight,
                 defaults.forward_reward_weight);
    checks.lacks("main_body", config.main_body, defaults.main_body);
    checks.lacks("include_cfrc_ext_in_observation", config.include_cfrc_ext_in_observation,
                 defaults.include_cfrc_ext_in_observation);
  } else {
    checks.lacks("use_contact_forces", config.use_contact_forces, defaults.use_contact_forces);
  }
  checks.frame_skip(config.frame_skip);
  checks.finite({{"forward_reward_weight", config.forward_reward_weight},
                 {"ctrl_cost_weight", config.ctrl_cost_weight},
                 {"contact_cost_weight", config.contact_cost_weight},
                 {"healthy_reward", config.healthy_reward}});
  checks.reset_noise_scale(config.reset_noise_scale);
  checks.ordered({{"healthy_z_range", config.healthy_z_range},
                  {"contact_force_range", config.contact_force_range}});
  return config;
}

Ant::Ant(TaskVersion version, const SimConfig& config)
    : MujocoTask(task_name("Ant", version), checked(version, config.ant).xml_file,
                 config.ant.frame_skip, config.max_episode_steps, 1000),
      version_(version),
      config_(config.ant) {
  const mjModel& m = model();
  require_model(m.nq >= 3, "an ant needs a free root joint");
  main_body_ = find_main_body();
  num_skipped_ = config_.exclude_current_positions_from_observation ? 2 : 0;
  num_forces_ = 6 * static_cast<std::size_t>(m.nbody);
  // v5 leaves out the world body's forces; v4 shows them
  const bool observe_forces =
      is_v5() ? config_.include_cfrc_ext_in_observation : config_.use_contact_forces;
  first_observed_force_ = observe_forces ? (is_v5() ? 6 : 0) : num_forces_;

  reads_contact_forces_ = is_v5() || config_.use_contact_forces;

  spec_.observation_dim =
      m.nq + m.nv - num_skipped_ + static_cast<std::int64_t>(num_forces_ - first_observed_force_);
  spec_.state_dim += 2;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_contact", "reward_survive"};
}

int Ant::find_main_body() const {
  if (is_v5()) {
    OptionChecks("sim.ant", spec_.name)
        .require(config_.main_body >= 0 && config_.main_body < model().nbody, "main_body",
                 "the model has bodies 0 to " + std::to_string(model().nbody - 1));
    return static_cast<int>(config_.main_body);
  }
  const int torso = mj_name2id(&model(), mjOBJ_BODY, "torso");
  require_model(torso >= 0, "Ant-v4 needs a body named 'torso'; use Ant-v5 and main_body");
  return torso;
}

double Ant::contact_force(double force) const {
  return numpy_clip(force, config_.contact_force_range[0], config_.contact_force_range[1]);
}

void Ant::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_normal_velocities(rng, config_.reset_noise_scale, state);
}

void Ant::remember(const mjData& data, std::span<double> state) const {
  std::copy_n(data.xpos + 3 * main_body_, 2, state.data() + physics_dim());
}

/// Observation, all float64:
///   qpos      nq (15), without x and y when exclude_current_positions_from_observation
///   qvel      nv (14)
///   cfrc_ext  6 per body, clipped to contact_force_range: v5 without the world body (78) when
///             include_cfrc_ext_in_observation, v4 with it (84) when use_contact_forces
/// Source: Gymnasium's ant_v4.py and ant_v5.py, _get_obs.
void Ant::observe(const mjData& data, std::span<double> observation) const {
  double* out = copy_positions_and_velocities(model(), data, num_skipped_, observation.data());
  for (std::size_t i = first_observed_force_; i < num_forces_; ++i) {
    *out++ = contact_force(data.cfrc_ext[i]);
  }
}

bool Ant::healthy(std::span<const double> state) const {
  // a state that is not finite never comes here: its step is invalid
  return config_.healthy_z_range[0] <= state[2] && state[2] <= config_.healthy_z_range[1];
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
  const double x_before = state[physics_dim()];
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const bool is_healthy = healthy(state);
  const double forward_reward =
      config_.forward_reward_weight * velocity(x_before, state[physics_dim()]);
  const double survival = survive_reward(version_, is_healthy, config_.terminate_when_unhealthy,
                                         config_.healthy_reward);
  const double ctrl_cost = numpy_control_cost(config_.ctrl_cost_weight, action);
  const bool pays_contact = is_v5() || config_.use_contact_forces;
  const double contact = pays_contact ? contact_cost(data_of(workspace)) : 0.0;

  terms[0] = forward_reward;
  terms[1] = -ctrl_cost;
  terms[2] = -contact;
  terms[3] = survival;
  return {.reward = (forward_reward + survival) - (ctrl_cost + contact),
          .terminated = !is_healthy && config_.terminate_when_unhealthy};
}

}  // namespace

std::unique_ptr<Env> make_ant(TaskVersion version, const SimConfig& config) {
  return std::make_unique<Ant>(version, config);
}

}  // namespace anthill
