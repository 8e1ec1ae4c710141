// The recorder in a checkpoint, so that a resumed run's files are those of an uninterrupted one.
#include "algos/training/run_recorder.hpp"

namespace anthill {

void RunRecorder::on_safe_point(const Trainer& trainer, bool last) {
  const auto warn = [this](const std::string& text) { message(text); };
  checkpoints_->poll(warn);
  if (!checkpoints_->is_due(trainer, last)) return;
  const RunParts parts = {.save_recorder = [this](StateWriter state) { save(state); },
                          .logs = log_.paths(),
                          .warn = warn,
                          .wall_time_s = folder_.wall_time_s()};
  try {
    checkpoints_->save(trainer, parts, last);
  } catch (const FolderLost&) {
    throw;
  } catch (const std::runtime_error& error) {
    lost_checkpoint_ = std::string("the last checkpoint could not be written: ") + error.what();
    message("warning: " + lost_checkpoint_);
  }
}

void RunRecorder::save(StateWriter state) {
  folder_.check_owner();
  log_.save(state);
  const StateWriter period = state.part("period");
  period.real("wall_time_s", period_.wall_time_s);
  period.integer("env_steps", period_.env_steps);
  period.integer("gradient_updates", period_.gradient_updates);
  period.real("reward_sum", period_.reward_sum);
  period.real("return_sum", period_.return_sum);
  period.integer("episodes", period_.episodes);
  period.integer("length_sum", period_.length_sum);
  state.integer("sim_warnings", sim_warnings_);
  state.real("probe_seconds", probe_seconds_);
  state.real("q_mean", live_.q_mean);
  state.real("alpha", live_.alpha);
  if (!status_.last_evaluation) return;
  const StateWriter evaluation = state.part("last_evaluation");
  evaluation.integer("env_steps", status_.last_evaluation->env_steps);
  evaluation.integer("num_episodes", status_.last_evaluation->num_episodes);
  evaluation.real("return_mean", status_.last_evaluation->return_mean);
  evaluation.real("return_std", status_.last_evaluation->return_std);
}

void RunRecorder::load(const StateReader& state) {
  const StateReader period = state.part("period");
  period_ = {.wall_time_s = period.real("wall_time_s"),
             .env_steps = period.integer("env_steps"),
             .gradient_updates = period.integer("gradient_updates"),
             .reward_sum = period.real("reward_sum"),
             .return_sum = period.real("return_sum"),
             .episodes = period.integer("episodes"),
             .length_sum = period.integer("length_sum")};
  sim_warnings_ = state.integer("sim_warnings");
  probe_seconds_ = state.real("probe_seconds");
  live_.q_mean = state.real("q_mean");
  live_.alpha = state.real("alpha");
  if (!state.has("last_evaluation")) return;
  const StateReader evaluation = state.part("last_evaluation");
  status_.last_evaluation =
      LastEvaluation{evaluation.integer("env_steps"), evaluation.integer("num_episodes"),
                     evaluation.real("return_mean"), evaluation.real("return_std")};
  live_.evaluation_return = status_.last_evaluation->return_mean;
}

}  // namespace anthill
