/// The part of the field table that holds the tasks' options: the sections [sim.<task>].
#pragma once

#include <vector>

#include "configs/fields.hpp"

namespace anthill {

/// Appends the options of the MuJoCo tasks, one section each.
void add_mujoco_tasks(std::vector<Field>& fields);

/// Appends the options of the classic control tasks, one section each.
void add_classic_tasks(std::vector<Field>& fields);

/// Appends [sim.lunar_lander].
void add_lunar_lander(std::vector<Field>& fields);

/// Appends [sim.mjcf].
void add_mjcf(std::vector<Field>& fields);

}  // namespace anthill
