/// The little language in which a configuration names parts of a simulation.
#pragma once

#include <mujoco/mujoco.h>

#include <span>
#include <string>

namespace anthill {

/// Some consecutive elements of one of mjData's arrays.
struct Quantity {
  mjtNum* mjData::*array = nullptr;
  std::size_t first = 0;
  std::size_t size = 0;  // at least 1

  std::span<const double> values(const mjData& data) const { return {data.*array + first, size}; }
};

/// Finds what `text` names in `model`: "ARRAY", "ARRAY[SLICE]", "ARRAY(NAME)" or
/// "ARRAY(NAME)[SLICE]", with SLICE as in Python ("2", "2:", ":3", "1:3"; counted from 0, no
/// negative index).
/// | qpos | qvel | act | qfrc_actuator | actuator_force | sensordata | SLICE counts elements
/// | xpos | cinert | cvel | cfrc_ext | SLICE counts bodies, the world being 0; (BODY) is one body
/// | sensor(SENSOR) | joint(JOINT), joint_velocity(JOINT): its part of qpos, of qvel | elements
/// Throws ConfigError that begins with `key`: no such array or name (with the nearest), a slice
/// outside of the model's size or empty.
Quantity find_quantity(const mjModel& model, const std::string& key, const std::string& text);

/// The body called `name`. Throws ConfigError that begins with `key` when there is none.
int find_body(const mjModel& model, const std::string& key, const std::string& name);

/// "LOW <= QUANTITY <= HIGH"; either side may be missing, and < stands for an open end.
struct Bound {
  Quantity quantity;
  double low, high;  // may be infinite
  bool low_open, high_open;

  bool holds(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
};

/// Throws ConfigError that begins with `key` for anything else.
Bound find_bound(const mjModel& model, const std::string& key, const std::string& text);

/// "WEIGHT * QUANTITY" (the sum of its elements) or "WEIGHT * QUANTITY^2" (of their squares).
struct WeightedQuantity {
  double weight;
  Quantity quantity;
  bool squared;
};

/// Throws ConfigError that begins with `key` for anything else.
WeightedQuantity find_weighted(const mjModel& model, const std::string& key,
                               const std::string& text);

}  // namespace anthill
