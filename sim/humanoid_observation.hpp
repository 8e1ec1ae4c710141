/// What Humanoid and HumanoidStandup observe.
#pragma once

#include <mujoco/mujoco.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace anthill {

/// Observation, all float64, with the number of elements for Gymnasium's model (v5, v4):
///   qpos           nq, without x and y when num_skipped is 2 (22, 22)
///   qvel           nv (23, 23)
///   cinert         10 per body: inertia about the centre of mass (130, 140)
///   cvel           6 per body: velocity about the centre of mass (78, 84)
///   qfrc_actuator  per degree of freedom (17, 23)
///   cfrc_ext       6 per body: external forces (78, 84)
/// v5 leaves out the world body and the root's six degrees of freedom, and each of the last four
/// parts that is switched off; v4 shows everything.
/// Source: Gymnasium's humanoid_v4.py, humanoid_v5.py and humanoidstandup_v5.py, _get_obs.
struct HumanoidObservation {
  int num_skipped = 2;  // leading qpos that are not observed
  int first_body = 1;
  int first_dof = 6;  // of qfrc_actuator
  bool include_cinert = true;
  bool include_cvel = true;
  bool include_qfrc_actuator = true;
  bool include_cfrc_ext = true;

  std::int64_t dim(const mjModel& model) const {
    const int num_bodies = static_cast<int>(model.nbody) - first_body;
    return model.nq - num_skipped + model.nv + (include_cinert ? 10 * num_bodies : 0) +
           (include_cvel ? 6 * num_bodies : 0) +
           (include_qfrc_actuator ? model.nv - first_dof : 0) +
           (include_cfrc_ext ? 6 * num_bodies : 0);
  }

  void write(const mjModel& model, const mjData& data, std::span<double> observation) const {
    double* out = observation.data();
    out = std::copy(data.qpos + num_skipped, data.qpos + model.nq, out);
    out = std::copy_n(data.qvel, model.nv, out);
    const auto append = [&](const mjtNum* values, std::int64_t first, std::int64_t end) {
      out = std::copy(values + first, values + end, out);
    };
    if (include_cinert) append(data.cinert, 10 * first_body, 10 * model.nbody);
    if (include_cvel) append(data.cvel, 6 * first_body, 6 * model.nbody);
    if (include_qfrc_actuator) append(data.qfrc_actuator, first_dof, model.nv);
    if (include_cfrc_ext) append(data.cfrc_ext, 6 * first_body, 6 * model.nbody);
  }
};

}  // namespace anthill
