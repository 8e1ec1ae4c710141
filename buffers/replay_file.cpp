#include "buffers/replay_file.hpp"

#include <cstring>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace anthill {
namespace {

constexpr char kMagic[8] = {'a', 'n', 't', 'h', 'r', 'i', 'n', 'g'};
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kByteOrder = 0x01020304;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t byte_order;
  std::int64_t observation_dim;
  std::int64_t action_dim;
  std::int64_t num_envs;
  std::int64_t members;
  std::int64_t state_dim;   // doubles of the simulator row in a record; 0: none
  std::int64_t num_slots;   // vector steps that the ring holds
  std::int64_t num_filled;  // vector steps that follow
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) == 72);

void expect(const char* name, std::int64_t saved, std::int64_t expected) {
  if (saved == expected) return;
  throw std::runtime_error("saved replay buffer: " + std::string(name) + " is " +
                           std::to_string(saved) + ", this run's is " + std::to_string(expected) +
                           "; resume with the configuration that it was saved with");
}

}  // namespace

void write_replay_header(std::ostream& out, const ReplayShape& shape, std::int64_t num_slots,
                         std::int64_t num_filled) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.byte_order = kByteOrder;
  header.observation_dim = shape.observation_dim;
  header.action_dim = shape.action_dim;
  header.num_envs = shape.num_envs;
  header.members = shape.members;
  header.state_dim = shape.state_dim;
  header.num_slots = num_slots;
  header.num_filled = num_filled;
  write_replay_bytes(out, &header, sizeof header);
}

std::int64_t read_replay_header(std::istream& in, const ReplayShape& shape,
                                std::int64_t num_slots) {
  Header header;
  read_replay_bytes(in, &header, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    throw std::runtime_error("saved replay buffer: these bytes are no replay buffer");
  }
  if (header.byte_order != kByteOrder) {
    throw std::runtime_error("saved replay buffer: saved on a machine of another byte order");
  }
  if (header.version != kVersion) {
    throw std::runtime_error("saved replay buffer: format version " +
                             std::to_string(header.version) + ", this build reads version " +
                             std::to_string(kVersion) + "; use the build that wrote it");
  }
  expect("observation_dim", header.observation_dim, shape.observation_dim);
  expect("action_dim", header.action_dim, shape.action_dim);
  expect("num_envs", header.num_envs, shape.num_envs);
  expect("members", header.members, shape.members);
  expect("size of a state row", header.state_dim, shape.state_dim);
  expect("capacity", header.num_slots * header.num_envs, num_slots * shape.num_envs);
  if (header.num_filled < 0 || header.num_filled > num_slots) {
    throw std::runtime_error("saved replay buffer: damaged header; use an older checkpoint");
  }
  return header.num_filled;
}

void write_replay_bytes(std::ostream& out, const void* data, std::size_t bytes) {
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  if (!out) {
    throw std::runtime_error("saving the replay buffer: write failed; is the disk full?");
  }
}

void read_replay_bytes(std::istream& in, void* data, std::size_t bytes) {
  in.read(static_cast<char*>(data), static_cast<std::streamsize>(bytes));
  if (in.gcount() != static_cast<std::streamsize>(bytes)) {
    throw std::runtime_error("saved replay buffer: ends early; use an older checkpoint");
  }
}

}  // namespace anthill
