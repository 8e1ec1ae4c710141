#include "apps/sweep_engine.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <map>
#include <optional>

#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/sweep_process.hpp"
#include "apps/sweep_progress.hpp"
#include "apps/sweep_status.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// a run folder may still be held by a process on a machine that went away: that shows in a minute
constexpr int kMostAttempts = 5;
constexpr std::chrono::seconds kAttemptPeriod{20};

struct Waiting {
  SweepRun run;
  int attempts = 0;
  Clock::time_point not_before = Clock::now();
};

struct Active {
  Waiting what;
  int slot = 0;
  std::uintmax_t log_begin = 0;  // where this process began to write
};

std::uintmax_t size_of(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

/// The last line "anthill: ..." behind `begin`, without its first word.
std::string last_message(const fs::path& log, std::uintmax_t begin) {
  std::ifstream stream(log, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(begin));
  std::string line, found;
  while (std::getline(stream, line)) {
    if (line.starts_with("anthill: ")) found = line.substr(9);
  }
  return found;
}

/// A folder that holds files of a run, but nothing to go on from.
bool must_begin_anew(const fs::path& run) {
  std::error_code error;
  if (!fs::exists(run / "status.json", error)) return false;
  return fs::directory_iterator(run / "checkpoints", error) == fs::directory_iterator() &&
         fs::directory_iterator(run / "checkpoints" / "archive", error) == fs::directory_iterator();
}

std::vector<std::string> train_command(const SweepFolder& folder, const SweepRun& run) {
  const fs::path place = folder.run_folder(run);
  std::vector<std::string> command = {(program_folder() / "anthill-train").string(),
                                      folder.config_of(run).string(), "--run", place.string()};
  if (must_begin_anew(place)) {
    command.insert(command.end(), {"--fresh", "--overwrite"});
  } else {
    command.emplace_back("--resume");
  }
  command.insert(command.end(), {"--set", "run.seed=" + std::to_string(run.seed)});
  return command;
}

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&signals, one);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

class Engine {
 public:
  Engine(const SweepFolder& folder, const std::vector<SweepRun>& runs, const EngineOptions& options)
      : folder_(folder),
        options_(options),
        signals_(block_signals()),
        cores_(available_cores()),
        slots_(static_cast<std::size_t>(options.jobs), false),
        progress_(folder, options.report_period_s) {
    for (const SweepRun& run : runs) {
      if (report_run(folder, run).progress == RunProgress::finished) {
        ++result_.finished;
      } else {
        waiting_.push_back({run});
      }
    }
  }

  EngineResult run() {
    while (!active_.empty() || (!waiting_.empty() && !stop_)) {
      begin_runs();
      progress_.show(active_runs(), result_.finished, result_.failed,
                     static_cast<int>(waiting_.size()));
      const timespec timeout{0, 500'000'000};
      const int signal = ::sigtimedwait(&signals_, nullptr, &timeout);
      if (signal > 0 && signal != SIGCHLD) stop(signal);
      collect_ended();
    }
    progress_.clear();
    result_.stopped += static_cast<int>(waiting_.size());
    return result_;
  }

 private:
  std::vector<SweepRun> active_runs() const {
    std::vector<SweepRun> runs;
    for (const auto& [pid, active] : active_) runs.push_back(active.what.run);
    return runs;
  }

  void begin_runs() {
    for (std::size_t i = 0; i < waiting_.size() && !stop_;) {
      const auto free = std::ranges::find(slots_, false);
      if (free == slots_.end()) return;
      if (waiting_[i].not_before > Clock::now()) {
        ++i;
        continue;
      }
      const auto slot = static_cast<int>(free - slots_.begin());
      const Waiting next = waiting_[i];
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
      begin(next, slot);
    }
  }

  void begin(const Waiting& what, int slot) {
    const fs::path log = folder_.log_of(what.run);
    std::error_code error;
    fs::remove(folder_.result_of(what.run), error);
    const Active active{what, slot, size_of(log)};
    const pid_t pid = start_process(train_command(folder_, what.run),
                                    cores_of_slot(cores_, slot, options_.jobs), log);
    slots_[static_cast<std::size_t>(slot)] = true;
    active_.emplace(pid, active);
    say(what.run, "begins");
  }

  void collect_ended() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = active_.find(pid);
      if (found == active_.end()) continue;
      const Active active = found->second;
      active_.erase(found);
      slots_[static_cast<std::size_t>(active.slot)] = false;
      end(active, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }

  void end(const Active& active, int code) {
    const SweepRun& run = active.what.run;
    // a process that had not come to listen, or was told twice
    if (stop_ && (code == 128 + SIGTERM || code == 128 + SIGINT)) code = kExitStopped;
    if (code == kExitWrongUsage && is_held(run) && active.what.attempts + 1 < kMostAttempts) {
      waiting_.push_back({run, active.what.attempts + 1, Clock::now() + kAttemptPeriod});
      say(run, "is held by another process; trying again");
      return;
    }
    std::string reason = last_message(folder_.log_of(run), active.log_begin);
    if (code >= 128) {
      reason = "killed by signal " + std::to_string(code - 128) +
               (code == 128 + SIGKILL ? " (out of memory?)" : "");
    }
    write_result(folder_, run, code, reason);
    if (code == kExitFinished) {
      ++result_.finished;
      say(run, "is finished");
    } else if (code == kExitStopped) {
      ++result_.stopped;
      say(run, "is saved and stopped");
    } else {
      ++result_.failed;
      say(run, "failed with exit code " + std::to_string(code) + ": " + reason);
    }
  }

  bool is_held(const SweepRun& run) const {
    std::error_code error;
    return fs::exists(folder_.run_folder(run) / "owner.json", error);
  }

  void stop(int signal) {
    if (signal == SIGUSR1) result_.time_is_up = true;
    stop_ = true;
    for (const auto& [pid, active] : active_) ::kill(pid, signal == SIGINT ? SIGINT : SIGTERM);
  }

  void say(const SweepRun& run, const std::string& what) {
    if (options_.one_line_each) progress_.say(run.point + "/" + run.seed_name() + " " + what);
  }

  const SweepFolder& folder_;
  EngineOptions options_;
  sigset_t signals_;
  std::vector<int> cores_;
  std::vector<bool> slots_;  // in use
  std::deque<Waiting> waiting_;
  std::map<pid_t, Active> active_;
  EngineResult result_;
  bool stop_ = false;
  SweepProgress progress_;
};

}  // namespace

EngineResult run_engine(const SweepFolder& folder, const std::vector<SweepRun>& runs,
                        const EngineOptions& options) {
  return Engine(folder, runs, options).run();
}

}  // namespace anthill
