#include "apps/sweep_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace anthill {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> found;
  for (const std::string& word : words) found.push_back(const_cast<char*>(word.c_str()));
  found.push_back(nullptr);
  return found;
}

/// A new process begins with every signal as usual.
void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void bind_to(const std::vector<int>& cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int core : cores) CPU_SET(static_cast<std::size_t>(core), &mask);
  if (!cores.empty()) ::sched_setaffinity(0, sizeof mask, &mask);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

/// Where Slurm does not bind jobs to their cores, as many as the job has, others for each task.
std::vector<int> job_share(const std::vector<int>& cores) {
  const int share = number_in("SLURM_CPUS_ON_NODE"), all = static_cast<int>(cores.size());
  if (share <= 0 || share >= all) return cores;
  std::vector<int> found;
  for (int i = 0; i < share; ++i) {
    const int at = (number_in("SLURM_ARRAY_TASK_ID") * share + i) % all;
    found.push_back(cores[static_cast<std::size_t>(at)]);
  }
  return found;
}

std::string last_line(std::string text) {
  while (!text.empty() && std::strchr("\r\n ", text.back()) != nullptr) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

std::vector<int> available_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<std::size_t>(core), &mask)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return job_share(cores);
}

std::vector<int> cores_of_slot(const std::vector<int>& cores, int slot, int num_slots) {
  const auto num_cores = static_cast<int>(cores.size());
  if (num_slots >= num_cores) return {cores[static_cast<std::size_t>(slot % num_cores)]};
  const int first = slot * num_cores / num_slots, last = (slot + 1) * num_cores / num_slots;
  return {cores.begin() + first, cores.begin() + last};
}

pid_t start_process(const std::vector<std::string>& command, const std::vector<int>& cores,
                    const fs::path& log) {
  const std::vector<char*> arguments = pointers(command);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error(std::string("cannot start a process: ") + strerror(errno));
  if (pid > 0) return pid;
  reset_signals();
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  bind_to(cores);
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, mode_t{0666});
  ::dup2(in, 0);
  if (out >= 0) {
    ::dup2(out, 1);
    ::dup2(out, 2);
  }
  ::execv(arguments[0], arguments.data());
  const std::string message = "anthill: cannot run " + command[0] + ": " + strerror(errno) + "\n";
  if (::write(2, message.data(), message.size()) < 0) ::_exit(126);
  ::_exit(127);
}

Captured capture(const std::vector<std::string>& command) {
  const std::vector<char*> arguments = pointers(command);
  std::array<int, 2> out{};
  std::string error_file = (fs::temp_directory_path() / "anthill-capture-XXXXXX").string();
  const int errors = ::mkstemp(error_file.data());
  if (errors < 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot listen to " + command[0] + ": " + strerror(errno));
  }
  ::unlink(error_file.c_str());
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error(std::string("cannot start a process: ") + strerror(errno));
  if (pid == 0) {
    reset_signals();
    ::dup2(out[1], 1);
    ::dup2(errors, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out[1]);
  Captured captured;
  captured.output = read_all(out[0]);
  captured.exit_code = wait_for(pid);
  ::close(out[0]);
  ::lseek(errors, 0, SEEK_SET);
  captured.errors = last_line(read_all(errors));
  ::close(errors);
  return captured;
}

bool is_on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "/usr/bin:/bin" : path;
  while (!folders.empty()) {
    const std::size_t colon = std::min(folders.find(':'), folders.size());
    if (::access((folders.substr(0, colon) + "/" + program).c_str(), X_OK) == 0) return true;
    folders.erase(0, colon + 1);
  }
  return false;
}

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

std::string shell_quoted(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,%+@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace anthill
