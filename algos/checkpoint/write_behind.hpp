/// One piece of writing at a time, beside the training.
#pragma once

#include <functional>
#include <future>
#include <string>

namespace anthill {

/// One owner thread. What a job refers to is the writing thread's from start() until is_busy() is
/// false or finish() has returned.
class WriteBehind {
 public:
  WriteBehind() = default;
  ~WriteBehind();  // waits
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  /// Runs `job` on a thread of its own. Throws std::logic_error while another one runs.
  void start(std::function<void()> job);

  /// Whether a job is running.
  bool is_busy() const;

  /// Whether a job is over whose end finish() has not told yet.
  bool is_over() const;

  /// Waits for the job; what() of the exception that ended it, or "".
  std::string finish();

 private:
  std::future<std::string> writing_;
};

}  // namespace anthill
