/// What `anthill probe` reads: runs, and which of their checkpoints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace anthill {

/// A run folder, and what it is called in the tables: its path below the folder that was named.
struct ProbedRun {
  std::filesystem::path folder;
  std::string name;
};

/// `path` itself when it is a run, otherwise all runs below it, by name. Throws ConfigError when
/// there is none, or when a name cannot stand in a CSV file.
std::vector<ProbedRun> find_runs(const std::filesystem::path& path);

struct ListedCheckpoint {
  std::filesystem::path folder;
  std::int64_t env_steps = 0;
};

/// The complete checkpoints of a run, current and archived, each once, oldest first; from the
/// archive where it is in both, because nothing there is ever removed.
std::vector<ListedCheckpoint> list_checkpoints(const std::filesystem::path& run);

/// "all", or env steps with commas: 10000,20000. Throws ConfigError for anything else.
std::vector<std::int64_t> parse_checkpoints(const std::string& text);

/// The listed checkpoints of the wanted env steps (empty: all). Throws ConfigError, with those that
/// are there, when one is missing or the run has none at all.
std::vector<ListedCheckpoint> choose_checkpoints(const std::filesystem::path& run,
                                                 const std::vector<std::int64_t>& env_steps);

/// Where another actor, critic or temperature is from: `source` is a checkpoint, or a run, whose
/// checkpoint of `env_steps` is meant. Throws ConfigError.
std::filesystem::path donor_checkpoint(const std::filesystem::path& source, std::int64_t env_steps);

}  // namespace anthill
