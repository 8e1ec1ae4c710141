#include "algos/training/run_checkpoints.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <thread>

#include "algos/training/file_io.hpp"
#include "algos/training/member_arrays.hpp"
#include "algos/training/provenance.hpp"
#include "algos/training/run_owner.hpp"

namespace anthill {
namespace {

/// So many new rows are saved before they are asked for: training waits while they are copied.
constexpr std::int64_t kMaxUnsavedBytes = 128 << 20;

constexpr std::chrono::seconds kFirstBackOff{5}, kLongestBackOff{600};
constexpr int kLastTries = 3;  // at the end of a run, a second apart

/// Whether all numbers of the agents that are still training are finite: a state to go back to.
bool is_good(const NamedArrays& arrays, const Trainer& trainer) {
  const std::int64_t members = trainer.num_members();
  for (const auto& [name, array] : arrays) {
    if (!name.starts_with("agent.") || is_finite(array)) continue;
    for (std::int64_t m = 0; m < members; ++m) {
      if (trainer.has_diverged(m)) continue;
      if (!is_finite(array_of_member(name, array, m, members))) return false;
    }
  }
  return true;
}

/// Rows of the ring that no checkpoint has on the disk yet.
void copy_new_rows(const Trainer& trainer, std::int64_t stored_until,
                   CheckpointSnapshot& snapshot) {
  const ReplayBuffer& buffer = trainer.buffer();
  CheckpointInfo& info = snapshot.info;
  info.first_step = trainer.first_stored_step();
  info.end_step = trainer.end_stored_step();
  info.step_bytes = buffer.step_bytes();
  snapshot.rows_first = std::max(stored_until, info.first_step);
  const std::int64_t count = info.end_step - snapshot.rows_first;
  snapshot.rows.resize(static_cast<std::size_t>(count * info.step_bytes));
  buffer.read_steps(snapshot.rows_first - info.first_step, count, snapshot.rows.data());
}

}  // namespace

RunCheckpoints::RunCheckpoints(const CheckpointConfig& config, const std::filesystem::path& run,
                               std::string config_toml, std::string anthill_version)
    : config_(config),
      store_(run / "checkpoints", config.keep),
      config_toml_(std::move(config_toml)),
      anthill_version_(std::move(anthill_version)) {}

std::optional<Checkpoint> RunCheckpoints::open_newest(
    const std::function<void(const std::string&)>& report) {
  std::optional<Checkpoint> newest = store_.open_newest(report);
  if (newest) {
    store_.continue_from(*newest);
    saved_env_steps_ = archived_env_steps_ = newest->info().env_steps;
  }
  return newest;
}

void RunCheckpoints::set_owner_check(const std::function<void()>& check) {
  check_owner_ = check;
  store_.set_owner_check(check);
}

bool RunCheckpoints::archive_is_due(const Counters& counters) const {
  if (config_.archive_period == 0) return false;
  return archived_env_steps_ < 0 ||
         period_is_due(archived_env_steps_, counters.env_steps, config_.archive_period);
}

bool RunCheckpoints::is_due(const Trainer& trainer, bool last) const {
  const Counters& counters = trainer.counters();
  if (!enabled()) return false;
  if (last || saved_env_steps_ < 0 || archive_is_due(counters)) return true;
  if (writer_.is_busy()) return false;
  const Clock::time_point now = Clock::now();
  if (back_off_.count() > 0) return now >= retry_at_;
  const std::int64_t unsaved = trainer.end_stored_step() - store_.stored_until();
  return unsaved * trainer.buffer().step_bytes() >= kMaxUnsavedBytes ||
         period_is_due(saved_env_steps_, counters.env_steps, config_.period) ||
         (config_.period_s > 0 &&
          std::chrono::duration<double>(now - saved_at_).count() >= config_.period_s);
}

CheckpointSnapshot RunCheckpoints::take_snapshot(const Trainer& trainer,
                                                 const RunParts& parts) const {
  CheckpointSnapshot snapshot;
  const StateWriter state(snapshot.arrays);
  trainer.save(state);
  parts.save_recorder(state.part("recorder"));
  snapshot.info.anthill_version = anthill_version_;
  snapshot.info.saved_at = utc_time_now();
  snapshot.info.env = row_identity(trainer.env());
  snapshot.info.device = trainer.device().is_cuda() ? "cuda" : "cpu";
  snapshot.info.members = trainer.num_members();
  snapshot.info.env_steps = trainer.counters().env_steps;
  snapshot.info.gradient_updates = trainer.counters().gradient_updates;
  snapshot.info.wall_time_s = parts.wall_time_s;
  snapshot.config_toml = config_toml_;
  snapshot.logs = parts.logs;
  copy_new_rows(trainer, store_.stored_until(), snapshot);
  return snapshot;
}

/// Remembers when to try again.
void RunCheckpoints::note(const std::string& error) {
  if (error.empty()) {
    back_off_ = std::chrono::seconds(0);
  } else {
    check_owner_();  // no trouble to try again after
    back_off_ = std::clamp(2 * back_off_, kFirstBackOff, kLongestBackOff);
    retry_at_ = Clock::now() + back_off_;
  }
}

/// Waits for the writing thread; what went wrong there, or "".
std::string RunCheckpoints::finish_writing() {
  if (!writer_.is_busy() && !writer_.is_over()) return "";
  std::string error = writer_.finish();
  note(error);
  return error;
}

void RunCheckpoints::report(const std::string& error,
                            const std::function<void(const std::string&)>& warn) const {
  if (error.empty()) return;
  warn("warning: no checkpoint at env step " + std::to_string(saved_env_steps_) + ": " + error +
       "; training goes on, next try in " + std::to_string(back_off_.count()) + " s");
}

void RunCheckpoints::poll(const std::function<void(const std::string&)>& warn) {
  if (writer_.is_over()) report(finish_writing(), warn);
}

bool RunCheckpoints::link_newest(const std::filesystem::path& to) {
  finish_writing();
  const std::vector<std::filesystem::path> all = store_.list();
  if (all.empty()) return false;
  link_folder(all.back(), to);
  return true;
}

/// Copies what is to be saved, while training waits; nothing for numbers that are not finite.
std::shared_ptr<const CheckpointSnapshot> RunCheckpoints::copy_state(const Trainer& trainer,
                                                                     const RunParts& parts) {
  const Clock::time_point begin = Clock::now();
  auto snapshot = std::make_shared<const CheckpointSnapshot>(take_snapshot(trainer, parts));
  stopped_s_ = std::chrono::duration<double>(Clock::now() - begin).count();
  longest_stop_s_ = std::max(longest_stop_s_, stopped_s_);
  if (is_good(snapshot->arrays, trainer)) return snapshot;
  parts.warn("warning: no checkpoint at env step " + std::to_string(saved_env_steps_) +
             ": numbers are not finite; the last good one stays");
  return nullptr;
}

void RunCheckpoints::save(const Trainer& trainer, const RunParts& parts, bool last) {
  report(finish_writing(), parts.warn);
  const bool archive = archive_is_due(trainer.counters());
  const bool wait = last || saved_env_steps_ < 0;
  saved_env_steps_ = trainer.counters().env_steps;
  saved_at_ = Clock::now();
  std::string error;
  for (int i = 0; i < (last ? kLastTries : 1); ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    error.clear();
    try {
      if (archive) archived_env_steps_ = saved_env_steps_;
      const auto snapshot = copy_state(trainer, parts);
      if (!snapshot) return;
      writer_.start([this, snapshot, archive] { store_.write(*snapshot, archive); });
      if (!wait) return;
      error = writer_.finish();
    } catch (const FolderLost&) {
      throw;
    } catch (const std::runtime_error& trouble) {
      error = trouble.what();  // a log that cannot be flushed
    } catch (const std::bad_alloc&) {
      error = "no memory for a copy of what is to be saved";
    }
    if (error.empty()) break;
  }
  note(error);
  if (last && !error.empty()) throw std::runtime_error(error);
  report(error, parts.warn);
}

}  // namespace anthill
