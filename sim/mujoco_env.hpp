/// What all MuJoCo tasks share: loading a model, state rows, stepping, warnings.
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "sim/env.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {

/// One mjData; what it holds between calls is of no consequence.
class MujocoWorkspace : public Workspace {
 public:
  /// Throws std::runtime_error when MuJoCo cannot allocate it.
  explicit MujocoWorkspace(const mjModel& model);

  mjData& data() { return *data_; }

 private:
  struct Delete {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  std::unique_ptr<mjData, Delete> data_;
};

/// A hash of everything in a model that a trajectory depends on: options, and the arrays of bodies,
/// joints, geoms, actuators, ...; lights, cameras, textures and keyframes do not count.
std::uint64_t physics_hash(const mjModel& model);

/// A task on an MJCF model. The first doubles of its state row are the physics:
/// | qpos (nq) | qvel (nv) | qacc_warmstart (nv) | act (na) |; what follows belongs to the task.
class MujocoEnv : public Env {
 public:
  const EnvSpec& spec() const override { return spec_; }
  std::string model_path() const override { return model_path_; }
  std::string physics_identity() const override;
  std::unique_ptr<Workspace> make_workspace() const override;

  const mjModel& model() const { return *model_; }

  /// Whether a step ends with mj_rnePostConstraint.
  bool reads_contact_forces() const { return reads_contact_forces_; }

 protected:
  /// Loads `xml_file` (see find_asset). Fills the action part of the spec (ctrlrange as float32, as
  /// Gymnasium's action space) and control_dt. Throws ConfigError when the file is missing or wrong
  /// or the model has state that a row does not hold; std::runtime_error when the MuJoCo library is
  /// not the one whose headers were compiled.
  MujocoEnv(const std::string& xml_file, std::int64_t frame_skip);

  /// Doubles of the physics part.
  std::size_t physics_dim() const { return physics_dim_; }

  /// mj_forward on the row's qpos and qvel, from a clean start (warm start, act and ctrl 0):
  /// Gymnasium's reset. Writes the row's physics. False when MuJoCo failed: the row is then NaN, so
  /// that the first step is invalid.
  bool forward(mjData& data, std::span<double> state) const;

  /// frame_skip times mj_step with `action` as ctrl, then cfrc_ext (mj_rnePostConstraint) where the
  /// task reads it; reads and writes the row's physics. False when MuJoCo warned or failed, or the
  /// result is not finite.
  bool simulate(mjData& data, std::span<double> state, std::span<const float> action) const;

  EnvSpec spec_;
  bool reads_contact_forces_ = true;  // false spares the pass that computes cfrc_ext

 private:
  struct Delete {
    void operator()(mjModel* model) const { mj_deleteModel(model); }
  };

  void load(mjData& data, std::span<const double> state) const;
  void save(const mjData& data, std::span<double> state) const;

  std::string model_path_;
  std::uint64_t physics_hash_ = 0;  // of the file as written
  std::unique_ptr<mjModel, Delete> model_;
  std::int64_t frame_skip_ = 1;
  std::size_t physics_dim_ = 0;
};

/// Calls `function(context)`; false when MuJoCo reported an error inside, which leaves it by
/// longjmp: nothing with a destructor may live in `function`. MuJoCo's own handler would end the
/// process. Warnings count as simulator warnings unless `count_warnings` is false.
bool call_mujoco(void (*function)(void*), void* context, bool count_warnings = true);

}  // namespace anthill
