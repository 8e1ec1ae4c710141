/// Drawing in two dimensions, without OpenGL: the classic tasks' scenes and every overlay.
#pragma once

#include <span>
#include <string_view>

#include "sim/render_image.hpp"

namespace anthill {

/// In pixels from the top left corner; the middle of the first pixel is (0.5, 0.5).
struct Point {
  double x = 0.0, y = 0.0;
};

/// Draws on an image, which must outlive it; what lies outside is cut off. Edges are smooth
/// (16 samples per pixel), and the same calls give the same pixels. `opacity`: 0 to 1.
class Canvas {
 public:
  explicit Canvas(Image& image) : image_(image) {}

  int width() const { return image_.width; }
  int height() const { return image_.height; }

  void rectangle(Point low, Point high, Rgb color, double opacity = 1.0);

  /// Any closed outline; even-odd where it crosses itself.
  void polygon(std::span<const Point> corners, Rgb color, double opacity = 1.0);

  void circle(Point center, double radius, Rgb color, double opacity = 1.0);

  /// From a to b with round ends.
  void line(Point a, Point b, double thickness, Rgb color, double opacity = 1.0);

  /// Part of a circle's line, from angle `begin` to `end` [rad], counter-clockwise from the right.
  void arc(Point center, double radius, double begin, double end, double thickness, Rgb color);

  /// ASCII in a font of 5 x 8 squares of `scale` pixels; (x, y) is its top left corner. Other bytes
  /// become '?'.
  void text(int x, int y, std::string_view text, int scale, Rgb color);

 private:
  void blend(int x, int y, Rgb color, double share);

  Image& image_;
};

/// From one letter to the next, and from one line to the next, in squares.
inline constexpr int kLetterWidth = 6, kLineHeight = 10;

}  // namespace anthill
