/// The main loop: act, begin_step, learn, finish_step, insert, log.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algos/agents/agent.hpp"
#include "algos/checkpoint/checkpoint.hpp"
#include "algos/cuda_graph/update_runner.hpp"
#include "algos/training/evaluator.hpp"
#include "algos/training/experiment_config.hpp"
#include "algos/training/overestimation.hpp"
#include "algos/training/replay_ratio.hpp"
#include "algos/training/thread_plan.hpp"
#include "buffers/replay_buffer.hpp"
#include "buffers/staging.hpp"
#include "sim/vector_env.hpp"

namespace anthill {

/// All that resume needs beside arrays. Each of the first three only grows.
struct Counters {
  std::int64_t env_steps = 0;         // transitions over all environments
  std::int64_t gradient_updates = 0;  // also the draw number of the replay buffer
  std::int64_t episodes = 0;          // finished
  std::int64_t vector_steps = 0;      // also the counter of the action noise
};

class Trainer;

/// What a vector step ended or spoiled, of one member, whose lanes are counted from 0.
struct StepRecords {
  std::span<const EpisodeRecord> finished_episodes;
  std::span<const InvalidRecord> invalid_transitions;
};

/// Told what happens, on the training thread. Must not change anything that training reads.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  /// Who is told about one member of a stack: about its steps, metrics, evaluations and probes, and
  /// that its numbers are not finite. Everything else concerns the whole stack.
  virtual TrainingObserver& member(std::int64_t /*member*/) { return *this; }
  /// Often: after every update and every step of an evaluation. For heartbeats; must be cheap.
  virtual void on_tick(const Counters&) {}
  /// After every vector step; `rows` is what was inserted.
  virtual void on_step(const Counters&, const TransitionView& /*rows*/, const StepRecords&) {}
  /// Every log.period env steps; means over the updates since the last call; what none of
  /// them measured is missing.
  virtual void on_metrics(const Counters&, const std::vector<std::string>& /*names*/,
                          const std::vector<double>& /*means*/) {}
  virtual void on_evaluation(const Counters&, const EvaluationResult&, Agent&) {}
  /// Numbers are not finite, and training.on_non_finite says to go on.
  virtual void on_non_finite(const Counters&) {}
  /// Numbers of this member are not finite: it has come to its end, others go on. Told to the whole
  /// stack; nothing follows about the member.
  virtual void on_member_diverged(const Trainer&, std::int64_t /*member*/) {}
  /// Between vector steps, when nothing is in flight: the moment for Trainer::save(). `last`:
  /// training stops here, asked to or at total_env_steps.
  virtual void on_safe_point(const Trainer&, bool /*last*/) {}
  virtual void on_overestimation(const Counters&, const OverestimationResult&) {}
};

enum class TrainingEnd { finished, stopped, diverged };

/// How far the latest vector step has been followed up. Values are stored: append, never renumber.
enum class StepPhase : std::int64_t {
  unstored = 0,     // simulated; its rows are still in the staging
  unlearned = 1,    // in the buffer
  unreported = 2,   // and the updates that belong to it are done
  unevaluated = 3,  // and the row of the log that was due
  closed = 4,       // and the probe that was due
  unprobed = 5,     // before closed: the evaluation that was due is done
};

/// Owns everything that a run consists of, or a stack of runs (members) that train side by side and
/// do not depend on each other. One thread calls it.
///
/// Members count env steps, updates and vector steps together. One whose numbers are no longer
/// finite has come to its end: its environments go on with actions of zero, its numbers are no
/// longer looked at, and the others do not notice.
class Trainer {
 public:
  /// Builds the environments, buffer and agent of `config` (already checked by configs/). Throws
  /// ConfigError.
  explicit Trainer(const ExperimentConfig& config) : Trainer(std::vector{config}) {}

  /// A stack: `members` differ in seeds and numbers (configs/members.hpp), all else is the first's.
  explicit Trainer(std::vector<ExperimentConfig> members);

  /// Trains until total_env_steps or solved_return, until `stop` becomes true (looked at between
  /// updates and steps), or until no member's numbers are finite.
  TrainingEnd run(const std::atomic<bool>& stop, TrainingObserver& observer);

  /// All that run() needs to go on bit for bit, but for the buffer's rows, whose vector steps are
  /// [first_stored_step(), end_stored_step()) counted from the start. Between steps only.
  void save(StateWriter state) const;
  std::int64_t first_stored_step() const;
  std::int64_t end_stored_step() const;

