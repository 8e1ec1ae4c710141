#include "algos/networks/noise.hpp"

#include <stdexcept>
#include <string>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise_kernel.hpp"

namespace anthill {

namespace {

/// Calls `on_cpu` or `on_cuda` for every member's part of `out`.
template <class T, class OnCpu, class OnCuda>
void for_members(const Tensor& out, const std::vector<std::uint64_t>& seeds, const OnCpu& on_cpu,
                 [[maybe_unused]] const OnCuda& on_cuda) {
  const std::int64_t size = out.numel() / out.size(0);
  for (std::size_t m = 0; m < seeds.size(); ++m) {
    T* member = out.data_ptr<T>() + static_cast<std::int64_t>(m) * size;
    if (!out.is_cuda()) {
      on_cpu(member, size, seeds[m]);
      continue;
    }
#ifdef ANTHILL_CUDA
    const char* error = on_cuda(member, size, seeds[m], current_stream(out.device()));
    if (error != nullptr) {
      throw std::runtime_error(std::string("random numbers: CUDA kernel launch failed: ") + error);
    }
#else
    throw std::logic_error("random numbers: a CUDA tensor in a build without CUDA");
#endif
  }
}

}  // namespace

void fill_normal(const Tensor& out, const std::vector<std::uint64_t>& seeds, RandomStream stream,
                 std::uint64_t counter) {
  for_members<float>(
      out, seeds,
      [&](float* member, std::int64_t size, std::uint64_t seed) {
        cpu_kernels<float>().fill_normal(member, size, seed, stream, counter);
      },
      [&](auto* member, std::int64_t size, std::uint64_t seed, void* queue) {
        return fill_normal_cuda(member, size, seed, stream, counter, queue);
      });
}

void fill_keep(const Tensor& keep, double dropout, const std::vector<std::uint64_t>& seeds,
               RandomStream stream, std::uint64_t counter) {
  const auto share = static_cast<float>(dropout);
  for_members<std::uint8_t>(
      keep, seeds,
      [&](std::uint8_t* member, std::int64_t size, std::uint64_t seed) {
        for (std::int64_t lane = 0; 4 * lane < size; ++lane) {
          keep_of_lane(member, size, share, seed, stream, counter, lane);
        }
      },
      [&](auto* member, std::int64_t size, std::uint64_t seed, void* queue) {
        return fill_keep_cuda(member, size, share, seed, stream, counter, queue);
      });
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
