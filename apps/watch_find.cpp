#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/watch_run.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

constexpr int kDepth = 4;

bool is_run(const fs::path& folder) {
  std::error_code error;
  return std::ranges::any_of(std::initializer_list<const char*>{"status.json", "train.csv"},
                             [&](const char* mark) { return fs::exists(folder / mark, error); });
}

/// seed-3 in which no run has written more than its first files.
bool is_begun(const fs::path& folder) {
  if (!folder.filename().string().starts_with("seed-")) return false;
  std::error_code error;
  return fs::is_empty(folder, error) || fs::exists(folder / "owner.json", error) ||
         fs::exists(folder / "resolved.toml", error);
}

/// All runs of a sweep's folder, those that have not begun too; none where it is no sweep's.
std::vector<fs::path> runs_of_sweep(const fs::path& folder) {
  std::vector<fs::path> found;
  std::ifstream stream(folder / "points.json");
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  try {
    for (const auto& point : json.at("points")) {
      for (const auto& seed : json.at("seeds")) {
        found.push_back(folder / point.at("folder").get<std::string>() /
                        ("seed-" + std::to_string(seed.get<std::int64_t>())));
      }
    }
  } catch (const nlohmann::json::exception&) {
    return {};  // what is there is found by looking
  }
  return found;
}

/// Leading digits as a number, so that seed-10 comes after seed-9.
bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (digit(a[i]) && digit(b[j])) {
      std::uint64_t left = 0, right = 0;
      const auto end_a = std::from_chars(a.data() + i, a.data() + a.size(), left).ptr;
      const auto end_b = std::from_chars(b.data() + j, b.data() + b.size(), right).ptr;
      if (left != right) return left < right;
      i = static_cast<std::size_t>(end_a - a.data());
      j = static_cast<std::size_t>(end_b - b.data());
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() < b.size();
}

void collect(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  std::vector<fs::path> inside;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(error) && !name.starts_with('.')) inside.push_back(entry.path());
  }
  for (const fs::path& place : inside) {
    if (is_run(place) || is_begun(place)) {
      found.push_back(place);
    } else if (depth > 1) {
      collect(place, depth - 1, found);
    }
  }
}

}  // namespace

std::vector<fs::path> find_runs(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw ConfigError("'" + path.string() +
                      "': no such folder; name a run's folder or a folder of runs");
  }
  if (!fs::is_directory(path, error)) {
    throw ConfigError("'" + path.string() + "' is a file; name a run's folder or a folder of runs");
  }
  if (is_run(path) || fs::is_empty(path, error)) return {path};
  if (error) throw ConfigError("'" + path.string() + "': " + error.message());
  std::vector<fs::path> found = runs_of_sweep(path);
  if (found.empty()) collect(path, kDepth, found);
  if (found.empty()) {
    throw ConfigError("'" + path.string() + "': no run here or up to " + std::to_string(kDepth) +
                      " levels below; name a folder that `anthill train` made, or one above");
  }
  std::ranges::sort(found, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.string(), b.string());
  });
  return found;
}

}  // namespace anthill
