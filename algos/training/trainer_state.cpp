// The trainer in a checkpoint: what it saves, and how it goes on.
#include "algos/training/trainer.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

/// Calls `visit(name, span)` for every array of a vector step that is not in the buffer yet.
template <class Visit>
void for_each_row(const TransitionView& rows, const Visit& visit) {
  visit("action", rows.action);
  visit("reward", rows.reward);
  visit("next_observation", rows.next_observation);
  visit("terminated", rows.terminated);
  visit("truncated", rows.truncated);
  visit("invalid", rows.invalid);
}

template <class T>
std::span<const T> constant(std::span<T> values) {
  return values;
}

void check_environments(const Checkpoint& checkpoint, const Env& env) {
  const std::string expected = row_identity(env);
  if (checkpoint.info().env == expected) return;
  throw ConfigError("'" + checkpoint.folder().string() + "' holds environments of (" +
                    checkpoint.info().env.substr(0, 300) + "), this is (" + expected +
                    "); use the same task, model, MuJoCo and build");
}

void check_members(const Checkpoint& checkpoint, std::int64_t members) {
  if (checkpoint.info().members == members) return;
  throw ConfigError("'" + checkpoint.folder().string() + "' was saved by " +
                    std::to_string(checkpoint.info().members) + " members, this run has " +
                    std::to_string(members) + "; resume with the same members");
}

}  // namespace

std::int64_t Trainer::end_stored_step() const {
  return counters_.vector_steps - (phase_ == StepPhase::unstored ? 1 : 0);
}

std::int64_t Trainer::first_stored_step() const { return end_stored_step() - buffer_->num_steps(); }

void Trainer::save(StateWriter state) const {
  const StateWriter own = state.part("trainer");
  own.integer("env_steps", counters_.env_steps);
  own.integer("gradient_updates", counters_.gradient_updates);
  own.integer("vector_steps", counters_.vector_steps);
  own.integer("reported_updates", reported_updates_);
  own.integer("phase", static_cast<std::int64_t>(phase_));
  std::vector<std::int64_t> episodes, num_valid, diverged;
  for (const Member& member : members_) {
    episodes.push_back(member.episodes);
    num_valid.push_back(member.num_valid);
    diverged.push_back(member.diverged);
  }
  own.array("episodes", std::span<const std::int64_t>(episodes));
  own.array("num_valid", std::span<const std::int64_t>(num_valid));
  own.array("diverged", std::span<const std::int64_t>(diverged));
  if (!recent_returns_.empty()) {
    own.array("recent_returns", std::span<const double>(recent_returns_));
  }
  if (!held_out_.empty()) own.array("held_out", std::span<const std::uint8_t>(held_out_));
  agent_->save(state.part("agent"));
  state.part("envs").array("rows", envs_->state(), {envs_->num_envs(), envs_->row_size()});

  const StateWriter staging = state.part("staging");
  const TransitionView rows = staging_->back();
  staging.array("observation", constant(rows.observation), {rows.num_envs, rows.observation_dim});
  if (phase_ != StepPhase::unstored) return;
  staging.array("next_acting_observation", constant(staging_->next_acting_observation()));
  for_each_row(rows, [&](const char* name, auto values) { staging.array(name, constant(values)); });
  staging.array("state", std::span<const double>(state_before_));
}

void Trainer::load(const Checkpoint& checkpoint) {
  check_environments(checkpoint, *env_);
  check_members(checkpoint, num_members());
  const StateReader state = checkpoint.state();
  const StateReader own = state.part("trainer");
  counters_ = {.env_steps = own.integer("env_steps"),
               .gradient_updates = own.integer("gradient_updates"),
               .vector_steps = own.integer("vector_steps")};
  std::vector<std::int64_t> episodes(members_.size()), num_valid(episodes), diverged(episodes);
  own.array("episodes", std::span(episodes));
  own.array("num_valid", std::span(num_valid));
  // checkpoints from before there were stacks do not have it
  if (own.has("diverged")) own.array("diverged", std::span(diverged));
  for (std::size_t m = 0; m < members_.size(); ++m) {
    members_[m].episodes = episodes[m];
    members_[m].num_valid = num_valid[m];
    members_[m].diverged = diverged[m] != 0;
  }
  reported_updates_ = own.integer("reported_updates");
  phase_ = static_cast<StepPhase>(own.integer("phase"));
  if (own.has("recent_returns")) recent_returns_ = own.values<double>("recent_returns");
  if (!held_out_.empty()) own.array("held_out", std::span(held_out_));
  agent_->load(state.part("agent"));
  std::vector<double> lanes(envs_->state().size());
  state.part("envs").array("rows", std::span(lanes));
  envs_->restore(lanes);

  const StateReader staging = state.part("staging");
  const TransitionView rows = staging_->back();
  staging.array("observation", rows.observation);
  if (phase_ == StepPhase::unstored) {
    staging.array("next_acting_observation", staging_->next_acting_observation());
    for_each_row(rows, [&](const char* name, auto values) { staging.array(name, values); });
    state_before_ = staging.values<double>("state");
  }
  checkpoint.load_replay(*buffer_);
  loaded_ = true;
}

void Trainer::load_frozen(const Checkpoint& checkpoint) {
  check_environments(checkpoint, *env_);
  agent_->load_networks(checkpoint.state().part("agent"));
  checkpoint.load_replay(*buffer_);
}

}  // namespace anthill
