/// A look at TOML text before the parser sees it.
#pragma once

#include <string>
#include <string_view>

namespace anthill {

/// A place that the parser must not see, because toml++ 3.3 would run into undefined behaviour:
/// - text longer than 1 MiB, a dotted key of more than 8 parts, brackets nested deeper than 8: they
///   become recursion and could exhaust the stack;
/// - characters outside ASCII that are neither in quotes nor in a comment, multi-line strings (no
///   setting needs them), a quote glued to a number: is_non_ascii_horizontal_whitespace();
/// - dates (no setting needs them): the look-ahead for a time in parse_value().
struct ScanProblem {
  std::size_t line = 0;  // from 1; 0: no problem
  std::size_t column = 0;
  std::string message;  // what; what to do
};

/// The first such place. Does not recurse; takes any bytes.
ScanProblem scan_toml(std::string_view text);

}  // namespace anthill
