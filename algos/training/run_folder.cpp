#include "algos/training/run_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "algos/training/file_io.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw ConfigError("cannot create run folder '" + path.string() + "': " + why +
                    "; choose a writable place with --run");
}

[[noreturn]] void refuse_used(const std::filesystem::path& path) {
  throw ConfigError("run folder '" + path.string() +
                    "' exists and is not empty; choose another with --run, go on with --resume, "
                    "or start anew with --fresh --overwrite");
}

bool is_empty_but_for_owner(const std::filesystem::path& path, std::error_code& error) {
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (!entry.path().filename().string().starts_with("owner.json")) return false;
  }
  return true;
}

/// Makes the folder, or takes an empty one, for this process alone: of two that start together only
/// one can create status.json.
void claim(const std::filesystem::path& path, bool among_other_files) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) refuse(path, error.message());
  if (!std::filesystem::is_directory(path, error)) refuse(path, "a file has this name");
  const bool empty = is_empty_but_for_owner(path, error);
  if (error) refuse(path, error.message());
  if (!empty && !among_other_files) refuse_used(path);
  const int descriptor =
      ::open((path / "status.json").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t{0666});
  if (descriptor < 0 && errno == EEXIST) refuse_used(path);
  if (descriptor < 0) refuse(path, std::generic_category().message(errno));
  ::close(descriptor);
}

/// provenance.json as it is, or nothing.
std::string read_provenance(const std::filesystem::path& path) {
  try {
    return read_file(path / "provenance.json");
  } catch (const std::runtime_error&) {
    return "";
  }
}

/// A process that has not come to a step has no numbers: those of the one before stay.
void keep_numbers(const std::filesystem::path& path, nlohmann::ordered_json& status) {
  try {
    const auto before = nlohmann::ordered_json::parse(read_file(path));
    for (const char* key :
         {"env_steps", "gradient_updates", "total_env_steps", "last_evaluation"}) {
      if (before.contains(key)) status[key] = before[key];
    }
  } catch (const std::exception&) {
    // a new run, or nothing that can be read
  }
}

}  // namespace

const char* run_state_name(RunState state) {
  switch (state) {
    case RunState::starting:
      return "starting";
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::stopped:
      return "stopped";
    case RunState::failed:
      return "failed";
    case RunState::diverged:
      return "diverged";
  }
  return "unknown";
}

std::optional<RunState> run_state_of(const std::filesystem::path& path) {
  try {
    const auto json = nlohmann::json::parse(read_file(path / "status.json"));
    const std::string name = json.at("state").get<std::string>();
    for (int i = 0; i <= static_cast<int>(RunState::diverged); ++i) {
      if (name == run_state_name(static_cast<RunState>(i))) return static_cast<RunState>(i);
    }
  } catch (const std::exception&) {
    // a folder without a readable status has no state
  }
  return std::nullopt;
}

bool is_abandoned_start(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path / "status.json", error);
  if (error) return false;
  // a process can die before it has written a word
  return bytes == 0 || run_state_of(path) == RunState::starting;
}

void remove_run_files(const std::filesystem::path& path) {
  const std::array<const char*, 13> names = {
      "config.toml",        "resolved.toml",      "members.toml",
      "provenance.json",    "train.csv",          "episodes.csv",
      "eval.csv",           "overestimation.csv", "overestimation_states.csv",
      "policy.safetensors", "checkpoints",        "post_mortem",
      "status.json"};
  std::error_code error;
  std::vector<std::filesystem::path> doomed;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = std::ranges::any_of(names, [&](const char* known) {
      return name == known || name == std::string(known) + ".tmp";
    });
    if (ours || name.starts_with("events.out.tfevents.")) doomed.push_back(entry.path());
  }
  for (const std::filesystem::path& file : doomed) remove_folder(file);
}

RunFolder::RunFolder(std::filesystem::path path, const std::string& config_toml,
                     const std::string& resolved_toml, const ProvenanceInputs& inputs,
                     FolderUse use)
    : path_(std::move(path)),
      started_at_(utc_time_now()),
      start_(std::chrono::steady_clock::now()) {
  if (use.owner) use.owner->check();
  if (use.resumed) {
    start_ -= std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(use.resumed->wall_time_s));
  } else {
    claim(path_, use.among_other_files);
  }
  owner_ = use.owner ? std::move(use.owner) : std::make_unique<RunOwner>(path_, false);
  try {
    write_status({});
    replace_file(path_ / "config.toml", config_toml, false);
    replace_file(path_ / "resolved.toml", resolved_toml, false);
    provenance_ = collect_provenance(inputs);
    if (use.resumed) {
      provenance_ =
          resumed_provenance(read_provenance(path_), provenance_, use.resumed->checkpoint);
    }
    replace_file(path_ / "provenance.json", provenance_, false);
  } catch (const ConfigError&) {
    throw;
  } catch (const FolderLost&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
}

double RunFolder::wall_time_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void RunFolder::update_status(const RunStatus& status) {
  owner_->beat();
  const std::chrono::duration<double> age = std::chrono::steady_clock::now() - last_write_;
  if (status.state != last_state_ || age.count() >= heartbeat_period_s) write_status(status);
}

void RunFolder::finish(const RunStatus& status) {
  write_status(status);
  provenance_ = finished_provenance(provenance_, utc_time_now(), wall_time_s());
  replace_file(path_ / "provenance.json", provenance_, false);
}

void RunFolder::write_status(const RunStatus& status) {
  check_owner();
  using Json = nlohmann::ordered_json;
  Json evaluation = nullptr;
  if (status.last_evaluation) {
    evaluation = {{"env_steps", status.last_evaluation->env_steps},
                  {"num_episodes", status.last_evaluation->num_episodes},
                  {"return_mean", status.last_evaluation->return_mean},
                  {"return_std", status.last_evaluation->return_std}};
  }
  Json json = {{"state", run_state_name(status.state)},
               {"reason", status.reason},
               {"env_steps", status.env_steps},
               {"gradient_updates", status.gradient_updates},
               {"total_env_steps", status.total_env_steps},
               {"last_evaluation", evaluation},
               {"pid", ::getpid()},
               {"host", host_name()},
               {"started_at", started_at_},
               {"updated_at", utc_time_now()},
               {"wall_time_s", wall_time_s()}};
  if (status.total_env_steps == 0) keep_numbers(path_ / "status.json", json);
  replace_file(path_ / "status.json",
               json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", false);
  last_write_ = std::chrono::steady_clock::now();
  last_state_ = status.state;
}

}  // namespace anthill
