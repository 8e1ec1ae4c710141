/// Philox 4x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"): random
/// numbers as a pure function of (seed, stream, counter, lane), the same integers on host and
/// device. Standard library only.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define ANTHILL_HOST_DEVICE __host__ __device__
#else
#define ANTHILL_HOST_DEVICE
#endif

namespace anthill {

/// What a number is used for. Values are part of every run's identity: append, never renumber.
/// Elements are those of one member's array, row-major; normal noise takes four of them from one
/// call (algos/networks/noise_kernel.hpp).
enum class RandomStream : std::uint32_t {
  batch_rows = 1,         // counter: draw, lane: row of the batch
  random_action = 2,      // counter: vector step, lane: element of the actions (N x A)
  exploration_noise = 3,  // counter: vector step, lane: element / 4 of the actions (N x A)
  next_action_noise = 4,  // counter: update, lane: element / 4 of the batch's actions (B x A)
  actor_noise = 5,        // counter: update, lane: element / 4 of the batch's actions (B x A)
  initialisation = 6,     // counter: network, lane: network of the ensemble; words seed a generator
  evaluation_noise = 7,   // counter: step of the evaluation, lane: element / 4 of the actions
  target_dropout = 8,     // counter: update, lane: element / 4 of the masks (E x B x hidden units)
  critic_dropout = 9,     // the same, of the critics' own loss
  actor_dropout = 10,     // the same, of the critics in the actor's loss
  // the overestimation probe; counter: env steps << 20 | step of the probe's episode or rollout
  probe_states = 11,       // which states are taken, lane: episode
  probe_actions = 12,      // actions up to the probed ones, lane: element / 4 of them (states x A)
  probe_rollouts = 13,     // lane: element / 4 of the actions (rollouts x A); also their seeds
  probe_bootstrap = 14,    // counter: resample, lane: place in it
  target_noise = 15,       // counter: update, lane: element / 4 of the batch's actions (B x A)
  batch_permutation = 16,  // counter: draw, lane: 0 and 1; eight words key a permutation
  target_subset = 17,      // counter: update, lane: element / 4 of one number per critic (E)
  sde_matrix = 18,         // counter: vector step / period, lane: element / 4 of (N x W x A)
  held_out_episodes = 19,  // counter: vector step of an episode's start, lane: environment
  held_out_rows = 20,      // counter: draw, lane: row of the batch
};

struct PhiloxWords {
  std::uint32_t word[4];
};

/// The bare generator: ten rounds on a counter of four words with a key of two.
ANTHILL_HOST_DEVICE inline PhiloxWords philox4x32(PhiloxWords counter, std::uint32_t key0,
                                                  std::uint32_t key1) {
  std::uint32_t c0 = counter.word[0], c1 = counter.word[1];
  std::uint32_t c2 = counter.word[2], c3 = counter.word[3];
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c0;
    const std::uint64_t p1 = 0xCD9E8D57ull * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ key0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ key1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// Four random words for one key: the counter's words are (counter low, counter high, lane,
/// stream << 16 | attempt), the key's are (seed low, seed high). `attempt` distinguishes redraws of
/// the same lane; its low 16 bits count.
ANTHILL_HOST_DEVICE inline PhiloxWords philox(std::uint64_t seed, RandomStream stream,
                                              std::uint64_t counter, std::uint32_t lane,
                                              std::uint32_t attempt = 0) {
  return philox4x32(
      {{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), lane,
        (static_cast<std::uint32_t>(stream) << 16) | (attempt & 0xffffu)}},
      static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

/// Uniform in (0, 1): the middles of 2^23 equal intervals, each exact in float32; never 0, never 1.
ANTHILL_HOST_DEVICE inline float philox_uniform(std::uint32_t word) {
  return (static_cast<float>(word >> 9) + 0.5f) * (1.0f / 8388608.0f);
}

/// Uniform integer in [0, range) from 64 random bits: the high half of a 128-bit product (bias
/// below range / 2^64).
ANTHILL_HOST_DEVICE inline std::uint64_t philox_below(std::uint32_t high, std::uint32_t low,
                                                      std::uint64_t range) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32) | low;
#if defined(__CUDA_ARCH__)
  return __umul64hi(bits, range);
#else
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * range) >> 64);
#endif
}

}  // namespace anthill
