/// Ctrl-C, SIGTERM and a batch system's SIGUSR1 and SIGUSR2 as a polite request.
#pragma once

#include <atomic>

namespace anthill {

/// While it lives, the first SIGINT, SIGTERM, SIGUSR1 or SIGUSR2 sets the flag, a second SIGINT
/// ends the process at once with exit code 130, and SIGPIPE and SIGXFSZ are ignored, so that
/// neither a closed pipe behind stderr nor a limit on the size of files ends a run. At most one at
/// a time (std::logic_error); the destructor restores the previous handlers. The flag may be read
/// from any thread.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  const std::atomic<bool>& flag() const;
  bool requested() const { return flag().load(std::memory_order_relaxed); }

  /// "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", or "" when there was none.
  const char* name() const;
};

}  // namespace anthill
