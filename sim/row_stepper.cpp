#include "sim/row_stepper.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sim/vector_env_impl.hpp"

namespace anthill {
namespace {

template <class T>
void check_size(std::span<T> values, std::size_t expected, const char* name) {
  if (values.size() == expected) return;
  throw std::invalid_argument(std::string("RowStepper::step: ") + name + " has " +
                              std::to_string(values.size()) + " elements, expected " +
                              std::to_string(expected));
}

/// Casts to float32; false, and `out` is as it was, when a value is not finite there.
bool cast_finite(std::span<const double> values, std::span<float> out) {
  for (const double value : values) {
    if (!std::isfinite(static_cast<float>(value))) return false;
  }
  std::ranges::transform(values, out.begin(), [](double v) { return static_cast<float>(v); });
  return true;
}

}  // namespace

StoredState stored_state(const Env& env, std::span<const double> row) {
  const auto state_dim = static_cast<std::size_t>(env.spec().state_dim);
  if (row.size() != lane_row_size(env.spec()) ||
      std::bit_cast<std::uint64_t>(row[state_dim + kTagWord]) != row_tag(env)) {
    throw std::invalid_argument(
        "a state row of another task, model, MuJoCo or row format; this is " + row_identity(env));
  }
  const std::span<const double> words = row.subspan(state_dim);
  return {.state = row.first(state_dim),
          .episode = static_cast<std::int64_t>(words[NumpyGenerator::kNumWords + 1]),
          .step = static_cast<std::int64_t>(words[NumpyGenerator::kNumWords])};
}

RowStepper::RowStepper(std::shared_ptr<const Env> env, std::int64_t num_lanes, ThreadPool& pool)
    : env_(std::move(env)),
      pool_(pool),
      action_scale_(env_->spec()),
      state_dim_(static_cast<std::size_t>(env_->spec().state_dim)),
      observation_dim_(static_cast<std::size_t>(env_->spec().observation_dim)),
      action_dim_(static_cast<std::size_t>(env_->spec().action_dim)) {
  if (env_->spec().workspace_per_lane) {
    throw ConfigError("sim.env: the physics of " + env_->spec().name +
                      " is no row and cannot be followed past the time limit: no rollouts from "
                      "its states; use another task");
  }
  for (int thread = 0; thread < pool.num_threads(); ++thread) {
    scratch_.push_back({env_->make_workspace(), std::vector<float>(action_dim_),
                        std::vector<double>(observation_dim_),
                        std::vector<double>(env_->spec().reward_terms.size())});
  }
  states_.resize(static_cast<std::size_t>(num_lanes) * state_dim_);
  generators_.resize(static_cast<std::size_t>(num_lanes));
}

std::size_t RowStepper::checked(std::int64_t lane) const {
  if (lane >= 0 && lane < num_lanes()) return static_cast<std::size_t>(lane);
  throw std::invalid_argument("RowStepper: lane " + std::to_string(lane) + " of " +
                              std::to_string(num_lanes()));
}

std::span<double> RowStepper::row_of(std::int64_t lane) {
  return std::span(states_).subspan(checked(lane) * state_dim_, state_dim_);
}

std::span<const double> RowStepper::state(std::int64_t lane) const {
  return std::span(states_).subspan(checked(lane) * state_dim_, state_dim_);
}

void RowStepper::load(std::int64_t lane, std::span<const double> state, std::uint64_t seed) {
  if (state.size() != state_dim_) throw std::invalid_argument("RowStepper::load: wrong size");
  std::ranges::copy(state, row_of(lane).begin());
  generators_[checked(lane)] = NumpyGenerator(seed);
}

void RowStepper::reset(std::int64_t lane, std::uint64_t seed, std::span<float> observation) {
  check_size(observation, observation_dim_, "observation");
  Scratch& scratch = scratch_.front();
  NumpyGenerator& generator = generators_[checked(lane)];
  generator = NumpyGenerator(seed);
  env_->reset(*scratch.workspace, generator, row_of(lane), scratch.observation);
  if (!cast_finite(scratch.observation, observation)) std::ranges::fill(observation, 0.0f);
}

void RowStepper::step(std::span<const std::int64_t> lanes, std::span<const float> action,
                      const RowStepResults& results) {
  const std::size_t count = lanes.size();
  check_size(action, count * action_dim_, "action");
  check_size(results.observation, count * observation_dim_, "observation");
  check_size(results.reward, count, "reward");
  check_size(results.terminated, count, "terminated");
  check_size(results.invalid, count, "invalid");
  for (const std::int64_t lane : lanes) checked(lane);
  lanes_ = lanes;
  action_ = action;
  results_ = results;
  pool_.run(
      [](void* context, std::int64_t chunk, int thread) {
        auto& self = *static_cast<RowStepper*>(context);
        self.step_lane(static_cast<std::size_t>(chunk),
                       self.scratch_[static_cast<std::size_t>(thread)]);
      },
      this, static_cast<std::int64_t>(count));
}

void RowStepper::step_lane(std::size_t index, Scratch& scratch) {
  const std::int64_t lane = lanes_[index];
  StepResult result{.invalid = true};
  if (action_scale_.apply(action_.subspan(index * action_dim_, action_dim_), scratch.action)) {
    result = env_->step(*scratch.workspace, generators_[static_cast<std::size_t>(lane)],
                        row_of(lane), scratch.action, scratch.observation, scratch.terms);
  }
  const auto out = results_.observation.subspan(index * observation_dim_, observation_dim_);
  const bool valid = !result.invalid && std::isfinite(static_cast<float>(result.reward)) &&
                     cast_finite(scratch.observation, out);
  results_.reward[index] = valid ? result.reward : 0.0;
  results_.terminated[index] = valid && result.terminated;
  results_.invalid[index] = !valid;
}

}  // namespace anthill
