/// Other programs: started with arguments as they are (no shell reads them), and listened to.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace anthill {

/// The cores this process may use, lowest first. At least one.
std::vector<int> available_cores();

/// The cores of slot `slot` of `num_slots`, shared out as evenly as possible; one core each, in
/// turns, where there are fewer cores than slots.
std::vector<int> cores_of_slot(const std::vector<int>& cores, int slot, int num_slots);

/// Starts a program in a process group of its own, on `cores`, with both outputs appended to `log`.
/// It gets SIGTERM when this process dies. Throws std::runtime_error when it cannot be started.
pid_t start_process(const std::vector<std::string>& command, const std::vector<int>& cores,
                    const std::filesystem::path& log);

struct Captured {
  int exit_code = 0;  // 127: no such program
  std::string output;
  std::string errors;  // its last line
};

/// Runs a program to its end.
Captured capture(const std::vector<std::string>& command);

/// Whether a program of that name is on PATH.
bool is_on_path(const std::string& program);

/// The folder of this executable.
std::filesystem::path program_folder();

/// A word as a POSIX shell reads it back unchanged.
std::string shell_quoted(const std::string& word);

}  // namespace anthill
