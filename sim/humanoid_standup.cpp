#include "sim/humanoid_observation.hpp"
#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

class HumanoidStandup final : public MujocoTask {
 public:
  explicit HumanoidStandup(const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  HumanoidStandupConfig config_;
  HumanoidObservation layout_;
};

/// Checked before the model is loaded.
const HumanoidStandupConfig& checked(const HumanoidStandupConfig& config) {
  const OptionChecks checks("sim.humanoid_standup", "HumanoidStandup-v5");
  checks.frame_skip(config.frame_skip);
  checks.finite({{"ctrl_cost_weight", config.ctrl_cost_weight},
                 {"impact_cost_weight", config.impact_cost_weight}});
  checks.ordered({{"impact_cost_range", config.impact_cost_range}});
  checks.reset_noise_scale(config.reset_noise_scale);
  return config;
}

HumanoidStandup::HumanoidStandup(const SimConfig& config)
    : MujocoTask("HumanoidStandup-v5", checked(config.humanoid_standup).xml_file,
                 config.humanoid_standup.frame_skip, config.max_episode_steps, 1000),
      config_(config.humanoid_standup) {
  require_model(model().nq >= 7 && model().nv >= 6, "a humanoid needs a free root joint");
  layout_ = {.num_skipped = config_.exclude_current_positions_from_observation ? 2 : 0,
             .include_cinert = config_.include_cinert_in_observation,
             .include_cvel = config_.include_cvel_in_observation,
             .include_qfrc_actuator = config_.include_qfrc_actuator_in_observation,
             .include_cfrc_ext = config_.include_cfrc_ext_in_observation};
  reads_contact_forces_ = true;
  spec_.observation_dim = layout_.dim(model());
  spec_.reward_terms = {"reward_linup", "reward_quadctrl", "reward_impact"};
}

void HumanoidStandup::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, config_.reset_noise_scale, state);
  draw_uniform_velocities(rng, config_.reset_noise_scale, state);
}

/// Observation: see HumanoidObservation.
void HumanoidStandup::observe(const mjData& data, std::span<double> observation) const {
  layout_.write(model(), data, observation);
}

/// Reward, all float64:
///   reward_linup     z / timestep of the simulation (not of the control step)
///   reward_quadctrl  -ctrl_cost_weight * sum(ctrl^2), of the action before clipping
///   reward_impact    -clip(impact_cost_weight * sum(cfrc_ext^2), impact_cost_range)
///   reward           ((linup - ctrl cost) - impact cost) + 1
/// Never terminates.
/// Source: Gymnasium's humanoidstandup_v5.py, step.
StepResult HumanoidStandup::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                                 std::span<const float> action, std::span<double> next_observation,
                                 std::span<double> terms) const {
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const mjData& data = data_of(workspace);
  const auto num_forces = static_cast<std::size_t>(6 * model().nbody);
  const double height_reward = state[2] / model().opt.timestep;
  const double ctrl_cost =
      config_.ctrl_cost_weight * numpy_sum_of_squares({data.ctrl, action.size()});
  const double impact_cost =
      numpy_clip(config_.impact_cost_weight * numpy_sum_of_squares({data.cfrc_ext, num_forces}),
                 config_.impact_cost_range[0], config_.impact_cost_range[1]);
  terms[0] = height_reward;
  terms[1] = -ctrl_cost;
  terms[2] = -impact_cost;
  return {.reward = height_reward - ctrl_cost - impact_cost + 1};
}

}  // namespace

std::unique_ptr<Env> make_humanoid_standup(const SimConfig& config) {
  return std::make_unique<HumanoidStandup>(config);
}

}  // namespace anthill
