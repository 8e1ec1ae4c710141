/// Tasks that take their actions in another way.
#pragma once

#include <memory>
#include <vector>

#include "sim/env.hpp"

namespace anthill {

/// Every action is held for `repeat` control steps of `env`, whose rewards and reward terms add up;
/// an episode that ends before is over. The time limit stays that of `env`, rounded down to whole
/// actions (at least one). Throws ConfigError for a repeat below 1; 1 returns `env` itself.
std::unique_ptr<Env> repeat_actions(std::unique_ptr<Env> env, std::int64_t repeat);

/// A task with the discrete actions 0, 1, ..., which stand for the rows of `table` (each one action
/// of `env` in its units). Throws ConfigError where `env` is discrete, where a row has another
/// size, and for numbers outside of the action's bounds. An empty table returns `env` itself.
std::unique_ptr<Env> table_actions(std::unique_ptr<Env> env,
                                   const std::vector<std::vector<double>>& table);

/// The task inside of these wrappers, `env` itself where it has none: its state rows are those of
/// `env`. Lives as long as `env`.
const Env& without_wrappers(const Env& env);

}  // namespace anthill
