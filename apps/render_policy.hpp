/// The agent of a run: of its policy file, or of one of its checkpoints.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "algos/agents/agent.hpp"

namespace anthill {

/// Fills `agent` from `run`. `checkpoint`: "" for policy.safetensors, "latest", the env steps of a
/// checkpoint (of several, the newest), or its name or path. Returns the path that was read. Throws
/// ConfigError that lists what there is.
std::filesystem::path load_agent(const std::filesystem::path& run, const std::string& checkpoint,
                                 Agent& agent);

}  // namespace anthill
