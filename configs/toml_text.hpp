/// Values and names as TOML text, and other people's text made safe for one line.
#pragma once

#include <string>
#include <string_view>

#include "configs/fields.hpp"

namespace anthill {

/// `text` as a TOML basic string with its quotes.
std::string toml_string(std::string_view text);

/// `value` as TOML. Reals are the shortest decimal that reads back to the same double.
std::string toml_value(const Value& value);

/// For messages and comments: control characters escaped, cut to `max_bytes` with "..." at the end.
std::string printable(std::string_view text, std::size_t max_bytes = 200);

}  // namespace anthill
