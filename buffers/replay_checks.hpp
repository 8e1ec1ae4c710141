/// What a ring refuses, for every device system. Internal to buffers/.
#pragma once

#include <cstdint>

#include "buffers/replay_buffer.hpp"

namespace anthill {

/// Throws std::invalid_argument for rows of another shape.
void check_rows(const ReplayShape& shape, const TransitionView& rows);

/// Throws std::invalid_argument for a batch without memory or size.
void check_batch(const BatchView& batch);

/// Throws as ReplayBuffer::read_row says; `size`: rows of one member.
void check_stored_row(const ReplayShape& shape, std::int64_t size, std::int64_t member,
                      std::int64_t row, const StoredRow& out);

}  // namespace anthill
