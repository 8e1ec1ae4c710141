/// Ctrl-C and SIGTERM as a polite request.
#pragma once

#include <atomic>

namespace anthill {

/// While it lives, the first SIGINT or SIGTERM sets the flag, a second SIGINT ends the process at
/// once with exit code 130, and SIGPIPE is ignored, so that a closed pipe behind stderr does not
/// end a run. At most one at a time (std::logic_error); the destructor restores the previous
/// handlers. The flag may be read from any thread.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  const std::atomic<bool>& flag() const;
  bool requested() const { return flag().load(std::memory_order_relaxed); }

  /// "SIGINT", "SIGTERM", or "" when there was none.
  const char* name() const;
};

}  // namespace anthill
