#include "algos/training/run_owner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <system_error>
#include <thread>

#include "algos/training/file_io.hpp"
#include "algos/training/provenance.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Process ids mean the same in processes with an equal value: one boot, one name space.
std::string machine() {
  std::error_code error;
  return first_line("/proc/sys/kernel/random/boot_id") + " " +
         fs::read_symlink("/proc/self/ns/pid", error).string();
}

/// When a process began, so that its number given to another is no confusion; "" for none, and for
/// one that has ended but that its parent has not asked for yet: it may stay in the list for ever.
std::string process_start(std::int64_t pid) {
  const std::string stat = first_line(("/proc/" + std::to_string(pid) + "/stat").c_str());
  // the name in parentheses may hold spaces; the start time is the 20th word behind it
  std::size_t at = stat.rfind(')');
  const char state = at != std::string::npos && at + 2 < stat.size() ? stat[at + 2] : 'X';
  if (state == 'Z' || state == 'X') return "";
  for (int word = 0; word < 20 && at != std::string::npos; ++word) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return "";
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::string owner_text() {
  std::random_device random;
  const Json json = {{"host", host_name()},
                     {"pid", ::getpid()},
                     {"process_start", process_start(::getpid())},
                     {"machine", machine()},
                     {"job", batch_job()},
                     {"since", utc_time_now()},
                     {"token", std::to_string(random()) + std::to_string(random())}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// False when the file exists already. Throws ConfigError.
bool create(const fs::path& path, const std::string& text) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t{0666});
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) {
    throw ConfigError("cannot write '" + path.string() +
                      "': " + std::generic_category().message(errno) +
                      "; choose a writable place with --run");
  }
  const bool written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(descriptor);
  if (written) return true;
  ::unlink(path.c_str());
  throw ConfigError("cannot write '" + path.string() + "'; is the disk full?");
}

double modified_s(const struct stat& status) {
  return static_cast<double>(status.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

/// Seconds since `path` was touched, by the clock of its file system, which need not be this
/// machine's: a new file tells the time. Far ahead counts as long ago (a clock was set back).
double age_s(const fs::path& path) {
  fs::path probe = path;
  probe += '.';
  probe += std::to_string(::getpid());
  probe += ".clock";
  struct stat owner {
  }, now{};
  const int descriptor =
      ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t{0666});
  const bool known =
      descriptor >= 0 && ::fstat(descriptor, &now) == 0 && ::stat(path.c_str(), &owner) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
    ::unlink(probe.c_str());
  }
  return known ? std::abs(modified_s(now) - modified_s(owner)) : 0.0;
}

struct Owner {
  std::string words;
  std::int64_t pid = 0;  // on this machine; 0: elsewhere, or not known
  std::string process_start = "";
};

/// Who holds the folder; nothing when nobody does any more.
std::optional<Owner> living_owner(const fs::path& path) {
  std::string text;
  try {
    text = read_file(path);
  } catch (const std::runtime_error&) {
    return std::nullopt;  // given back in this moment
  }
  const double age = age_s(path);
  const bool stale = age > static_cast<double>(RunOwner::kStale.count());
  const Json owner = Json::parse(text, nullptr, false);
  if (!owner.is_object() || !owner.contains("pid") || !owner["pid"].is_number_integer()) {
    // half written: by a process that is at it, or that died there
    if (stale) return std::nullopt;
    return Owner{.words = "a process that is just starting"};
  }
  const auto pid = owner["pid"].get<std::int64_t>();
  const std::string start = owner.value("process_start", "");
  const bool here = owner.value("machine", "") == machine();
  if (here) {
    const bool alive = pid > 0 && process_start(pid) == start;
    if (!alive) return std::nullopt;
  } else if (stale) {
    return std::nullopt;
  }
  const std::string job = owner.value("job", "");
  return Owner{"process " + std::to_string(pid) + " on " + owner.value("host", "an unknown host") +
                   (job.empty() ? "" : " (job " + job + ")") + " since " +
                   owner.value("since", "?") + ", last sign of life " +
                   std::to_string(static_cast<int>(age)) + " s ago",
               here ? pid : 0, start};
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string batch_job() {
  for (const char* variable : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"}) {
    if (const char* value = std::getenv(variable)) return value;
  }
  return "";
}

RunOwner::RunOwner(const fs::path& run, bool force)
    : file_(run / "owner.json"), text_(owner_text()), last_beat_(std::chrono::steady_clock::now()) {
  // of several that find a stale file only one may remove it: whoever makes the second file
  fs::path removing = file_;
  removing += ".removing";
  while (!create(file_, text_)) {
    const std::optional<Owner> owner = living_owner(file_);
    if (owner && !force) {
      throw ConfigError("run folder '" + run.string() + "' belongs to " + owner->words +
                        "; wait for it, choose another with --run, or take it with --force-unlock");
    }
    if (!create(removing, text_)) {
      if (age_s(removing) > static_cast<double>(kStale.count())) ::unlink(removing.c_str());
      throw ConfigError("run folder '" + run.string() +
                        "' is being taken by another process; try again in a minute");
    }
    if (force || !living_owner(file_)) ::unlink(file_.c_str());
    ::unlink(removing.c_str());
    if (force && owner) {
      former_ = owner->words;
      former_pid_ = owner->pid;
      former_start_ = owner->process_start;
    }
    force = false;
  }
  taken_at_ = std::chrono::steady_clock::now();
}

RunOwner::~RunOwner() {
  if (is_ours()) ::unlink(file_.c_str());
}

bool RunOwner::is_ours() const {
  try {
    return read_file(file_) == text_;
  } catch (const std::runtime_error&) {
    return false;
  }
}

void RunOwner::await_former(const std::function<void(const std::string&)>& say) const {
  const auto is_there = [&] {
    return former_pid_ == 0 || process_start(former_pid_) == former_start_;
  };
  if (former_.empty() || !is_there()) return;
  say("taking '" + file_.parent_path().string() + "' from " + former_ + "; waiting up to " +
      std::to_string(kNoticed.count()) + " s until it has noticed");
  // one that is stopped, or slower, asks before it writes
  while (std::chrono::steady_clock::now() - taken_at_ < kNoticed && is_there()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  check();
}

bool RunOwner::is_lost() const {
  std::error_code error;
  // twice: a folder can come back between the two questions
  for (int i = 0; i < 2; ++i) {
    if (fs::exists(file_, error)) {
      try {
        return read_file(file_) != text_;
      } catch (const std::runtime_error&) {
        return false;
      }
    }
    if (error || !fs::is_directory(file_.parent_path(), error)) return false;
  }
  return true;  // taken, and given back already
}

void RunOwner::check() const {
  if (!is_lost()) return;
  throw FolderLost("another process has taken the run folder '" + file_.parent_path().string() +
                   "'; nothing more is written");
}

void RunOwner::beat() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_beat_ < kBeat) return;
  last_beat_ = now;
  check();
  ::utimensat(AT_FDCWD, file_.c_str(), nullptr, 0);
}

}  // namespace anthill