  /// Goes on where `checkpoint` was saved; before run(). Throws ConfigError for one of another
  /// task, model, MuJoCo or structure.
  void load(const Checkpoint& checkpoint);

  /// The mean return of the last training.solved_episodes episodes, once it is solved_return.
  std::optional<double> solved_with() const;

  /// The networks and the buffer of `checkpoint` alone, to look at and not to go on from. Throws as
  /// load().
  void load_frozen(const Checkpoint& checkpoint);

  std::int64_t num_members() const { return static_cast<std::int64_t>(members_.size()); }
  Counters counters(std::int64_t member = 0) const;
  /// Whether a member has come to its end because its numbers are not finite.
  bool has_diverged(std::int64_t member) const { return at(member).diverged; }
  const ReplayRatio& replay_ratio() const { return replay_ratio_; }
  Agent& agent() { return *agent_; }
  const Agent& agent() const { return *agent_; }
  const VectorEnv& envs() const { return *envs_; }
  const Env& env() const { return *env_; }
  const ReplayBuffer& buffer() const { return *buffer_; }
  /// Idle between vector steps.
  ThreadPool& pool() { return pool_; }
  /// What the latest update learned from.
  const Batch& batch() const { return *batch_; }
  at::Device device() const { return device_; }
  const ThreadPlan& threads() const { return threads_; }

 private:
  /// What is a member's own beside its lanes and its part of every array.
  struct Member {
    ExperimentConfig config;
    std::int64_t episodes = 0;
    std::int64_t num_valid = 0;  // transitions that may be sampled, ever made
    bool diverged = false;
    std::unique_ptr<OverestimationProbe> probe = nullptr;
  };
  Member& at(std::int64_t member) { return members_[static_cast<std::size_t>(member)]; }
  const Member& at(std::int64_t member) const { return members_[static_cast<std::size_t>(member)]; }
  bool any_going() const;
  /// Calls `call(member)` for all that have not come to their end.
  template <class Call>
  void for_going(const Call& call) {
    for (std::int64_t m = 0; m < num_members(); ++m) {
      if (!has_diverged(m)) call(m);
    }
  }

  void make_buffer();
  void make_updates();
  void make_judges();
  void remember_state();
  void hold_out_ended(const TransitionView& rows);
  void choose_actions(const TransitionView& rows, TrainingObserver& observer);
  void count_step();
  void remember_returns();
  bool is_over() const;
  void report_step(const TransitionView& rows, TrainingObserver& observer);
  bool close_step(const std::atomic<bool>& stop, TrainingObserver& observer);
  void check_rows(std::int64_t env_steps) const;
  std::vector<RewardRange> reward_ranges() const;
  bool learn(std::int64_t env_steps, const std::atomic<bool>& stop, TrainingObserver& observer);
  void report_metrics(TrainingObserver& observer);
  Tensor diagnose(std::vector<std::string>& names);
  bool has_held_out_rows() const;
  Tensor held_out_losses(std::vector<std::string>& names);
  bool check(std::int64_t member, bool finite, TrainingObserver& observer);
  std::function<bool()> keep_going(const std::atomic<bool>& stop, TrainingObserver& observer);
  bool evaluate(const std::atomic<bool>& stop, TrainingObserver& observer);
  bool probe_is_due() const;
  bool probe(const std::atomic<bool>& stop, TrainingObserver& observer);

  std::vector<Member> members_;
  ExperimentConfig config_;  // what all members share: the first's
  at::Device device_;
  std::vector<std::uint64_t> seeds_;  // one per member
  std::shared_ptr<const Env> env_;
  std::unique_ptr<Staging> staging_;  // outlives envs_, which may still be writing into it
  ThreadPlan threads_;
  ThreadPool pool_;
  std::unique_ptr<VectorEnv> envs_;
  std::unique_ptr<ReplayBuffer> buffer_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Batch> batch_, diagnosis_batch_, held_out_batch_;
  std::unique_ptr<UpdateRunner> updates_;
  std::unique_ptr<Evaluator> evaluator_;
  ReplayRatio replay_ratio_;
  Counters counters_;  // without episodes
  StepPhase phase_ = StepPhase::unevaluated;
  std::vector<double> state_before_;    // simulator rows that the latest step began from
  std::vector<std::uint8_t> held_out_;  // (lanes) of the episodes that go on; empty: share 0
  std::vector<double> recent_returns_;  // of the latest episodes, where solved_return is set
  std::int64_t reported_updates_ = 0;   // learner updates at the last on_metrics
  bool loaded_ = false;
};

}  // namespace anthill
