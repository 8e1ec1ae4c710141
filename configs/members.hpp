/// A stack: runs of one structure that train in one process and differ in seeds and numbers.
#pragma once

#include <string>
#include <vector>

#include "configs/experiment.hpp"

namespace anthill {

struct MemberExperiment {
  std::string folder;  // of its run, relative to the stack's folder unless absolute
  ResolvedExperiment experiment;
};

/// The settings in which members of a stack may differ.
const std::vector<std::string>& keys_that_members_may_change();

/// All other settings, "key = value" a line: runs for which this text is the same fit one stack.
std::string shared_settings(const ExperimentConfig& config);

/// Why a stack of more than one such run is refused, and what to do; empty: it is not.
std::string stack_refusal(const ExperimentConfig& config);

/// `config` and `overrides` as for read_experiment, and for each [[members]] table of the file
/// `members` the settings in it on top. A table without `folder` gets "member-0", "member-1", ...
/// by its place. Throws ConfigError, also for two members with one folder, for settings that
/// members share, and for what stack_refusal() says.
std::vector<MemberExperiment> read_members(const std::string& config,
                                           const std::vector<std::string>& overrides,
                                           const std::string& members);

/// The file of members (TOML) that read_members reads back to `members` beside a configuration that
/// says what the first one's does. Throws ConfigError when they differ in a setting that members
/// share.
std::string write_members(const std::vector<MemberExperiment>& members);

}  // namespace anthill
