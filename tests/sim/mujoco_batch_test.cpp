// Differential: the vector environment on several threads equals MuJoCo's own C batch API
// (mjb_apply on several threads), bit for bit, over episodes with resets.
#define BOOST_TEST_MODULE sim_mujoco_batch
#include <mujoco/mjbatch.h>
#include <mujoco/mujoco.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <string>

#include "sim/bare_loop.hpp"
#include "tests/sim/mujoco_guard.hpp"
#include "tests/sim/rows.hpp"

using namespace anthill;

namespace {

/// The model file as MuJoCo reads it, with nothing of ours, in a batch that keeps its own states.
class Batch {
 public:
  Batch(const Env& env, int num_sims, int num_threads, bool islands) {
    char error[256] = "";
    model_ = mj_loadXML(env.model_path().c_str(), nullptr, error, sizeof(error));
    BOOST_REQUIRE_MESSAGE(model_ != nullptr, error);
    model_->opt.disableflags |= mjDSBL_AUTORESET;
    if (!islands) model_->opt.disableflags |= mjDSBL_ISLAND;
    frame_skip_ = std::lround(env.spec().control_dt / model_->opt.timestep);
    mjBatchConfig config;
    mjb_defaultConfig(&config);
    config.nthread = num_threads;
    batch_ = mjb_makeBatch(model_, num_sims, &config, error, sizeof(error));
    BOOST_REQUIRE_MESSAGE(batch_ != nullptr, error);
    cfrc_ext_.resize(static_cast<std::size_t>(num_sims * 6 * model_->nbody));
  }
  ~Batch() {
    mjb_deleteBatch(batch_);
    mj_deleteModel(model_);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// The state as a row of ours begins: qpos, qvel, qacc_warmstart.
  std::vector<double> physics(std::size_t sim) const {
    std::vector<double> row;
    for (const auto& [component, size] : components()) {
      const double* values = mjb_stateComponent(batch_, component, nullptr) + sim * row_size();
      row.insert(row.end(), values, values + size);
    }
    return row;
  }
  void set_physics(std::size_t sim, const double* row) {
    for (const auto& [component, size] : components()) {
      std::copy_n(row, size, mjb_stateComponent(batch_, component, nullptr) + sim * row_size());
      row += size;
    }
  }
  std::span<const double> contact_forces(std::size_t sim) const {
    const auto size = static_cast<std::size_t>(6 * model_->nbody);
    return std::span(cfrc_ext_).subspan(sim * size, size);
  }

  void step(std::span<const float> actions) {
    actions_ = actions;
    const auto work = [](const mjModel* m, mjData* d, int sim, void* context) {
      auto& batch = *static_cast<Batch*>(context);
      std::copy_n(batch.actions_.data() + sim * m->nu, m->nu, d->ctrl);
      for (long i = 0; i < batch.frame_skip_; ++i) mj_step(m, d);
      mj_rnePostConstraint(m, d);
      std::copy_n(d->cfrc_ext, 6 * m->nbody, batch.cfrc_ext_.data() + sim * 6 * m->nbody);
    };
    BOOST_REQUIRE(mjb_apply(batch_, nullptr, mjb_nsim(batch_), work, this, 1) == 0);
  }

 private:
  std::vector<std::pair<int, mjtSize>> components() const {
    return {
        {mjSTATE_QPOS, model_->nq}, {mjSTATE_QVEL, model_->nv}, {mjSTATE_WARMSTART, model_->nv}};
  }
  std::size_t row_size() const { return static_cast<std::size_t>(mjb_nstate(batch_)); }

  mjModel* model_ = nullptr;
  mjBatch* batch_ = nullptr;
  long frame_skip_ = 1;
  std::vector<double> cfrc_ext_;
  std::span<const float> actions_;
};

bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

void compare(const std::string& name, std::size_t num_envs, int num_threads, bool islands) {
  BOOST_TEST_MESSAGE(name << " x " << num_envs << ", " << num_threads << " threads, islands "
                          << islands);
  const auto env = make_env({.env = name, .max_episode_steps = 40});
  ThreadPool pool(num_threads);
  VectorEnv envs(env, seeds_from(7, num_envs), pool);
  Batch batch(*env, static_cast<int>(num_envs), num_threads, islands);
  Rows rows(envs.spec(), num_envs);
  envs.set_double_rows(rows.doubles());
  envs.set_scale_actions(false);
  envs.reset(rows.acting_observation);
  const auto row_size = static_cast<std::size_t>(envs.row_size());
  const std::size_t physics_size = batch.physics(0).size();
  std::vector<std::uint8_t> is_new(num_envs, 1);
  std::size_t num_compared = 0, num_resets = 0, num_contacts = 0;
  for (std::size_t t = 0; t < 100; ++t) {
    for (std::size_t i = 0; i < num_envs; ++i) {
      if (is_new[i]) batch.set_physics(i, envs.state().data() + i * row_size);
      num_resets += is_new[i];
    }
    for (std::size_t i = 0; i < rows.action.size(); ++i) {
      rows.action[i] = test_action(3 * t + i / rows.A, i);
    }
    rows.step(envs);
    batch.step(rows.action);
    for (std::size_t i = 0; i < num_envs; ++i) {
      is_new[i] = rows.terminated[i] != 0 || rows.truncated[i] != 0;
      const auto expected = batch.physics(i);
      // a new episode has begun in the row: its last state is the end of the observation
      const auto row = envs.state().subspan(i * row_size, physics_size);
      if (!is_new[i]) BOOST_REQUIRE(same_bits(row, expected));
      if (!is_new[i]) ++num_compared;
      if (name != "Ant-v5") continue;
      const auto observation = std::span(rows.next_observation_f64).subspan(i * rows.D, rows.D);
      const auto state = std::span(expected).subspan(2, 27);  // qpos without x and y, qvel
      BOOST_REQUIRE(same_bits(observation.first(27), state));
      std::vector<double> forces;
      for (const double force : batch.contact_forces(i).subspan(6)) {
        forces.push_back(std::min(std::max(force, -1.0), 1.0));
        num_contacts += force != 0;
      }
      BOOST_REQUIRE(same_bits(observation.subspan(27), forces));
    }
  }
  BOOST_TEST(num_compared > 80 * num_envs);
  BOOST_TEST(num_resets >= 3 * num_envs);
  if (name == "Ant-v5") BOOST_TEST(num_contacts > 1000u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(ants_equal_mujocos_batch) {
  compare("Ant-v5", 33, 1, false);
  compare("Ant-v5", 33, 2, true);
  compare("Ant-v5", 33, 7, false);
}

BOOST_AUTO_TEST_CASE(other_models_equal_mujocos_batch) {
  for (const std::string name : {"Walker2d-v5", "Humanoid-v5", "Hopper-v4"}) {
    compare(name, 9, 3, false);
    compare(name, 9, 2, true);
  }
}

BOOST_AUTO_TEST_CASE(the_loops_of_the_benchmark_do_the_same_physics) {
  const auto env = make_env({.env = "Ant-v5", .max_episode_steps = 20});
  const PhysicsTape tape = record_tape(env, 6, 15, 12);
  BOOST_TEST(tape.rows.size() == static_cast<std::size_t>(12 * 6 * tape.row_size));
  BOOST_TEST(tape.is_first_step(5, 0));  // the time limit of 20 steps
  BOOST_TEST(!tape.is_first_step(6, 0));
  BOOST_CHECK_THROW(make_bare_loop(*make_env({.env = "Pendulum-v1"}), tape, 6), ConfigError);
  const auto held = make_env({.env = "Ant-v5", .action_repeat = 2});
  BOOST_CHECK_EXCEPTION(make_bare_loop(*held, tape, 6), ConfigError, [](const ConfigError& error) {
    return std::string(error.what()).ends_with("remove sim.action_repeat and sim.action_table");
  });
  for (const std::int64_t width : {4, 9}) {  // narrower than the tape, and tiling it
    const auto bare = make_bare_loop(*env, tape, width);
    const auto batch = make_batch_loop(*env, tape, width, 2);
    std::size_t num_compared = 0;
    for (std::int64_t t = 0; t < tape.num_steps; ++t) {
      bare->play_step(t);
      batch->play_step(t);
      if (t + 1 == tape.num_steps || tape.is_first_step(t + 1, width - 1)) continue;
      const std::span expected(tape.row(t + 1, width - 1), 15 + 14);
      BOOST_TEST(same_bits(bare->last_state(), expected));
      BOOST_TEST(same_bits(batch->last_state(), expected));
      ++num_compared;
    }
    BOOST_TEST(num_compared >= 8u);
  }
}
