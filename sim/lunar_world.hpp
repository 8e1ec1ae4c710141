/// The Box2D world of LunarLander: moon, lander and legs.
#pragma once

#include <box2d/box2d.h>

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "sim/env.hpp"
#include "sim/lunar_lander_config.hpp"

namespace anthill {

/// The constants of Gymnasium's lunar_lander.py; sizes in its pixels, 30 to a metre.
namespace lunar {
inline constexpr double kScale = 30.0;
inline constexpr double kWidth = 600.0 / kScale;  // of the viewport, m
inline constexpr double kHeight = 400.0 / kScale;
inline constexpr double kStepsPerSecond = 50.0;
inline constexpr std::int64_t kObservationDim = 8;
}  // namespace lunar

/// One live world. It must not move: Box2D holds its address. Not thread-safe.
class LunarWorld final : public Workspace, private b2ContactListener {
 public:
  LunarWorld(const LunarLanderConfig& config, bool continuous);

  /// Gymnasium's reset: draws a moon and a push, builds everything anew and performs one step with
  /// a zero action. Writes the observation (8). Allocates inside Box2D.
  void start(NumpyGenerator& rng, std::span<double> observation);

  /// One control step, as step() of lunar_lander.cpp describes. Only after start().
  StepResult step(NumpyGenerator& rng, std::span<const float> action,
                  std::span<double> observation);

  /// Which row the world is of; LunarLander's to read and write. Zeros: none.
  static constexpr std::size_t kKeyWords = NumpyGenerator::kNumWords + 2;
  std::array<double, kKeyWords> key{};

  struct Throttle {
    double main = 0;       // 0, or 0.5 to 1
    double side = 0;       // 0, or 0.5 to 1
    double direction = 0;  // of the side engine: -1 or 1
  };
  Throttle throttle_of(std::span<const float> action) const;

  /// Where everything is, in metres from the lower left corner, for a picture. Only after start().
  struct Shapes {
    std::vector<std::array<double, 2>> moon, lander;  // the ground from left to right; an outline
    std::array<std::vector<std::array<double, 2>>, 2> legs;
    std::array<double, 2> pad_x{}, position{};  // the pad's ends; the lander
    double pad_y = 0, angle = 0;
  };
  Shapes shapes() const;

 private:
  void build_moon(NumpyGenerator& rng);
  void build_lander(NumpyGenerator& rng);
  void build_leg(std::size_t leg, double side);
  void blow_wind();
  void fire_engines(NumpyGenerator& rng, const Throttle& throttle);
  std::array<double, lunar::kObservationDim> state() const;

  void BeginContact(b2Contact* contact) override;
  void EndContact(b2Contact* contact) override;

  LunarLanderConfig config_;
  bool continuous_;
  std::optional<b2World> world_;
  b2Body* moon_ = nullptr;
  b2Body* lander_ = nullptr;
  std::array<b2Body*, 2> legs_{};
  std::array<bool, 2> leg_touches_{};
  bool crashed_ = false;
  double helipad_y_ = 0;
  double wind_index_ = 0;
  double torque_index_ = 0;
  std::optional<double> shaping_;  // of the step before
};

}  // namespace anthill
