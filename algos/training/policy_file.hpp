/// Agents on disk: policy.safetensors.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "algos/agents/agent.hpp"

namespace anthill {

/// Replaces `path` by what Agent::parameters() has of one member of `agent` (float32, host order),
/// as an agent alone has it. Throws std::runtime_error.
void save_policy(const std::filesystem::path& path, const Agent& agent, std::int64_t member,
                 const std::map<std::string, std::string>& metadata);

/// Copies the file's arrays into `agent`; names and shapes must match exactly. For
/// acting and judging, not for learning on. Throws ConfigError.
void load_policy(const std::filesystem::path& path, Agent& agent);

}  // namespace anthill
