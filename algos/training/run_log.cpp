#include "algos/training/run_log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

#include "sim/errors.hpp"

namespace anthill {

static constexpr std::array<std::string_view, 5> kLearnerColumns = {"q_mean", "alpha", "entropy",
                                                                    "critic_loss", "actor_loss"};

static double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Returns `folder`, once its files are at least as long as `resumed` says.
static std::filesystem::path checked_folder(const std::filesystem::path& folder,
                                            const StateReader* resumed) {
  if (resumed == nullptr) return folder;
  const std::pair<std::string, std::string> files[] = {
      {std::string(train_metrics().file), "train_bytes"},
      {std::string(episode_metrics().file), "episode_bytes"},
      {std::string(evaluation_metrics().file), "evaluation_bytes"},
      {resumed->text("events_file"), "event_bytes"}};
  for (const auto& [name, key] : files) {
    if (name.empty()) continue;
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(folder / name, error);
    const auto needed = static_cast<std::uintmax_t>(resumed->integer(key));
    if (!error && bytes >= needed) continue;
    throw ConfigError("'" + (folder / name).string() + "' lacks rows that the checkpoint counts: " +
                      (error ? error.message() : std::to_string(bytes) + " bytes") +
                      " instead of " + std::to_string(needed) +
                      "; put it back, or start anew with --fresh --overwrite");
  }
  return folder;
}

RunLog::RunLog(const std::filesystem::path& folder, bool tensorboard,
               std::span<const std::string> reward_terms, const StateReader* resumed)
    : folder_(checked_folder(folder, resumed)),
      episode_table_(episode_metrics(), reward_terms),
      train_(folder / train_metrics().file, train_metrics()),
      episodes_(folder / episode_metrics().file, episode_table_.table()),
      evaluations_(folder / evaluation_metrics().file, evaluation_metrics()) {
  if (resumed != nullptr) resume(*resumed);
  if (!tensorboard) events_.reset();
  if (tensorboard && !events_) events_.emplace(folder, seconds_since_epoch());
}

void RunLog::resume(const StateReader& state) {
  try {
    train_.truncate(state.integer("train_bytes"));
    episodes_.truncate(state.integer("episode_bytes"));
    evaluations_.truncate(state.integer("evaluation_bytes"));
    resume_overestimation(state);
    const std::string events = state.text("events_file");
    if (!events.empty()) events_.emplace(folder_ / events, state.integer("event_bytes"));
  } catch (const std::runtime_error& error) {
    throw ConfigError(std::string(error.what()) +
                      "; put back the logs that belong to the checkpoint, or start anew with "
                      "--fresh --overwrite");
  }
  const StateReader learner = state.part("learner");
  for (const std::string_view column : kLearnerColumns) {
    const std::string name(column);
    if (learner.has(name)) learner_.emplace_back(column, learner.real(name));
  }
}

/// Without probes before the checkpoint there are no such files; later probes are made again.
void RunLog::resume_overestimation(const StateReader& state) {
  if (!state.has("overestimation_bytes")) {
    std::filesystem::remove(folder_ / overestimation_metrics().file);
    std::filesystem::remove(folder_ / overestimation_state_metrics().file);
    return;
  }
  open_overestimation();
  overestimation_->truncate(state.integer("overestimation_bytes"));
  overestimation_states_->truncate(state.integer("overestimation_states_bytes"));
}

void RunLog::open_overestimation() {
  if (overestimation_) return;
  overestimation_.emplace(folder_ / overestimation_metrics().file, overestimation_metrics());
  overestimation_states_.emplace(folder_ / overestimation_state_metrics().file,
                                 overestimation_state_metrics());
}

void RunLog::save(StateWriter state) {
  state.integer("train_bytes", train_.offset());
  state.integer("episode_bytes", episodes_.offset());
  state.integer("evaluation_bytes", evaluations_.offset());
  if (overestimation_) {
    state.integer("overestimation_bytes", overestimation_->offset());
    state.integer("overestimation_states_bytes", overestimation_states_->offset());
  }
  state.text("events_file", events_ ? events_->path().filename().string() : "");
  state.integer("event_bytes", events_ ? events_->offset() : 0);
  for (const auto& [name, value] : learner_)
    state.part("learner").real(std::string(name), value.number);
}

std::vector<std::filesystem::path> RunLog::paths() const {
  std::vector<std::filesystem::path> all;
  for (const auto file :
       {train_metrics().file, episode_metrics().file, evaluation_metrics().file}) {
    all.push_back(folder_ / file);
  }
  if (overestimation_) {
    all.push_back(folder_ / overestimation_metrics().file);
    all.push_back(folder_ / overestimation_state_metrics().file);
  }
  if (events_) all.push_back(events_->path());
  return all;
}

void RunLog::train(const MetricRow& row) {
  record(train_, train_metrics(), row);
  learner_.clear();
  for (const std::string_view column : kLearnerColumns) {
    const auto found = std::ranges::find(row, column, &MetricRow::value_type::first);
    // kLearnerColumns outlives the names in the row
    if (found != row.end()) learner_.emplace_back(column, found->second);
  }
  flush();
}

void RunLog::episode(const MetricRow& row) {
  MetricRow full = row;
  full.insert(full.end(), learner_.begin(), learner_.end());
  record(episodes_, episode_table_.table(), full);
}

void RunLog::evaluation(const MetricRow& row) {
  record(evaluations_, evaluation_metrics(), row);
  flush();
}

void RunLog::overestimation(const MetricRow& row, std::span<const MetricRow> states) {
  open_overestimation();
  record(*overestimation_, overestimation_metrics(), row);
  for (const MetricRow& state : states) overestimation_states_->append(state);
  flush();
}

void RunLog::flush() {
  train_.flush();
  episodes_.flush();
  evaluations_.flush();
  if (overestimation_) {
    overestimation_->flush();
    overestimation_states_->flush();
  }
  if (events_) events_->flush();
}

void RunLog::record(CsvLog& csv, const MetricTable& table, const MetricRow& row) {
  const auto step = std::ranges::find(row, "env_steps", &MetricRow::value_type::first);
  if (step == row.end()) {
    throw std::logic_error(std::string(table.file) + ": a row without env_steps");
  }
  csv.append(row);
  if (!events_) return;
  std::string prefix = std::string(table.prefix) + "/";
  const auto states = std::ranges::find(row, "states", &MetricRow::value_type::first);
  if (states != row.end()) prefix += std::string(states->second.word) + "/";
  ScalarList scalars;
  for (const auto& [name, value] : row) {
    const auto column = std::ranges::find(table.columns, name, &MetricColumn::name);
    if (column->scalar) scalars.emplace_back(prefix + std::string(name), value.number);
  }
  events_->scalars(scalars, static_cast<std::int64_t>(step->second.number), seconds_since_epoch());
}

}  // namespace anthill
