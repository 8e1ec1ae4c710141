/// Numbers in texts that must tell them apart.
#pragma once

#include <charconv>
#include <string>

namespace anthill {

/// The shortest text that reads back to the same bits, e.g. "-10" and "0.1", whatever the locale.
inline std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

}  // namespace anthill
