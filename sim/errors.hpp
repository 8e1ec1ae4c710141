/// The one exception for wrong input.
#pragma once

#include <stdexcept>

namespace anthill {

/// Wrong or missing input, found before any work starts. One line: what, where, what to do. Exit
/// code 2.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace anthill
