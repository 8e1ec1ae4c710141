/// A permutation of [0, size) as a pure function of a key: sampling without replacement needs no
/// memory and gives the same integers on host and device. Standard library only.
#pragma once

#include <cstdint>

#include "buffers/philox.hpp"

namespace anthill {

/// Eight random words.
struct PermutationKey {
  PhiloxWords words[2];
};

/// The key of one batch.
ANTHILL_HOST_DEVICE inline PermutationKey permutation_key(std::uint64_t seed, std::uint64_t draw) {
  return {{philox(seed, RandomStream::batch_permutation, draw, 0),
           philox(seed, RandomStream::batch_permutation, draw, 1)}};
}

/// One to one on 32 bits, each of which depends on all (the finaliser of MurmurHash3).
ANTHILL_HOST_DEVICE inline std::uint32_t mixed(std::uint32_t word) {
  word ^= word >> 16;
  word *= 0x85ebca6bu;
  word ^= word >> 13;
  word *= 0xc2b2ae35u;
  return word ^ (word >> 16);
}

/// Where the permutation puts `place`, both in [0, size), size below 2^62. A Feistel network of
/// eight rounds permutes the smallest square of a power of two that holds `size`; from a result
/// outside it goes on until one is inside (Black & Rogaway, 2002, "Ciphers with arbitrary finite
/// domains").
ANTHILL_HOST_DEVICE inline std::uint64_t permuted(std::uint64_t place, std::uint64_t size,
                                                  const PermutationKey& key) {
  int half_bits = 1;
  while ((std::uint64_t{1} << (2 * half_bits)) < size) ++half_bits;
  const std::uint32_t mask = (std::uint32_t{1} << half_bits) - 1u;
  do {
    auto left = static_cast<std::uint32_t>(place >> half_bits);
    auto right = static_cast<std::uint32_t>(place) & mask;
    for (int round = 0; round < 8; ++round) {
      const std::uint32_t next =
          left ^ (mixed(right ^ key.words[round / 4].word[round % 4]) & mask);
      left = right;
      right = next;
    }
    place = (static_cast<std::uint64_t>(left) << half_bits) | right;
  } while (place >= size);
  return place;
}

}  // namespace anthill
