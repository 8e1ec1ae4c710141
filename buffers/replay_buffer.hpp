/// A time-major ring of packed transitions on a Thrust device system. No Thrust or CUDA type in
/// this header.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "buffers/buffer_config.hpp"
#include "sim/errors.hpp"
#include "sim/transition.hpp"

namespace anthill {

/// A cudaStream_t on the CUDA system; ignored elsewhere.
using StreamHandle = void*;

/// Where a batch is gathered to: contiguous float32 arrays in the buffer's memory space (host for
/// cpp/omp, device for cuda), usually the learner's own tensors. K = num_batches, M = members, B =
/// batch_size.
struct BatchView {
  std::int64_t num_batches = 1;       // K
  std::int64_t batch_size = 0;        // B
  float* observation = nullptr;       // (K x M x B x D)
  float* action = nullptr;            // (K x M x B x A)
  float* reward = nullptr;            // (K x M x B)
  float* next_observation = nullptr;  // (K x M x B x D)
  // (K x M x B) what multiplies discount * next value: 1 - terminated, times discount^(n - 1)
  float* bootstrap = nullptr;
  bool held_out = false;  // of the held-out transitions, and of no others
};

/// Sizes that fix a buffer. Lanes are members x environments; member m owns lanes m*N to (m+1)*N.
struct ReplayShape {
  std::int64_t observation_dim = 0;   // D
  std::int64_t action_dim = 0;        // A
  std::int64_t num_envs = 0;          // N, lanes of one member
  std::int64_t members = 1;           // M
  std::int64_t capacity = 0;          // transitions of one member; rounded down to a multiple of N
  std::int64_t state_dim = 0;         // S, doubles of the simulator row in a record; 0: none
  bool replacement = true;            // false: a batch is drawn without replacement
  std::int64_t n_step = 1;            // n: a batch's rows are transitions over up to n steps
  std::vector<float> discounts = {};  // (M) for n_step > 1
};

/// Where one stored transition is copied to: host memory of the caller.
struct StoredRow {
  std::span<float> observation;  // (D)
  std::span<float> action;       // (A)
  std::span<double> state;       // (S) or empty: not wanted
};

/// Smallest and largest reward; low > high: none yet.
struct RewardRange {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
};

/// One owner thread. All rows of a vector step are inserted together, so time is aligned over the
/// lanes.
class ReplayBuffer {
 public:
  virtual ~ReplayBuffer() = default;

  /// Appends one vector step of all M*N lanes (host memory, pinned for speed on cuda), overwriting
  /// the oldest when full. The rows may be reused as soon as insert has returned: on cuda it waits
  /// for their upload, which does not wait for `stream`; only the packing is queued there. Throws
  /// std::invalid_argument when the rows have another shape.
  virtual void insert(const TransitionView& rows, StreamHandle stream = nullptr) = 0;

  /// Fills K batches per member. Row b of batch k of member m is a function of (seed, draw + k, m,
  /// b) and of the ring's content alone: philox(seeds[m], batch_rows, draw + k, b), uniform over
  /// the valid rows of the member's lanes, with replacement; an invalid row is redrawn with the
  /// next attempt (after 65,536 attempts the next valid row in order is taken). Rows are counted
  /// from the oldest vector step, environment by environment. Without replacement row b is place b
  /// of a permutation of the member's rows that (seeds[m], draw + k) chooses, and its attempts are
  /// the places b + B, b + 2B, ...; behind the last of them the next valid row in order is taken,
  /// which may be in the batch already. With n_step > 1 a row goes on along its lane until n steps
  /// are together, an episode ends, or the next step is invalid or not stored yet: its reward is
  /// sum_k discount^k r_k, its next_observation the last step's. Held-out rows count as invalid,
  /// except for a batch with `held_out`, which is drawn from them alone (stream held_out_rows, with
  /// replacement). Throws std::logic_error when a member has no row to draw. Same integers on every
  /// device system. Does not allocate; on cuda it is queued on `stream`, which must be the stream
  /// of the inserts or be ordered after them.
  virtual void sample_into(const BatchView& batch, std::uint64_t draw,
                           StreamHandle stream = nullptr) = 0;

  /// The same, with K = 1, for work that is captured once and launched often: the draw's number is
  /// read from `draw`, a word in the buffer's memory space, and the extent of the ring from words
  /// of its own, both when the work runs. Every insert() keeps those up to date.
  virtual void sample_at(const BatchView& batch, const std::int64_t* draw,
                         StreamHandle stream = nullptr) = 0;

  /// Copies row `row` of [0, size()) of a member, counted as above, to host memory; false, and
  /// nothing is copied, for an invalid or held-out one. On cuda it waits for the device. Throws
  /// std::out_of_range for no such row, std::invalid_argument when a size is wrong.
  virtual bool read_row(std::int64_t member, std::int64_t row, const StoredRow& out) const = 0;

  /// Whether the records hold the simulator's rows.
  virtual bool stores_state() const = 0;

  /// Valid stored transitions of one member that are held out.
  virtual std::int64_t num_held_out(std::int64_t member) const = 0;

  /// Over the stored transitions of one member that are learned from.
  virtual RewardRange reward_range(std::int64_t member) const = 0;

  /// Stored transitions of one member (valid or not), and the largest possible number.
  virtual std::int64_t size() const = 0;
  virtual std::int64_t capacity() const = 0;

  /// Bytes that the ring's records take.
  virtual std::int64_t memory_bytes() const = 0;

  /// The stored records from the oldest to the newest behind a header with the shape, in the
  /// machine's byte order: equal content gives equal bytes. load() replaces the content; it throws
  /// std::runtime_error when the shape differs (content kept) or the data ends early or is damaged
  /// (content gone: size() is 0). On cuda both wait for the device.
  virtual void save(std::ostream& out) const = 0;
  virtual void load(std::istream& in) = 0;

  /// Stored vector steps, and the bytes of one: M*N packed records.
  virtual std::int64_t num_steps() const = 0;
  virtual std::int64_t step_bytes() const = 0;

  /// Copies `count` vector steps, `first` and later (0: the oldest), to host memory of count *
  /// step_bytes() bytes. On cuda it waits for the device. Throws std::invalid_argument for steps
  /// that are not stored.
  virtual void read_steps(std::int64_t first, std::int64_t count, void* out) const = 0;

  /// Appends `count` vector steps that read_steps() wrote, as insert() does. Throws
  /// std::runtime_error for damaged records; the steps before them are kept. On cuda it waits.
  virtual void append_steps(std::int64_t count, const void* records) = 0;

  /// Forgets all content.
  virtual void clear() = 0;
};

/// An empty buffer; all memory is taken here. `seeds` has one entry per member and is copied.
/// `automatic` is cpp: only the caller knows where the learner lives. Throws ConfigError when the
/// shape has no room for one vector step, memory is short, or the device system is not part of this
/// build or machine.
std::unique_ptr<ReplayBuffer> make_replay_buffer(const ReplayShape& shape,
                                                 const std::uint64_t* seeds, DeviceSystem system);

/// Bytes of one packed record: (2D + A + 2) floats and S doubles, rounded up to whole 64-byte
/// lines.
std::int64_t replay_record_bytes(std::int64_t observation_dim, std::int64_t action_dim,
                                 std::int64_t state_dim = 0);

}  // namespace anthill
