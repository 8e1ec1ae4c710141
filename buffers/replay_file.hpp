/// The bytes of a saved replay buffer: a header, then the records. Internal to buffers/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Magic, version, byte order, shape, slots and how many of them are filled.
void write_replay_header(std::ostream& out, const ReplayShape& shape, std::int64_t num_slots,
                         std::int64_t num_filled);

/// Reads a header and returns num_filled. Throws std::runtime_error when it is no header, of
/// another version, byte order or shape.
std::int64_t read_replay_header(std::istream& in, const ReplayShape& shape, std::int64_t num_slots);

/// Exactly `bytes` bytes, or std::runtime_error.
void write_replay_bytes(std::ostream& out, const void* data, std::size_t bytes);
void read_replay_bytes(std::istream& in, void* data, std::size_t bytes);

}  // namespace anthill
