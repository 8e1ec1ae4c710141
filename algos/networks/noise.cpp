#include "algos/networks/noise.hpp"

#include <stdexcept>
#include <string>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise_kernel.hpp"

namespace anthill {

void fill_normal(const Tensor& out, const std::vector<std::uint64_t>& seeds, RandomStream stream,
                 std::uint64_t counter) {
  const std::int64_t size = out.numel() / out.size(0);
  for (std::size_t m = 0; m < seeds.size(); ++m) {
    float* member = out.data_ptr<float>() + static_cast<std::int64_t>(m) * size;
    if (out.is_cuda()) {
#ifdef ANTHILL_CUDA
      const char* error =
          fill_normal_cuda(member, size, seeds[m], stream, counter, current_stream(out.device()));
      if (error != nullptr) {
        throw std::runtime_error(std::string("fill_normal: CUDA kernel launch failed: ") + error);
      }
#else
      throw std::logic_error("fill_normal: a CUDA tensor in a build without CUDA");
#endif
    } else {
      cpu_kernels<float>().fill_normal(member, size, seeds[m], stream, counter);
    }
  }
}

void fill_uniform_actions(float* out, std::int64_t num_per_member,
                          const std::vector<std::uint64_t>& seeds, RandomStream stream,
                          std::uint64_t counter) {
  for (std::size_t m = 0; m < seeds.size(); ++m) {
    for (std::int64_t i = 0; i < num_per_member; ++i) {
      const PhiloxWords words = philox(seeds[m], stream, counter, static_cast<std::uint32_t>(i));
      *out++ = 2.0f * philox_uniform(words.word[0]) - 1.0f;
    }
  }
}

}  // namespace anthill
