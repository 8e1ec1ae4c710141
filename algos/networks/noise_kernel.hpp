/// Box-Muller on Philox words, shared by the host loop and the CUDA kernel. Plain pointers, no
/// LibTorch.
#pragma once

#include <cmath>
#include <cstdint>

#include "buffers/philox.hpp"

namespace anthill {

/// Normals 4*lane to 4*lane + 3 of one member, cut off at `size`.
ANTHILL_HOST_DEVICE inline void normals_of_lane(float* out, std::int64_t size, std::uint64_t seed,
                                                RandomStream stream, std::uint64_t counter,
                                                std::int64_t lane) {
  const PhiloxWords words = philox(seed, stream, counter, static_cast<std::uint32_t>(lane));
  for (int pair = 0; pair < 2; ++pair) {
    const float radius = sqrtf(-2.0f * logf(philox_uniform(words.word[2 * pair])));
    const float angle = 6.283185307179586f * philox_uniform(words.word[2 * pair + 1]);
    const std::int64_t first = 4 * lane + 2 * pair;
    if (first < size) out[first] = radius * cosf(angle);
    if (first + 1 < size) out[first + 1] = radius * sinf(angle);
  }
}

/// Elements 4*lane to 4*lane + 3 of one member's dropout mask, cut off at `size`.
ANTHILL_HOST_DEVICE inline void keep_of_lane(std::uint8_t* keep, std::int64_t size, float dropout,
                                             std::uint64_t seed, RandomStream stream,
                                             std::uint64_t counter, std::int64_t lane) {
  const PhiloxWords words = philox(seed, stream, counter, static_cast<std::uint32_t>(lane));
  for (int i = 0; i < 4; ++i) {
    const std::int64_t element = 4 * lane + i;
    if (element < size) keep[element] = philox_uniform(words.word[i]) < dropout ? 0 : 1;
  }
}

/// One launch for several members, whose parts of the output are `size` elements each.
constexpr int kSeedsPerLaunch = 64;
struct NoiseLaunch {
  std::int64_t size = 0;
  int members = 0;
  std::uint64_t seeds[kSeedsPerLaunch] = {};
  RandomStream stream = RandomStream::actor_noise;
  std::uint64_t counter = 0;
  const std::int64_t* word = nullptr;  // device memory that holds the counter, or nullptr
};

/// Queue the fill on `queue` (a cudaStream_t); `out` is device memory. CUDA builds only. Return
/// nullptr, or CUDA's description of why the launch failed (static storage).
const char* fill_normal_cuda(float* out, const NoiseLaunch& launch, void* queue);
const char* fill_keep_cuda(std::uint8_t* keep, float dropout, const NoiseLaunch& launch,
                           void* queue);

}  // namespace anthill
