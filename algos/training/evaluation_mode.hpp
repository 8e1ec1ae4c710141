/// How a policy that does not learn on is played.
#pragma once

#include <cstdint>
#include <string>

#include "algos/agents/agent.hpp"
#include "sim/errors.hpp"

namespace anthill {

/// Control steps after which an episode without a time limit is given up.
inline constexpr std::int64_t kEndlessEpisode = 10'000'000;

/// Samples where `stochastic` asks for them. Throws ConfigError for an algorithm whose policy is
/// deterministic: it would explore as in the first step of its schedule.
inline ActionMode evaluation_mode(bool stochastic, const std::string& algorithm) {
  if (stochastic && algorithm != "sac") {
    throw ConfigError("--stochastic: the policy of " + algorithm +
                      " is deterministic, its exploration belongs to training; leave it out");
  }
  return stochastic ? ActionMode::stochastic : ActionMode::deterministic;
}

}  // namespace anthill
