#include "algos/training/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "buffers/staging.hpp"

namespace anthill {
namespace {

constexpr std::int64_t kEndlessEpisode = 10'000'000;

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
                     std::uint64_t first_seed, ThreadPool& pool)
    : env_(std::move(env)), seeds_(static_cast<std::size_t>(num_episodes)), pool_(pool) {
  std::iota(seeds_.begin(), seeds_.end(), first_seed);
}

EvaluationResult Evaluator::evaluate(Agent& agent, ActionMode mode,
                                     const std::function<bool()>& keep_going) {
  const auto start = std::chrono::steady_clock::now();
  const EnvSpec& spec = env_->spec();
  const auto num_episodes = static_cast<std::int64_t>(seeds_.size());
  VectorEnv envs(env_, seeds_, pool_);
  Staging staging(num_episodes, spec.observation_dim, spec.action_dim, false);
  envs.reset(staging.current_observation());

  // only the first episode of a lane counts, so that short ones are not over-represented: a lane
  // whose episode is over stays as it is
  std::vector<std::uint8_t> held(seeds_.size());
  EvaluationResult result;
  result.returns.resize(seeds_.size());
  result.lengths.resize(seeds_.size());
  std::int64_t running = num_episodes;
  for (std::int64_t step = 0; running > 0; ++step) {
    if (step == kEndlessEpisode) {
      throw std::runtime_error("evaluation: an episode of " + spec.name +
                               " does not end; set sim.max_episode_steps");
    }
    if (keep_going && !keep_going()) return {};
    const TransitionView rows = staging.back();
    agent.act(rows.observation, rows.action, mode, RandomStream::evaluation_noise,
              static_cast<std::uint64_t>(step));
    if (!std::ranges::all_of(rows.action, [](float a) { return std::isfinite(a); })) {
      throw std::runtime_error("evaluation: the policy's actions are not finite");
    }
    envs.begin_step(rows, staging.next_acting_observation(), held);
    envs.finish_step();
    staging.flip();
    for (const EpisodeRecord& record : envs.finished_episodes()) {
      const auto lane = static_cast<std::size_t>(record.env);
      result.returns[lane] = record.episode_return;
      result.lengths[lane] = record.length;
      held[lane] = 1;
      result.num_invalid += record.invalid;
      --running;
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace anthill
