/// Names of keys and sections: which exist, and what was meant by one that does not.
#pragma once

#include <string>
#include <vector>

namespace anthill {

/// {"sim", "ant"} -> "sim.ant". Parts that are no bare TOML keys are quoted, so that a quoted key
/// with a dot in it never equals a path.
std::string dotted_key(const std::vector<std::string>& path);

/// Whether the path names a section that holds settings or other sections.
bool is_section(const std::vector<std::string>& path);

/// "unknown key 'replay_ration' in [training]; did you mean 'replay_ratio'?" for a path that no
/// field has. `is_table`: a section was opened, not a value given.
std::string unknown_name_message(const std::vector<std::string>& path, bool is_table);

/// The same for a "section.key" from the command line.
std::string unknown_key_message(const std::string& key);

}  // namespace anthill
