/// What the rest of the house may know about MuJoCo without its headers.
#pragma once

#include <cstdint>
#include <string>

namespace anthill {

/// Version of the library that is loaded, e.g. "3.17.0".
std::string mujoco_version();

/// Warnings and errors that MuJoCo has reported in this process, whatever the thread. Thread-safe.
std::int64_t num_mujoco_warnings();

/// Text of the latest one; "" when there was none. Thread-safe.
std::string last_mujoco_warning();

/// Why a simulation has just failed, as far as MuJoCo has said it; no full stop.
std::string simulation_failure();

}  // namespace anthill
