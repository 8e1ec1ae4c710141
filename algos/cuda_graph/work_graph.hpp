/// Work for a device that is recorded once and launched often.
#pragma once

#include <functional>
#include <memory>

#include "algos/tensor.hpp"

namespace anthill {

class WorkGraph {
 public:
  virtual ~WorkGraph() = default;
  /// Queues all of the work again, as one launch.
  virtual void launch() = 0;
};

/// Makes a graph of what `queue` queues, and runs none of it.
using Capture = std::function<std::unique_ptr<WorkGraph>(const std::function<void()>& queue)>;

/// A CUDA graph of what `queue` queues on the current stream of `device`, which must not be the
/// default one (use_own_stream). What is made by the first call of a library (handles, workspaces)
/// must be there already: run the same work once before. Throws c10::Error when something cannot be
/// captured, std::logic_error in a build without CUDA.
std::unique_ptr<WorkGraph> capture_cuda_graph(at::Device device,
                                              const std::function<void()>& queue);

}  // namespace anthill
