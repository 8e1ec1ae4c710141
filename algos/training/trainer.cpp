#include "algos/training/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "algos/agents/exploration.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {

TrainingEnd Trainer::run(const std::atomic<bool>& stop, TrainingObserver& observer) {
  const TrainingConfig& training = config_.training;
  const std::int64_t width = config_.sim.num_envs;
  if (!loaded_) envs_->reset(staging_->current_observation());
  observer.on_safe_point(*this, false);
  // the evaluation before the first step, or what a resumed run's latest step still lacks
  bool going = close_step(stop, observer);
  while (going && !stop && !is_over()) {
    // the pool owns the rows from begin_step to finish_step; learning goes on beside it
    const TransitionView rows = staging_->back();
    remember_state();
    choose_actions(rows, observer);
    going = any_going();
    if (!going) break;
    const bool cut =
        period_is_due(counters_.env_steps, counters_.env_steps + width, training.reset_period);
    envs_->begin_step(rows, staging_->next_acting_observation(), {}, cut);
    if (training.overlap) learn(counters_.env_steps, stop, observer);
    envs_->finish_step();
    count_step();
    report_step(rows, observer);
    going = close_step(stop, observer);
    if (going) observer.on_safe_point(*this, false);
  }
  if (going) observer.on_safe_point(*this, true);
  // with overlap the last step's updates are still owed, and its row is written after them
  if (going) learn(counters_.env_steps, stop, observer);
  report_metrics(observer);
  if (any_going() && !stop) evaluate(stop, observer);
  if (any_going() && !stop && probe_is_due()) probe(stop, observer);
  if (!any_going()) return TrainingEnd::diverged;
  return stop ? TrainingEnd::stopped : TrainingEnd::finished;
}

/// Store, learn, log, evaluate, probe: from where phase_ stands until all is done or a stop request
/// comes. False when no member's numbers are finite.
bool Trainer::close_step(const std::atomic<bool>& stop, TrainingObserver& observer) {
  const bool overlap = config_.training.overlap;
  const std::int64_t now = counters_.env_steps, before = now - config_.sim.num_envs;
  if (phase_ == StepPhase::unstored) {
    // with overlap the updates do not see this step's rows yet
    if (overlap && !learn(before, stop, observer)) return true;
    TransitionView rows = staging_->back();
    rows.state = state_before_;
    rows.held_out = held_out_;
    for (std::size_t i = 0; config_.training.timeout_is_terminal && i < rows.terminated.size(); ++i)
      if (rows.truncated[i]) rows.terminated[i] = 1;
    buffer_->insert(rows, current_stream(device_));
    hold_out_ended(rows);
    staging_->flip();
    phase_ = StepPhase::unlearned;
  }
  if (phase_ == StepPhase::unlearned) {
    if (!overlap && !learn(now, stop, observer)) return true;
    phase_ = StepPhase::unreported;
  }
  // the end has a row and an evaluation of its own
  if (is_over()) return true;
  if (phase_ == StepPhase::unreported) {
    if (period_is_due(before, now, config_.log.period)) report_metrics(observer);
    if (!any_going()) return false;
    phase_ = StepPhase::unevaluated;
  }
  if (phase_ == StepPhase::unevaluated) {
    const bool due = now == 0 || period_is_due(before, now, config_.evaluation.period);
    const bool done = !due || evaluate(stop, observer);
    if (!done || !any_going()) return any_going();
    phase_ = StepPhase::unprobed;
  }
  if (phase_ == StepPhase::unprobed) {
    const bool done = !probe_is_due() || probe(stop, observer);
    if (!done || !any_going()) return any_going();
    phase_ = StepPhase::closed;
  }
  return true;
}

/// Writes normalised actions into the rows; zeros for members that have come to their end.
void Trainer::choose_actions(const TransitionView& rows, TrainingObserver& observer) {
  const auto counter = static_cast<std::uint64_t>(counters_.vector_steps);
  const std::int64_t num_envs = config_.sim.num_envs;
  agent_->observe(rows.observation);
  if (counters_.env_steps < config_.training.random_steps) {
    fill_uniform_actions(rows.action.data(), num_envs * rows.action_dim, seeds_,
                         RandomStream::random_action, counter);
    if (const std::int64_t choices = env_->spec().num_actions; choices > 0) {
      for (float& a : rows.action) {
        a = static_cast<float>(random_index(0.5 * (1.0 + a), choices));
      }
    }
  } else {
    agent_->set_env_steps(counters_.env_steps);
    agent_->act(rows.observation, rows.action, ActionMode::stochastic,
                RandomStream::exploration_noise, counter);
    for_going([&](std::int64_t m) {
      const auto actions = rows.lanes(m * num_envs, num_envs).action;
      check(m, std::ranges::all_of(actions, [](float a) { return std::isfinite(a); }), observer);
    });
  }
  for (std::int64_t m = 0; m < num_members(); ++m) {
    if (has_diverged(m)) std::ranges::fill(rows.lanes(m * num_envs, num_envs).action, 0.0f);
  }
}

