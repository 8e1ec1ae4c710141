/// What the files that read TOML share: the parser, and checked values of its nodes. The only
/// header that includes toml++.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "configs/fields.hpp"

// Some of toml++'s assertions fail on malformed text that its error handling then refuses properly:
// neither abort on them (debug builds) nor let the optimiser rely on them (Clang with NDEBUG).
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace anthill {

/// Turns a position in the text into the location for messages: "file:line:column".
using Locate = std::function<std::string(const toml::source_position&)>;

/// ":line:column"
std::string position_text(const toml::source_position& at);

/// Whether `a` stands before `b` in the text.
inline bool before(const toml::source_position& a, const toml::source_position& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/// Text as parsed. Throws ConfigError at the first thing that is no TOML, or that no file here
/// needs.
toml::table parse_toml(std::string_view text, const Locate& locate);

/// What was written, for messages: `the integer 1`.
std::string describe_node(const toml::node& node);

/// The node as a value that the field accepts. Throws ConfigError that begins with `location`.
Value checked_node(const Field& field, const toml::node& node, const std::string& location);

}  // namespace anthill
