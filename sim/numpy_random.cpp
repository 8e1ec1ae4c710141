#include "sim/numpy_random.hpp"

#include <cmath>

#include "sim/ziggurat.hpp"

namespace anthill {
namespace {

using Uint128 = unsigned __int128;

constexpr Uint128 make_uint128(std::uint64_t high, std::uint64_t low) {
  return (static_cast<Uint128>(high) << 64) | low;
}

// PCG64's multiplier (O'Neill, 2014)
constexpr Uint128 kMultiplier = make_uint128(0x2360ED051FC65DA4ull, 0x4385DF649FCCF645ull);

/// SeedSequence (after O'Neill's seed_seq_fe): mixes a seed's 32-bit words into a pool of four,
/// from which any number of words is derived.
class SeedPool {
 public:
  explicit SeedPool(std::uint64_t seed) {
    pool_[0] = hash(static_cast<std::uint32_t>(seed));
    pool_[1] = hash(static_cast<std::uint32_t>(seed >> 32));
    pool_[2] = hash(0);
    pool_[3] = hash(0);
    for (std::size_t source = 0; source < pool_.size(); ++source) {
      for (std::size_t target = 0; target < pool_.size(); ++target) {
        if (source != target) pool_[target] = mix(pool_[target], hash(pool_[source]));
      }
    }
  }

  std::array<std::uint64_t, 4> generate() const {
    std::uint32_t constant = 0x8b51f9ddu;
    std::array<std::uint64_t, 4> words{};
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint32_t value = pool_[i % 4] ^ constant;
      constant *= 0x58f38dedu;
      value *= constant;
      value ^= value >> 16;
      words[i / 2] |= static_cast<std::uint64_t>(value) << (32 * (i % 2));
    }
    return words;
  }

 private:
  std::uint32_t hash(std::uint32_t value) {
    value ^= constant_;
    constant_ *= 0x931e8875u;
    value *= constant_;
    return value ^ (value >> 16);
  }

  static std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
    const std::uint32_t result = 0xca01f9ddu * x - 0x4973f715u * y;
    return result ^ (result >> 16);
  }

  std::uint32_t constant_ = 0x43b0d7e5u;
  std::array<std::uint32_t, 4> pool_{};
};

}  // namespace

NumpyGenerator::NumpyGenerator(std::uint64_t seed) {
  const std::array<std::uint64_t, 4> words = SeedPool(seed).generate();
  increment_ = (make_uint128(words[2], words[3]) << 1) | 1;
  // PCG's seeding: one step from 0, add the initial state, one more step
  state_ = increment_ + make_uint128(words[0], words[1]);
  state_ = state_ * kMultiplier + increment_;
}

NumpyGenerator::NumpyGenerator(const Words& words) { set_words(words); }

std::uint64_t NumpyGenerator::next_uint64() {
  state_ = state_ * kMultiplier + increment_;
  const auto high = static_cast<std::uint64_t>(state_ >> 64);
  const std::uint64_t folded = high ^ static_cast<std::uint64_t>(state_);
  const unsigned rotation = static_cast<unsigned>(high >> 58);
  return (folded >> rotation) | (folded << ((64 - rotation) & 63));
}

std::uint32_t NumpyGenerator::next_uint32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const std::uint64_t word = next_uint64();
  has_half_ = true;
  half_ = static_cast<std::uint32_t>(word >> 32);
  return static_cast<std::uint32_t>(word);
}

double NumpyGenerator::random() {
  return static_cast<double>(next_uint64() >> 11) * (1.0 / 9007199254740992.0);
}

double NumpyGenerator::uniform(double low, double high) { return low + (high - low) * random(); }

double NumpyGenerator::standard_normal() {
  static const ZigguratTables& tables = ziggurat_tables();
  for (;;) {
    // one word holds the level (8 bits), the sign (1) and the magnitude (52)
    const std::uint64_t word = next_uint64();
    const std::size_t level = word & 0xff;
    const bool negative = (word >> 8) & 1;
    const std::uint64_t magnitude = (word >> 9) & 0x000fffffffffffffull;
    double x = static_cast<double>(magnitude) * tables.width[level];
    if (negative) x = -x;
    if (magnitude < tables.accept_below[level]) return x;
    if (level == 0) return sample_tail((magnitude >> 8) & 1);
    // the wedge between this level and the next
    const double below = tables.density[level];
    const double above = tables.density[level - 1];
    if ((above - below) * random() + below < std::exp(-0.5 * x * x)) return x;
  }
}

double NumpyGenerator::sample_tail(bool negative) {
  constexpr double kInverseTail = 0.27366123732975827203338247596;  // 1 / kZigguratTail
  for (;;) {
    const double x = -kInverseTail * std::log1p(-random());
    const double y = -std::log1p(-random());
    if (y + y > x * x) return negative ? -(kZigguratTail + x) : kZigguratTail + x;
  }
}

std::int64_t NumpyGenerator::integers(std::int64_t low, std::int64_t high) {
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const auto offset = [low](std::uint32_t value) { return low + static_cast<std::int64_t>(value); };
  if (range <= 1) return low;
  if (range > 0xffffffffull) return offset(next_uint32());
  std::uint64_t product = next_uint32() * range;
  if (static_cast<std::uint32_t>(product) < range) {
    const std::uint64_t threshold = (0x100000000ull - range) % range;
    while (static_cast<std::uint32_t>(product) < threshold) product = next_uint32() * range;
  }
  return offset(static_cast<std::uint32_t>(product >> 32));
}

NumpyGenerator::Words NumpyGenerator::words() const {
  return {static_cast<std::uint64_t>(state_ >> 64),
          static_cast<std::uint64_t>(state_),
          static_cast<std::uint64_t>(increment_ >> 64),
          static_cast<std::uint64_t>(increment_),
          has_half_ ? 1u : 0u,
          half_};
}

void NumpyGenerator::set_words(const Words& words) {
  state_ = make_uint128(words[0], words[1]);
  increment_ = make_uint128(words[2], words[3]);
  has_half_ = words[4] != 0;
  half_ = static_cast<std::uint32_t>(words[5]);
}

}  // namespace anthill
