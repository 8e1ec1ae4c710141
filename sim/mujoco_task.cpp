#include "sim/mujoco_task.hpp"

#include <algorithm>

namespace anthill {

MujocoTask::MujocoTask(const std::string& name, const std::string& xml_file,
                       std::int64_t frame_skip, std::int64_t max_episode_steps,
                       std::int64_t default_limit)
    : MujocoEnv(xml_file, frame_skip) {
  reads_contact_forces_ = false;
  spec_.name = name;
  spec_.state_dim = static_cast<std::int64_t>(physics_dim());
  spec_.max_episode_steps = max_episode_steps > 0 ? max_episode_steps : default_limit;
}

void MujocoTask::require_model(bool condition, const std::string& message) const {
  if (!condition) throw ConfigError("model file '" + model_path() + "': " + message);
}

void MujocoTask::reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                       std::span<double> observation) const {
  mjData& data = data_of(workspace);
  draw_start(rng, state);
  if (!forward(data, state)) {
    std::fill(observation.begin(), observation.end(), 0.0);
    return;
  }
  remember(data, state);
  observe(data, observation);
}

bool MujocoTask::advance(Workspace& workspace, std::span<double> state,
                         std::span<const float> action, std::span<double> next_observation) const {
  mjData& data = data_of(workspace);
  if (!simulate(data, state, action)) return false;
  remember(data, state);
  observe(data, next_observation);
  return true;
}

void MujocoTask::draw_positions(NumpyGenerator& rng, double scale, std::span<double> state,
                                const double* qpos) const {
  const auto nq = static_cast<std::size_t>(model().nq);
  if (qpos == nullptr) qpos = model().qpos0;
  for (std::size_t i = 0; i < nq; ++i) state[i] = qpos[i] + rng.uniform(-scale, scale);
}

// 0.0 + x, because Gymnasium adds the noise to velocities of 0: a noise of -0.0 becomes 0.0
void MujocoTask::draw_uniform_velocities(NumpyGenerator& rng, double scale,
                                         std::span<double> state) const {
  const auto nq = static_cast<std::size_t>(model().nq);
  const auto nv = static_cast<std::size_t>(model().nv);
  for (std::size_t i = 0; i < nv; ++i) state[nq + i] = 0.0 + rng.uniform(-scale, scale);
}

void MujocoTask::draw_normal_velocities(NumpyGenerator& rng, double scale,
                                        std::span<double> state) const {
  const auto nq = static_cast<std::size_t>(model().nq);
  const auto nv = static_cast<std::size_t>(model().nv);
  for (std::size_t i = 0; i < nv; ++i) state[nq + i] = 0.0 + scale * rng.standard_normal();
}

double* copy_positions_and_velocities(const mjModel& model, const mjData& data, int num_skipped,
                                      double* out) {
  out = std::copy(data.qpos + num_skipped, data.qpos + model.nq, out);
  return std::copy_n(data.qvel, model.nv, out);
}

double* copy_positions_and_clipped_velocities(const mjModel& model, const mjData& data,
                                              int num_skipped, double* out) {
  out = std::copy(data.qpos + num_skipped, data.qpos + model.nq, out);
  return std::transform(data.qvel, data.qvel + model.nv, out,
                        [](double v) { return numpy_clip(v, -10.0, 10.0); });
}

}  // namespace anthill
