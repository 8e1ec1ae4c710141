/// State rows in a file, for another process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/env.hpp"

namespace anthill {

/// Writes rows of VectorEnv::state() or row() to `path`, replacing it only once all is on the disk.
/// `rows.size()` must be a multiple of the row size. Throws std::runtime_error when it cannot be
/// written.
void save_state_rows(const std::string& path, const Env& env, std::span<const double> rows);

/// The rows of a file that save_state_rows() wrote, for VectorEnv::restore() or write_row(). Throws
/// ConfigError, which names what differs, for rows of another task, model, MuJoCo or format, for a
/// file that is damaged or no such file at all.
std::vector<double> load_state_rows(const std::string& path, const Env& env);

}  // namespace anthill