void Trainer::count_step() {
  phase_ = StepPhase::unstored;
  const std::int64_t num_envs = config_.sim.num_envs;
  counters_.env_steps += num_envs;
  ++counters_.vector_steps;
  for (Member& member : members_) member.num_valid += num_envs;
  for (const EpisodeRecord& record : envs_->finished_episodes()) {
    ++at(record.env / num_envs).episodes;
  }
  for (const InvalidRecord& record : envs_->invalid_transitions()) {
    --at(record.env / num_envs).num_valid;
  }
  remember_returns();
}

void Trainer::report_step(const TransitionView& rows, TrainingObserver& observer) {
  const std::int64_t num_envs = config_.sim.num_envs;
  std::vector<EpisodeRecord> episodes;
  std::vector<InvalidRecord> invalid;
  const auto keep_own = [&](std::int64_t m, const auto& all, auto& own) {
    own.clear();
    for (auto record : all) {
      if (record.env / num_envs != m) continue;
      record.env %= num_envs;
      own.push_back(record);
    }
  };
  for_going([&](std::int64_t m) {
    keep_own(m, envs_->finished_episodes(), episodes);
    keep_own(m, envs_->invalid_transitions(), invalid);
    observer.member(m).on_step(counters(m), rows.lanes(m * num_envs, num_envs),
                               {episodes, invalid});
  });
}

/// Throws when a member has nothing to learn from.
void Trainer::check_rows(std::int64_t env_steps) const {
  for (std::int64_t m = 0; m < num_members(); ++m) {
    if (at(m).num_valid > 0) continue;
    throw std::runtime_error("every one of " + std::to_string(env_steps) + " transitions " +
                             (num_members() > 1 ? "of member " + std::to_string(m) + " " : "") +
                             "is invalid (MuJoCo: " + last_mujoco_warning() +
                             "); check the options of [sim] and the model file");
  }
}

/// Keeps the returns of the last training.solved_episodes episodes.
void Trainer::remember_returns() {
  if (!std::isfinite(config_.training.solved_return)) return;
  for (const EpisodeRecord& episode : envs_->finished_episodes()) {
    recent_returns_.push_back(episode.episode_return);
  }
  const auto kept = static_cast<std::size_t>(config_.training.solved_episodes);
  if (recent_returns_.size() > kept) {
    recent_returns_.erase(recent_returns_.begin(),
                          recent_returns_.end() - static_cast<std::ptrdiff_t>(kept));
  }
}

std::optional<double> Trainer::solved_with() const {
  const TrainingConfig& training = config_.training;
  if (std::ssize(recent_returns_) < training.solved_episodes) return std::nullopt;
  const double mean = std::accumulate(recent_returns_.begin(), recent_returns_.end(), 0.0) /
                      static_cast<double>(recent_returns_.size());
  if (mean < training.solved_return) return std::nullopt;
  return mean;
}

bool Trainer::is_over() const {
  return counters_.env_steps >= config_.training.total_env_steps || solved_with().has_value();
}

/// The updates that `env_steps` transitions have earned; false when a stop request left some owed.
bool Trainer::learn(std::int64_t env_steps, const std::atomic<bool>& stop,
                    TrainingObserver& observer) {
  std::int64_t due = replay_ratio_.updates_due(env_steps, counters_.gradient_updates);
  if (due > 0) {
    check_rows(env_steps);
    agent_->set_env_steps(env_steps);
    if (agent_->needs_reward_range()) agent_->set_reward_ranges(reward_ranges());
  }
  while (due > 0 && !stop) {
    const std::int64_t made = updates_->run(counters_.gradient_updates, due);
    counters_.gradient_updates += made;
    due -= made;
    observer.on_tick(counters());
  }
  return due == 0;
}

/// Of the stored transitions, one per member.
std::vector<RewardRange> Trainer::reward_ranges() const {
  std::vector<RewardRange> ranges;
  for (std::int64_t m = 0; m < num_members(); ++m) ranges.push_back(buffer_->reward_range(m));
  return ranges;
}

/// Decides for the lanes whose episode ends in `rows` whether the next one is held out. A run's
/// first episodes never are, so that there is something to learn from.
void Trainer::hold_out_ended(const TransitionView& rows) {
  const double share = config_.buffer.held_out_share;
  const auto step = static_cast<std::uint64_t>(counters_.vector_steps);
  const auto num_envs = static_cast<std::size_t>(config_.sim.num_envs);
  for (std::size_t lane = 0; lane < held_out_.size(); ++lane) {
    if (!rows.terminated[lane] && !rows.truncated[lane] && !rows.invalid[lane]) continue;
    const PhiloxWords words = philox(seeds_[lane / num_envs], RandomStream::held_out_episodes, step,
                                     static_cast<std::uint32_t>(lane % num_envs));
    held_out_[lane] = philox_uniform(words.word[0]) < share ? 1 : 0;
  }
}

/// Keeps the simulator's rows as they are before the step, for a buffer that stores them.
void Trainer::remember_state() {
  if (config_.buffer.store_state) {
    state_before_.assign(envs_->state().begin(), envs_->state().end());
  }
}

Counters Trainer::counters(std::int64_t member) const {
  Counters counters = counters_;
  counters.episodes = at(member).episodes;
  return counters;
}

}  // namespace anthill
