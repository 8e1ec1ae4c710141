// What a build without CUDA has in place of the kernels: a CUDA tensor cannot come to be there.
#ifndef ANTHILL_CUDA

#include <stdexcept>

#include "algos/networks/cuda_kernels.hpp"

namespace anthill {

[[noreturn]] static void refuse() {
  throw std::logic_error("a CUDA tensor in a build without CUDA");
}

void hidden_forward_cuda(const CudaHidden&, void*) { refuse(); }
void hidden_backward_cuda(const CudaHidden&, const HiddenGradients<float>&, float*, void*) {
  refuse();
}
void add_bias_cuda(float*, const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                   void*) {
  refuse();
}
void sum_rows_cuda(const float*, float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                   void*) {
  refuse();
}
void squashed_forward_cuda(const SquashedRows<float>&, void*) { refuse(); }
void squashed_backward_cuda(const SquashedRows<float>&, const float*, const float*, float*, void*) {
  refuse();
}
void adam_cuda(const CudaAdam&, void*) { refuse(); }

}  // namespace anthill

#endif
