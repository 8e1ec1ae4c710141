/// Inside of VectorEnv: what its source files share.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sim/action_scale.hpp"
#include "sim/vector_env.hpp"

namespace anthill {

/// What one lane's row holds behind the task's state: generator words, elapsed steps of the
/// episode, number of the episode (-1 before the first reset), return so far, and the tag that
/// tells which task, model and row format the row is of; then the sum of each reward term so far.
inline constexpr std::size_t kTagWord = NumpyGenerator::kNumWords + 3;
inline constexpr std::size_t kLaneWords = kTagWord + 1;

/// A view of one lane's row.
struct LaneRow {
  std::span<double> state;
  double* words;
  double& elapsed_steps;
  double& episode;
  double& episode_return;
  std::span<double> term_sums;

  LaneRow(double* row, std::size_t state_dim, std::size_t num_terms)
      : state(row, state_dim),
        words(row + state_dim),
        elapsed_steps(words[NumpyGenerator::kNumWords]),
        episode(words[NumpyGenerator::kNumWords + 1]),
        episode_return(words[NumpyGenerator::kNumWords + 2]),
        term_sums(words + kLaneWords, num_terms) {}

  NumpyGenerator load_rng() const {
    NumpyGenerator::Words bits;
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = std::bit_cast<std::uint64_t>(words[i]);
    return NumpyGenerator(bits);
  }

  void save_rng(const NumpyGenerator& rng) const {
    const NumpyGenerator::Words bits = rng.words();
    for (std::size_t i = 0; i < bits.size(); ++i) words[i] = std::bit_cast<double>(bits[i]);
  }
};

/// Per-thread memory.
struct Scratch {
  std::unique_ptr<Workspace> workspace;  // none where every lane has its own
  std::vector<float> action;             // (A) in environment units
  std::vector<double> observation;       // (D)
  std::vector<double> terms;
};

struct VectorEnv::Impl {
  Impl(std::shared_ptr<const Env> env_in, std::span<const std::uint64_t> seeds_in,
       ThreadPool& pool_in);

  LaneRow row(std::size_t lane) { return {rows.get() + lane * row_size, state_dim, num_terms}; }
  Workspace& workspace_of(std::size_t lane, Scratch& s) {
    return lane_workspaces.empty() ? *s.workspace : *lane_workspaces[lane];
  }
  void make_workspaces();
  void for_all_lanes(ThreadPool::Work work,
                     ThreadPool::Sharing sharing = ThreadPool::Sharing::anyone);
  template <void (Impl::*lane_work)(std::size_t, Scratch&)>
  static void run_chunk(void* context, std::int64_t chunk, int thread);

  void seed_lane(std::size_t lane, Scratch& scratch);
  void reset_lane(std::size_t lane, Scratch& scratch);
  void reset_chosen_lane(std::size_t lane, Scratch& scratch);
  void step_lane(std::size_t lane, Scratch& scratch);
  bool read_action(std::size_t lane, std::span<float> out) const;
  bool write_transition(std::size_t lane, const StepResult& result, const Scratch& scratch) const;
  void write_invalid(std::size_t lane, bool action_valid, Scratch& scratch) const;
  void check_views() const;
  void require_idle(const char* function) const;
  void check_row(std::span<const double> stored, const char* function) const;
  std::size_t checked_lane(std::int64_t lane, const char* function) const;
  void count_waiting_lanes();
  void collect_records();

  std::shared_ptr<const Env> env;
  ThreadPool& pool;
  std::vector<std::uint64_t> seeds;
  std::size_t num_envs, observation_dim, action_dim, num_terms, state_dim, row_size;
  std::size_t lanes_per_chunk;
  std::int64_t max_episode_steps;
  std::uint64_t tag = 0;

  std::unique_ptr<double[]> rows;                           // (N x row_size)
  std::vector<Scratch> scratch;                             // one per thread
  std::vector<std::unique_ptr<Workspace>> lane_workspaces;  // N, or none
  ActionScale action_scale;
  bool scale_actions = true;

  // one slot per lane, written by the lane's thread; length 0 and step -1 mean empty
  std::vector<EpisodeRecord> episode_slots, finished;
  std::vector<double> episode_terms;  // (N x num_terms) of the last finished episodes
  std::vector<InvalidRecord> invalid_slots, invalid;
  std::int64_t num_invalid = 0;

  TransitionView view;
  std::span<float> acting_observation;
  std::span<const std::uint8_t> chosen_lanes;  // (N) of a reset of some
  std::span<const std::uint8_t> held_lanes;    // (N) that a step leaves out, or empty
  DoubleRows doubles;
  std::size_t num_waiting = 0;  // lanes without an episode
  bool in_flight = false;
  bool end_episodes = false;  // with the step in flight
};

template <void (VectorEnv::Impl::*lane_work)(std::size_t, Scratch&)>
void VectorEnv::Impl::run_chunk(void* context, std::int64_t chunk, int thread) {
  Impl& impl = *static_cast<Impl*>(context);
  const std::size_t begin = static_cast<std::size_t>(chunk) * impl.lanes_per_chunk;
  const std::size_t end = std::min(begin + impl.lanes_per_chunk, impl.num_envs);
  Scratch& scratch = impl.scratch[static_cast<std::size_t>(thread)];
  for (std::size_t lane = begin; lane < end; ++lane) (impl.*lane_work)(lane, scratch);
}

}  // namespace anthill
