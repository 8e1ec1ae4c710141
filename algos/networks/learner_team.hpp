/// The threads that share the learner's work on a CPU.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace anthill {

/// The caller and num_threads - 1 helpers take numbered items of work. What an item computes does
/// not depend on who takes it, so results do not depend on the number of threads. A helper without
/// work spins for some microseconds (the gap between two networks of an update) and then sleeps, so
/// that the simulation has the core. One owner thread.
class LearnerTeam {
 public:
  explicit LearnerTeam(int num_threads);
  ~LearnerTeam();
  LearnerTeam(const LearnerTeam&) = delete;
  LearnerTeam& operator=(const LearnerTeam&) = delete;

  int num_threads() const { return static_cast<int>(helpers_.size()) + 1; }

  /// Calls work(item) for every item in [0, num_items), each once, and returns when all are done.
  /// `work` must not throw.
  template <class Work>
  void run(std::int64_t num_items, const Work& work) {
    if (helpers_.empty() || num_items < 2) {
      for (std::int64_t item = 0; item < num_items; ++item) work(item);
      return;
    }
    run_shared(
        num_items,
        [](const void* context, std::int64_t item) { (*static_cast<const Work*>(context))(item); },
        &work);
  }

 private:
  using Item = void (*)(const void* context, std::int64_t item);
  void run_shared(std::int64_t num_items, Item item, const void* context);
  void take_items();
  void help();

  Item item_ = nullptr;
  const void* context_ = nullptr;
  std::int64_t num_items_ = 0;
  alignas(64) std::atomic<std::int64_t> next_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};    // grows when there is work
  alignas(64) std::atomic<std::uint32_t> working_{0};  // helpers that have not left this round
  std::atomic<bool> end_{false};
  std::vector<std::thread> helpers_;
};

/// The team of this process; one thread until set_learner_threads().
LearnerTeam& learner_team();

}  // namespace anthill
