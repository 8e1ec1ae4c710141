/// anthill watch: follows a run folder, or all runs below one, from outside.
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/watch_run.hpp"
#include "apps/watch_screen.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

constexpr int kPollsPerSearch = 10;  // new runs of a sweep are looked for this seldom

volatile std::sig_atomic_t g_stop = 0;

struct Arguments {
  std::string path;
  double period_s = 1.0;
  bool once = false, ascii = false;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = variable(name);
    if (value.empty()) continue;
    std::ranges::transform(value, value.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

/// On a terminal as wide as it is, elsewhere 80 columns.
TerminalStyle style_of(bool terminal, bool live, bool ascii) {
  TerminalStyle style;
  style.color = terminal && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  style.unicode = !ascii && locale_is_utf8();
  struct winsize size {};
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    // the last column stays free: some terminals wrap when it is written
    style.width = std::max(size.ws_col - 1, 40);
    if (live) style.height = std::max(static_cast<int>(size.ws_row), 8);
  }
  return style;
}

/// The runs below a folder; those that are known already keep what they have read.
class Watch {
 public:
  explicit Watch(fs::path path) : path_(std::move(path)) { search(); }

  void poll() {
    if (++polls_ % kPollsPerSearch == 0) search();
    for (const auto& run : runs_) run->poll();
  }

  bool is_over() const {
    return std::ranges::all_of(runs_,
                               [](const auto& run) { return anthill::is_over(run->health()); });
  }

  std::vector<std::string> screen(const TerminalStyle& style) const {
    return screen_of(path_.string(), runs_, style);
  }

 private:
  void search() {
    std::vector<std::unique_ptr<WatchedRun>> found;
    for (const fs::path& folder : find_runs(path_)) {
      const auto known = std::ranges::find_if(
          runs_, [&](const auto& run) { return run != nullptr && run->folder() == folder; });
      if (known != runs_.end()) {
        found.push_back(std::move(*known));
        continue;
      }
      const std::string name =
          folder == path_ ? path_.string() : folder.lexically_relative(path_).string();
      found.push_back(std::make_unique<WatchedRun>(folder, name));
    }
    runs_ = std::move(found);
  }

  fs::path path_;
  std::vector<std::unique_ptr<WatchedRun>> runs_;
  int polls_ = 0;
};

void print(const std::vector<std::string>& lines, bool live) {
  std::string text;
  for (const std::string& line : lines) text += line + (live ? "\x1b[K\n" : "\n");
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

/// Draws over what it drew before, until every run is over or Ctrl-C.
void follow(Watch& watch, const Arguments& arguments) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  std::size_t drawn = 0;
  for (;;) {
    watch.poll();
    const TerminalStyle style = style_of(true, true, arguments.ascii);
    std::vector<std::string> lines = watch.screen(style);
    const bool last = g_stop != 0 || watch.is_over();
    if (!last) lines.push_back(Line(style).add("Ctrl-C ends watching", Color::gray).text());
    // a screen that is too low would scroll, and the next one would not cover it
    const auto room = static_cast<std::size_t>(style.height - 1);
    if (!last && lines.size() > room) lines.resize(room);
    if (drawn > 0) std::printf("\x1b[%zuA\r", drawn);
    print(lines, true);
    std::fputs("\x1b[J", stdout);
    std::fflush(stdout);
    if (last || std::ferror(stdout) != 0) return;
    drawn = lines.size();
    const auto wake =
        std::chrono::steady_clock::now() + std::chrono::duration<double>(arguments.period_s);
    while (g_stop == 0 && std::chrono::steady_clock::now() < wake) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

int watch(const Arguments& arguments) {
  // runs/ant/ is runs/ant
  fs::path path = fs::path(arguments.path).lexically_normal();
  if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();
  Watch watched(path);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (terminal && !arguments.once && variable("TERM") != "dumb") {
    follow(watched, arguments);
  } else {
    watched.poll();
    print(watched.screen(style_of(terminal, false, arguments.ascii)), false);
  }
  return kExitFinished;
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::Arguments arguments;
  return anthill::run_command(
      argc, argv, "watch",
      [&](CLI::App& app) {
        app.add_option("path", arguments.path, "run folder, or a folder of runs (a sweep)")
            ->required()
            ->type_name("RUN|SWEEP");
        app.add_option("--period", arguments.period_s, "seconds between two looks")
            ->check(CLI::Range(0.1, 3600.0))
            ->capture_default_str();
        app.add_flag("--once", arguments.once,
                     "print once and end, as where the output is no terminal");
        app.add_flag("--ascii", arguments.ascii,
                     "no block characters; without it, they need a UTF-8 locale");
      },
      [&] { return anthill::watch(arguments); });
}
