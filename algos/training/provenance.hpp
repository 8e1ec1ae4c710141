/// Where a run's numbers come from: code, binary, libraries, machine, inputs.
#pragma once

#include <string>
#include <vector>

namespace anthill {

/// What only other rooms and the build know; empty strings are written as "unknown".
struct ProvenanceInputs {
  std::string run_name = "";
  std::string anthill_version = "";
  std::string compiler = "";
  std::string compiler_flags = "";
  std::string build_type = "";
  std::string source_dir = "";  // asked for its git commit when the run starts
  std::string mujoco_version = "";
  std::string libtorch_version = "";
  std::string cuda_version = "";            // "none" in a CPU build
  std::string device = "";                  // "cpu" or "cuda": what the learner runs on
  std::string gpu_name = "";                // "none" without one
  std::string model_xml_path = "";          // "none" for a task without a model file
  std::vector<std::string> arguments = {};  // the command line, program name first
  int simulation_threads = 0;               // threads that step environments; 0: unknown
  int learner_threads = 0;                  // threads that share an update; 0: unknown
};

/// provenance.json at the start of a run, as indented JSON; end_time_utc and wall_time_s are null
/// until finished_provenance() fills them. Runs `git` in source_dir. Never throws for a fact that
/// cannot be found: the value is then "unknown".
std::string collect_provenance(const ProvenanceInputs& inputs);

/// `text` of a process that goes on from `checkpoint`, with the texts of the processes before it
/// (`earlier`, one of which may hold others) in a list "earlier", oldest first.
std::string resumed_provenance(const std::string& earlier, const std::string& text,
                               const std::string& checkpoint);

/// The same text with its end time (ISO 8601, UTC) and wall time.
std::string finished_provenance(const std::string& json, const std::string& end_time_utc,
                                double wall_time_s);

/// Lower-case hex SHA-256 of a file's bytes, or "unknown" when it cannot be read.
std::string sha256_of_file(const std::string& path);

/// Now, as 2025-01-31T23:59:59Z.
std::string utc_time_now();

/// Version of the NVIDIA driver, or "none" when `path` cannot be read or names no version.
std::string gpu_driver_version(const std::string& path = "/proc/driver/nvidia/version");

}  // namespace anthill
