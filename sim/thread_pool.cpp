#include "sim/thread_pool.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "sim/errors.hpp"

namespace anthill {
namespace {

/// Cores in the affinity mask, by number; empty when it cannot be read.
std::vector<int> affinity_cores() {
  // the kernel's mask may be longer than cpu_set_t: grow until it fits
  for (int num_cpus = 1024; num_cpus <= (1 << 20); num_cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(num_cpus));
    if (set == nullptr) return {};
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(num_cpus));
    const bool ok = sched_getaffinity(0, size, set) == 0;
    std::vector<int> cores;
    for (int core = 0; ok && core < num_cpus; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), size, set)) cores.push_back(core);
    }
    CPU_FREE(set);
    if (ok) return cores;
  }
  return {};
}

/// Leaves `thread` only one core; false when the kernel refuses.
bool pin(std::thread& thread, int core) {
  const auto num_cpus = static_cast<std::size_t>(core) + 1;
  cpu_set_t* set = CPU_ALLOC(num_cpus);
  if (set == nullptr) return false;
  const std::size_t size = CPU_ALLOC_SIZE(num_cpus);
  CPU_ZERO_S(size, set);
  CPU_SET_S(static_cast<std::size_t>(core), size, set);
  const bool ok = pthread_setaffinity_np(thread.native_handle(), size, set) == 0;
  CPU_FREE(set);
  return ok;
}

int quota_cores(double quota_us, double period_us) {
  if (quota_us <= 0 || period_us <= 0) return std::numeric_limits<int>::max();
  return std::max(1, static_cast<int>(quota_us / period_us + 0.999));
}

/// The smallest CPU quota of this process's cgroup (version 2) and its parents, in whole cores.
int cgroup_cores() {
  int cores = std::numeric_limits<int>::max();
  std::ifstream memberships("/proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);) {
    if (!line.starts_with("0::")) continue;
    for (std::string path = line.substr(3);; path = path.substr(0, path.rfind('/'))) {
      std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
      std::string quota;
      double period_us = 0;
      if (file >> quota >> period_us && quota != "max") {
        cores = std::min(cores, quota_cores(std::stod(quota), period_us));
      }
      if (path.empty() || path == "/") break;
    }
  }
  // version 1
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota_us = 0;
  double period_us = 0;
  if (quota_file >> quota_us && period_file >> period_us) {
    cores = std::min(cores, quota_cores(quota_us, period_us));
  }
  return cores;
}

int checked_num_threads(int num_threads) {
  if (num_threads < 0) throw ConfigError("sim.num_threads: must be 0 (all cores) or more");
  return num_threads == 0 ? num_available_cores() : num_threads;
}

}  // namespace

int num_available_cores() {
  return std::max(1, std::min(static_cast<int>(affinity_cores().size()), cgroup_cores()));
}

ThreadPool::ThreadPool(int num_threads, bool pin_threads)
    : homes_(static_cast<std::size_t>(checked_num_threads(num_threads))) {
  threads_.reserve(homes_.size() - 1);
  try {
    start_threads(pin_threads);
  } catch (...) {
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::start_threads(bool pin_threads) {
  const std::vector<int> cores = pin_threads ? affinity_cores() : std::vector<int>{};
  if (pin_threads && cores.size() < homes_.size()) {
    throw ConfigError("sim.pin_threads: " + std::to_string(num_threads()) + " threads on " +
                      std::to_string(cores.size()) +
                      " cores cannot each have one; use fewer threads or do not pin them");
  }
  for (int thread = 0; thread + 1 < num_threads(); ++thread) {
    try {
      threads_.emplace_back([this, thread] { worker_loop(thread); });
    } catch (const std::system_error&) {
      throw ConfigError("sim.num_threads: this machine refused to start thread " +
                        std::to_string(thread + 1) + " of " + std::to_string(num_threads()) +
                        "; use fewer threads");
    }
    const int core = pin_threads ? cores[static_cast<std::size_t>(thread)] : -1;
    if (pin_threads && !pin(threads_.back(), core)) {
      throw ConfigError("sim.pin_threads: the kernel refused core " + std::to_string(core) +
                        "; do not pin threads here");
    }
  }
}

void ThreadPool::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadPool::begin(Work work, void* context, std::int64_t num_chunks, Sharing sharing) {
  if (num_chunks < 0 || num_chunks > std::numeric_limits<std::int32_t>::max()) {
    throw std::invalid_argument("ThreadPool::begin: num_chunks must fit in 31 bits");
  }
  if (in_batch_) throw std::logic_error("ThreadPool::begin: call finish() first");
  in_batch_ = true;
  work_ = work;
  context_ = context;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    Home& home = homes_[i];
    home.end = num_chunks * static_cast<std::int64_t>(i + 1) / num_threads();
    const auto count = static_cast<std::int32_t>(home.end - first);
    first = home.end;
    home.num_unfinished.store(count, std::memory_order_relaxed);
    auto& num_left = sharing == Sharing::anyone ? home.num_left : home.num_left_home_only;
    num_left.store(count, std::memory_order_release);
  }
  if (threads_.empty()) return;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void ThreadPool::finish() {
  take_chunks(num_threads() - 1);
  for (Home& home : homes_) {
    for (;;) {
      const std::int32_t unfinished = home.num_unfinished.load(std::memory_order_acquire);
      if (unfinished == 0) break;
      home.num_unfinished.wait(unfinished, std::memory_order_acquire);
    }
  }
  in_batch_ = false;
}

void ThreadPool::take_chunks(int thread) {
  const auto own = static_cast<std::size_t>(thread);
  take_tickets(homes_[own], homes_[own].num_left_home_only, thread);
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    Home& home = homes_[(own + i) % homes_.size()];
    take_tickets(home, home.num_left, thread);
  }
}

void ThreadPool::take_tickets(Home& home, std::atomic<std::int32_t>& num_left, int thread) {
  // whoever takes a positive ticket owns that chunk, and the batch cannot end before it is done: so
  // work_, context_ and the home's end are read only while they are stable, even by a thread that
  // woke up late
  while (num_left.load(std::memory_order_relaxed) > 0) {
    const std::int32_t ticket = num_left.fetch_sub(1, std::memory_order_acquire);
    if (ticket <= 0) return;
    work_(context_, home.end - ticket, thread);
    if (home.num_unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      home.num_unfinished.notify_one();
    }
  }
}

void ThreadPool::worker_loop(int thread) {
  std::uint32_t seen = 0;
  for (;;) {
    generation_.wait(seen, std::memory_order_acquire);
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    take_chunks(thread);
  }
}

}  // namespace anthill
