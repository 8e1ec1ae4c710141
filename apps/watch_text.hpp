/// Lines of a terminal: a width in columns, colours that take none, sparklines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace anthill {

/// What the terminal can show.
struct TerminalStyle {
  int width = 80;  // columns
  int height = 0;  // lines; 0: any number
  bool color = false;
  bool unicode = false;  // block characters in sparklines, ASCII otherwise
};

enum class Color { none, bold, red, green, yellow, blue, gray };

/// One line, never wider than the style says: what does not fit is cut. Control characters, which
/// could take over the terminal, become '?'.
class Line {
 public:
  explicit Line(const TerminalStyle& style) : style_(style) {}

  Line& add(std::string_view text, Color color = Color::none);

  /// `text` in exactly `width` columns, cut at its end or filled with spaces.
  Line& field(std::string_view text, int width, Color color = Color::none);

  /// The same, at the right end of the field.
  Line& right(std::string_view text, int width, Color color = Color::none);

  int columns() const { return columns_; }
  const std::string& text() const { return text_; }

 private:
  TerminalStyle style_;
  std::string text_;
  int columns_ = 0;
};

/// Code points of UTF-8: the columns that a text of letters takes.
int columns_of(std::string_view text);

/// `text` in at most `width` columns; a longer one loses its middle, so that both ends are read.
std::string shortened(std::string_view text, int width);

/// `text` in lines of at most `width` columns, broken at spaces: the first begins with `first`, the
/// others are indented as far. A word that is longer than a line, such as a path, is broken.
std::vector<std::string> wrapped(std::string_view text, std::string_view first, int width);

/// y over x from 0 to `end` in `width` characters: the mean of each share of x, or of the latest
/// before it that had a value; spaces before the first. '!' where a value is infinite. `log`:
/// heights by logarithm, for positive values.
std::string sparkline(const std::vector<double>& x, const std::vector<double>& y, double end,
                      int width, bool log, bool unicode);

}  // namespace anthill
