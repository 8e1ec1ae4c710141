#include "apps/sweep_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "configs/members.hpp"
#include "configs/sweep_identity.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kIdLength = 12;

/// "ID" -> the folder's name, for all that is there already.
std::map<std::string, std::string> folders_by_id(const fs::path& path) {
  std::map<std::string, std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    const bool named = name.size() > kIdLength && name[kIdLength] == '-' &&
                       name.find_first_not_of("0123456789abcdef") >= kIdLength;
    if (named && entry.is_directory(error)) found.emplace(name.substr(0, kIdLength), name);
  }
  return found;
}

std::string read_or_empty(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) ? read_file(path) : "";
}

void replace_if_other(const fs::path& path, const std::string& text) {
  if (read_or_empty(path) != text) replace_file(path, text, true);
}

/// Throws ConfigError when the settings in `file`, or the model that they name, are not point `id`.
void check_id(const fs::path& file, const std::string& id) {
  const std::string other = point_id(read_experiment(file.string(), {}).config);
  if (other == id) return;
  throw ConfigError("'" + file.string() +
                    "' or a model file that it names has been changed: its "
                    "settings are point " +
                    other + ", not " + id +
                    "; put it back, or run the sweep file again, to a folder of its own or for new "
                    "points in this one");
}

/// Writes point.toml where it is missing or says something else about the machine.
void freeze_point(const fs::path& folder, const std::string& id, const std::string& text) {
  const fs::path file = folder / "point.toml";
  const std::string before = read_or_empty(file);
  if (before == text) return;
  if (!before.empty()) check_id(file, id);
  make_folder(folder);
  replace_file(file, text, true);
}

ResolvedExperiment named(ResolvedExperiment experiment, const SweepFile& sweep,
                         const std::string& folder) {
  experiment.path = "sweep " + sweep.name + ", point " + folder;
  if (experiment.config.run.name.empty()) experiment.config.run.name = sweep.name + " " + folder;
  return experiment;
}

std::map<std::string, std::string> swept_values(const SweepFile& sweep,
                                                const ExperimentConfig& config) {
  std::map<std::string, std::string> values;
  for (const std::string& key : sweep.swept_keys) {
    values[key] = toml_value(find_field(key)->get(config));
  }
  return values;
}

}  // namespace

SweepFolder SweepFolder::freeze(const SweepFile& sweep, const std::vector<SweepPoint>& points,
                                const fs::path& path, bool write) {
  SweepFolder folder;
  folder.path_ = fs::absolute(path).lexically_normal();
  if (!folder.path_.has_filename()) folder.path_ = folder.path_.parent_path();
  folder.name_ = sweep.name;
  folder.keys_ = sweep.swept_keys;
  folder.seeds_ = sweep.seeds;
  if (write) make_folder(folder.path_);
  const std::map<std::string, std::string> known = folders_by_id(folder.path_);
  Json list = Json::array();
  for (const SweepPoint& point : points) {
    const auto old = known.find(point.id);
    const std::string name =
        old != known.end() ? old->second : point.id + "-" + short_overrides(point);
    const ResolvedExperiment experiment = named(resolve_point(sweep, point), sweep, name);
    if (write) freeze_point(folder.path_ / name, point.id, write_experiment(experiment, false));
    folder.points_.push_back({point.id, name, swept_values(sweep, experiment.config),
                              experiment.config.training.total_env_steps,
                              short_hash(shared_settings(experiment.config)),
                              stack_refusal(experiment.config)});
    const FrozenPoint& frozen = folder.points_.back();
    list.push_back({{"id", frozen.id},
                    {"folder", frozen.folder},
                    {"total_env_steps", frozen.total_env_steps},
                    {"settings", frozen.values},
                    {"structure", frozen.structure},
                    {"alone", frozen.alone}});
  }
  if (!write) return folder;
  const Json json = {{"version", 1},
                     {"name", folder.name_},
                     {"keys", folder.keys_},
                     {"seeds", folder.seeds_},
                     {"points", list}};
  replace_if_other(folder.path_ / "sweep.toml", sweep.verbatim);
  replace_if_other(folder.path_ / "points.json",
                   json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return folder;
}

SweepLock::SweepLock(const fs::path& sweep) {
  make_folder(sweep);
  const fs::path file = sweep / ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode_t{0666});
  if (descriptor_ < 0) {
    throw std::runtime_error("cannot write '" + file.string() + "': " + std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  print_message("another process prepares '" + sweep.string() + "'; waiting for it");
  while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

SweepLock::~SweepLock() { ::close(descriptor_); }

SweepFolder SweepFolder::open(const fs::path& path) {
  SweepFolder folder;
  folder.path_ = fs::absolute(path).lexically_normal();
  if (!folder.path_.has_filename()) folder.path_ = folder.path_.parent_path();
  const fs::path file = folder.path_ / "points.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    throw ConfigError("'" + path.string() +
                      "' is no sweep's folder (it has no points.json); name the folder that "
                      "`anthill sweep run` or `submit` made");
  }
  try {
    const Json json = Json::parse(read_file(file));
    folder.name_ = json.at("name").get<std::string>();
    folder.keys_ = json.at("keys").get<std::vector<std::string>>();
    folder.seeds_ = json.at("seeds").get<std::vector<std::int64_t>>();
    for (const Json& point : json.at("points")) {
      folder.points_.push_back({point.at("id"), point.at("folder"),
                                point.at("settings").get<std::map<std::string, std::string>>(),
                                point.at("total_env_steps"), point.value("structure", ""),
                                point.value("alone", "")});
    }
  } catch (const Json::exception& problem) {
    throw ConfigError("'" + file.string() + "' is damaged (" + problem.what() +
                      "); run or submit the sweep file again");
  }
  return folder;
}

void SweepFolder::check_unchanged(const std::string& point_folder) const {
  check_id(path_ / point_folder / "point.toml", point_folder.substr(0, kIdLength));
}

std::vector<std::string> SweepFolder::former_points() const {
  std::vector<std::string> found;
  for (const auto& [id, name] : folders_by_id(path_)) {
    const bool is_there = std::ranges::any_of(
        points_, [&name](const FrozenPoint& point) { return point.folder == name; });
    if (!is_there) found.push_back(name);
  }
  return found;
}

std::vector<SweepRun> SweepFolder::runs() const {
  std::vector<SweepRun> found;
  for (const FrozenPoint& point : points_) {
    for (const std::int64_t seed : seeds_) {
      found.push_back({point.folder, seed, point.total_env_steps});
    }
  }
  return found;
}

fs::path SweepFolder::run_folder(const SweepRun& run) const {
  return path_ / run.point / run.seed_name();
}
fs::path SweepFolder::config_of(const SweepRun& run) const {
  return path_ / run.point / "point.toml";
}
fs::path SweepFolder::log_of(const SweepRun& run) const {
  return path_ / run.point / (run.seed_name() + ".log");
}
fs::path SweepFolder::result_of(const SweepRun& run) const {
  return path_ / run.point / (run.seed_name() + ".json");
}

fs::path default_sweep_folder(const SweepFile& sweep) { return fs::path("runs") / sweep.name; }

}  // namespace anthill
