/// The ring in host memory: sequential (CPP) or with an OpenMP team (OMP).
#include <omp.h>
#include <thrust/system/cpp/execution_policy.h>
#include <thrust/system/cpp/vector.h>
#include <thrust/system/omp/execution_policy.h>
#include <thrust/system/omp/vector.h>

#include "buffers/host_memory.hpp"
#include "buffers/replay_ring.hpp"
#include "buffers/replay_systems.hpp"

namespace anthill {
namespace {

/// Below this many rows a team's fork and join cost more than the copies.
constexpr std::int64_t kMinParallelRows = 8192;

struct HostSystem {
  static constexpr int kWidth = 1;
  static constexpr int kRows = 16;

  explicit HostSystem(const ReplayShape&) {}
  void untouched(void* memory, std::size_t bytes) { prefer_large_pages(memory, bytes); }
  RowPointers upload(const TransitionView& rows, StreamHandle) {
    return {rows.observation.data(), rows.action.data(),
            rows.reward.data(),      rows.next_observation.data(),
            rows.terminated.data(),  rows.truncated.data(),
            rows.invalid.data(),     reinterpret_cast<const float*>(rows.state.data()),
            rows.held_out.data()};
  }
  void release(StreamHandle) {}
  void read(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  void write(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
};

template <class Policy, class Functor>
void run(const Policy& policy, std::int64_t count, const Functor& functor) {
  const thrust::counting_iterator<std::int64_t> first(0);
  thrust::for_each(policy, first, first + count, functor);
}

struct CppSystem : HostSystem {
  using HostSystem::HostSystem;
  template <class T>
  using Vector = thrust::cpp::vector<T>;

  template <class Functor>
  void for_each(std::int64_t count, const Functor& functor, StreamHandle) {
    run(thrust::cpp::par, count, functor);
  }
};

/// One thread per core of the affinity mask while it lives. The caller's own count may be 1:
/// LibTorch sets it for the whole process.
class AllCores {
 public:
  AllCores() { omp_set_num_threads(omp_get_num_procs()); }
  ~AllCores() { omp_set_num_threads(before_); }
  AllCores(const AllCores&) = delete;
  AllCores& operator=(const AllCores&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

struct OmpSystem : HostSystem {
  using HostSystem::HostSystem;
  template <class T>
  using Vector = thrust::omp::vector<T>;

  template <class Functor>
  void for_each(std::int64_t count, const Functor& functor, StreamHandle) {
    if (functor.num_rows() < kMinParallelRows) {
      run(thrust::cpp::par, count, functor);
    } else {
      const AllCores threads;
      run(thrust::omp::par, count, functor);
    }
  }
};

}  // namespace

std::unique_ptr<ReplayBuffer> make_cpp_replay_buffer(const ReplayShape& shape,
                                                     const std::uint64_t* seeds) {
  return std::make_unique<ReplayRing<CppSystem>>(shape, seeds);
}

std::unique_ptr<ReplayBuffer> make_omp_replay_buffer(const ReplayShape& shape,
                                                     const std::uint64_t* seeds) {
  return std::make_unique<ReplayRing<OmpSystem>>(shape, seeds);
}

}  // namespace anthill
