#include "sim/assets.hpp"

#include <cstdlib>
#include <system_error>
#include <vector>

#include "sim/errors.hpp"

namespace anthill {
namespace fs = std::filesystem;
namespace {

fs::path& gymnasium_folder() {
  static fs::path folder = ANTHILL_ASSETS_DIR;
  return folder;
}

std::vector<fs::path> search_folders() {
  std::vector<fs::path> folders;
  if (const char* folder = std::getenv("ANTHILL_ASSETS"); folder != nullptr && *folder != '\0') {
    folders.emplace_back(folder);
  }
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(executable.parent_path() / "assets");
  folders.push_back(gymnasium_folder());
  return folders;
}

}  // namespace

void set_asset_folder(const fs::path& folder) { gymnasium_folder() = folder; }

fs::path find_asset(const std::string& file) {
  std::error_code error;
  if (file.starts_with('/') || file.starts_with('.')) {
    if (fs::is_regular_file(file, error)) return file;
    throw ConfigError("model file '" + file + "': no such file; give the path of an MJCF file");
  }
  std::string tried;
  if (!file.empty()) {
    for (const fs::path& folder : search_folders()) {
      if (fs::is_regular_file(folder / file, error)) return folder / file;
      tried += (tried.empty() ? "" : ", ") + folder.string();
    }
  }
  throw ConfigError("model file '" + file + "': not found in " + (tried.empty() ? "''" : tried) +
                    "; set ANTHILL_ASSETS to the folder that holds it, or give a path that starts "
                    "with / or .");
}

}  // namespace anthill
