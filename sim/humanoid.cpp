#include "sim/humanoid_observation.hpp"
#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

/// State row: | physics (nq + 2 nv) | x of the centre of mass |. MuJoCo's body positions lag qpos
/// by one pass, so it cannot be recomputed from the physics.
class Humanoid final : public MujocoTask {
 public:
  Humanoid(TaskVersion version, const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void remember(const mjData& data, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  double contact_cost(const mjData& data) const;

  TaskVersion version_;
  HumanoidConfig config_;
  HumanoidObservation layout_;
  double mass_ = 0;
};

/// Checked before the model is loaded.
const HumanoidConfig& checked(TaskVersion version, const HumanoidConfig& config) {
  const OptionChecks checks("sim.humanoid", task_name("Humanoid", version));
  if (version == TaskVersion::v4) {
    const HumanoidConfig defaults;
    const auto lacks = [&](const char* key, auto HumanoidConfig::*option) {
      checks.lacks(key, config.*option, defaults.*option);
    };
    checks.lacks_model(config);
    lacks("contact_cost_weight", &HumanoidConfig::contact_cost_weight);
    lacks("contact_cost_range", &HumanoidConfig::contact_cost_range);
    lacks("include_cinert_in_observation", &HumanoidConfig::include_cinert_in_observation);
    lacks("include_cvel_in_observation", &HumanoidConfig::include_cvel_in_observation);
    lacks("include_qfrc_actuator_in_observation",
          &HumanoidConfig::include_qfrc_actuator_in_observation);
    lacks("include_cfrc_ext_in_observation", &HumanoidConfig::include_cfrc_ext_in_observation);
  }
  checks.frame_skip(config.frame_skip);
  checks.finite({{"forward_reward_weight", config.forward_reward_weight},
                 {"ctrl_cost_weight", config.ctrl_cost_weight},
                 {"contact_cost_weight", config.contact_cost_weight},
                 {"healthy_reward", config.healthy_reward}});
  checks.ordered({{"contact_cost_range", config.contact_cost_range},
                  {"healthy_z_range", config.healthy_z_range}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

Humanoid::Humanoid(TaskVersion version, const SimConfig& config)
    : MujocoTask(task_name("Humanoid", version), checked(version, config.humanoid).xml_file,
                 config.humanoid.frame_skip, config.max_episode_steps, 1000),
      version_(version),
      config_(config.humanoid) {
  const mjModel& m = model();
  require_model(m.nq >= 7 && m.nv >= 6, "a humanoid needs a free root joint");
  const auto body_mass = [&](std::size_t body) { return m.body_mass[body]; };
  mass_ = numpy_sum<double>(static_cast<std::size_t>(m.nbody), body_mass);
  layout_ = {.num_skipped = config_.exclude_current_positions_from_observation ? 2 : 0,
             .first_body = version == TaskVersion::v4 ? 0 : 1,
             .first_dof = version == TaskVersion::v4 ? 0 : 6,
             .include_cinert = config_.include_cinert_in_observation,
             .include_cvel = config_.include_cvel_in_observation,
             .include_qfrc_actuator = config_.include_qfrc_actuator_in_observation,
             .include_cfrc_ext = config_.include_cfrc_ext_in_observation};
  reads_contact_forces_ = true;
  spec_.observation_dim = layout_.dim(m);
  spec_.state_dim += 1;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_contact", "reward_survive"};
}

void Humanoid::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_uniform_velocities(rng, config_.reset_noise_scale, state);
}

void Humanoid::remember(const mjData& data, std::span<double> state) const {
  double moment = 0;
  for (int body = 0; body < model().nbody; ++body) {
    moment += model().body_mass[body] * data.xipos[3 * body];
  }
  state[physics_dim()] = moment / mass_;
}

/// Observation: see HumanoidObservation.
void Humanoid::observe(const mjData& data, std::span<double> observation) const {
  layout_.write(model(), data, observation);
}

double Humanoid::contact_cost(const mjData& data) const {
  const auto num_forces = static_cast<std::size_t>(6 * model().nbody);
  return numpy_clip(config_.contact_cost_weight * numpy_sum_of_squares({data.cfrc_ext, num_forces}),
                    config_.contact_cost_range[0], config_.contact_cost_range[1]);
}

/// Reward, all float64:
///   reward_forward  forward_reward_weight * (x of the centre of mass after - before) / control_dt
///   reward_survive  v5: healthy_reward while healthy, else 0
///                   v4: healthy_reward while healthy or when terminate_when_unhealthy, else 0
///   reward_ctrl     -ctrl_cost_weight * sum(ctrl^2), of the action before clipping
///   reward_contact  v5: -clip(contact_cost_weight * sum(cfrc_ext^2), contact_cost_range); v4: 0
///   reward          (forward + survive) - (ctrl cost + contact cost)
/// Terminated: unhealthy (z outside healthy_z_range, bounds excluded) and terminate_when_unhealthy.
/// Source: Gymnasium's humanoid_v4.py and humanoid_v5.py, step.
StepResult Humanoid::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                          std::span<const float> action, std::span<double> next_observation,
                          std::span<double> terms) const {
  const double x_before = state[physics_dim()];
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const mjData& data = data_of(workspace);
  const bool is_healthy =
      config_.healthy_z_range[0] < state[2] && state[2] < config_.healthy_z_range[1];
  const double forward_reward =
      config_.forward_reward_weight * velocity(x_before, state[physics_dim()]);
  const double survival = survive_reward(version_, is_healthy, config_.terminate_when_unhealthy,
                                         config_.healthy_reward);
  const double ctrl_cost =
      config_.ctrl_cost_weight * numpy_sum_of_squares({data.ctrl, action.size()});
  const double contact = version_ == TaskVersion::v4 ? 0.0 : contact_cost(data);
  terms[0] = forward_reward;
  terms[1] = -ctrl_cost;
  terms[2] = -contact;
  terms[3] = survival;
  return {.reward = (forward_reward + survival) - (ctrl_cost + contact),
          .terminated = !is_healthy && config_.terminate_when_unhealthy};
}

}  // namespace

std::unique_ptr<Env> make_humanoid(TaskVersion version, const SimConfig& config) {
  return std::make_unique<Humanoid>(version, config);
}

}  // namespace anthill
