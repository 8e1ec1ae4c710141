/// "Did you mean ...?": the known name nearest to a wrong one. Standard library only.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace anthill {

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours
/// that turn `a` into `b`, ignoring case.
inline std::size_t name_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool equal = same(a[i - 1], b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (equal ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

/// The first of `known` with the smallest distance to `name`; "" when even that one differs in more
/// than a third of its letters (at least two), which would be no help.
template <typename Names>
std::string nearest_name(std::string_view name, const Names& known) {
  std::string nearest;
  std::size_t smallest = std::string::npos;
  for (const auto& candidate : known) {
    const std::string_view text = candidate;
    // lengths alone can tell that it is too far: also bounds the work for absurd input
    const std::size_t limit = std::max<std::size_t>(2, text.size() / 3);
    if (std::max(text.size(), name.size()) - std::min(text.size(), name.size()) > limit) continue;
    const std::size_t distance = name_distance(name, text);
    if (distance <= limit && distance < smallest) {
      smallest = distance;
      nearest = text;
    }
  }
  return nearest;
}

}  // namespace anthill
