#include <cmath>

#include "sim/mujoco_task.hpp"

namespace anthill {
namespace {

constexpr double kMaxTargetDistance = 0.2;  // m

class Reacher final : public MujocoTask {
 public:
  explicit Reacher(const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 protected:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;

 private:
  /// From the target to the fingertip, [m].
  std::array<double, 3> difference(const mjData& data) const;

  ReacherConfig config_;
  int fingertip_ = 0;
  int target_ = 0;
};

/// Checked before the model is loaded.
const ReacherConfig& checked(const ReacherConfig& config) {
  const OptionChecks checks("sim.reacher", "Reacher-v5");
  checks.frame_skip(config.frame_skip);
  checks.finite({{"reward_dist_weight", config.reward_dist_weight},
                 {"reward_control_weight", config.reward_control_weight}});
  return config;
}

Reacher::Reacher(const SimConfig& config)
    : MujocoTask("Reacher-v5", checked(config.reacher).xml_file, config.reacher.frame_skip,
                 config.max_episode_steps, 50),
      config_(config.reacher) {
  fingertip_ = mj_name2id(&model(), mjOBJ_BODY, "fingertip");
  target_ = mj_name2id(&model(), mjOBJ_BODY, "target");
  require_model(fingertip_ >= 0 && target_ >= 0,
                "a reacher needs bodies named 'fingertip' and 'target'");
  require_model(model().nq == 4 && model().nv == 4,
                "a reacher needs four joints: two of the arm, then the target's along x and y");
  spec_.observation_dim = 10;
  spec_.reward_terms = {"reward_dist", "reward_ctrl"};
}

/// qpos0 + U(-0.1, 0.1) for the arm, a target uniform in the disk of radius 0.2, velocities
/// U(-0.005, 0.005) for the arm. The noise for the target is drawn and not used, as in Gymnasium.
void Reacher::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  draw_positions(rng, 0.1, state);
  const std::span<double> target = state.subspan(2, 2);
  do {
    target[0] = rng.uniform(-kMaxTargetDistance, kMaxTargetDistance);
    target[1] = rng.uniform(-kMaxTargetDistance, kMaxTargetDistance);
  } while (!(numpy_norm(target) < kMaxTargetDistance));
  draw_uniform_velocities(rng, 0.005, state);
  state[6] = 0;
  state[7] = 0;
}

std::array<double, 3> Reacher::difference(const mjData& data) const {
  const mjtNum* fingertip = data.xpos + 3 * fingertip_;
  const mjtNum* target = data.xpos + 3 * target_;
  return {fingertip[0] - target[0], fingertip[1] - target[1], fingertip[2] - target[2]};
}

/// Observation, all float64:
///   2  cosine of the arm's angles
///   2  sine of the arm's angles
///   2  the target's position
///   2  the arm's angular velocities
///   2  fingertip - target, x and y
/// Source: Gymnasium's reacher_v5.py, _get_obs.
void Reacher::observe(const mjData& data, std::span<double> observation) const {
  const std::array<double, 3> vector = difference(data);
  for (std::size_t i = 0; i < 2; ++i) {
    observation[i] = std::cos(data.qpos[i]);
    observation[2 + i] = std::sin(data.qpos[i]);
    observation[4 + i] = data.qpos[2 + i];
    observation[6 + i] = data.qvel[i];
    observation[8 + i] = vector[i];
  }
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_dist  -|fingertip - target| * reward_dist_weight
///   reward_ctrl  -sum(action^2) * reward_control_weight, of the action before clipping
///   reward       dist + ctrl
/// Never terminates.
/// Source: Gymnasium's reacher_v5.py, step.
StepResult Reacher::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                         std::span<const float> action, std::span<double> next_observation,
                         std::span<double> terms) const {
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const std::array<double, 3> vector = difference(data_of(workspace));
  terms[0] = -numpy_norm(vector) * config_.reward_dist_weight;
  terms[1] = -numpy_control_cost(config_.reward_control_weight, action);
  return {.reward = terms[0] + terms[1]};
}

}  // namespace

std::unique_ptr<Env> make_reacher(const SimConfig& config) {
  return std::make_unique<Reacher>(config);
}

}  // namespace anthill
