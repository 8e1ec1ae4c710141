#include "algos/training/run_recorder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "algos/training/policy_file.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {
namespace {

/// Later ones are only counted, in train.csv.
constexpr std::int64_t kMaxSimWarningLines = 20;

double number(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

double resident_memory_mib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  if (!(statm >> total >> resident)) return std::numeric_limits<double>::quiet_NaN();
  return number(resident) * number(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

RunRecorder::RunRecorder(const ExperimentConfig& config, RunFolder& folder,
                         RunCheckpoints* checkpoints, RunMember member,
                         std::span<const std::string> reward_terms, const StateReader* resumed)
    : config_(config),
      folder_(folder),
      checkpoints_(checkpoints),
      member_(std::move(member)),
      log_(folder.path(), config.log.tensorboard, reward_terms, resumed),
      progress_(config.log.progress_period_s),
      replay_ratio_(config.training) {
  status_.state = RunState::running;
  status_.total_env_steps = live_.total_env_steps = config.training.total_env_steps;
  live_.total_gradient_updates = replay_ratio_.updates_due(config.training.total_env_steps, 0);
  period_.wall_time_s = folder.wall_time_s();
  for (const std::string& term : reward_terms) term_columns_.push_back(term_column(term));
  if (resumed != nullptr) load(*resumed);
}

void RunRecorder::on_step(const Counters& counters, const TransitionView& rows,
                          const StepRecords& records) {
  period_.reward_sum += std::accumulate(rows.reward.begin(), rows.reward.end(), 0.0);
  record_episodes(counters, records.finished_episodes);
  warn_invalid(records.invalid_transitions);
  on_tick(counters);
}

void RunRecorder::on_tick(const Counters& counters) {
  status_.env_steps = live_.env_steps = counters.env_steps;
  status_.gradient_updates = live_.gradient_updates = counters.gradient_updates;
  live_.replay_ratio = replay_ratio_.achieved(counters.env_steps, counters.gradient_updates);
  if (checkpoints_ != nullptr) progress_.update(live_);
  attempt([&] { folder_.update_status(status_); });
}

void RunRecorder::message(const std::string& text) {
  progress_.message(member_.name.empty() ? text : member_.name + ": " + text);
}

void RunRecorder::record_episodes(const Counters& counters,
                                  std::span<const EpisodeRecord> episodes) {
  for (const EpisodeRecord& record : episodes) {
    period_.return_sum += record.episode_return;
    period_.length_sum += record.length;
    ++period_.episodes;
    MetricRow row = {
        {"env_steps", number(counters.env_steps)}, {"env", number(record.env)},
        {"episode", number(record.episode)},       {"episode_return", record.episode_return},
        {"episode_length", number(record.length)}, {"terminated", record.terminated},
        {"truncated", record.truncated},           {"invalid", record.invalid},
        {"wall_time_s", folder_.wall_time_s()}};
    for (std::size_t k = 0; k < term_columns_.size(); ++k) {
      row.emplace_back(term_columns_[k], record.term_sums[k]);
    }
    log_.episode(row);
  }
}

void RunRecorder::warn_invalid(std::span<const InvalidRecord> records) {
  for (const InvalidRecord& record : records) {
    if (++sim_warnings_ > kMaxSimWarningLines) continue;
    message(
        "warning: environment " + std::to_string(record.env) + ", step " +
        std::to_string(record.step) + ", seed " + std::to_string(record.seed) +
        (record.invalid_action ? ": invalid action"
                               : ": simulator failure (" + simulation_failure() + ")") +
        "; its episode ends and the transition is not used" +
        (sim_warnings_ == kMaxSimWarningLines ? " (later ones are counted in sim_warnings)" : ""));
  }
}

void RunRecorder::on_metrics(const Counters& counters, const std::vector<std::string>& names,
                             const std::vector<double>& means) {
  const double now = folder_.wall_time_s();
  const double seconds = std::max(now - period_.wall_time_s, 1e-9);
  const double steps = number(counters.env_steps - period_.env_steps);
  if (steps <= 0.0) return;  // the end coincides with a row already written
  const double updates = number(counters.gradient_updates - period_.gradient_updates);
  MetricRow row = {
      {"env_steps", number(counters.env_steps)},
      {"gradient_updates", number(counters.gradient_updates)},
      {"episodes", number(counters.episodes)},
      {"wall_time_s", now},
      {"env_steps_per_s", steps / seconds},
      {"updates_per_s", updates / seconds},
      {"replay_ratio", replay_ratio_.achieved(counters.env_steps, counters.gradient_updates)},
      {"samples_per_transition", number(counters.gradient_updates) *
                                     number(config_.training.batch_size) /
                                     number(std::max<std::int64_t>(1, counters.env_steps))},
      {"reward_mean", period_.reward_sum / steps},
      {"sim_warnings", number(sim_warnings_)},
      {"memory_mib", resident_memory_mib()}};
  if (period_.episodes > 0) {
    row.emplace_back("train_return", period_.return_sum / number(period_.episodes));
    row.emplace_back("train_length", number(period_.length_sum) / number(period_.episodes));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    row.emplace_back(names[i], means[i]);
    if (names[i] == "q_mean") live_.q_mean = means[i];
    if (names[i] == "alpha") live_.alpha = means[i];
  }
  attempt([&] {
    folder_.check_owner();
    log_.train(row);
  });
  period_ = {.wall_time_s = now,
             .env_steps = counters.env_steps,
             .gradient_updates = counters.gradient_updates};
}

void RunRecorder::on_evaluation(const Counters& counters, const EvaluationResult& result,
                                Agent& agent) {
  const auto [low, high] = std::ranges::minmax(result.returns);
  const MetricRow row = {{"env_steps", number(counters.env_steps)},
                         {"gradient_updates", number(counters.gradient_updates)},
                         {"wall_time_s", folder_.wall_time_s()},
                         {"num_episodes", number(static_cast<std::int64_t>(result.returns.size()))},
                         {"return_mean", result.return_mean()},
                         {"return_std", result.return_std()},
                         {"return_min", low},
                         {"return_max", high},
                         {"length_mean", result.length_mean()},
                         {"invalid_episodes", number(result.num_invalid)},
                         {"deterministic", 1},
                         {"seconds", result.seconds}};
  attempt([&] {
    folder_.check_owner();
    log_.evaluation(row);
  });
  live_.evaluation_return = result.return_mean();
  status_.last_evaluation =
      LastEvaluation{counters.env_steps, static_cast<std::int64_t>(result.returns.size()),
                     result.return_mean(), result.return_std()};
  attempt([&] { write_policy(counters, agent); });
}

void RunRecorder::on_overestimation(const Counters& counters, const OverestimationResult& result) {
  const double now = folder_.wall_time_s();
  probe_seconds_ += result.seconds;
  const double share = probe_seconds_ / std::max(now, 1e-9);
  for (const ProbedKind& kind : result.kinds) {
    MetricRow row = kind.summary;
    row.insert(row.end(), {{"env_steps", counters.env_steps},
                           {"gradient_updates", counters.gradient_updates},
                           {"wall_time_s", now},
                           {"seconds", result.seconds},
                           {"time_share", share}});
    std::vector<MetricRow> states;
    for (std::size_t i = 0; i < kind.states.size(); ++i) {
      states.push_back(state_row(kind.kind, static_cast<std::int64_t>(i), kind.states[i]));
      states.back().emplace_back("env_steps", counters.env_steps);
    }
    attempt([&] {
      folder_.check_owner();
      log_.overestimation(row, states);
    });
    message(overestimation_line(kind, counters.env_steps));
  }
  message(overestimation_cost_line(result, probe_seconds_, now));
}

void RunRecorder::write_policy(const Counters& counters, const Agent& agent) {
  folder_.check_owner();
  save_policy(folder_.path() / "policy.safetensors", agent, member_.index,
              {{"env", config_.sim.env},
               {"algorithm", config_.agent.algorithm},
               {"env_steps", std::to_string(counters.env_steps)},
               {"gradient_updates", std::to_string(counters.gradient_updates)}});
}

void RunRecorder::on_non_finite(const Counters& counters) {
  if (++non_finite_warnings_ > kMaxSimWarningLines) return;
  message("warning: numbers are not finite at env step " + std::to_string(counters.env_steps) +
          ", update " + std::to_string(counters.gradient_updates) +
          "; training.on_non_finite = \"continue\" goes on, checkpoints keep the last good state");
}

void RunRecorder::report_trouble(const std::string& error) {
  const auto now = std::chrono::steady_clock::now();
  if (now < warn_at_) return;
  message("warning: " + error + "; training goes on and tries again");
  warn_at_ = now + warn_period_;
  warn_period_ = std::min(2 * warn_period_, std::chrono::seconds(600));
}

void RunRecorder::finish(RunState state, const std::string& reason, const Counters& counters,
                         const Agent* agent) {
  progress_.finish();
  folder_.check_owner();
  status_.state = state;
  status_.reason = reason;
  status_.env_steps = counters.env_steps;
  status_.gradient_updates = counters.gradient_updates;
  // what one of them cannot write takes nothing from the others
  std::string failure = lost_checkpoint_;
  const auto try_to = [&](const auto& write) {
    try {
      write();
    } catch (const FolderLost&) {
      throw;
    } catch (const std::exception& error) {
      if (failure.empty()) failure = error.what();
    }
  };
  try_to([&] { log_.flush(); });
  if (agent != nullptr && state != RunState::diverged) {
    try_to([&] { write_policy(counters, *agent); });
  }
  // the status must not stay "running" because a disk is full; a first failure keeps its reason
  if (state == RunState::failed) failure.clear();
  if (!failure.empty()) {
    status_.state = RunState::failed;
    status_.reason = failure;
  }
  folder_.finish(status_);
  if (!failure.empty()) throw std::runtime_error(failure);
}

}  // namespace anthill
