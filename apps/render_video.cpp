#include "apps/render_video.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "sim/errors.hpp"
#include "sim/number_text.hpp"

extern char** environ;

namespace anthill {
namespace {

namespace fs = std::filesystem;

const std::array<const char*, 5> kVideos = {".mp4", ".mkv", ".webm", ".mov", ".gif"};

/// The first executable `ffmpeg` of PATH; "" when there is none.
std::string find_ffmpeg() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = (folder.empty() ? "." : folder) + "/ffmpeg";
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

class PngFolder final : public FrameSink {
 public:
  PngFolder(fs::path folder, bool overwrite) : folder_(std::move(folder)) {
    std::error_code error;
    if (overwrite && fs::is_directory(folder_, error)) remove_frames();
    fs::create_directories(folder_, error);
    if (error) {
      throw ConfigError("cannot create '" + folder_.string() + "': " + error.message() +
                        "; choose a writable place with -o");
    }
  }

  void add(const Image& frame) override {
    std::array<char, 32> name;
    std::snprintf(name.data(), name.size(), "frame-%06lld.png", static_cast<long long>(count_++));
    write_png(folder_ / name.data(), frame);
  }
  void finish() override {}
  fs::path path() const override { return folder_; }
  std::string what_is_left() const override { return "they are in '" + folder_.string() + "'"; }

 private:
  /// Of an earlier video: nothing else in the folder is touched.
  void remove_frames() const {
    std::error_code error;
    std::vector<fs::path> frames;
    for (const auto& entry : fs::directory_iterator(folder_, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("frame-") && name.ends_with(".png")) frames.push_back(entry.path());
    }
    for (const fs::path& frame : frames) fs::remove(frame, error);
  }

  fs::path folder_;
  std::int64_t count_ = 0;
};

/// Raw frames through a pipe. The video appears under its name once it is whole.
class Ffmpeg final : public FrameSink {
 public:
  Ffmpeg(std::string program, const SinkOptions& options)
      : program_(std::move(program)), path_(options.output), fps_(options.fps) {
    // hidden, and with its own ending, by which ffmpeg knows the format
    std::string name = ".";
    name += std::to_string(::getpid());
    name += '-';
    name += path_.filename().string();
    unfinished_ = path_;
    unfinished_.replace_filename(name);
    ::signal(SIGPIPE, SIG_IGN);  // an ffmpeg that ends early is an error of write()
  }

  ~Ffmpeg() override {
    close_pipe();
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
    std::error_code error;
    fs::remove(unfinished_, error);
  }

  void add(const Image& frame) override {
    if (process_ == 0) start(frame);
    const std::uint8_t* data = frame.bytes.data();
    std::size_t rest = frame.bytes.size();
    while (rest > 0) {
      const ssize_t written = ::write(pipe_, data, rest);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        wait();
        throw std::runtime_error("ffmpeg ended before the last frame");
      }
      data += written;
      rest -= static_cast<std::size_t>(written);
    }
  }

  void finish() override {
    wait();
    fs::rename(unfinished_, path_);
  }

  fs::path path() const override { return path_; }
  std::string what_is_left() const override { return "nothing is written"; }

 private:
  void start(const Image& frame) {
    std::vector<std::string> words = {
        program_,
        "-y",
        "-loglevel",
        "error",
        "-f",
        "rawvideo",
        "-pixel_format",
        "rgb24",
        "-video_size",
        std::to_string(frame.width) + "x" + std::to_string(frame.height),
        "-framerate",
        number_text(fps_),
        "-i",
        "-"};
    if (path_.extension() != ".gif") {
      // what every player shows; its colours have half the resolution, so sides must be even
      for (const char* word : {"-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"}) {
        words.emplace_back(word);
      }
    }
    words.push_back(unfinished_.string());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    // in a process group of its own: Ctrl-C is for this process, which then ends ffmpeg
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error = ::posix_spawn(&process_, program_.c_str(), &actions, &attributes,
                                    arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[0]);
    pipe_ = ends[1];
    if (error != 0) {
      process_ = 0;
      throw std::system_error(error, std::generic_category(), program_);
    }
  }

  void close_pipe() {
    if (pipe_ >= 0) ::close(pipe_);
    pipe_ = -1;
  }

  /// The end of the input, then of ffmpeg.
  void wait() {
    close_pipe();
    if (process_ <= 0) return;
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      throw std::runtime_error("ffmpeg could not write '" + path_.string() +
                               "'; its message is above");
    }
  }

  std::string program_;
  fs::path path_, unfinished_;
  double fps_;
  pid_t process_ = 0;  // 0: not started, -1: over
  int pipe_ = -1;
};

}  // namespace

void check_video_name(const fs::path& path) {
  const std::string ending = path.extension().string();
  if (ending.empty() || std::ranges::find(kVideos, ending) != kVideos.end()) return;
  std::string known;
  for (const char* video : kVideos) known += (known.empty() ? "" : ", ") + std::string(video);
  throw ConfigError("-o " + path.string() + ": no video ends in " + ending + " (" + known +
                    "); a picture is drawn with --at, a folder's name ends without or in /");
}

void check_output(const std::string& option, const fs::path& path, bool overwrite) {
  std::error_code error;
  if (!overwrite && fs::exists(path, error) &&
      !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
    throw ConfigError("'" + path.string() + "' exists; choose another with " + option +
                      ", or replace it with --overwrite");
  }
  fs::path place = fs::absolute(path).lexically_normal();
  do {
    place = place.parent_path();
  } while (!fs::exists(place, error) && place.has_relative_path());
  if (fs::is_directory(place, error) && ::access(place.c_str(), W_OK | X_OK) == 0) return;
  throw ConfigError("cannot create '" + path.string() + "': '" + place.string() +
                    "' is no writable folder; choose a writable place with " + option);
}

void make_parent(const std::string& option, const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (!error) return;
  throw ConfigError("cannot create '" + path.parent_path().string() + "': " + error.message() +
                    "; choose a writable place with " + option);
}

std::unique_ptr<FrameSink> make_sink(const SinkOptions& options, std::string& note) {
  const std::string ending = options.output.extension().string();
  const bool video = std::ranges::find(kVideos, ending) != kVideos.end();
  const std::string ffmpeg = video ? find_ffmpeg() : "";
  fs::path output = options.output;
  if (video && ffmpeg.empty()) {
    output.replace_extension();
    note = "ffmpeg is not installed: PNG files in '" + output.string() + "' instead of a video";
  }
  check_output("-o", output, options.overwrite);
  if (ffmpeg.empty()) return std::make_unique<PngFolder>(output, options.overwrite);
  make_parent("-o", output);
  return std::make_unique<Ffmpeg>(ffmpeg, options);
}

}  // namespace anthill
