#include "algos/training/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algos/training/evaluation_mode.hpp"
#include "buffers/staging.hpp"

namespace anthill {
namespace {

double mean(const auto& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double EvaluationResult::return_mean() const { return mean(returns); }

double EvaluationResult::return_std() const {
  const double center = return_mean();
  double sum = 0.0;
  for (const double value : returns) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(returns.size()));
}

double EvaluationResult::length_mean() const { return mean(lengths); }

std::uint64_t evaluation_seed(std::int64_t run_seed) {
  return static_cast<std::uint64_t>(run_seed) + 10'000'000u;
}

Evaluator::Evaluator(std::shared_ptr<const Env> env, std::int64_t num_episodes,
                     std::vector<std::uint64_t> first_seeds, ThreadPool& pool)
    : env_(std::move(env)), num_episodes_(num_episodes), pool_(pool) {
  for (const std::uint64_t first : first_seeds) {
    for (std::int64_t i = 0; i < num_episodes; ++i) {
      seeds_.push_back(first + static_cast<std::uint64_t>(i));
    }
  }
}

EvaluationResult Evaluator::evaluate(Agent& agent, ActionMode mode) {
  EvaluationResult result = std::move(evaluate_members(agent, mode, {true}).front());
  if (!result.finite) throw std::runtime_error("evaluation: the policy's actions are not finite");
  return result;
}

std::vector<EvaluationResult> Evaluator::evaluate_members(Agent& agent, ActionMode mode,
                                                          std::vector<bool> wanted,
                                                          const std::function<bool()>& keep_going) {
  const auto start = std::chrono::steady_clock::now();
  const EnvSpec& spec = env_->spec();
  VectorEnv envs(env_, seeds_, pool_);
  Staging staging(envs.num_envs(), spec.observation_dim, spec.action_dim, false);
  envs.reset(staging.current_observation());

  // only the first episode of a lane counts, so that short ones are not over-represented: a lane
  // whose episode is over stays as it is
  std::vector<std::uint8_t> held(seeds_.size());
  std::vector<EvaluationResult> results(wanted.size());
  std::vector<std::int64_t> running(wanted.size());  // episodes
  // nothing more is wanted of a member
  const auto give_up = [&](std::size_t m) {
    running[m] = 0;
    std::fill_n(held.begin() + static_cast<std::ptrdiff_t>(m) * num_episodes_, num_episodes_, 1);
  };
  for (std::size_t m = 0; m < wanted.size(); ++m) {
    results[m].returns.resize(static_cast<std::size_t>(num_episodes_));
    results[m].lengths.resize(static_cast<std::size_t>(num_episodes_));
    running[m] = num_episodes_;
    if (!wanted[m]) give_up(m);
  }
  for (std::int64_t step = 0; std::ranges::any_of(running, [](auto n) { return n > 0; }); ++step) {
    if (step == kEndlessEpisode) {
      throw std::runtime_error("evaluation: an episode of " + spec.name +
                               " does not end; set sim.max_episode_steps");
    }
    if (keep_going && !keep_going()) return {};
    const TransitionView rows = staging.back();
    agent.act(rows.observation, rows.action, mode, RandomStream::evaluation_noise,
              static_cast<std::uint64_t>(step));
    for (std::size_t m = 0; m < wanted.size(); ++m) {
      const auto first = static_cast<std::int64_t>(m) * num_episodes_;
      const std::span<float> actions = rows.lanes(first, num_episodes_).action;
      if (std::ranges::all_of(actions, [](float a) { return std::isfinite(a); })) continue;
      results[m].finite = false;
      give_up(m);
      std::ranges::fill(actions, 0.0f);
    }
    envs.begin_step(rows, staging.next_acting_observation(), held);
    envs.finish_step();
    staging.flip();
    for (const EpisodeRecord& record : envs.finished_episodes()) {
      const auto m = static_cast<std::size_t>(record.env / num_episodes_);
      const auto lane = static_cast<std::size_t>(record.env % num_episodes_);
      results[m].returns[lane] = record.episode_return;
      results[m].lengths[lane] = record.length;
      results[m].num_invalid += record.invalid;
      held[static_cast<std::size_t>(record.env)] = 1;
      --running[m];
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (EvaluationResult& result : results) result.seconds = seconds.count();
  return results;
}

}  // namespace anthill
