/// Random tensors from Philox: the same integers on the CPU and on a GPU.
#pragma once

#include <cstdint>
#include <vector>

#include "algos/tensor.hpp"
#include "buffers/philox.hpp"

namespace anthill {

/// The counter of a noise stream: a number, or a word in the memory of what is filled, which is
/// read when the work runs, so that work that was captured once can be launched often.
struct NoiseCounter {
  NoiseCounter(std::uint64_t number) : value(number) {}  // NOLINT: most counters are numbers
  explicit NoiseCounter(const std::int64_t* counter_word) : word(counter_word) {}

  std::uint64_t value = 0;
  const std::int64_t* word = nullptr;
};

/// Queues: one more in such a word, an int64 tensor of one element.
void advance_word(const Tensor& word);

/// Fills `out` [M, ...] (contiguous float32, CPU or CUDA) with standard normals. Element i of
/// member m depends on (seeds[m], stream, counter, i) alone: four elements share one Philox call
/// (lane i / 4), turned into normals in pairs by Box & Muller (1958).
void fill_normal(const Tensor& out, const std::vector<std::uint64_t>& seeds, RandomStream stream,
                 NoiseCounter counter);

/// Fills dropout's mask `keep` [M, ...] (contiguous uint8, CPU or CUDA): 0 with the probability
/// `dropout`, else 1; keyed as above.
void fill_keep(const Tensor& keep, double dropout, const std::vector<std::uint64_t>& seeds,
               RandomStream stream, NoiseCounter counter);

/// Uniform numbers in (-1, 1), one Philox call each, to float32 host memory [M * num_per_member].
void fill_uniform_actions(float* out, std::int64_t num_per_member,
                          const std::vector<std::uint64_t>& seeds, RandomStream stream,
                          std::uint64_t counter);

}  // namespace anthill
