/// Where MJCF files come from.
#pragma once

#include <filesystem>
#include <string>

namespace anthill {

/// Full path of a model file. An absolute or ./-relative `file` is taken as it is; a bare name is
/// looked for in $ANTHILL_ASSETS, in `assets/` beside the executable, and in the Gymnasium package
/// found at configure time. Throws ConfigError that lists the places tried.
std::filesystem::path find_asset(const std::string& file);

/// Puts another folder in the place of the one found at configure time, which is elsewhere where
/// the library runs on another machine (a Python wheel). Before the first task is made.
void set_asset_folder(const std::filesystem::path& folder);

}  // namespace anthill
