#include "algos/training/post_mortem.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "algos/checkpoint/named_arrays.hpp"
#include "algos/training/file_io.hpp"
#include "algos/training/member_arrays.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {
namespace {

/// What one float32 array looks like.
struct Summary {
  std::int64_t count = 0, non_finite = 0;
  float low = INFINITY, high = -INFINITY;  // of the finite values
};

Summary summary_of(const NamedArray& array) {
  Summary summary;
  const auto* values = reinterpret_cast<const float*>(array.bytes.data());
  summary.count = static_cast<std::int64_t>(array.bytes.size() / sizeof(float));
  for (std::int64_t i = 0; i < summary.count; ++i) {
    if (!std::isfinite(values[i])) {
      ++summary.non_finite;
      continue;
    }
    summary.low = std::min(summary.low, values[i]);
    summary.high = std::max(summary.high, values[i]);
  }
  return summary;
}

void write_table(std::ostream& out, const NamedArrays& arrays, const std::string& prefix) {
  out << "| array | values | not finite | smallest | largest |\n|---|---|---|---|---|\n";
  for (const auto& [name, array] : arrays) {
    if (array.type != ArrayType::float32 || !name.starts_with(prefix)) continue;
    const Summary s = summary_of(array);
    out << "| " << name << " | " << s.count << " | " << (s.non_finite > 0 ? "**" : "")
        << s.non_finite << (s.non_finite > 0 ? "**" : "") << " | " << s.low << " | " << s.high
        << " |\n";
  }
}

NamedArrays batch_arrays(const Batch& batch, std::int64_t member) {
  NamedArrays arrays;
  const StateWriter state(arrays);
  const auto add = [&](const char* name, const Tensor& all) {
    state.tensor(name, all.narrow(0, member, 1));
  };
  add("observation", batch.observation);
  add("action", batch.action);
  add("reward", batch.reward);
  add("next_observation", batch.next_observation);
  add("bootstrap", batch.bootstrap);
  return arrays;
}

/// All of a run alone; of a stack what the learner keeps for the member.
NamedArrays state_arrays(const Trainer& trainer, std::int64_t member) {
  NamedArrays all;
  trainer.save(StateWriter(all));
  const std::int64_t members = trainer.num_members();
  if (members == 1) return all;
  NamedArrays own;
  for (const auto& [name, array] : all) {
    if (!name.starts_with("agent.")) continue;
    own.emplace(name, array_of_member(name, array, member, members));
  }
  return own;
}

void write_arrays(const std::filesystem::path& path, const NamedArrays& arrays) {
  std::vector<ArrayView> views;
  for (const auto& [name, array] : arrays) {
    views.push_back({name, array.type, array.shape, array.bytes.data()});
  }
  replace_file(path, safetensors_bytes(views, {}), true);
}

std::string diagnosis(const Trainer& trainer, std::int64_t member, const NamedArrays& state,
                      const NamedArrays& batch, bool has_last_good) {
  const Counters c = trainer.counters(member);
  std::ostringstream out;
  out << "# Numbers that are not finite\n\nNoticed at env step " << c.env_steps
      << ", gradient update " << c.gradient_updates << ", episode " << c.episodes
      << ": a loss, a value, alpha or a parameter is nan or infinite. Sums of the current log "
         "period "
         "are in `agent.metric_sums`; a row of train.csv shows which of them went first.\n\n## The "
         "learner now\n\n";
  write_table(out, state, "agent.");
  out << "\n## The latest batch\n\n";
  write_table(out, batch, "");
  const std::string warning = last_mujoco_warning();
  out << "\nThe replay ring holds " << trainer.buffer().size()
      << " transitions; what the simulator failed on is never among those that are sampled. "
      << "MuJoCo's latest warning: " << (warning.empty() ? "none" : warning)
      << ".\n\n## What to do\n\n";
  if (has_last_good) {
    out << "- `last_good/` is a checkpoint from before. To see the first bad update, put it into "
           "`checkpoints/` of a copy of this "
        << (trainer.num_members() > 1 ? "stack" : "run")
        << " and go on with `--resume --set log.period=1`: the "
           "run is the same, bit for bit.\n";
  }
  out << "- Rewards or observations far from 1 in the batch: `agent.reward_scale`, "
         "`agent.observation_normalisation`, or another task setting.\n"
         "- Growing parameters or moments: a smaller `learning_rate`, `max_gradient_norm`, "
         "`critic.layer_norm`.\n"
         "- `training.on_non_finite = \"continue\"` only goes on; it repairs nothing.\n";
  return out.str();
}

}  // namespace

std::filesystem::path write_post_mortem(const std::filesystem::path& run, const Trainer& trainer,
                                        RunCheckpoints& checkpoints, std::int64_t member) {
  const std::filesystem::path folder = run / "post_mortem";
  make_folder(folder);
  const NamedArrays state = state_arrays(trainer, member);
  const NamedArrays batch = batch_arrays(trainer.batch(), member);
  const bool has_last_good = checkpoints.link_newest(folder / "last_good");
  write_arrays(folder / "state.safetensors", state);
  write_arrays(folder / "batch.safetensors", batch);
  replace_file(folder / "diagnosis.md", diagnosis(trainer, member, state, batch, has_last_good),
               true);
  return folder;
}

}  // namespace anthill
