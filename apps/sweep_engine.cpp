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
#include "apps/sweep_stack.hpp"
#include "apps/sweep_status.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// a run folder may still be held by a process on a machine that went away: that shows in a minute
constexpr int kMostAttempts = 5;
constexpr std::chrono::seconds kAttemptPeriod{20};

struct Waiting {
  RunGroup group;
  int attempts = 0;
  Clock::time_point not_before = Clock::now();
};

struct Active {
  Waiting what;
  Launch launch;
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

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&signals, one);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

class Engine {
 public:
  Engine(const SweepFolder& folder, const std::vector<RunGroup>& groups,
         const EngineOptions& options)
      : folder_(folder),
        options_(options),
        signals_(block_signals()),
        cores_(available_cores()),
        slots_(static_cast<std::size_t>(options.jobs), false),
        progress_(folder, options.report_period_s) {
    for (const RunGroup& group : groups) add(group);
  }

  EngineResult run() {
    while (!active_.empty() || (!waiting_.empty() && !stop_)) {
      begin_runs();
      progress_.show(active_runs(), result_.finished, result_.failed, num_waiting());
      const timespec timeout{0, 500'000'000};
      const int signal = ::sigtimedwait(&signals_, nullptr, &timeout);
      if (signal > 0 && signal != SIGCHLD) stop(signal);
      collect_ended();
    }
    progress_.clear();
    for (const Waiting& waiting : waiting_) count(waiting.group, kExitStopped);
    return result_;
  }

 private:
  void add(const RunGroup& group) {
    if (!is_over(folder_, group)) {
      waiting_.push_back({group});
      return;
    }
    for (const SweepRun& run : group) {
      if (run_state(folder_.run_folder(run)) != "diverged") continue;
      say(run.name() + " has diverged in its stack, which has ended; left as it is");
    }
    count(group, kExitFinished);
  }

  std::vector<SweepRun> active_runs() const {
    std::vector<SweepRun> runs;
    for (const auto& [pid, active] : active_) {
      const RunGroup& group = active.what.group;
      runs.insert(runs.end(), group.begin(), group.end());
    }
    return runs;
  }

  int num_waiting() const {
    std::size_t number = 0;
    for (const Waiting& waiting : waiting_) number += waiting.group.size();
    return static_cast<int>(number);
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
      if (is_over(folder_, next.group)) {
        add(next.group);  // by another process, in the meantime
      } else if (is_as_planned(next.group)) {
        begin(next, slot);
      }
    }
  }

  /// Whether no other process has begun the group's runs in another way in the meantime; where one
  /// has, they wait as the files say now.
  bool is_as_planned(const RunGroup& group) {
    const std::vector<RunGroup> now = startable(folder_, {group});
    if (now.size() == 1 && now[0] == group) return true;
    for (const RunGroup& one : now) {
      const bool known =
          std::ranges::any_of(waiting_, [&](const Waiting& other) { return other.group == one; }) ||
          std::ranges::any_of(active_,
                              [&](const auto& entry) { return entry.second.what.group == one; });
      if (!known) add(one);
    }
    return false;
  }

  void begin(const Waiting& what, int slot) {
    Launch launch;
    std::uintmax_t log_begin = 0;
    pid_t pid = 0;
    // what is wrong with one folder is no other run's end
    try {
      launch = launch_of(folder_, what.group);
      for (const SweepRun& run : what.group) {
        std::error_code error;
        fs::remove(folder_.result_of(run), error);
      }
      log_begin = size_of(launch.log);
      pid = start_process(launch.command, cores_of_slot(cores_, slot, options_.jobs), launch.log);
    } catch (const std::exception& error) {
      const bool refused = dynamic_cast<const ConfigError*>(&error) != nullptr;
      end(what.group, refused ? kExitWrongUsage : kExitFailed, error.what());
      say(what.group[0].name() + " cannot go on: " + error.what());
      return;
    }
    slots_[static_cast<std::size_t>(slot)] = true;
    say(launch.name + " begins");
    active_.emplace(pid, Active{what, launch, slot, log_begin});
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
    const Launch& launch = active.launch;
    // a process that had not come to listen, or was told twice
    if (stop_ && (code == 128 + SIGTERM || code == 128 + SIGINT)) code = kExitStopped;
    if (code == kExitWrongUsage && is_over(folder_, active.what.group)) {
      add(active.what.group);  // the process that held it has finished it
      return;
    }
    if (code == kExitWrongUsage && is_held(launch)) {
      const bool again = active.what.attempts + 1 < kMostAttempts;
      say(launch.name + " is held by another process; " + (again ? "trying again" : "left to it"));
      if (again) {
        waiting_.push_back(
            {active.what.group, active.what.attempts + 1, Clock::now() + kAttemptPeriod});
      } else {
        count(active.what.group, kExitStopped);
      }
      return;
    }
    std::string reason = last_message(launch.log, active.log_begin);
    if (code >= 128) {
      reason = "killed by signal " + std::to_string(code - 128) +
               (code == 128 + SIGKILL ? " (out of memory?)" : "");
    }
    end(active.what.group, code, reason);
    if (code == kExitFinished) {
      say(launch.name + " is finished");
    } else if (code == kExitStopped) {
      say(launch.name + " is saved and stopped");
    } else {
      say(launch.name + " failed with exit code " + std::to_string(code) + ": " + reason);
    }
  }

  /// Writes down how the process of a group ended for each of its runs.
  void end(const RunGroup& group, int code, const std::string& reason) {
    for (const SweepRun& run : group) {
      try {
        write_result(folder_, run, exit_code_of(run, group, code), reason);
      } catch (const std::exception& error) {
        say(run.name() + ": how it ended is not written down: " + error.what());
      }
    }
    count(group, code);
  }

  /// A member of a stack has an end of its own where it is finished or diverged.
  int exit_code_of(const SweepRun& run, const RunGroup& group, int code) const {
    if (group.size() == 1) return code;
    const std::string state = run_state(folder_.run_folder(run));
    if (state == "finished") return kExitFinished;
    if (state == "diverged") return kExitDiverged;
    return code == kExitFinished || code == kExitDiverged ? kExitFailed : code;
  }

  void count(const RunGroup& group, int code) {
    for (const SweepRun& run : group) {
      const int its = exit_code_of(run, group, code);
      ++(its == kExitFinished ? result_.finished
                              : (its == kExitStopped ? result_.stopped : result_.failed));
    }
  }

  static bool is_held(const Launch& launch) {
    return std::ranges::any_of(launch.folders, [](const fs::path& folder) {
      std::error_code error;
      return fs::exists(folder / "owner.json", error);
    });
  }

  void stop(int signal) {
    if (signal == SIGUSR1) result_.time_is_up = true;
    stop_ = true;
    for (const auto& [pid, active] : active_) ::kill(pid, signal == SIGINT ? SIGINT : SIGTERM);
  }

  void say(const std::string& line) {
    if (options_.one_line_each) progress_.say(line);
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

EngineResult run_engine(const SweepFolder& folder, const std::vector<RunGroup>& groups,
                        const EngineOptions& options) {
  return Engine(folder, groups, options).run();
}

}  // namespace anthill
