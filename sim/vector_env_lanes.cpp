// What one thread does with one lane: reset, read the action, step, write the transition.
#include <cmath>

#include "sim/vector_env_impl.hpp"

namespace anthill {
namespace {

template <typename T>
std::span<T> lane_slice(std::span<T> rows, std::size_t lane, std::size_t width) {
  return rows.subspan(lane * width, width);
}

/// Copies a lane's values into optional rows.
void copy_row(std::span<const double> values, std::span<double> rows, std::size_t lane) {
  if (!rows.empty()) std::ranges::copy(values, rows.begin() + lane * values.size());
}

/// Casts to float32; false when a value is not finite there.
bool cast_row(std::span<const double> values, std::span<float> out) {
  bool finite = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<float>(values[i]);
    finite = finite && std::isfinite(out[i]);
  }
  return finite;
}

}  // namespace

void VectorEnv::Impl::seed_lane(std::size_t lane, Scratch&) {
  const LaneRow lane_row = row(lane);
  std::fill(lane_row.state.begin(), lane_row.state.end(), 0.0);
  lane_row.save_rng(NumpyGenerator(seeds[lane]));
  lane_row.elapsed_steps = 0;
  lane_row.episode = -1;
  lane_row.episode_return = 0;
  lane_row.words[kTagWord] = std::bit_cast<double>(tag);
  std::ranges::fill(lane_row.term_sums, 0.0);
}

void VectorEnv::Impl::reset_lane(std::size_t lane, Scratch& lane_scratch) {
  const LaneRow lane_row = row(lane);
  NumpyGenerator rng = lane_row.load_rng();
  env->reset(workspace_of(lane, lane_scratch), rng, lane_row.state, lane_scratch.observation);
  lane_row.save_rng(rng);
  lane_row.elapsed_steps = 0;
  lane_row.episode += 1;
  lane_row.episode_return = 0;
  std::ranges::fill(lane_row.term_sums, 0.0);
  // a start that is not finite (absurd noise) must not reach the policy; its first step is invalid
  const auto out = lane_slice(acting_observation, lane, observation_dim);
  if (!cast_row(lane_scratch.observation, out)) std::ranges::fill(out, 0.0f);
  copy_row(lane_scratch.observation, doubles.acting_observation, lane);
}

void VectorEnv::Impl::reset_chosen_lane(std::size_t lane, Scratch& lane_scratch) {
  if (chosen_lanes[lane] != 0) reset_lane(lane, lane_scratch);
}

/// The lane's action in environment units; false when it is not finite, or no index where the task
/// is discrete.
bool VectorEnv::Impl::read_action(std::size_t lane, std::span<float> out) const {
  const std::span<const float> action = lane_slice(view.action, lane, action_dim);
  return scale_actions ? action_scale.apply(action, out) : action_scale.copy(action, out);
}

/// Writes what a step gave; false when a number is not finite in float32.
bool VectorEnv::Impl::write_transition(std::size_t lane, const StepResult& result,
                                       const Scratch& lane_scratch) const {
  const auto reward = static_cast<float>(result.reward);
  const auto out = lane_slice(view.next_observation, lane, observation_dim);
  if (!cast_row(lane_scratch.observation, out) || !std::isfinite(reward)) return false;
  view.reward[lane] = reward;
  view.terminated[lane] = result.terminated;
  view.invalid[lane] = 0;
  copy_row(lane_scratch.observation, doubles.next_observation, lane);
  if (!doubles.reward.empty()) doubles.reward[lane] = result.reward;
  copy_row(lane_scratch.terms, doubles.terms, lane);
  return true;
}

/// A transition that must not be learnt from: zeros, so that every stored number is finite.
void VectorEnv::Impl::write_invalid(std::size_t lane, bool action_valid, Scratch& s) const {
  std::ranges::fill(lane_slice(view.next_observation, lane, observation_dim), 0.0f);
  if (!action_valid) std::ranges::fill(lane_slice(view.action, lane, action_dim), 0.0f);
  view.reward[lane] = 0;
  view.terminated[lane] = 0;
  view.invalid[lane] = 1;
  std::ranges::fill(s.observation, 0.0);
  std::ranges::fill(s.terms, 0.0);
  copy_row(s.observation, doubles.next_observation, lane);
  copy_row(s.terms, doubles.terms, lane);
  if (!doubles.reward.empty()) doubles.reward[lane] = 0;
}

void VectorEnv::Impl::step_lane(std::size_t lane, Scratch& s) {
  if (!held_lanes.empty() && held_lanes[lane] != 0) return;
  const LaneRow lane_row = row(lane);
  const bool action_valid = read_action(lane, s.action);
  StepResult result{.invalid = !action_valid};
  if (action_valid) {
    NumpyGenerator rng = lane_row.load_rng();
    result =
        env->step(workspace_of(lane, s), rng, lane_row.state, s.action, s.observation, s.terms);
    lane_row.save_rng(rng);
  }
  const auto step = static_cast<std::int64_t>(lane_row.elapsed_steps);
  const bool valid = !result.invalid && write_transition(lane, result, s);
  const bool out_of_time = max_episode_steps > 0 && step + 1 >= max_episode_steps;
  const bool truncated = valid && (out_of_time || end_episodes);
  view.truncated[lane] = truncated;
  if (valid) {
    lane_row.episode_return += result.reward;
    for (std::size_t k = 0; k < num_terms; ++k) lane_row.term_sums[k] += s.terms[k];
  } else {
    write_invalid(lane, action_valid, s);
    invalid_slots[lane] = {.env = static_cast<std::int64_t>(lane),
                           .step = step,
                           .seed = seeds[lane],
                           .invalid_action = !action_valid};
  }
  lane_row.elapsed_steps += 1;

  if (valid && !result.terminated && !truncated) {
    cast_row(s.observation, lane_slice(acting_observation, lane, observation_dim));
    copy_row(s.observation, doubles.acting_observation, lane);
    return;
  }
  const std::span term_sums = lane_slice(std::span(episode_terms), lane, num_terms);
  std::ranges::copy(lane_row.term_sums, term_sums.begin());
  episode_slots[lane] = {.env = static_cast<std::int64_t>(lane),
                         .episode = static_cast<std::int64_t>(lane_row.episode),
                         .length = step + 1,
                         .episode_return = lane_row.episode_return,
                         .terminated = valid && result.terminated,
                         .truncated = truncated,
                         .invalid = !valid,
                         .term_sums = term_sums};
  reset_lane(lane, s);
}

}  // namespace anthill
