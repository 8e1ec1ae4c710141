/// From TOML text to checked settings. Strict: nothing is converted but an integer literal where a
/// real number is expected.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "configs/fields.hpp"

namespace anthill {

/// One setting that somebody wrote down; `value` has passed check_value.
struct Setting {
  const Field* field = nullptr;
  Value value;
  std::string location;  // "file:line:column" of the value, or "--set section.key"
};

/// The bytes of a regular file. Throws ConfigError when it is missing, a directory, another special
/// file, unreadable or longer than 1 MiB.
std::string read_config_file(const std::string& path);

/// The settings in `text`, in the order of the text. Throws ConfigError at the first thing that is
/// wrong: syntax, a key or section set twice, an unknown name (with the nearest known one), a wrong
/// type, a number out of range or not finite, no setting at all. `path` only appears in messages.
std::vector<Setting> read_settings(std::string_view text, const std::string& path);

/// One [[members]] table of a file of members.
struct MemberTable {
  std::string folder;  // empty: not given
  std::string location;
  std::vector<Setting> settings;
};

/// The tables in `text`, which holds nothing else: settings as in read_settings, and a `folder`.
/// Throws ConfigError as read_settings does.
std::vector<MemberTable> read_member_tables(std::string_view text, const std::string& path);

/// One "section.key=value". The value is TOML; a bare word without spaces that is no TOML value
/// (Ant-v5, cuda, ./ant.xml) counts as a string. Throws ConfigError as read_settings does.
Setting read_override(const std::string& text);

}  // namespace anthill
