#include "configs/toml_scan.hpp"

#include <algorithm>
#include <utility>

namespace anthill {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr int kMaxKeyParts = 8;
constexpr int kMaxNesting = 8;

/// One past the string that starts at `begin`: single-line strings end at the line's end at the
/// latest, multi-line strings at the text's.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool multi_line = text.substr(begin, 3) == three;
  for (std::size_t i = begin + (multi_line ? 3 : 1); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (multi_line ? text.substr(i, 3) == three : text[i] == quote) {
      return i + (multi_line ? 3 : 1);
    } else if (!multi_line && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

ScanProblem problem_at(std::string_view text, std::size_t at, std::string message) {
  ScanProblem problem{1, 1, std::move(message)};
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      ++problem.line;
      problem.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++problem.column;  // code points, as the parser counts
    }
  }
  return problem;
}

}  // namespace

ScanProblem scan_toml(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return {1, 1, "the text is longer than 1 MiB; give a configuration file"};
  }
  int parts = 1;  // of the key being read
  int nesting = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      continue;
    }
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (c == '.') {
      if (++parts > kMaxKeyParts) {
        return problem_at(text, i,
                          "a dotted key has more than 8 parts; write [section] and key = value");
      }
    } else if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') {
      parts = 1;
    }
    if ((c == '[' || c == '{') && ++nesting > kMaxNesting) {
      return problem_at(text, i,
                        "brackets are nested deeper than 8; write [section] and key = value");
    }
    if ((c == ']' || c == '}') && nesting > 0) --nesting;
    ++i;
  }
  return {};
}

}  // namespace anthill
