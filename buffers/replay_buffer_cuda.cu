/// The ring in GPU memory. A warp copies a row; inserted rows land in an area of their own, from
/// which a kernel packs them.
#include <cuda_runtime_api.h>
#include <thrust/device_vector.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system/cuda/vector.h>

#include <span>
#include <stdexcept>
#include <string>

#include "buffers/replay_ring.hpp"
#include "buffers/replay_systems.hpp"

namespace anthill {
namespace {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string("replay buffer: ") + what + ": " +
                           cudaGetErrorString(status));
}

struct Stream {
  Stream() { check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking), "new stream"); }
  ~Stream() { cudaStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t handle = nullptr;
};

struct Event {
  Event() { check(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming), "new event"); }
  ~Event() { cudaEventDestroy(handle); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t handle = nullptr;
};

template <class T>
using DeviceVector = thrust::cuda::vector<T>;

/// Queues the upload of `from` and returns where it will be.
template <class T>
const T* land(DeviceVector<T>& area, std::span<const T> from, cudaStream_t stream) {
  T* to = thrust::raw_pointer_cast(area.data());
  check(cudaMemcpyAsync(to, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, stream),
        "upload of a vector step");
  return to;
}

std::span<const float> words_of(std::span<const double> doubles) {
  return {reinterpret_cast<const float*>(doubles.data()), 2 * doubles.size()};
}

class CudaSystem {
 public:
  static constexpr int kWidth = 32;
  static constexpr int kRows = 1;
  template <class T>
  using Vector = DeviceVector<T>;

  explicit CudaSystem(const ReplayShape& shape)
      : CudaSystem(shape, shape.members * shape.num_envs) {}
  void untouched(void*, std::size_t) {}  // the device's pages are large

  /// Uploads on a stream of its own, so that it does not wait for what the learner has queued on
  /// `stream`, and returns when the host's rows are free. Only the packing of the rows before,
  /// which the landing area still serves, must be over.
  RowPointers upload(const TransitionView& rows, StreamHandle stream) {
    const cudaStream_t own = upload_stream_.handle;
    check(cudaStreamWaitEvent(own, packed_.handle), "wait for the rows before");
    const RowPointers pointers{
        land<float>(observation_, rows.observation, own),
        land<float>(action_, rows.action, own),
        land<float>(reward_, rows.reward, own),
        land<float>(next_observation_, rows.next_observation, own),
        land<std::uint8_t>(terminated_, rows.terminated, own),
        land<std::uint8_t>(truncated_, rows.truncated, own),
        land<std::uint8_t>(invalid_, rows.invalid, own),
        land<float>(state_, words_of(rows.state), own),
        rows.held_out.empty() ? nullptr : land<std::uint8_t>(held_out_, rows.held_out, own)};
    check(cudaEventRecord(uploaded_.handle, own), "record an upload");
    check(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), uploaded_.handle),
          "wait for an upload");
    check(cudaEventSynchronize(uploaded_.handle), "wait for an upload");
    return pointers;
  }

  void release(StreamHandle stream) {
    check(cudaEventRecord(packed_.handle, static_cast<cudaStream_t>(stream)), "record a packing");
  }

  template <class Functor>
  void for_each(std::int64_t count, const Functor& functor, StreamHandle stream) {
    const thrust::counting_iterator<std::int64_t> first(0);
    thrust::for_each(thrust::cuda::par_nosync.on(static_cast<cudaStream_t>(stream)), first,
                     first + count, functor);
  }

  void read(void* to, const void* from, std::size_t bytes) const {
    check(cudaDeviceSynchronize(), "wait for the device");
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "download");
  }
  void write(void* to, const void* from, std::size_t bytes) const {
    check(cudaDeviceSynchronize(), "wait for the device");
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "upload");
  }

 private:
  CudaSystem(const ReplayShape& shape, std::int64_t num_lanes)
      : observation_(static_cast<std::size_t>(num_lanes * shape.observation_dim)),
        action_(static_cast<std::size_t>(num_lanes * shape.action_dim)),
        reward_(static_cast<std::size_t>(num_lanes)),
        next_observation_(observation_.size()),
        terminated_(reward_.size()),
        truncated_(reward_.size()),
        invalid_(reward_.size()),
        held_out_(reward_.size()),
        state_(static_cast<std::size_t>(2 * num_lanes * shape.state_dim)) {}

  Stream upload_stream_;
  Event uploaded_;
  Event packed_;
  // where uploaded rows land
  DeviceVector<float> observation_, action_, reward_, next_observation_;
  DeviceVector<std::uint8_t> terminated_, truncated_, invalid_, held_out_;
  DeviceVector<float> state_;
};

}  // namespace

std::unique_ptr<ReplayBuffer> make_cuda_replay_buffer(const ReplayShape& shape,
                                                      const std::uint64_t* seeds) {
  return std::make_unique<ReplayRing<CudaSystem>>(shape, seeds);
}

}  // namespace anthill
