#include <stdexcept>

#include "algos/cuda_graph/work_graph.hpp"

#ifdef ANTHILL_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#endif

namespace anthill {

#ifdef ANTHILL_CUDA

namespace {

class CudaGraph final : public WorkGraph {
 public:
  CudaGraph(at::Device device, const std::function<void()>& queue) : device_(device) {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.capture_begin();
    try {
      queue();
    } catch (...) {
      abandon();
      throw;
    }
    graph_.capture_end();
  }

  void launch() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }

 private:
  /// Ends a capture that failed; what failed is the caller's error to report.
  void abandon() {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      // the capture was invalid, as the first error says
    }
  }

  at::Device device_;
  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<WorkGraph> capture_cuda_graph(at::Device device,
                                              const std::function<void()>& queue) {
  return std::make_unique<CudaGraph>(device, queue);
}

#else

std::unique_ptr<WorkGraph> capture_cuda_graph(at::Device, const std::function<void()>&) {
  throw std::logic_error("a CUDA graph in a build without CUDA");
}

#endif

}  // namespace anthill
