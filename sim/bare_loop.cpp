#include "sim/bare_loop.hpp"

#include <mujoco/mjbatch.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "sim/action_wrappers.hpp"
#include "sim/mujoco_env.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

const MujocoEnv& mujoco_env(const Env& env) {
  const auto* mujoco = dynamic_cast<const MujocoEnv*>(&env);
  if (mujoco != nullptr) return *mujoco;
  if (&without_wrappers(env) != &env) {
    throw ConfigError(
        "the bare loop plays a task's own actions: remove sim.action_repeat and sim.action_table");
  }
  throw ConfigError(env.spec().name + " is not simulated by MuJoCo: there is no bare loop of it");
}

/// What the two loops have in common.
class MujocoLoop : public PhysicsLoop {
 public:
  MujocoLoop(const Env& env, const PhysicsTape& tape, std::int64_t num_envs)
      : model_(mujoco_env(env).model()),
        tape_(tape),
        num_envs_(num_envs),
        frame_skip_(std::lround(env.spec().control_dt / model_.opt.timestep)),
        contact_forces_(mujoco_env(env).reads_contact_forces()) {}

 protected:
  /// One control step from where `data` is.
  void step(mjData& data, std::int64_t tape_step, std::int64_t env) const {
    std::copy_n(tape_.action(tape_step, env), model_.nu, data.ctrl);
    for (std::int64_t i = 0; i < frame_skip_; ++i) mj_step(&model_, &data);
    if (contact_forces_) mj_rnePostConstraint(&model_, &data);
  }

  const mjModel& model_;
  const PhysicsTape& tape_;
  std::int64_t num_envs_;
  std::int64_t frame_skip_;
  bool contact_forces_;
};

class BareLoop final : public MujocoLoop {
 public:
  BareLoop(const Env& env, const PhysicsTape& tape, std::int64_t num_envs)
      : MujocoLoop(env, tape, num_envs), workspace_(model_) {}

  void play_step(std::int64_t tape_step) override {
    mjData& data = workspace_.data();
    for (std::int64_t env = 0; env < num_envs_; ++env) {
      const double* row = tape_.row(tape_step, env);
      std::copy_n(row, model_.nq, data.qpos);
      std::copy_n(row + model_.nq, model_.nv, data.qvel);
      std::copy_n(row + model_.nq + model_.nv, model_.nv, data.qacc_warmstart);
      std::copy_n(row + model_.nq + 2 * model_.nv, model_.na, data.act);
      data.time = 0;
      step(data, tape_step, env);
    }
  }

  std::vector<double> last_state() const override {
    const mjData& data = workspace_.data();
    std::vector<double> state(data.qpos, data.qpos + model_.nq);
    state.insert(state.end(), data.qvel, data.qvel + model_.nv);
    return state;
  }

 private:
  mutable MujocoWorkspace workspace_;
};

class BatchLoop final : public MujocoLoop {
 public:
  BatchLoop(const Env& env, const PhysicsTape& tape, std::int64_t num_envs, int num_threads)
      : MujocoLoop(env, tape, num_envs) {
    mjBatchConfig config;
    mjb_defaultConfig(&config);
    config.nthread = num_threads;
    char error[256] = "";
    batch_.reset(mjb_makeBatch(&model_, static_cast<int>(num_envs), &config, error, sizeof(error)));
    if (batch_ == nullptr) throw std::runtime_error(std::string("mjb_makeBatch: ") + error);
    observation_dim_ = static_cast<std::size_t>(model_.nq + model_.nv + 6 * model_.nbody);
    observations_.resize(static_cast<std::size_t>(num_envs) * observation_dim_);
  }

  void play_step(std::int64_t tape_step) override {
    place_new_episodes(tape_step);
    tape_step_ = tape_step;
    const auto work = [](const mjModel*, mjData* data, int sim, void* loop) {
      static_cast<BatchLoop*>(loop)->run(*data, sim);
    };
    if (mjb_apply(batch_.get(), nullptr, static_cast<int>(num_envs_), work, this, 1) != 0) {
      throw std::runtime_error("mjb_apply: a simulation failed");
    }
  }

  std::vector<double> last_state() const override {
    std::vector<double> state;
    for (const int component : {mjSTATE_QPOS, mjSTATE_QVEL}) {
      int size = 0;
      const mjtNum* first = mjb_stateComponent(batch_.get(), component, &size);
      const mjtNum* values = first + (num_envs_ - 1) * mjb_nstate(batch_.get());
      state.insert(state.end(), values, values + size);
    }
    return state;
  }

 private:
  struct Delete {
    void operator()(mjBatch* batch) const { mjb_deleteBatch(batch); }
  };

