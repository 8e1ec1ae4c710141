/// Exit codes of every anthill command: the one place that defines and explains them.
#pragma once

#include <array>
#include <string>

namespace anthill {

enum ExitCode : int {
  kExitFinished = 0,
  kExitFailed = 1,
  kExitWrongUsage = 2,
  kExitStopped = 3,
  kExitDiverged = 4,
  kExitInterruptedTwice = 130,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

inline constexpr std::array<ExitCodeMeaning, 6> kExitCodes = {{
    {kExitFinished, "finished"},
    {kExitFailed, "run-time failure (I/O, out of memory, a bug)"},
    {kExitWrongUsage, "wrong usage or configuration; nothing was started"},
    {kExitStopped, "stopped early by a signal; everything is written, --resume goes on"},
    {kExitDiverged, "numbers are no longer finite; post_mortem/diagnosis.md says more"},
    {kExitInterruptedTwice, "a second Ctrl-C: stopped at once"},
}};

/// The table as the last paragraph of a --help: whole, or of a command that is not `stoppable`.
inline std::string exit_codes_help(bool stoppable = true) {
  std::string text = "Exit codes:\n";
  for (const auto& [code, meaning] : kExitCodes) {
    if (!stoppable && code > kExitWrongUsage) continue;
    std::string number = std::to_string(static_cast<int>(code));
    number.resize(5, ' ');
    text += "  " + number + meaning + "\n";
  }
  return text;
}

}  // namespace anthill
