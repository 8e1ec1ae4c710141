/// The state row of LunarLander: | generator words at the episode's start (6) | steps so far | hash
/// of the actions so far | actions (one word each, up to the time limit) |.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "sim/numpy_random.hpp"

namespace anthill::lunar {

inline constexpr std::size_t kSteps = NumpyGenerator::kNumWords;
inline constexpr std::size_t kHash = kSteps + 1;
inline constexpr std::size_t kActions = kHash + 1;

/// Compared and moved as words: read as doubles, some are NaN.
inline std::uint64_t word(double value) { return std::bit_cast<std::uint64_t>(value); }

/// Both actions in one word: float32 x 2.
inline double pack(std::span<const float> action) {
  const auto low = static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(action[0]));
  const auto high =
      static_cast<std::uint64_t>(action.size() > 1 ? std::bit_cast<std::uint32_t>(action[1]) : 0u);
  return std::bit_cast<double>(low | high << 32);
}

inline std::array<float, 2> unpack(double packed) {
  return {std::bit_cast<float>(static_cast<std::uint32_t>(word(packed))),
          std::bit_cast<float>(static_cast<std::uint32_t>(word(packed) >> 32))};
}

inline NumpyGenerator episode_generator(std::span<const double> state) {
  NumpyGenerator::Words words;
  std::transform(state.begin(), state.begin() + NumpyGenerator::kNumWords, words.begin(), word);
  return NumpyGenerator(words);
}

}  // namespace anthill::lunar
