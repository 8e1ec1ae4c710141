#include "algos/networks/noise.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "algos/networks/cpu_kernels.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise_kernel.hpp"

namespace anthill {

namespace {

/// Calls `on_cpu(member's part of out, its size, seed, counter)` for every member, or `on_cuda` for
/// as many members as one launch takes.
template <class T, class OnCpu, class OnCuda>
void for_members(const Tensor& out, const std::vector<std::uint64_t>& seeds, RandomStream stream,
                 const NoiseCounter& counter, const OnCpu& on_cpu,
                 [[maybe_unused]] const OnCuda& on_cuda) {
  const std::int64_t size = out.numel() / out.size(0);
  T* first = out.data_ptr<T>();
  if (!out.is_cuda()) {
    const std::uint64_t value =
        counter.word != nullptr ? static_cast<std::uint64_t>(*counter.word) : counter.value;
    for (const std::uint64_t seed : seeds) {
      on_cpu(first, size, seed, value);
      first += size;
    }
    return;
  }
#ifdef ANTHILL_CUDA
  for (std::size_t m = 0; m < seeds.size(); m += kSeedsPerLaunch) {
    NoiseLaunch launch{
        .size = size, .stream = stream, .counter = counter.value, .word = counter.word};
    launch.members = static_cast<int>(std::min<std::size_t>(kSeedsPerLaunch, seeds.size() - m));
    std::copy_n(seeds.begin() + static_cast<std::ptrdiff_t>(m), launch.members, launch.seeds);
    const char* error = on_cuda(first, launch, current_stream(out.device()));
    if (error != nullptr) {
      throw std::runtime_error(std::string("random numbers: CUDA kernel launch failed: ") + error);
    }
    first += launch.members * size;
  }
#else
  static_cast<void>(stream);
  throw std::logic_error("random numbers: a CUDA tensor in a build without CUDA");
#endif
}

}  // namespace

void advance_word(const Tensor& word) {
  at::NoGradGuard no_grad;
  if (word.is_cuda()) {
    word.add_(1);
  } else {
    ++*word.data_ptr<std::int64_t>();
  }
}

void fill_normal(const Tensor& out, const std::vector<std::uint64_t>& seeds, RandomStream stream,
                 NoiseCounter counter) {
  for_members<float>(
      out, seeds, stream, counter,
      [&](float* member, std::int64_t size, std::uint64_t seed, std::uint64_t value) {
        cpu_kernels<float>().fill_normal(member, size, seed, stream, value);
      },
      [](auto* members, const auto& launch, void* queue) {
        return fill_normal_cuda(members, launch, queue);
      });
}

void fill_keep(const Tensor& keep, double dropout, const std::vector<std::uint64_t>& seeds,
               RandomStream stream, NoiseCounter counter) {
  const auto share = static_cast<float>(dropout);
  for_members<std::uint8_t>(
      keep, seeds, stream, counter,
      [&](std::uint8_t* member, std::int64_t size, std::uint64_t seed, std::uint64_t value) {
        for (std::int64_t lane = 0; 4 * lane < size; ++lane) {
          keep_of_lane(member, size, share, seed, stream, value, lane);
        }
      },
      [&](auto* members, const auto& launch, void* queue) {
        return fill_keep_cuda(members, share, launch, queue);
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
