#include "algos/training/tensorboard_events.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <exception>

namespace anthill {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}

template <typename T>
void put_raw(std::string& out, T value) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

// protocol buffer wire format: a key is field number * 8 + wire type
enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80u; value >>= 7) out += static_cast<char>((value & 0x7fu) | 0x80u);
  out += static_cast<char>(value);
}

void put_key(std::string& out, std::uint32_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

/// An Event's first fields: double wall_time = 1, int64 step = 2.
std::string event(double wall_time_s, std::int64_t step) {
  std::string out;
  put_key(out, 1, kFixed64);
  put_raw(out, wall_time_s);
  put_key(out, 2, kVarint);
  put_varint(out, static_cast<std::uint64_t>(step));
  return out;
}

/// TFRecord: u64 length, its masked CRC, the bytes, their masked CRC.
void put_record(std::string& out, std::string_view payload) {
  std::string length;
  put_raw(length, static_cast<std::uint64_t>(payload.size()));
  out += length;
  put_raw(out, masked_crc32c(length));
  out += payload;
  put_raw(out, masked_crc32c(payload));
}

/// TensorBoard finds files by "tfevents" and reads those of one folder in the order of their names;
/// the number keeps two writers of one process and second apart.
std::filesystem::path new_event_file(const std::filesystem::path& folder, double wall_time_s) {
  static std::atomic<int> number{0};
  return folder / ("events.out.tfevents." + std::to_string(static_cast<std::int64_t>(wall_time_s)) +
                   ".anthill." + std::to_string(::getpid()) + "." + std::to_string(number++));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffu] ^ (crc >> 8);
  }
  return crc ^ 0xffffffffu;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8u;
}

EventWriter::EventWriter(const std::filesystem::path& folder, double wall_time_s)
    : file_(new_event_file(folder, wall_time_s)) {
  std::string first = event(wall_time_s, 0);
  put_bytes(first, 3, "brain.Event:2");  // string file_version = 3
  put_record(pending_, first);
  flush();
}

EventWriter::EventWriter(const std::filesystem::path& path, std::int64_t offset) : file_(path) {
  file_.truncate(offset);
}

EventWriter::~EventWriter() {
  try {
    flush();
  } catch (const std::exception&) {
    // reported by the last explicit flush(), or the process is ending anyway
  }
}

void EventWriter::scalars(const ScalarList& scalars, std::int64_t step, double wall_time_s) {
  if (scalars.empty()) return;
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    std::string entry;  // Summary.Value: string tag = 1, float simple_value = 2
    put_bytes(entry, 1, tag);
    put_key(entry, 2, kFixed32);
    put_raw(entry, static_cast<float>(value));
    put_bytes(summary, 1, entry);
  }
  std::string record = event(wall_time_s, step);
  put_bytes(record, 5, summary);  // Summary summary = 5
  put_record(pending_, record);
}

void EventWriter::flush() {
  if (pending_.empty()) return;
  file_.append(pending_);
  pending_.clear();
}

std::int64_t EventWriter::offset() {
  flush();
  return file_.size();
}

}  // namespace anthill
