/// NumPy's default generator, bit for bit: SeedSequence -> PCG64 -> uniform, standard_normal,
/// integers.
#pragma once

#include <array>
#include <cstdint>

namespace anthill {

/// np.random.Generator(PCG64(SeedSequence(seed))) as Gymnasium seeds it. A plain value: copy it to
/// save it. Not thread-safe; one per environment.
class NumpyGenerator {
 public:
  /// The words that restore a generator: state and increment (high, low), and the buffered half
  /// word.
  static constexpr int kNumWords = 6;
  using Words = std::array<std::uint64_t, kNumWords>;

  explicit NumpyGenerator(std::uint64_t seed = 0);

  /// The generator that words() described.
  explicit NumpyGenerator(const Words& words);

  /// Generator.uniform(low, high): low + (high - low) * [0, 1).
  double uniform(double low, double high);

  /// Generator.standard_normal(): 256-level ziggurat.
  double standard_normal();

  /// Generator.random(): [0, 1) with 53 bits.
  double random();

  /// Generator.integers(low, high) for int64 with 1 <= high - low <= 2^32: Lemire's method on
  /// buffered 32-bit halves.
  std::int64_t integers(std::int64_t low, std::int64_t high);

  /// All state as words, and back.
  Words words() const;
  void set_words(const Words& words);

 private:
  std::uint64_t next_uint64();
  std::uint32_t next_uint32();
  double sample_tail(bool negative);

  unsigned __int128 state_ = 0;
  unsigned __int128 increment_ = 0;
  bool has_half_ = false;
  std::uint32_t half_ = 0;
};

}  // namespace anthill
