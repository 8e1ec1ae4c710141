#include "sim/thread_pool.hpp"

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

/// Cores in the affinity mask; 0 when it cannot be read.
int affinity_cores() {
  // the kernel's mask may be longer than cpu_set_t: grow until it fits
  for (int num_cpus = 1024; num_cpus <= (1 << 20); num_cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(num_cpus));
    if (set == nullptr) return 0;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(num_cpus));
    const bool ok = sched_getaffinity(0, size, set) == 0;
    const int count = ok ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (ok) return count;
  }
  return 0;
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

}  // namespace

int num_available_cores() { return std::max(1, std::min(affinity_cores(), cgroup_cores())); }

ThreadPool::ThreadPool(int num_threads) {
  if (num_threads < 0) throw ConfigError("sim.num_threads: must be 0 (all cores) or more");
  num_threads_ = num_threads == 0 ? num_available_cores() : num_threads;
  threads_.reserve(static_cast<std::size_t>(num_threads_ - 1));
  try {
    for (int thread = 0; thread + 1 < num_threads_; ++thread) {
      threads_.emplace_back([this, thread] { worker_loop(thread); });
    }
  } catch (const std::system_error&) {
    const std::size_t started = threads_.size();
    stop();
    throw ConfigError("sim.num_threads: this machine refused to start thread " +
                      std::to_string(started + 1) + " of " + std::to_string(num_threads_) +
                      "; use fewer threads");
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadPool::begin(Work work, void* context, std::int64_t num_chunks) {
  if (num_chunks < 0 || num_chunks > std::numeric_limits<std::int32_t>::max()) {
    throw std::invalid_argument("ThreadPool::begin: num_chunks must fit in 31 bits");
  }
  if (in_batch_) throw std::logic_error("ThreadPool::begin: call finish() first");
  in_batch_ = true;
  work_ = work;
  context_ = context;
  num_unfinished_.store(static_cast<std::int32_t>(num_chunks), std::memory_order_relaxed);
  num_left_.store(static_cast<std::int32_t>(num_chunks), std::memory_order_release);
  if (threads_.empty()) return;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void ThreadPool::finish() {
  take_chunks(num_threads_ - 1);
  for (;;) {
    const std::int32_t unfinished = num_unfinished_.load(std::memory_order_acquire);
    if (unfinished == 0) break;
    num_unfinished_.wait(unfinished, std::memory_order_acquire);
  }
  in_batch_ = false;
}

void ThreadPool::take_chunks(int thread) {
  // whoever takes a positive ticket owns that chunk, and the batch cannot end before it is done: so
  // work_ and context_ are read only while they are stable, even by a thread that woke up late
  while (num_left_.load(std::memory_order_relaxed) > 0) {
    const std::int32_t ticket = num_left_.fetch_sub(1, std::memory_order_acquire);
    if (ticket <= 0) return;
    work_(context_, ticket - 1, thread);
    if (num_unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) num_unfinished_.notify_one();
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
