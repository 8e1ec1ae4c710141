#include "algos/training/episode_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "algos/networks/noise.hpp"
#include "algos/training/evaluation_mode.hpp"
#include "algos/training/value_rollouts.hpp"
#include "buffers/staging.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> to_host(const Tensor& values) {
  const Tensor host = values.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

/// An episode, and log pi(a_t|s_t) of its steps, NaN where the action was not sampled.
struct Playing {
  RecordedEpisode episode;
  std::vector<double> log_prob;
  bool is_over = false;
};

/// Plays all lanes and keeps what the options ask for.
class Player {
 public:
  Player(const std::shared_ptr<const Env>& env, Agent& agent, ThreadPool& pool,
         const EpisodeOptions& options)
      : env_(env),
        agent_(agent),
        options_(options),
        critics_(agent.actor_critic(0)),
        envs_(env, options.seeds, pool),
        staging_(envs_.num_envs(), env->spec().observation_dim, env->spec().action_dim, false),
        reward_(options.seeds.size()),
        terms_(options.seeds.size() * env->spec().reward_terms.size()) {
    for (const std::size_t lane : options.keep) {
      kept_.emplace_back().episode.seed = options.seeds.at(lane);
    }
  }

  std::vector<Playing> play() {
    envs_.reset(staging_.current_observation());
    envs_.set_double_rows({.reward = reward_, .terms = terms_});
    const auto running = [](const Playing& playing) { return !playing.is_over; };
    for (std::int64_t step = 0; std::ranges::any_of(kept_, running); ++step) {
      if (step == kEndlessEpisode) {
        throw std::runtime_error("an episode of " + env_->spec().name +
                                 " does not end; set sim.max_episode_steps");
      }
      play_step(static_cast<std::uint64_t>(step));
    }
    return std::move(kept_);
  }

 private:
  void play_step(std::uint64_t step) {
    const TransitionView rows = staging_.back();
    agent_.act(rows.observation, rows.action, options_.mode, RandomStream::evaluation_noise, step);
    if (!std::ranges::all_of(rows.action, [](float a) { return std::isfinite(a); })) {
      throw std::runtime_error("the policy's actions are not finite");
    }
    const std::vector<double> log_prob = log_probs(rows, step);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (!kept_[i].is_over) keep_choice(kept_[i], options_.keep[i], rows, log_prob);
    }
    envs_.begin_step(rows, staging_.next_acting_observation());
    envs_.finish_step();
    staging_.flip();
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (!kept_[i].is_over) keep_result(kept_[i], options_.keep[i]);
    }
  }

  /// Of the actions in `rows`: the agent's own noise again. NaN where the agent has sampled
  /// otherwise.
  std::vector<double> log_probs(const TransitionView& rows, std::uint64_t step) const {
    std::vector<double> result(options_.seeds.size(), kNan);
    if (options_.mode != ActionMode::stochastic) return result;
    at::NoGradGuard no_grad;
    const auto count = static_cast<std::int64_t>(result.size());
    const Tensor noise = at::empty({1, count, rows.action_dim},
                                   at::TensorOptions(critics_->device()).dtype(at::kFloat));
    fill_normal(noise, {options_.agent_seed}, RandomStream::evaluation_noise, step);
    const ActorCritic::Sample sample = critics_->sample(
        tensor_of_rows(*critics_, rows.observation, rows.observation_dim), noise[0]);
    const std::vector<double> action = to_host(sample.action), values = to_host(sample.log_prob);
    const auto width = static_cast<std::size_t>(rows.action_dim);
    for (std::size_t lane = 0; lane < result.size(); ++lane) {
      const auto taken = rows.action.subspan(lane * width, width);
      const bool same = std::equal(taken.begin(), taken.end(),
                                   action.begin() + static_cast<std::ptrdiff_t>(lane * width),
                                   [](float a, double b) { return static_cast<double>(a) == b; });
      if (same) result[lane] = values[lane];
    }
    return result;
  }

  void keep_choice(Playing& playing, std::size_t lane, const TransitionView& rows,
                   const std::vector<double>& log_prob) const {
    RecordedEpisode& episode = playing.episode;
    const auto append = [lane](auto& to, const auto& from, std::int64_t width_in) {
      const auto width = static_cast<std::size_t>(width_in);
      const auto part = from.subspan(lane * width, width);
      to.insert(to.end(), part.begin(), part.end());
    };
    const auto state = envs_.row(static_cast<std::int64_t>(lane))
                           .first(static_cast<std::size_t>(env_->spec().state_dim));
    episode.state.insert(episode.state.end(), state.begin(), state.end());
    append(episode.observation, rows.observation, rows.observation_dim);
    append(episode.action, rows.action, rows.action_dim);
    playing.log_prob.push_back(log_prob[lane]);
  }

  void keep_result(Playing& playing, std::size_t lane) {
    RecordedEpisode& episode = playing.episode;
    const std::size_t width = env_->spec().reward_terms.size();
    episode.reward.push_back(reward_[lane]);
    const auto terms = std::span(terms_).subspan(lane * width, width);
    episode.terms.insert(episode.terms.end(), terms.begin(), terms.end());
    for (const EpisodeRecord& record : envs_.finished_episodes()) {
      if (static_cast<std::size_t>(record.env) != lane) continue;
      playing.is_over = true;
      episode.episode_return = record.episode_return;
      episode.terminated = record.terminated;
      episode.truncated = record.truncated;
      episode.invalid = record.invalid;
    }
  }

  const std::shared_ptr<const Env>& env_;
  Agent& agent_;
  const EpisodeOptions& options_;
  std::unique_ptr<ActorCritic> critics_;
  VectorEnv envs_;
  Staging staging_;
  std::vector<double> reward_, terms_;
  std::vector<Playing> kept_;
};

