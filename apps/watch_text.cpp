#include "apps/watch_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace anthill {
namespace {

constexpr int kHeights = 8;
const std::array<const char*, kHeights> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
const std::array<const char*, kHeights> kAscii = {".", ":", "-", "=", "+", "*", "#", "@"};

const char* code_of(Color color) {
  constexpr std::array<const char*, 7> codes = {"", "1", "31", "32", "33", "34", "90"};
  return codes[static_cast<std::size_t>(color)];
}

bool starts_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

/// Bytes of the first `columns` characters.
std::size_t bytes_of(std::string_view text, int columns) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (starts_a_character(text[i]) && columns-- == 0) break;
  }
  return i;
}

/// Mean of the finite values in each of `width` equal shares of (0, end]; NaN for none, infinity
/// where one of them is not finite.
std::vector<double> binned(const std::vector<double>& x, const std::vector<double>& y, double end,
                           int width) {
  std::vector<double> sum(static_cast<std::size_t>(width), 0.0), count(sum);
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (std::isnan(y[i]) || std::isnan(x[i])) continue;
    const double place = std::ceil(x[i] / end * width) - 1.0;
    const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, width - 1.0));
    sum[bin] += y[i];
    count[bin] += 1.0;
  }
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = count[i] > 0.0 ? sum[i] / count[i] : std::nan("");
  }
  // between two evaluations the first one stands
  for (std::size_t i = 1; i < sum.size(); ++i) {
    if (std::isnan(sum[i])) sum[i] = sum[i - 1];
  }
  return sum;
}

}  // namespace

int columns_of(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, starts_a_character));
}

std::string shortened(std::string_view text, int width) {
  const int columns = columns_of(text);
  if (columns <= width) return std::string(text);
  if (width < 4) return std::string(text.substr(0, bytes_of(text, std::max(width, 0))));
  // the end tells seeds apart
  const int tail = (width - 2) * 2 / 3, head = width - 2 - tail;
  return std::string(text.substr(0, bytes_of(text, head))) + ".." +
         std::string(text.substr(bytes_of(text, columns - tail)));
}

std::vector<std::string> wrapped(std::string_view text, std::string_view first, int width) {
  const std::string indent(static_cast<std::size_t>(columns_of(first)), ' ');
  const int room = std::max(width - columns_of(first), 1);
  std::vector<std::string> lines = {std::string(first)};
  bool is_empty = true;  // the last line, but for its beginning
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      continue;
    }
    std::string_view word = text.substr(0, text.find(' '));
    word = word.substr(0, bytes_of(word, room));
    text.remove_prefix(word.size());
    if (!is_empty && columns_of(lines.back()) + 1 + columns_of(word) > width) {
      lines.push_back(indent);
      is_empty = true;
    }
    lines.back().append(is_empty ? "" : " ").append(word);
    is_empty = false;
  }
  return lines;
}

Line& Line::add(std::string_view text, Color color) {
  const int room = std::max(style_.width - columns_, 0);
  std::string piece(text.substr(0, bytes_of(text, room)));
  if (piece.empty()) return *this;
  for (char& c : piece) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  columns_ += columns_of(piece);
  const bool colored = style_.color && color != Color::none;
  text_ += colored ? "\x1b[" + std::string(code_of(color)) + "m" + piece + "\x1b[0m" : piece;
  return *this;
}

Line& Line::field(std::string_view text, int width, Color color) {
  const std::string cut(text.substr(0, bytes_of(text, width)));
  add(cut, color);
  return add(std::string(static_cast<std::size_t>(std::max(width - columns_of(cut), 0)), ' '));
}

Line& Line::right(std::string_view text, int width, Color color) {
  const std::string cut(text.substr(0, bytes_of(text, width)));
  add(std::string(static_cast<std::size_t>(std::max(width - columns_of(cut), 0)), ' '));
  return add(cut, color);
}

std::string sparkline(const std::vector<double>& x, const std::vector<double>& y, double end,
                      int width, bool log, bool unicode) {
  std::vector<double> values = binned(x, y, std::max(end, 1.0), width);
  if (log) std::ranges::transform(values, values.begin(), [](double v) { return std::log(v); });
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::string text;
  for (const double value : values) {
    if (std::isnan(value)) {
      text += ' ';
    } else if (std::isinf(value)) {
      text += '!';
    } else {
      const double share = high > low ? (value - low) / (high - low) : 0.5;
      const auto height =
          static_cast<std::size_t>(std::clamp(std::floor(share * kHeights), 0.0, kHeights - 1.0));
      text += unicode ? kBlocks[height] : kAscii[height];
    }
  }
  return text;
}

}  // namespace anthill
