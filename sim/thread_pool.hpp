/// A persistent team that runs numbered chunks of work, with a begin and a finish so that the
/// caller can do something else in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace anthill {

/// Cores this process may use: the affinity mask, cut down by the cgroup's CPU quota. At least 1.
int num_available_cores();

/// num_threads - 1 background threads; the thread that calls finish() is the last of the team. So
/// with 1 thread everything runs inside finish(), and no call ever has more than num_threads
/// runnable threads. Not thread-safe: one owner calls begin() and finish(). No allocation and no
/// lock per chunk.
class ThreadPool {
 public:
  /// Plain function pointer: `work(context, chunk, thread)`, thread in [0, num_threads). Must not
  /// throw.
  using Work = void (*)(void* context, std::int64_t chunk, int thread);

  /// num_threads 0: num_available_cores(). Throws ConfigError when negative or when the machine
  /// cannot start that many.
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return num_threads_; }

  /// Publishes chunks [0, num_chunks) and returns at once. `context` must live until finish().
  /// Throws std::logic_error when the last batch was not finished.
  void begin(Work work, void* context, std::int64_t num_chunks);

  /// Helps with the chunks that are left, and returns when all are done.
  void finish();

  /// begin() and finish().
  void run(Work work, void* context, std::int64_t num_chunks) {
    begin(work, context, num_chunks);
    finish();
  }

 private:
  void worker_loop(int thread);
  void take_chunks(int thread);
  void stop();

  int num_threads_ = 1;
  std::vector<std::thread> threads_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  bool in_batch_ = false;
  // tickets that are left, counted down: one word decides who owns which chunk of which batch
  alignas(64) std::atomic<std::int32_t> num_left_{0};
  alignas(64) std::atomic<std::int32_t> num_unfinished_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace anthill
