#include "algos/networks/learner_team.hpp"

#include <ATen/Parallel.h>

#include <chrono>
#include <memory>
#include <stdexcept>

#include "algos/networks/device.hpp"

// the C form (the lower-case name is Fortran's); absent where LibTorch has another BLAS
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int num_threads);

namespace anthill {
namespace {

constexpr auto kSpin = std::chrono::microseconds(30);

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Keeps the BLAS on the calling thread; a product that is shared out differently rounds
/// differently.
void use_one_blas_thread() {
  if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(1);
}

/// Waits until `value` is no longer `old`: awake for a while, then asleep.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto give_up = std::chrono::steady_clock::now() + kSpin;
  while (value.load(std::memory_order_acquire) == old) {
    for (int i = 0; i < 32; ++i) pause_cpu();
    if (std::chrono::steady_clock::now() > give_up) {
      value.wait(old, std::memory_order_acquire);
      return;
    }
  }
}

std::unique_ptr<LearnerTeam>& the_team() {
  static auto team = std::make_unique<LearnerTeam>(1);
  return team;
}

}  // namespace

LearnerTeam::LearnerTeam(int num_threads) {
  if (num_threads < 1) throw std::invalid_argument("LearnerTeam: at least one thread is needed");
  for (int i = 1; i < num_threads; ++i) helpers_.emplace_back([this] { help(); });
}

LearnerTeam::~LearnerTeam() {
  end_.store(true);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void LearnerTeam::take_items() {
  for (;;) {
    const std::int64_t item = next_.fetch_add(1, std::memory_order_relaxed);
    if (item >= num_items_) return;
    item_(context_, item);
  }
}

void LearnerTeam::help() {
  use_one_blas_thread();
  std::uint32_t round = 0;
  for (;;) {
    wait_for_change(round_, round);
    round = round_.load(std::memory_order_acquire);
    if (end_.load()) return;
    take_items();
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
  }
}

void LearnerTeam::run_shared(std::int64_t num_items, Item item, const void* context) {
  item_ = item;
  context_ = context;
  num_items_ = num_items;
  next_.store(0, std::memory_order_relaxed);
  working_.store(static_cast<std::uint32_t>(helpers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_items();
  // every helper must have left the round before its items change
  for (;;) {
    const std::uint32_t working = working_.load(std::memory_order_acquire);
    if (working == 0) return;
    wait_for_change(working_, working);
  }
}

LearnerTeam& learner_team() { return *the_team(); }

void set_learner_threads(int num_threads) {
  // LibTorch's own kernels and its BLAS stay on the calling thread: the team is the only
  // parallelism, so that sums are taken in one order
  at::set_num_threads(1);
  use_one_blas_thread();
  if (the_team()->num_threads() != num_threads)
    the_team() = std::make_unique<LearnerTeam>(num_threads);
}

int learner_threads() { return the_team()->num_threads(); }

}  // namespace anthill
