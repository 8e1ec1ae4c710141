/// Tables of the 256-level ziggurat that NumPy draws normal numbers with.
#pragma once

#include <array>
#include <cstdint>

namespace anthill {

/// Level i covers [0, x_i]; level 255 is the base strip, level 0 stands for the strip with the
/// tail.
struct ZigguratTables {
  std::array<std::uint64_t, 256> accept_below;  // 52-bit draws below this are inside the level
  std::array<double, 256> width;                // x_i * 2^-52
  std::array<double, 256> density;              // exp(-x_i^2 / 2)
};

/// Where the tail begins.
inline constexpr double kZigguratTail = 3.6541528853610087963519472518;

/// FNV-1a of NumPy's three tables, in the order of the struct.
inline constexpr std::uint64_t kZigguratChecksum = 0x2aaf6f8cd4345568ull;

/// The tables, computed at the first call (Marsaglia and Tsang, 2000, "The ziggurat method for
/// generating random variables"). Thread-safe. Throws std::runtime_error when this machine's math
/// library does not give NumPy's bits.
const ZigguratTables& ziggurat_tables();

/// FNV-1a (64 bits) of all tables' bytes.
std::uint64_t ziggurat_checksum(const ZigguratTables& tables);

}  // namespace anthill
