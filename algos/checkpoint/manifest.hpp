/// manifest.json of a checkpoint. Standard library only.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace anthill {

/// Changes with what the files mean.
inline constexpr std::int64_t kCheckpointVersion = 1;

/// A checkpoint whose bytes are not what was written; an older one may still be whole.
class DamagedCheckpoint : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct StoredFile {
  std::string name;  // inside of the checkpoint's folder
  std::int64_t bytes = 0;
  std::string sha256;
};

/// Rows of the replay ring. Vector steps are counted from the start of the run.
struct ReplaySegment {
  StoredFile file;
  std::int64_t first_step = 0, num_steps = 0;

  std::int64_t end_step() const { return first_step + num_steps; }
};

/// What manifest.json says.
struct CheckpointInfo {
  std::int64_t version = kCheckpointVersion;
  std::string anthill_version, saved_at;  // saved_at: ISO 8601, UTC
  std::string env;     // row_identity() of the environments: task, MuJoCo's version, model
  std::string device;  // "cpu" or "cuda": where the learner ran
  std::int64_t members = 1;
  std::int64_t env_steps = 0, gradient_updates = 0;
  double wall_time_s = 0.0;  // that the run had used
  // the ring held the vector steps [first_step, end_step), of step_bytes each
  std::int64_t first_step = 0, end_step = 0, step_bytes = 0;
  std::vector<ReplaySegment> segments;  // one after the other; the first may begin earlier
  StoredFile state, config;
};

/// manifest.json as text, and back. Parsing throws DamagedCheckpoint for anything that is no such
/// text, and ConfigError for one of another format version; `where` stands in the messages.
std::string manifest_text(const CheckpointInfo& info);
CheckpointInfo parse_manifest(std::string_view text, const std::string& where);

}  // namespace anthill
