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
///
/// Thread t of T has a home: the chunks [t * num_chunks / T, (t + 1) * num_chunks / T). It takes
/// those first, in order, and then helps in the homes of the others. So a chunk mostly runs on the
/// same thread in every batch, close to the memory that this thread wrote first, and threads meet
/// on one counter only at the end of a batch, when a thread that drew heavy chunks is helped.
class ThreadPool {
 public:
  /// Plain function pointer: `work(context, chunk, thread)`, thread in [0, num_threads). Must not
  /// throw.
  using Work = void (*)(void* context, std::int64_t chunk, int thread);

  /// Who may run a chunk: whoever is free, or only the thread whose home it is (to write memory
  /// first on the thread that will use it).
  enum class Sharing { anyone, home_only };

  /// num_threads 0: num_available_cores(). With `pin_threads` background thread t may run on the
  /// t-th core of the affinity mask alone; the caller's thread keeps its freedom, because what it
  /// starts later (a learner's threads) would inherit the restriction. Throws ConfigError when
  /// num_threads is negative, when the machine cannot start that many, or when there are fewer
  /// cores in the mask than threads to pin.
  explicit ThreadPool(int num_threads = 0, bool pin_threads = false);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(homes_.size()); }

  /// Publishes chunks [0, num_chunks) and returns at once. `context` must live until finish().
  /// Throws std::logic_error when the last batch was not finished.
  void begin(Work work, void* context, std::int64_t num_chunks, Sharing sharing = Sharing::anyone);

  /// Helps with the chunks that are left, and returns when all are done.
  void finish();

  /// begin() and finish().
  void run(Work work, void* context, std::int64_t num_chunks, Sharing sharing = Sharing::anyone) {
    begin(work, context, num_chunks, sharing);
    finish();
  }

 private:
  /// One thread's share of a batch, on a cache line of its own.
  struct alignas(64) Home {
    std::int64_t end = 0;  // one behind its last chunk
    // tickets that are left, counted down: one word decides who owns which chunk of which batch
    std::atomic<std::int32_t> num_left{0};
    std::atomic<std::int32_t> num_left_home_only{0};  // the same, seen by its own thread alone
    std::atomic<std::int32_t> num_unfinished{0};
  };

  void start_threads(bool pin_threads);
  void worker_loop(int thread);
  void take_chunks(int thread);
  void take_tickets(Home& home, std::atomic<std::int32_t>& num_left, int thread);
  void stop();

  std::vector<Home> homes_;  // one per thread
  std::vector<std::thread> threads_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  bool in_batch_ = false;
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace anthill
