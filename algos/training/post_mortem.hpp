/// What is left for a look at a run whose numbers are no longer finite.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "algos/training/run_checkpoints.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {

/// Writes RUN/post_mortem: last_good/ (the newest checkpoint), batch.safetensors (what the latest
/// update learned from), state.safetensors (parameters, optimisers and all else as they are now)
/// and diagnosis.md, one page. Returns the folder. Throws std::runtime_error. Of a stack, batch and
/// state are the member's part of the learner's, and the checkpoint is the stack's.
std::filesystem::path write_post_mortem(const std::filesystem::path& run, const Trainer& trainer,
                                        RunCheckpoints& checkpoints, std::int64_t member = 0);

}  // namespace anthill
