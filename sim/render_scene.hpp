/// A task's states as pictures. A library of its own (anthill_render): training never links it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "sim/env.hpp"
#include "sim/render_context.hpp"
#include "sim/render_image.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

struct SceneOptions {
  int width = 640, height = 480;  // of the picture
  GlBackend backend = GlBackend::automatic;
  // of MuJoCo's camera, which follows the robot
  double azimuth = -1000.0, elevation = -1000.0;  // degrees; -1000: chosen for the model
  double zoom = 1.0;                              // above 1 is nearer
};

/// One owner thread, the one that made it.
class Scene {
 public:
  virtual ~Scene() = default;

  /// Draws a state (S, the task's part of a row) and the action chosen in it (A, normalised, or an
  /// index) over all of `image`, which has the options' size. What it draws depends on these alone.
  /// Throws std::runtime_error when the graphics fail.
  virtual void draw(std::span<const double> state, std::span<const float> action, Image& image) = 0;

  /// What draws: "EGL", "OSMesa", or "2-D".
  virtual std::string backend() const = 0;
};

/// The scene of `env`, which make_env(config) made: MuJoCo's own for its models, drawings in two
/// dimensions for the others. Throws std::runtime_error where a MuJoCo task finds no OpenGL.
std::unique_ptr<Scene> make_scene(const SimConfig& config, const std::shared_ptr<const Env>& env,
                                  const SceneOptions& options);

/// The kinds of scenes; use make_scene().
std::unique_ptr<Scene> make_mujoco_scene(const std::shared_ptr<const Env>& env,
                                         const SceneOptions& options);
std::unique_ptr<Scene> make_classic_scene(const std::string& env);  // null for another task
std::unique_ptr<Scene> make_lunar_scene(const SimConfig& config);

}  // namespace anthill
