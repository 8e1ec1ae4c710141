#include "algos/training/stack_recorder.hpp"

#include <algorithm>
#include <stdexcept>

#include "algos/training/post_mortem.hpp"

namespace anthill {

StackRecorder::StackRecorder(std::vector<StackMember> members, RunFolder& folder,
                             RunCheckpoints& checkpoints, std::span<const std::string> reward_terms,
                             const StateReader* resumed)
    : members_(std::move(members)),
      folder_(folder),
      checkpoints_(checkpoints),
      progress_(members_.at(0).config.log.progress_period_s) {
  for (std::size_t m = 0; m < members_.size(); ++m) {
    recorders_.emplace_back();
    const StackMember& member = members_[m];
    if (!member.folder) continue;
    const RunMember place{static_cast<std::int64_t>(m), member.name};
    std::optional<StateReader> state;
    if (resumed != nullptr) state = resumed->part(std::to_string(m));
    recorders_.back() = std::make_unique<RunRecorder>(member.config, *member.folder, place,
                                                      reward_terms, state ? &*state : nullptr);
  }
  status_.state = RunState::running;
  status_.total_env_steps = live_.total_env_steps = members_[0].config.training.total_env_steps;
}

/// Runs `write`; a file system that fails is no reason to end the other members.
template <class Write>
void StackRecorder::attempt(const Write& write) {
  try {
    write();
  } catch (const FolderLost&) {
    throw;
  } catch (const std::runtime_error& error) {
    message(std::string("warning: ") + error.what());
  }
}

template <class Call>
void StackRecorder::for_recorders(const Call& call) {
  for (std::size_t m = 0; m < recorders_.size(); ++m) {
    if (recorders_[m]) call(static_cast<std::int64_t>(m), *recorders_[m]);
  }
}

TrainingObserver& StackRecorder::member(std::int64_t member) {
  return *recorders_.at(static_cast<std::size_t>(member));
}

void StackRecorder::on_tick(const Counters& counters) {
  for_recorders([&](std::int64_t, RunRecorder& recorder) { recorder.on_tick(counters); });
  status_.gradient_updates = counters.gradient_updates;
  show();
}

/// The members' means where they differ.
void StackRecorder::show() {
  double evaluation_return = 0.0, q_mean = 0.0, alpha = 0.0, count = 0.0;
  for_recorders([&](std::int64_t, RunRecorder& recorder) {
    const ProgressState& live = recorder.live();
    live_.env_steps = live.env_steps;
    live_.gradient_updates = live.gradient_updates;
    live_.replay_ratio = live.replay_ratio;
    evaluation_return += live.evaluation_return;
    q_mean += live.q_mean;
    alpha += live.alpha;
    ++count;
  });
  live_.evaluation_return = evaluation_return / count;
  live_.q_mean = q_mean / count;
  live_.alpha = alpha / count;
  status_.env_steps = live_.env_steps;
  progress_.update(live_);
  attempt([&] { folder_.update_status(status_); });
}

void StackRecorder::on_member_diverged(const Trainer& trainer, std::int64_t member) {
  const auto m = static_cast<std::size_t>(member);
  const Counters counters = trainer.counters(member);
  const std::string reason = "the learner diverged: non-finite values at update " +
                             std::to_string(counters.gradient_updates);
  message(members_[m].name + ": " + reason + "; the other members go on");
  const std::filesystem::path& run = members_[m].folder->path();
  attempt([&] {
    members_[m].folder->check_owner();
    write_post_mortem(run, trainer, checkpoints_, member);
  });
  attempt([&] { recorders_[m]->finish(RunState::diverged, reason, counters, nullptr); });
  recorders_[m].reset();
}

void StackRecorder::on_safe_point(const Trainer& trainer, bool last) {
  show();
  const auto warn = [this](const std::string& text) { message(text); };
  checkpoints_.poll(warn);
  if (!checkpoints_.is_due(trainer, last)) return;
  RunParts parts = {.save_recorder = [this](StateWriter state) { save(state); },
                    .logs = {},
                    .warn = warn,
                    .wall_time_s = folder_.wall_time_s()};
  for_recorders([&](std::int64_t, RunRecorder& recorder) {
    for (const std::filesystem::path& log : recorder.logs()) parts.logs.push_back(log);
  });
  try {
    checkpoints_.save(trainer, parts, last);
  } catch (const FolderLost&) {
    throw;
  } catch (const std::runtime_error& error) {
    lost_checkpoint_ = std::string("the last checkpoint could not be written: ") + error.what();
    message("warning: " + lost_checkpoint_);
  }
}

void StackRecorder::save(StateWriter state) {
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const StateWriter part = state.part(std::to_string(m));
    part.text("config", members_[m].config_toml);
    if (recorders_[m]) recorders_[m]->save(part);
  }
}

std::string StackRecorder::diverged_members() const {
  const auto count = std::ranges::count_if(recorders_, [](const auto& r) { return !r; });
  if (count == 0) return "";
  return std::to_string(count) + " of " + std::to_string(recorders_.size()) + " members diverged";
}

void StackRecorder::finish(RunState state, const std::string& reason, const Trainer& trainer) {
  progress_.finish();
  const std::string diverged = diverged_members();
  const bool is_diverged = state == RunState::finished && !diverged.empty();
  status_.state = is_diverged ? RunState::diverged : state;
  status_.reason = is_diverged ? diverged : reason;
  std::string failure = state == RunState::failed ? "" : lost_checkpoint_;
  for_recorders([&](std::int64_t m, RunRecorder& recorder) {
    try {
      const Agent* agent = state == RunState::failed ? nullptr : &trainer.agent();
      recorder.finish(state, reason, trainer.counters(m), agent);
    } catch (const FolderLost&) {
      throw;
    } catch (const std::runtime_error& error) {
      failure = error.what();
    }
  });
  const Counters counters = trainer.counters();
  status_.env_steps = counters.env_steps;
  status_.gradient_updates = counters.gradient_updates;
  if (!failure.empty()) {
    status_.state = RunState::failed;
    status_.reason = failure;
  }
  folder_.finish(status_);
  if (!failure.empty()) throw std::runtime_error(failure);
}

}  // namespace anthill
