/// Scores a policy on environments of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "algos/agents/agent.hpp"
#include "sim/vector_env.hpp"

namespace anthill {

struct EvaluationResult {
  std::vector<double> returns;        // undiscounted, one per episode
  std::vector<std::int64_t> lengths;  // control steps
  std::int64_t num_invalid =
      0;                 // episodes that a simulator failure ended; their returns count as they are
  double seconds = 0.0;  // wall time
  bool finite = true;    // false: actions were not, and the episodes were not played to their end

  double return_mean() const;
  double return_std() const;  // population form, 0 for one episode
  double length_mean() const;
};

/// First seed of the evaluation environments of a run: far from the training environments' seed +
/// i.
std::uint64_t evaluation_seed(std::int64_t run_seed);

/// One episode per environment, all episodes at once; an environment whose episode is over is not
/// stepped any more. Every call starts from the same seeds, so evaluations are paired and nothing
/// has to be remembered between them; training state is not touched.
class Evaluator {
 public:
  /// `env` and `pool` are shared with training (the pool must be idle during evaluate()). Episode i
  /// starts from NumPy's generator seeded with first_seed + i.
  Evaluator(std::shared_ptr<const Env> env, std::int64_t num_episodes, std::uint64_t first_seed,
            ThreadPool& pool)
      : Evaluator(std::move(env), num_episodes, std::vector{first_seed}, pool) {}

  /// The same for a stack of agents: one first seed per member.
  Evaluator(std::shared_ptr<const Env> env, std::int64_t num_episodes,
            std::vector<std::uint64_t> first_seeds, ThreadPool& pool);

  /// Plays every episode to its end with the policy of an agent alone. Throws std::runtime_error
  /// when its actions are not finite or the task has no time limit and does not end (10 million
  /// steps).
  EvaluationResult evaluate(Agent& agent, ActionMode mode);

  /// The same for the `wanted` members of a stack, all at once; a member's result does not depend
  /// on the others, but for `seconds`. `keep_going`, when given, is called before every vector
  /// step; once it says false, this returns at once with no results. Actions that are not finite
  /// end their member's evaluation alone.
  std::vector<EvaluationResult> evaluate_members(Agent& agent, ActionMode mode,
                                                 std::vector<bool> wanted,
                                                 const std::function<bool()>& keep_going = {});

 private:
  std::shared_ptr<const Env> env_;
  std::int64_t num_episodes_;         // of one member
  std::vector<std::uint64_t> seeds_;  // of all members' episodes
  ThreadPool& pool_;
};

}  // namespace anthill
