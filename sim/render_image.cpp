#include "sim/render_image.hpp"

#include <png.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace anthill {

Image::Image(int width_in, int height_in, Rgb color)
    : width(width_in),
      height(height_in),
      bytes(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    bytes[i] = color.red;
    bytes[i + 1] = color.green;
    bytes[i + 2] = color.blue;
  }
}

Rgb Image::at(int x, int y) const {
  const std::uint8_t* pixel = row(y) + 3 * x;
  return {pixel[0], pixel[1], pixel[2]};
}

void Image::paste(const Image& part, int x, int y) {
  if (x < 0 || y < 0 || x + part.width > width || y + part.height > height) {
    throw std::invalid_argument("Image::paste: the part does not fit");
  }
  for (int line = 0; line < part.height; ++line) {
    std::memcpy(row(y + line) + 3 * x, part.row(line), static_cast<std::size_t>(part.width) * 3);
  }
}

void write_png(const std::filesystem::path& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&header, path.c_str(), 0, image.bytes.data(), 0, nullptr) == 0) {
    throw std::runtime_error("cannot write '" + path.string() + "': " + header.message);
  }
}

}  // namespace anthill
