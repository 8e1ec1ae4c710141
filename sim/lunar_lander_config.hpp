/// Settings of [sim.lunar_lander].
#pragma once

namespace anthill {

/// Options of LunarLander-v3 and LunarLanderContinuous-v3, named as Gymnasium's constructor
/// arguments, with its defaults.
struct LunarLanderConfig {
  double gravity = -10.0;  // m/s^2, in (-12, 0)
  bool enable_wind = false;
  double wind_power = 15.0;       // N
  double turbulence_power = 1.5;  // N m

  bool operator==(const LunarLanderConfig&) const = default;
};

}  // namespace anthill
