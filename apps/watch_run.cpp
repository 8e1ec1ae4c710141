#include "apps/watch_run.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "algos/training/human_text.hpp"
#include "configs/experiment.hpp"

namespace anthill {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLate_s = 15.0, kLost_s = 60.0;  // a heartbeat is due every 2 s
constexpr double kGone_s = 5.0;                   // once the process is known to be gone
constexpr double kRateWindow_s = 10.0;
constexpr double kHugeQ = 1e6;  // as the analysis counts a run as diverged

const std::array<const char*, kNumHealths> kNames = {"waiting",  "silent",  "crashed",
                                                     "starting", "running", "finished",
                                                     "stopped",  "failed",  "diverged"};

const std::vector<std::string> kLearnerColumns = {"q_mean", "alpha", "entropy", "critic_loss",
                                                  "actor_loss"};

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// Seconds since the file was written by this machine's clock, and since `stamp` (UTC, ISO 8601),
/// whichever is less: clocks of two machines may differ. Never negative.
double age_of(const std::filesystem::path& path, const std::string& stamp) {
  const auto now = static_cast<double>(std::time(nullptr));
  double age = std::numeric_limits<double>::infinity();
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) age = now - static_cast<double>(info.st_mtime);
  std::tm utc{};
  if (::strptime(stamp.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) != nullptr) {
    age = std::min(age, now - static_cast<double>(::timegm(&utc)));
  }
  return std::isfinite(age) ? std::max(age, 0.0) : 0.0;
}

}  // namespace

const char* health_name(Health health) { return kNames[static_cast<std::size_t>(health)]; }

bool is_over(Health health) {
  return health == Health::crashed || health == Health::finished || health == Health::stopped ||
         health == Health::failed || health == Health::diverged;
}

double latest(const std::vector<double>& values) {
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    if (!std::isnan(*value)) return *value;
  }
  return kNan;
}

WatchedRun::WatchedRun(std::filesystem::path folder, std::string name)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      train_(folder_ / "train.csv",
             {"env_steps", "gradient_updates", "wall_time_s", "replay_ratio", "critic_loss",
              "actor_loss", "alpha", "entropy", "q_mean", "sim_warnings", "memory_mib"}),
      evaluations_(folder_ / "eval.csv", {"env_steps", "return_mean", "invalid_episodes"}),
      episodes_(folder_ / "episodes.csv", {"env_steps", "episode_return"}),
      probes_(folder_ / "overestimation.csv",
              {"env_steps", "bias_reward", "bias_reward_low", "bias_reward_high", "q_mean",
               "soft_return", "implausible_share", "invalid_states"},
              "states", "on_policy") {}

void WatchedRun::poll() {
  const std::string before = status_text_;
  read_status();
  if (is_read_ && status_text_ == before) return;
  if (settings_.empty()) read_settings();
  for (CsvTail* table : {&train_, &evaluations_, &episodes_, &probes_}) table->poll();
  judge();
  is_read_ = is_over(health_) && health_ != Health::crashed;
  collect_warnings();
}

void WatchedRun::read_status() {
  const std::string text = read_text(folder_ / "status.json");
  status_trouble_.clear();
  if (text == status_text_ && !text.empty()) return;
  if (!status_text_.empty()) changed_at_ = Clock::now();
  status_text_ = text;
  std::error_code error;
  if (text.empty()) {
    status_ = {};
    // the file is made empty before its first words
    if (std::filesystem::exists(folder_ / "status.json", error)) status_.state = "starting";
    return;
  }
  try {
    const auto json = nlohmann::json::parse(text);
    status_ = {.state = json.at("state").get<std::string>(),
               .reason = json.value("reason", ""),
               .host = json.value("host", ""),
               .updated_at = json.value("updated_at", ""),
               .env_steps = json.value("env_steps", std::int64_t{0}),
               .total_env_steps = json.value("total_env_steps", std::int64_t{0}),
               .gradient_updates = json.value("gradient_updates", std::int64_t{0}),
               .pid = json.value("pid", std::int64_t{0}),
               .wall_time_s = json.value("wall_time_s", 0.0)};
  } catch (const nlohmann::json::exception&) {
    status_trouble_ = "status.json cannot be read; is the file damaged?";
    status_text_.clear();                                  // looked at again
    if (status_.state.empty()) status_.state = "running";  // its age says more
  }
}

void WatchedRun::read_settings() {
  const std::filesystem::path path = folder_ / "resolved.toml";
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  try {
    const ExperimentConfig config = read_experiment(path.string(), {}).config;
    settings_ = config.sim.env + "  " + config.agent.algorithm + "  seed " +
                std::to_string(config.run.seed);
    if (status_.total_env_steps == 0) status_.total_env_steps = config.training.total_env_steps;
  } catch (const std::exception&) {
    // half of a file, or another version's: the numbers are shown all the same
  }
}

