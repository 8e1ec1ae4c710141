/// One experiment: every setting of a run, and how it is read from TOML.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "algos/training/experiment_config.hpp"
#include "configs/toml_reader.hpp"

namespace anthill {

/// A configuration with the history of each value.
struct ResolvedExperiment {
  ExperimentConfig config;
  std::map<std::string, std::string> origins;  // "training.replay_ratio" -> "default", "preset
                                               // jaxrl", "configs/x.toml:12:16", "--set"
  std::string path;                            // the file read
  std::string verbatim;                        // its bytes
};

/// Reads and checks a file; `overrides` are "section.key=value" (value in TOML syntax; a bare word
/// counts as a string), applied last, the later of two winning. Order of precedence: default <
/// preset < file < override. Throws ConfigError: "file:line:column: what; what to do" on one line,
/// or "--set section.key=value: what; what to do". `last`: settings that are applied after all
/// others.
ResolvedExperiment read_experiment(const std::string& path,
                                   const std::vector<std::string>& overrides,
                                   const std::vector<Setting>& last = {});

/// The same checks on a configuration that was already read or made in code (ranges and relations
/// between keys): throws ConfigError. Returns warnings, one line each, about what will run but
/// hardly as meant. `num_cores`: num_available_cores() of the machine that will run it; 0: unknown,
/// no warning about threads.
std::vector<std::string> check_experiment(const ResolvedExperiment& experiment, int num_cores);

/// The configuration as TOML that reads back to the same values; with origins as trailing comments
/// if wanted.
std::string write_experiment(const ResolvedExperiment& experiment, bool with_origins);

/// Every key with its default, type, range, unit, presets and meaning: the text of
/// configs/reference.toml.
std::string reference_toml();

}  // namespace anthill