void add_critics(RecordedEpisode& episode, const ActorCritic& critics, const EnvSpec& spec) {
  at::NoGradGuard no_grad;
  const Tensor q = critics.q(tensor_of_rows(critics, episode.observation, spec.observation_dim),
                             tensor_of_rows(critics, episode.action, spec.action_dim));
  episode.q_mean = to_host(q.mean(0));
  episode.q_min = to_host(q.amin(0));
}

/// What comes from the last step on when a time limit ends the episode: a rollout past the limit.
/// The last reward itself where the task ended, or where nothing can be rolled out.
RolloutOutcome outcome_of_last_step(const std::shared_ptr<const Env>& env, ThreadPool& pool,
                                    const ActorCritic& critics, const EpisodeOptions& options,
                                    Playing& playing, double scale) {
  RecordedEpisode& episode = playing.episode;
  RolloutOutcome last{.hard_return = scale * episode.reward.back()};
  if (!episode.truncated || episode.terminated) {
    episode.values_are_whole = !episode.invalid;
    return last;
  }
  episode.values_are_whole = false;
  if (env->spec().workspace_per_lane) return last;
  const auto tail = [](const auto& values, std::int64_t width) {
    return std::vector(values.end() - static_cast<std::ptrdiff_t>(width), values.end());
  };
  const StartState start = {.state = tail(episode.state, env->spec().state_dim),
                            .observation = tail(episode.observation, env->spec().observation_dim),
                            .action = tail(episode.action, env->spec().action_dim),
                            .step = episode.length() - 1};
  const ProbeKey key = {options.agent_seed + episode.seed, 0};
  const RolloutOutcome rollout =
      run_rollouts(env, pool, critics, key, {&start, 1}, 1, options.horizon, options.mode)[0];
  if (rollout.invalid) return last;
  episode.values_are_whole = true;
  return rollout;
}

/// From the last step back: G_t = r_t + discount * G_{t+1}, and with the entropy of a_{t+1}.
void add_values(Playing& playing, const RolloutOutcome& last, double discount, double scale,
                double alpha) {
  RecordedEpisode& episode = playing.episode;
  const std::size_t length = episode.reward.size();
  episode.hard_value.resize(length);
  episode.soft_value.resize(length);
  // an agent without an entropy term learns the hard value, whatever its actions' densities
  const auto entropy = [alpha](double sum) { return alpha == 0.0 ? 0.0 : alpha * sum; };
  double hard = last.hard_return, soft = last.hard_return + entropy(last.entropy_sum);
  for (std::size_t t = length; t-- > 0;) {
    if (t + 1 < length) {
      const double reward = scale * episode.reward[t];
      hard = reward + discount * hard;
      soft = reward + discount * (soft + entropy(-playing.log_prob[t + 1]));
    }
    episode.hard_value[t] = hard;
    episode.soft_value[t] = soft;
  }
}

}  // namespace

std::vector<RecordedEpisode> record_episodes(const std::shared_ptr<const Env>& env, Agent& agent,
                                             ThreadPool& pool, const EpisodeOptions& options) {
  std::vector<Playing> played = Player(env, agent, pool, options).play();
  const std::unique_ptr<ActorCritic> critics = agent.actor_critic(0);
  const double discount = critics->discount(), scale = critics->reward_scale();
  const double alpha = options.mode == ActionMode::stochastic ? critics->alpha() : kNan;
  std::vector<RecordedEpisode> episodes;
  for (Playing& playing : played) {
    add_critics(playing.episode, *critics, env->spec());
    const RolloutOutcome last = outcome_of_last_step(env, pool, *critics, options, playing, scale);
    add_values(playing, last, discount, scale, alpha);
    episodes.push_back(std::move(playing.episode));
  }
  return episodes;
}

}  // namespace anthill
