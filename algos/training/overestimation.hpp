/// The overestimation probe: what the critics say against what the policy gets.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "algos/training/csv_log.hpp"
#include "algos/training/overestimation_config.hpp"
#include "algos/training/probe_states.hpp"
#include "algos/training/value_rollouts.hpp"
#include "buffers/replay_buffer.hpp"

namespace anthill {

/// A row of overestimation_states.csv; the fields are its columns (metrics_glossary.hpp). nan: the
/// cell is empty.
struct ProbedState {
  std::int64_t episode = 0, step = 0;
  double q_mean = 0.0, q_min = 0.0, q_target = 0.0;
  double soft_return = 0.0, soft_return_std = 0.0, hard_return = 0.0, entropy_sum = 0.0;
  double undiscounted_return = 0.0, log_prob = 0.0;
  double q_deterministic = 0.0, deterministic_return = 0.0;
  double td_residual = 0.0, rollout_length = 0.0, cut_share = 0.0;
};

/// Everything of one kind of states.
struct ProbedKind {
  StateKind kind = StateKind::on_policy;
  std::vector<ProbedState> states;
  MetricRow summary;  // of overestimation.csv, without the columns that only the run knows

  /// A number of the summary; nan when the cell is empty.
  double value(std::string_view column) const;
};

struct OverestimationResult {
  std::vector<ProbedKind> kinds;
  double seconds = 0.0;        // wall time
  std::int64_t num_steps = 0;  // control steps of the rollouts and episodes
};

/// What summarise() needs beside the states.
struct ProbeContext {
  OverestimationConfig config = {};
  double discount = 0.0, alpha = 0.0;
  std::int64_t action_dim = 0;           // A
  std::int64_t num_invalid = 0;          // states left out
  std::pair<double, double> rewards = {  // smallest and largest; nan: not known
      std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  double log_prob_max = -std::numeric_limits<double>::infinity();  // of this probe's actions
  OnPolicyEpisodes episodes = {};
  std::vector<double> start_q = {};  // mean_j Q_j of the episodes' first (s, a)
  std::uint64_t bootstrap_seed = 0;
};

/// The aggregates of one kind: a pure function. Cells that do not exist are left out.
MetricRow summarise(StateKind kind, const std::vector<ProbedState>& states,
                    const ProbeContext& context);

/// For the terminal: "overestimation at 2500, on_policy: Q 34.1, soft return 20.2, bias +0.139
/// [0.101, 0.180] reward per step"; and what the probe cost, beside all `probe_seconds` so far as a
/// share of the run's `run_seconds`.
std::string overestimation_line(const ProbedKind& kind, std::int64_t env_steps);
std::string overestimation_cost_line(const OverestimationResult& result, double probe_seconds,
                                     double run_seconds);

/// A row of overestimation_states.csv without env_steps.
MetricRow state_row(StateKind kind, std::int64_t index, const ProbedState& state);

/// Runs beside training, while nothing else uses the pool. Everything random is a function of
/// (run seed + overestimation.seed, env_steps); training state is not touched.
class OverestimationProbe {
 public:
  /// `num_envs`: lanes of one member. Throws ConfigError when the task cannot be followed past its
  /// limit, or when a kind needs the buffer's simulator rows and `buffer` (null: there is none)
  /// stores none.
  /// `member`: whose rows of the buffer are meant.
  OverestimationProbe(std::shared_ptr<const Env> env, const OverestimationConfig& config,
                      std::int64_t run_seed, std::int64_t num_envs, ThreadPool& pool,
                      const ReplayBuffer* buffer, std::int64_t member = 0);

  /// No kinds when `keep_going` said false. Throws NonFiniteActions.
  OverestimationResult run(const ActorCritic& agent, std::int64_t env_steps,
                           const KeepGoing& keep_going = {}) const;

 private:
  struct Starts;
  Starts collect(const ActorCritic& agent, const ProbeKey& key, const KeepGoing& keep_going) const;
  ProbeContext context_of(const ActorCritic& agent, const ProbeKey& key,
                          const Starts& starts) const;
  bool add_deterministic(const ActorCritic& agent, const ProbeKey& key, const Starts& starts,
                         std::vector<std::optional<ProbedState>>& states,
                         OverestimationResult& result, const KeepGoing& keep_going) const;
  void add_kinds(const Starts& starts, const std::vector<std::optional<ProbedState>>& states,
                 ProbeContext& context, OverestimationResult& result) const;

  std::shared_ptr<const Env> env_;
  OverestimationConfig config_;
  std::uint64_t seed_;
  std::int64_t num_envs_;
  ThreadPool& pool_;
  const ReplayBuffer* buffer_;
  std::int64_t member_;
};

}  // namespace anthill