  /// What autoreset does in a VectorEnv.
  void place_new_episodes(std::int64_t tape_step) {
    const int row_size = mjb_nstate(batch_.get());
    // in the order of the row
    const std::pair<int, mjtSize> components[] = {{mjSTATE_QPOS, model_.nq},
                                                  {mjSTATE_QVEL, model_.nv},
                                                  {mjSTATE_WARMSTART, model_.nv},
                                                  {mjSTATE_ACT, model_.na}};
    for (std::int64_t env = 0; env < num_envs_; ++env) {
      if (!tape_.is_first_step(tape_step, env)) continue;
      const double* row = tape_.row(tape_step, env);
      for (const auto& [component, size] : components) {
        if (size == 0) continue;
        mjtNum* const first = mjb_stateComponent(batch_.get(), component, nullptr);
        std::copy_n(row, size, first + env * row_size);
        row += size;
      }
    }
  }

  void run(mjData& data, int sim) {
    step(data, tape_step_, sim);
    float* out = observations_.data() + static_cast<std::size_t>(sim) * observation_dim_;
    const auto write = [&out](const mjtNum* values, mjtSize count) {
      for (mjtSize i = 0; i < count; ++i) *out++ = static_cast<float>(values[i]);
    };
    write(data.qpos, model_.nq);
    write(data.qvel, model_.nv);
    write(data.cfrc_ext, 6 * model_.nbody);
  }

  std::unique_ptr<mjBatch, Delete> batch_;
  std::size_t observation_dim_ = 0;
  std::vector<float> observations_;
  std::int64_t tape_step_ = 0;
};

/// What a VectorEnv needs around it.
struct RecordedRows {
  RecordedRows(const EnvSpec& spec_in, std::size_t num_envs)
      : spec(spec_in),
        acting(num_envs * static_cast<std::size_t>(spec.observation_dim)),
        next(acting.size()),
        action(num_envs * static_cast<std::size_t>(spec.action_dim)),
        reward(num_envs),
        terminated(num_envs),
        truncated(num_envs),
        invalid(num_envs) {}

  TransitionView view() {
    TransitionView rows;
    rows.num_envs = static_cast<std::int64_t>(reward.size());
    rows.observation_dim = spec.observation_dim;
    rows.action_dim = spec.action_dim;
    rows.action = action;
    rows.reward = reward;
    rows.next_observation = next;
    rows.terminated = terminated;
    rows.truncated = truncated;
    rows.invalid = invalid;
    return rows;
  }
  bool ended(std::size_t env) const {
    return terminated[env] != 0 || truncated[env] != 0 || invalid[env] != 0;
  }

  const EnvSpec& spec;
  std::vector<float> acting, next, action, reward;
  std::vector<std::uint8_t> terminated, truncated, invalid;
};

/// Uniform in the task's bounds; an index where actions are discrete.
void draw_actions(const EnvSpec& spec, NumpyGenerator& rng, std::span<float> actions) {
  const auto action_dim = static_cast<std::size_t>(spec.action_dim);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (spec.num_actions > 0) {
      actions[i] =
          static_cast<float>(std::floor(rng.uniform(0, static_cast<double>(spec.num_actions))));
      continue;
    }
    const std::size_t j = i % action_dim;
    actions[i] = static_cast<float>(rng.uniform(static_cast<double>(spec.action_low[j]),
                                                static_cast<double>(spec.action_high[j])));
  }
}

}  // namespace

PhysicsTape record_tape(std::shared_ptr<const Env> env, std::int64_t num_envs,
                        std::int64_t warm_up_steps, std::int64_t num_steps) {
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(num_envs));
  std::iota(seeds.begin(), seeds.end(), 0);
  ThreadPool pool;
  VectorEnv envs(env, seeds, pool);
  envs.set_scale_actions(false);
  RecordedRows rows(env->spec(), seeds.size());
  PhysicsTape tape;
  tape.num_envs = num_envs;
  tape.num_steps = num_steps;
  tape.row_size = envs.row_size();
  tape.action_dim = env->spec().action_dim;
  NumpyGenerator rng(0);
  envs.reset(rows.acting);
  for (std::int64_t t = -warm_up_steps; t < num_steps; ++t) {
    draw_actions(env->spec(), rng, rows.action);
    if (t >= 0) {
      tape.rows.insert(tape.rows.end(), envs.state().begin(), envs.state().end());
      tape.actions.insert(tape.actions.end(), rows.action.begin(), rows.action.end());
      for (std::size_t i = 0; i < seeds.size(); ++i) {
        tape.first_step.push_back(t == 0 || rows.ended(i));
      }
    }
    envs.begin_step(rows.view(), rows.acting);
    envs.finish_step();
  }
  return tape;
}

std::unique_ptr<PhysicsLoop> make_bare_loop(const Env& env, const PhysicsTape& tape,
                                            std::int64_t num_envs) {
  return std::make_unique<BareLoop>(env, tape, num_envs);
}

std::unique_ptr<PhysicsLoop> make_batch_loop(const Env& env, const PhysicsTape& tape,
                                             std::int64_t num_envs, int num_threads) {
  return std::make_unique<BatchLoop>(env, tape, num_envs, num_threads);
}

}  // namespace anthill
