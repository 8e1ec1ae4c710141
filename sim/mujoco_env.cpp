#include "sim/mujoco_env.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "sim/assets.hpp"

namespace anthill {
namespace {

void check_version() {
  if (mj_version() != mjVERSION_HEADER) {
    // 3017000: 3.17.0
    const std::string compiled_for = std::to_string(mjVERSION_HEADER / 1'000'000) + "." +
                                     std::to_string(mjVERSION_HEADER / 1000 % 1000) + "." +
                                     std::to_string(mjVERSION_HEADER % 1000);
    throw std::runtime_error("MuJoCo: the library is version " + mujoco_version() +
                             " but anthill was compiled for " + compiled_for +
                             "; build again with MUJOCO_ROOT set to the library's folder");
  }
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

mjModel* load_model(const std::string& path) {
  struct Call {
    const char* path;
    mjModel* model = nullptr;
    char error[1024] = "";
  } call{.path = path.c_str()};
  const bool ok = call_mujoco(
      [](void* context) {
        auto& c = *static_cast<Call*>(context);
        c.model = mj_loadXML(c.path, nullptr, c.error, sizeof(c.error));
      },
      &call, /*count_warnings=*/false);  // an attribute that is deprecated is no failure
  if (!ok || call.model == nullptr) {
    throw ConfigError("model file '" + path + "': MuJoCo cannot load it: " +
                      one_line(ok ? call.error : last_mujoco_warning()) + "; correct the file");
  }
  return call.model;
}

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

bool has_warning(const mjData& data) {
  return std::any_of(std::begin(data.warning), std::end(data.warning),
                     [](const mjWarningStat& warning) { return warning.number != 0; });
}

void clear_warnings(mjData& data) {
  for (mjWarningStat& warning : data.warning) warning = {};
}

}  // namespace

MujocoWorkspace::MujocoWorkspace(const mjModel& model) {
  struct Call {
    const mjModel* model;
    mjData* data = nullptr;
  } call{&model};
  const bool ok = call_mujoco(
      [](void* context) {
        auto& c = *static_cast<Call*>(context);
        c.data = mj_makeData(c.model);
      },
      &call);
  data_.reset(call.data);
  if (!ok || data_ == nullptr) {
    throw std::runtime_error("MuJoCo: no memory for one more mjData of " +
                             std::to_string(model.narena + model.nbuffer) +
                             " bytes; use fewer threads");
  }
}

MujocoEnv::MujocoEnv(const std::string& xml_file, std::int64_t frame_skip)
    : frame_skip_(frame_skip) {
  check_version();
  if (frame_skip < 1 || frame_skip > std::numeric_limits<int>::max()) {
    throw ConfigError("frame_skip: must be at least 1");
  }
  model_path_ = find_asset(xml_file).string();
  model_.reset(load_model(model_path_));
  mjModel& m = *model_;
  physics_hash_ = physics_hash(m);
  physics_dim_ = static_cast<std::size_t>(m.nq + 2 * m.nv + m.na);

  // a row holds qpos, qvel, act and the warm start; time is not read by any force of such a model
  if (mj_stateSize(&m, mjSTATE_FULLPHYSICS) != 1 + m.nq + m.nv + m.na) {
    throw ConfigError(
        "model file '" + model_path_ +
        "': the state of plugins, and of actuators and sensors with delay or history, "
        "is not kept between steps; use a model without them");
  }
  if ((m.opt.enableflags & mjENBL_SLEEP) != 0) {
    throw ConfigError("model file '" + model_path_ +
                      "': which bodies sleep is not kept between steps; remove sleep=\"enable\"");
  }
  // a reset in the middle of a trajectory would go unseen
  m.opt.disableflags |= mjDSBL_AUTORESET;
  // with one kinematic tree there is one island: finding it costs 6 % and changes no bit
  if (m.ntree == 1) m.opt.disableflags |= mjDSBL_ISLAND;

  spec_.action_dim = m.nu;
  for (int i = 0; i < m.nu; ++i) {
    const double low = m.actuator_ctrlrange[2 * i];
    const double high = m.actuator_ctrlrange[2 * i + 1];
    if (!(low < high)) {
      const char* name = mj_id2name(&m, mjOBJ_ACTUATOR, i);
      throw ConfigError("model file '" + model_path_ + "': actuator " + std::to_string(i) +
                        (name == nullptr ? "" : std::string(" ('") + name + "')") +
                        " has no ctrlrange, which bounds the actions; give it one");
    }
    spec_.action_low.push_back(static_cast<float>(low));
    spec_.action_high.push_back(static_cast<float>(high));
  }
  spec_.control_dt = m.opt.timestep * static_cast<double>(frame_skip);
}

std::string MujocoEnv::physics_identity() const {
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(physics_hash_));
  return "MuJoCo " + mujoco_version() + ", model " + hash + ", frame_skip " +
         std::to_string(frame_skip_);
}

std::unique_ptr<Workspace> MujocoEnv::make_workspace() const {
  return std::make_unique<MujocoWorkspace>(*model_);
}

void MujocoEnv::load(mjData& data, std::span<const double> state) const {
  const auto nq = static_cast<std::size_t>(model_->nq);
  const auto nv = static_cast<std::size_t>(model_->nv);
  std::copy_n(state.data(), nq, data.qpos);
  std::copy_n(state.data() + nq, nv, data.qvel);
  std::copy_n(state.data() + nq + nv, nv, data.qacc_warmstart);
  std::copy_n(state.data() + nq + 2 * nv, model_->na, data.act);
  data.time = 0;
  clear_warnings(data);
}

void MujocoEnv::save(const mjData& data, std::span<double> state) const {
  const auto nq = static_cast<std::size_t>(model_->nq);
  const auto nv = static_cast<std::size_t>(model_->nv);
  std::copy_n(data.qpos, nq, state.data());
  std::copy_n(data.qvel, nv, state.data() + nq);
  std::copy_n(data.qacc_warmstart, nv, state.data() + nq + nv);
  std::copy_n(data.act, model_->na, state.data() + nq + 2 * nv);
}

bool MujocoEnv::forward(mjData& data, std::span<double> state) const {
  load(data, state);
  std::fill_n(data.qacc_warmstart, model_->nv, 0.0);
  std::fill_n(data.act, model_->na, 0.0);
  std::fill_n(data.ctrl, model_->nu, 0.0);
  std::fill_n(data.cfrc_ext, 6 * model_->nbody, 0.0);
  struct Call {
    const mjModel* model;
    mjData* data;
  } call{model_.get(), &data};
  const bool ok = call_mujoco(
      [](void* context) {
        const auto& c = *static_cast<Call*>(context);
        mj_forward(c.model, c.data);
      },
      &call);
  if (ok && !has_warning(data)) {
    save(data, state);
    return true;
  }
  // an error leaves MuJoCo's stack in the middle of a call
  if (!ok) mj_resetData(model_.get(), &data);
  std::fill(state.begin(), state.end(), std::numeric_limits<double>::quiet_NaN());
  return false;
}

bool MujocoEnv::simulate(mjData& data, std::span<double> state,
                         std::span<const float> action) const {
  if (!all_finite(state)) return false;
  load(data, state);
  std::copy(action.begin(), action.end(), data.ctrl);
  struct Call {
    const mjModel* model;
    mjData* data;
    std::int64_t frame_skip;
    bool contact_forces;
  } call{model_.get(), &data, frame_skip_, reads_contact_forces_};
  const bool ok = call_mujoco(
      [](void* context) {
        const auto& c = *static_cast<Call*>(context);
        for (std::int64_t i = 0; i < c.frame_skip && !has_warning(*c.data); ++i) {
          mj_step(c.model, c.data);
        }
        // contact forces on bodies, which mj_step leaves out
        if (c.contact_forces) mj_rnePostConstraint(c.model, c.data);
      },
      &call);
  if (!ok) mj_resetData(model_.get(), &data);
  if (!ok || has_warning(data)) return false;
  save(data, state);
  return all_finite(state.first(physics_dim_));
}

}  // namespace anthill
