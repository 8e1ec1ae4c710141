#include "configs/resume_rules.hpp"

#include <algorithm>

#include "configs/fields.hpp"
#include "configs/toml_reader.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {

const std::vector<std::string>& keys_that_resume_may_change() {
  static const std::vector<std::string> kKeys = {"training.total_env_steps",
                                                 "training.on_non_finite",
                                                 "run.name",
                                                 "run.device",
                                                 "buffer.device_system",
                                                 "sim.num_threads",
                                                 "sim.pin_threads",
                                                 "learner.num_threads",
                                                 "learner.cuda_graph",
                                                 "evaluation.period",
                                                 "evaluation.num_episodes",
                                                 "overestimation.period",
                                                 "checkpoint.period",
                                                 "checkpoint.period_s",
                                                 "checkpoint.keep",
                                                 "checkpoint.archive_period",
                                                 "log.period",
                                                 "log.tensorboard",
                                                 "log.progress_period_s"};
  return kKeys;
}

std::vector<std::string> check_resume(const ResolvedExperiment& now, const std::string& saved_toml,
                                      const std::string& where) {
  ExperimentConfig saved;  // a key that the saved text lacks is newer than it: its default
  for (const Setting& setting : read_settings(saved_toml, where)) {
    setting.field->set(saved, setting.value);
  }
  std::vector<std::string> changes;
  std::string refused;
  for (const Field& field : fields()) {
    const Value before = field.get(saved), after = field.get(now.config);
    if (before == after) continue;
    const std::string change =
        field.key() + " (was " + toml_value(before) + ", now " + toml_value(after) + ")";
    if (std::ranges::count(keys_that_resume_may_change(), field.key()) > 0) {
      changes.push_back(change);
    } else {
      refused += (refused.empty() ? "" : ", ") + change;
    }
  }
  if (refused.empty()) return changes;
  throw ConfigError("'" + where + "' was saved with other settings: " + refused +
                    "; resume with the settings of its resolved.toml, or choose another --run");
}

}  // namespace anthill
