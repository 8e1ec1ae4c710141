/// The letters of overlays.
#pragma once

#include <array>
#include <cstdint>

namespace anthill {

inline constexpr int kGlyphWidth = 5, kGlyphHeight = 8;

/// One number per line from the top; its 5 bits are the squares from left to right. The last line
/// is below the base line.
using Glyph = std::array<std::uint8_t, kGlyphHeight>;

/// The glyph of a printable ASCII character; '?' for any other byte.
const Glyph& glyph_of(char letter);

}  // namespace anthill
