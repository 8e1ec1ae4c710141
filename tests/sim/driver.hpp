/// One MuJoCo environment with its row, driven without a VectorEnv.
#pragma once

#include <memory>
#include <vector>

#include "sim/mujoco_env.hpp"
#include "tests/sim/rows.hpp"

namespace anthill {

struct Driver {
  explicit Driver(const SimConfig& config, std::uint64_t seed = 3)
      : env(make_env(config)),
        spec(env->spec()),
        workspace(env->make_workspace()),
        rng(seed),
        state(static_cast<std::size_t>(spec.state_dim)),
        action(static_cast<std::size_t>(spec.action_dim)),
        observation(static_cast<std::size_t>(spec.observation_dim)),
        terms(spec.reward_terms.size()) {
    reset();
  }

  void reset() { env->reset(*workspace, rng, state, observation); }
  StepResult step() { return env->step(*workspace, rng, state, action, observation, terms); }
  void set_action(std::size_t t) {
    for (std::size_t j = 0; j < action.size(); ++j) action[j] = test_action(t, j);
  }
  mjData& data() { return static_cast<MujocoWorkspace&>(*workspace).data(); }

  std::shared_ptr<const Env> env;
  const EnvSpec& spec;
  std::unique_ptr<Workspace> workspace;
  NumpyGenerator rng;
  std::vector<double> state;
  std::vector<float> action;
  std::vector<double> observation;
  std::vector<double> terms;
};

}  // namespace anthill
