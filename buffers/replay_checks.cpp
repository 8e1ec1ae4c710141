#include "buffers/replay_checks.hpp"

#include <stdexcept>
#include <string>

namespace anthill {
namespace {

bool has(const auto& span, std::int64_t count) {
  return span.size() == static_cast<std::size_t>(count);
}

}  // namespace

void check_rows(const ReplayShape& shape, const TransitionView& rows) {
  const std::int64_t lanes = shape.members * shape.num_envs;
  if (rows.num_envs != lanes || rows.observation_dim != shape.observation_dim ||
      rows.action_dim != shape.action_dim ||
      !has(rows.observation, lanes * shape.observation_dim) ||
      !has(rows.action, lanes * shape.action_dim) || !has(rows.reward, lanes) ||
      !has(rows.next_observation, lanes * shape.observation_dim) || !has(rows.terminated, lanes) ||
      !has(rows.truncated, lanes) || !has(rows.invalid, lanes) ||
      !has(rows.state, lanes * shape.state_dim) ||
      !(rows.held_out.empty() || has(rows.held_out, lanes))) {
    throw std::invalid_argument("replay buffer: rows must be " + std::to_string(lanes) +
                                " lanes x (" + std::to_string(shape.observation_dim) +
                                " observations, " + std::to_string(shape.action_dim) +
                                " actions, " + std::to_string(shape.state_dim) +
                                " doubles of state), as the buffer was made");
  }
}

void check_batch(const BatchView& batch) {
  if (batch.num_batches < 1 || batch.batch_size < 1 || batch.batch_size > UINT32_MAX ||
      batch.observation == nullptr || batch.action == nullptr || batch.reward == nullptr ||
      batch.next_observation == nullptr || batch.bootstrap == nullptr) {
    throw std::invalid_argument(
        "replay buffer: a batch needs all five arrays, num_batches >= 1 and batch_size >= 1");
  }
}

void check_stored_row(const ReplayShape& shape, std::int64_t size, std::int64_t member,
                      std::int64_t row, const StoredRow& out) {
  if (member < 0 || member >= shape.members || row < 0 || row >= size) {
    throw std::out_of_range("replay buffer: no row " + std::to_string(row) + " of member " +
                            std::to_string(member));
  }
  if (!has(out.observation, shape.observation_dim) || !has(out.action, shape.action_dim) ||
      (!out.state.empty() && !has(out.state, shape.state_dim))) {
    throw std::invalid_argument("replay buffer: wrong sizes for a stored row");
  }
}

}  // namespace anthill
