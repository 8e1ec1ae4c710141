#include "sim/render_canvas.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "sim/render_font.hpp"

namespace anthill {
namespace {

constexpr int kSamples = 4;  // per side of a pixel

std::uint8_t mixed(std::uint8_t below, std::uint8_t above, double share) {
  return static_cast<std::uint8_t>(std::lround(below + (above - below) * share));
}

}  // namespace

void Canvas::blend(int x, int y, Rgb color, double share) {
  if (x < 0 || y < 0 || x >= image_.width || y >= image_.height) return;
  std::uint8_t* pixel = image_.row(y) + 3 * x;
  pixel[0] = mixed(pixel[0], color.red, share);
  pixel[1] = mixed(pixel[1], color.green, share);
  pixel[2] = mixed(pixel[2], color.blue, share);
}

void Canvas::rectangle(Point low, Point high, Rgb color, double opacity) {
  const std::array<Point, 4> corners = {
      {{low.x, low.y}, {high.x, low.y}, {high.x, high.y}, {low.x, high.y}}};
  polygon(corners, color, opacity);
}

void Canvas::polygon(std::span<const Point> corners, Rgb color, double opacity) {
  if (corners.size() < 3) return;
  const auto [low, high] = std::ranges::minmax(corners, {}, &Point::y);
  const int first = std::max(static_cast<int>(std::floor(low.y)), 0);
  const int last = std::min(static_cast<int>(std::ceil(high.y)), image_.height);
  const auto width = static_cast<std::size_t>(std::max(image_.width, 0));
  std::vector<int> hits(width);
  std::vector<double> crossings;
  for (int y = first; y < last; ++y) {
    std::ranges::fill(hits, 0);
    for (int sample = 0; sample < kSamples; ++sample) {
      const double at = y + (sample + 0.5) / kSamples;
      crossings.clear();
      for (std::size_t i = 0; i < corners.size(); ++i) {
        const Point& a = corners[i];
        const Point& b = corners[(i + 1) % corners.size()];
        if ((a.y <= at) == (b.y <= at)) continue;
        crossings.push_back(a.x + (at - a.y) / (b.y - a.y) * (b.x - a.x));
      }
      std::ranges::sort(crossings);
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        // samples of a row lie at (k + 1/2) / kSamples
        const double limit = static_cast<double>(width) * kSamples;
        const double begin = std::clamp(std::ceil(crossings[i] * kSamples - 0.5), 0.0, limit);
        const double end = std::clamp(std::ceil(crossings[i + 1] * kSamples - 0.5), 0.0, limit);
        for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k) {
          ++hits[k / kSamples];
        }
      }
    }
    for (std::size_t x = 0; x < width; ++x) {
      if (hits[x] == 0) continue;
      blend(static_cast<int>(x), y, color, opacity * hits[x] / (kSamples * kSamples));
    }
  }
}

void Canvas::circle(Point center, double radius, Rgb color, double opacity) {
  std::array<Point, 48> corners;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / corners.size();
    corners[i] = {center.x + radius * std::cos(angle), center.y + radius * std::sin(angle)};
  }
  polygon(corners, color, opacity);
}

void Canvas::line(Point a, Point b, double thickness, Rgb color, double opacity) {
  const double length = std::hypot(b.x - a.x, b.y - a.y), radius = thickness / 2;
  if (length == 0.0) return circle(a, radius, color, opacity);
  // one outline, so that nothing is blended twice: the sides, and half a circle around each end
  constexpr int kCap = 8;
  const double direction = std::atan2(b.y - a.y, b.x - a.x);
  std::array<Point, 2 * (kCap + 1)> corners;
  for (int i = 0; i <= kCap; ++i) {
    const double angle = direction - std::numbers::pi / 2 + std::numbers::pi * i / kCap;
    const double x = radius * std::cos(angle), y = radius * std::sin(angle);
    corners[static_cast<std::size_t>(i)] = {b.x + x, b.y + y};
    corners[static_cast<std::size_t>(kCap + 1 + i)] = {a.x - x, a.y - y};
  }
  polygon(corners, color, opacity);
}

void Canvas::arc(Point center, double radius, double begin, double end, double thickness,
                 Rgb color) {
  constexpr int kPieces = 24;
  const auto at = [&](int i, double r) {
    const double angle = begin + (end - begin) * i / kPieces;
    return Point{center.x + r * std::cos(angle), center.y - r * std::sin(angle)};
  };
  std::array<Point, 2 * (kPieces + 1)> corners;
  for (int i = 0; i <= kPieces; ++i) {
    corners[static_cast<std::size_t>(i)] = at(i, radius + thickness / 2);
    corners[corners.size() - 1 - static_cast<std::size_t>(i)] = at(i, radius - thickness / 2);
  }
  polygon(corners, color);
}

void Canvas::text(int x, int y, std::string_view text, int scale, Rgb color) {
  for (const char letter : text) {
    const Glyph& glyph = glyph_of(letter);
    for (int line = 0; line < kGlyphHeight; ++line) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        const int bit = glyph[static_cast<std::size_t>(line)] >> (kGlyphWidth - 1 - column) & 1;
        if (bit == 0) continue;
        for (int i = 0; i < scale * scale; ++i) {
          blend(x + column * scale + i % scale, y + line * scale + i / scale, color, 1.0);
        }
      }
    }
    x += kLetterWidth * scale;
  }
}

}  // namespace anthill
