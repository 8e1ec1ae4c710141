/// Agents on disk: policy.safetensors.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "algos/agents/agent.hpp"

namespace anthill {

/// Replaces `path` by all networks of `agent` (float32, host order). Throws std::runtime_error.
void save_policy(const std::filesystem::path& path, const Agent& agent,
                 const std::map<std::string, std::string>& metadata);

/// Copies the file's arrays into `agent`; names and shapes must match exactly. Throws ConfigError.
void load_policy(const std::filesystem::path& path, Agent& agent);

}  // namespace anthill
