/// TensorBoard event files, written by hand: TFRecord frames around Event protocol buffers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "algos/training/file_io.hpp"

namespace anthill {

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78); "123456789" gives 0xe3069283.
std::uint32_t crc32c(std::string_view bytes);

/// What TFRecord stores: the CRC rotated right by 15 bits plus 0xa282ead8.
std::uint32_t masked_crc32c(std::string_view bytes);

/// Scalars by tag: {{"train/q_mean", 3.2}}. TensorBoard keeps them as float32.
using ScalarList = std::vector<std::pair<std::string, double>>;

/// One new file events.out.tfevents.* in a folder. One owner thread. Events are collected in memory
/// until flush(); the destructor flushes and ignores errors.
class EventWriter {
 public:
  /// Creates the file; throws std::runtime_error with its path. `wall_time_s`: seconds since the
  /// Unix epoch, here and below.
  EventWriter(const std::filesystem::path& folder, double wall_time_s);
  /// Continues a file of an earlier writer behind its first `offset` bytes, a value that offset()
  /// returned; the rest is cut off. Throws std::runtime_error.
  EventWriter(const std::filesystem::path& path, std::int64_t offset);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// Adds one event that holds all of `scalars` at `step`.
  void scalars(const ScalarList& scalars, std::int64_t step, double wall_time_s);

  /// Writes the collected events; throws std::runtime_error.
  void flush();

  /// Bytes in the file after flush().
  std::int64_t offset();

  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
  std::string pending_;  // frames that are not in the file yet
};

}  // namespace anthill
