#include "sim/render_scene.hpp"

#include "sim/action_wrappers.hpp"
#include "sim/mujoco_env.hpp"

namespace anthill {

std::unique_ptr<Scene> make_scene(const SimConfig& config, const std::shared_ptr<const Env>& env,
                                  const SceneOptions& options) {
  if (dynamic_cast<const MujocoEnv*>(&without_wrappers(*env)) != nullptr) {
    return make_mujoco_scene(env, options);
  }
  if (auto scene = make_classic_scene(env->spec().name)) return scene;
  if (env->spec().name.starts_with("LunarLander")) return make_lunar_scene(config);
  throw ConfigError("sim.env: no drawing is known for '" + env->spec().name + "'");
}

}  // namespace anthill
