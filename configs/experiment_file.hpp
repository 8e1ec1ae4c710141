/// Reading an experiment in two steps, for those who resolve one file many times.
#pragma once

#include <string>
#include <vector>

#include "configs/experiment.hpp"
#include "configs/toml_reader.hpp"

namespace anthill {

/// A configuration file, read but not resolved.
struct ExperimentFile {
  std::string path;
  std::string verbatim;  // its bytes
  std::vector<Setting> settings;
};

/// Throws ConfigError as read_experiment does.
ExperimentFile read_experiment_file(const std::string& path);

/// The file with `later` settings applied behind its own, checked as read_experiment does. Their
/// locations become origins; one that is "--set" has paths relative to the working directory.
ResolvedExperiment resolve_experiment(const ExperimentFile& file,
                                      const std::vector<Setting>& later);

}  // namespace anthill
