#include "sim/ziggurat.hpp"

#include <cmath>
#include <cstddef>
#include <stdexcept>

namespace anthill {
namespace {

constexpr double kLevelArea = .0049286732339746519;
constexpr double kTwoTo52 = 4503599627370496.0;

std::uint64_t scaled(double fraction) {
  return static_cast<std::uint64_t>(std::nearbyint(fraction * kTwoTo52));
}

ZigguratTables compute_tables() {
  ZigguratTables tables{};
  std::array<double, 256> x{};
  x[255] = kZigguratTail;
  tables.density[255] = std::exp(-0.5 * x[255] * x[255]);
  for (std::size_t i = 254; i > 0; --i) {
    x[i] = std::sqrt(-2.0 * std::log(tables.density[i + 1] + kLevelArea / x[i + 1]));
    tables.density[i] = std::exp(-0.5 * x[i] * x[i]);
    // NumPy's constants were made with a math library that rounded this one entry up
    if (i == 38) tables.density[i] = std::nextafter(tables.density[i], 1.0);
  }
  tables.density[0] = 1.0;

  const double base_width = kLevelArea / tables.density[255];
  tables.accept_below[0] = scaled(kZigguratTail / base_width);
  tables.width[0] = base_width / kTwoTo52;
  tables.accept_below[1] = 0;
  for (std::size_t i = 1; i < 256; ++i) {
    if (i > 1) tables.accept_below[i] = scaled(x[i - 1] / x[i]);
    tables.width[i] = x[i] / kTwoTo52;
  }
  return tables;
}

template <typename Table>
std::uint64_t fnv1a(std::uint64_t hash, const Table& table) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(table.data());
  for (std::size_t i = 0; i < sizeof(Table); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  return hash;
}

}  // namespace

std::uint64_t ziggurat_checksum(const ZigguratTables& tables) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  hash = fnv1a(hash, tables.accept_below);
  hash = fnv1a(hash, tables.width);
  return fnv1a(hash, tables.density);
}

const ZigguratTables& ziggurat_tables() {
  static const ZigguratTables tables = [] {
    const ZigguratTables computed = compute_tables();
    if (ziggurat_checksum(computed) != kZigguratChecksum) {
      throw std::runtime_error(
          "random numbers: this machine's log/exp do not reproduce NumPy's ziggurat tables; use "
          "glibc 2.28 or newer on x86-64");
    }
    return computed;
  }();
  return tables;
}

}  // namespace anthill
