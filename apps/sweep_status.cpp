#include "apps/sweep_status.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "algos/training/file_io.hpp"
#include "apps/exit_codes.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// an owner touches its files every 2 s; clocks of several machines differ a little
constexpr double kSilentHere_s = 6.0, kSilentElsewhere_s = 120.0;

/// The file as JSON; null where there is none that can be read.
Json read_json(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return nullptr;
  try {
    return Json::parse(read_file(path), nullptr, false);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

template <class T>
T value_or(const Json& json, const char* key, const T& otherwise) {
  if (!json.is_object() || !json.contains(key)) return otherwise;
  try {
    return json.at(key).get<T>();
  } catch (const Json::exception&) {
    return otherwise;
  }
}

/// Seconds since the file was written; infinite for none.
double age_s(const fs::path& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::numeric_limits<double>::infinity();
  return std::difftime(std::time(nullptr), file.st_mtime);
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

bool is_alive(const fs::path& run) {
  const fs::path file = run / "owner.json";
  const Json owner = read_json(file);
  const double silent = std::min(age_s(file), age_s(run / "status.json"));
  if (!owner.is_object() || silent > kSilentElsewhere_s) return false;
  if (silent <= kSilentHere_s || value_or<std::string>(owner, "host", "") != host_name()) {
    return true;
  }
  const auto pid = value_or<std::int64_t>(owner, "pid", 0);
  std::error_code error;
  return fs::exists("/proc/" + std::to_string(pid), error);
}

void judge(RunReport& report, const Json& status, const Json& result, bool alive) {
  const auto state = value_or<std::string>(status, "state", "");
  const auto code = value_or<int>(result, "exit_code", -1);
  const bool ended_badly = code > 0 && code != kExitStopped;
  report.reason = value_or<std::string>(status, "reason", "");
  if (state == "finished") {
    report.progress = RunProgress::finished;
  } else if (alive) {
    report.progress = RunProgress::running;
    report.reason.clear();
  } else if (state == "failed" || state == "diverged" || ended_badly) {
    report.progress = RunProgress::failed;
    if (state != "failed" && state != "diverged") {
      report.reason = value_or<std::string>(result, "reason", "");
    }
  } else if (state.empty()) {
    report.progress = RunProgress::waiting;
  } else {
    report.progress = RunProgress::stopped;
    if (state != "stopped") {
      report.reason = "no sign of life since " + value_or<std::string>(status, "updated_at", "?");
    }
  }
}

}  // namespace

const char* progress_name(RunProgress progress) {
  switch (progress) {
    case RunProgress::finished:
      return "finished";
    case RunProgress::running:
      return "running";
    case RunProgress::waiting:
      return "waiting";
    case RunProgress::stopped:
      return "stopped";
    case RunProgress::failed:
      return "failed";
  }
  return "unknown";
}

double RunReport::remaining_s() const {
  if (env_steps <= 0) return std::numeric_limits<double>::quiet_NaN();
  return wall_time_s * static_cast<double>(total_env_steps - env_steps) /
         static_cast<double>(env_steps);
}

std::string run_state(const fs::path& run) {
  return value_or<std::string>(read_json(run / "status.json"), "state", "");
}

RunReport report_run(const SweepFolder& folder, const SweepRun& run) {
  const fs::path place = folder.run_folder(run);
  const Json status = read_json(place / "status.json");
  RunReport report;
  report.run = run;
  report.env_steps = value_or<std::int64_t>(status, "env_steps", 0);
  report.total_env_steps = value_or(status, "total_env_steps", run.total_env_steps);
  report.wall_time_s = value_or(status, "wall_time_s", 0.0);
  report.return_mean = std::numeric_limits<double>::quiet_NaN();
  if (status.is_object() && status.contains("last_evaluation")) {
    report.return_mean = value_or(status["last_evaluation"], "return_mean", report.return_mean);
  }
  judge(report, status, read_json(folder.result_of(run)), is_alive(place));
  return report;
}

std::vector<RunReport> report_runs(const SweepFolder& folder) {
  std::vector<RunReport> reports;
  for (const SweepRun& run : folder.runs()) reports.push_back(report_run(folder, run));
  return reports;
}

std::string count_text(const std::vector<RunReport>& reports) {
  std::array<int, 5> counts{};
  for (const RunReport& report : reports) ++counts[static_cast<std::size_t>(report.progress)];
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts[i]) + " " +
            progress_name(static_cast<RunProgress>(i));
  }
  return text.empty() ? "no runs" : text;
}

std::string report_line(const RunReport& report) {
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "%3.0f %%  %lld / %lld env steps", 100.0 * report.share(),
                static_cast<long long>(report.env_steps),
                static_cast<long long>(report.total_env_steps));
  std::string line = progress_name(report.progress);
  line.resize(10, ' ');
  line += report.run.point + "  " + report.run.seed_name() + "  " + numbers;
  if (std::isfinite(report.return_mean)) {
    std::snprintf(numbers, sizeof numbers, "  return %.1f", report.return_mean);
    line += numbers;
  }
  if (report.progress == RunProgress::running) {
    line += "  " + duration_text(report.remaining_s()) + " to go";
  }
  return report.reason.empty() ? line : line + "  " + report.reason;
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return "--";
  const auto whole = static_cast<long long>(seconds + 0.5);
  char text[48];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                whole % 60);
  return text;
}

void write_result(const SweepFolder& folder, const SweepRun& run, int exit_code,
                  const std::string& reason) {
  const char* job = std::getenv("SLURM_JOB_ID");
  const Json json = {{"exit_code", exit_code},
                     {"reason", reason},
                     {"host", host_name()},
                     {"job", job == nullptr ? "" : job},
                     {"ended_at", std::time(nullptr)}};
  replace_file(folder.result_of(run),
               json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", false);
}

}  // namespace anthill