/// What the state of status.json, its age and the process say together.
void WatchedRun::judge() {
  // an earlier version's refused resume left zeros
  const double logged = latest(train_.column("env_steps"));
  if (logged > static_cast<double>(status_.env_steps)) {
    status_.env_steps = static_cast<std::int64_t>(logged);
    status_.gradient_updates = static_cast<std::int64_t>(latest(train_.column("gradient_updates")));
    status_.wall_time_s = std::max(status_.wall_time_s, latest(train_.column("wall_time_s")));
  }
  if (status_.state.empty()) {
    // results that were kept have no status
    health_ = train_.num_rows() > 0 ? Health::finished : Health::waiting;
    return;
  }
  health_ = Health::running;
  for (int i = static_cast<int>(Health::starting); i < kNumHealths; ++i) {
    if (status_.state == kNames[static_cast<std::size_t>(i)]) health_ = static_cast<Health>(i);
  }
  if (health_ != Health::running && health_ != Health::starting) return;
  age_s_ = age_of(folder_ / "status.json", status_.updated_at);
  if (changed_at_) {
    age_s_ = std::min(age_s_, std::chrono::duration<double>(Clock::now() - *changed_at_).count());
  }
  const bool here = !status_.host.empty() && status_.host == host_name() && status_.pid > 0;
  const bool gone = here && ::kill(static_cast<pid_t>(status_.pid), 0) != 0 && errno == ESRCH;
  is_process_here_ = here && !gone;
  // a suspended process is silent for long, and goes on
  if ((gone && age_s_ > kGone_s) || (!here && age_s_ > kLost_s)) {
    health_ = Health::crashed;
  } else if (age_s_ > kLate_s) {
    health_ = Health::silent;
  }
}

double WatchedRun::rate(std::int64_t now, const std::string& column) const {
  if (health_ != Health::running && health_ != Health::silent) return kNan;
  const std::vector<double>& values = train_.column(column);
  const std::vector<double>& times = train_.column("wall_time_s");
  if (values.empty() || times.size() != values.size()) {
    return status_.wall_time_s > 0.0 ? static_cast<double>(now) / status_.wall_time_s : kNan;
  }
  // the latest row that is old enough
  std::size_t row = values.size() - 1;
  while (row > 0 && times[row] > status_.wall_time_s - kRateWindow_s) --row;
  const double seconds = status_.wall_time_s - times[row];
  return seconds > 0.0 ? (static_cast<double>(now) - values[row]) / seconds : kNan;
}

double WatchedRun::remaining_s() const {
  const double speed = env_steps_per_s();
  const auto steps = static_cast<double>(status_.total_env_steps - status_.env_steps);
  return speed > 0.0 && steps >= 0.0 ? steps / speed : kNan;
}

void WatchedRun::collect_warnings() {
  warnings_.clear();
  if (health_ == Health::crashed) {
    warnings_.push_back("no heartbeat for " + duration(age_s_) +
                        (status_.host.empty() ? "" : " from " + status_.host) +
                        ": crashed or killed; --resume goes on");
  } else if (health_ == Health::silent) {
    warnings_.push_back("no heartbeat for " + duration(age_s_) +
                        (is_process_here_ ? ", but its process lives: suspended or stuck?" : ""));
  } else if (health_ == Health::diverged) {
    warnings_.push_back("numbers are not finite; read post_mortem/diagnosis.md");
  }
  // why a run has ended early and well is no warning
  if (!status_.reason.empty() && health_ != Health::finished) warnings_.push_back(status_.reason);
  if (!status_trouble_.empty()) warnings_.push_back(status_trouble_);
  for (const CsvTail* table : {&train_, &evaluations_, &episodes_, &probes_}) {
    if (!table->trouble().empty()) warnings_.push_back(table->trouble());
  }
  warn_of_learner();
  warn_of_bias();
}

void WatchedRun::warn_of_learner() {
  for (const std::string& column : kLearnerColumns) {
    if (train_.saw_non_finite(column)) warnings_.push_back(column + " was not finite");
  }
  const double q = latest(train_.column("q_mean"));
  if (std::abs(q) > kHugeQ) warnings_.push_back("Q has run away: " + short_number(q));
  const double failures = latest(train_.column("sim_warnings"));
  if (failures > 0.0) {
    warnings_.push_back("the simulator failed in " + short_number(failures) + " transitions");
  }
  double invalid = 0.0;
  for (const double count : evaluations_.column("invalid_episodes")) invalid += count;
  if (invalid > 0.0) {
    warnings_.push_back("the simulator failed in " + short_number(invalid) +
                        " evaluation episodes");
  }
}

void WatchedRun::warn_of_bias() {
  const double low = latest(probes_.column("bias_reward_low"));
  if (low > 0.0) {
    warnings_.push_back(
        "the critic overestimates: Q " + short_number(latest(probes_.column("q_mean"))) +
        ", soft value " + short_number(latest(probes_.column("soft_return"))) + ", B_r 95 % [" +
        short_number(low) + ", " + short_number(latest(probes_.column("bias_reward_high"))) + "]");
  }
  const double implausible = latest(probes_.column("implausible_share"));
  if (implausible > 0.0) {
    warnings_.push_back(short_number(100.0 * implausible) +
                        " % of the probed states have a Q that no policy can earn");
  }
}

}  // namespace anthill
