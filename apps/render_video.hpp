/// Where frames go: a video by ffmpeg, a folder of PNG files, or one PNG file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sim/render_image.hpp"

namespace anthill {

/// One owner thread. All frames have one size.
class FrameSink {
 public:
  virtual ~FrameSink() = default;

  /// Throws std::runtime_error when it cannot be written.
  virtual void add(const Image& frame) = 0;

  /// Ends the output, and throws if it did not come out whole. Without it, the destructor leaves
  /// nothing of a video behind.
  virtual void finish() = 0;

  virtual std::filesystem::path path() const = 0;

  /// What there is when it is destroyed without finish(), in words.
  virtual std::string what_is_left() const = 0;
};

struct SinkOptions {
  std::filesystem::path output;  // a video where it ends in .mp4, .mkv, .webm, .mov or .gif; else a
                                 // folder
  double fps = 20.0;
  bool overwrite = false;
};

/// The sink for `output`. For a video without ffmpeg on PATH: a folder of the same name without its
/// ending, and `note` says so; else it stays "". Throws ConfigError for an output that is there
/// already or cannot be made.
std::unique_ptr<FrameSink> make_sink(const SinkOptions& options, std::string& note);

/// Throws ConfigError for an ending that is no video's: a folder's name has none.
void check_video_name(const std::filesystem::path& path);

/// Throws ConfigError when `path` is there and `overwrite` is not given, or cannot be made: the
/// nearest folder above that is there must be writable. `option` asked for it.
void check_output(const std::string& option, const std::filesystem::path& path, bool overwrite);

/// Makes the folder that `path` is to lie in. Throws ConfigError.
void make_parent(const std::string& option, const std::filesystem::path& path);

}  // namespace anthill
