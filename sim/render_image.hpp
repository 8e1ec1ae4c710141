/// Pictures: pixels in memory and PNG files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace anthill {

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Rgb&) const = default;
};

/// width x height pixels of 3 bytes, row by row from the top. A plain value.
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> bytes;

  Image() = default;
  Image(int width_in, int height_in, Rgb color = {});

  std::uint8_t* row(int y) {
    return bytes.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
  }
  const std::uint8_t* row(int y) const { return const_cast<Image*>(this)->row(y); }
  Rgb at(int x, int y) const;

  /// Copies all of `part` to (x, y); it must fit.
  void paste(const Image& part, int x, int y);

  bool operator==(const Image&) const = default;
};

/// Writes an 8-bit RGB file; the same pixels give the same bytes. Throws std::runtime_error with
/// the path.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace anthill
