/// A look at TOML text before the parser sees it.
#pragma once

#include <string>
#include <string_view>

namespace anthill {

/// Where text asks for more than any configuration needs: longer than 1 MiB, a dotted key of more
/// than 8 parts, brackets nested deeper than 8. Both kinds of depth become recursion in the parser
/// and could exhaust the stack.
struct ScanProblem {
  std::size_t line = 0;  // from 1; 0: no problem
  std::size_t column = 0;
  std::string message;  // what; what to do
};

/// The first such place. Does not recurse; takes any bytes.
ScanProblem scan_toml(std::string_view text);

}  // namespace anthill
