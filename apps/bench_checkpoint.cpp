// What a checkpoint costs: how long training waits for it, and how long the writing takes beside
// it.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "algos/agents/agent.hpp"
#include "algos/checkpoint/checkpoint.hpp"
#include "algos/checkpoint/checkpoint_store.hpp"
#include "apps/bench_learner.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

struct CheckpointOptions {
  BenchShape shape;
  BenchOutput output;
  std::int64_t capacity = 1'000'000;
  std::int64_t new_rows = 100'000;
  int saves = 5;
  std::string folder;
};

struct Cost {
  double copy_s = 0.0, write_s = 0.0;
};

/// One save of an agent and of the rows that are not on the disk yet.
Cost save(const ReplayBuffer& buffer, const Agent& agent, std::int64_t end_step,
          CheckpointStore& store) {
  const double begin = wall_seconds();
  CheckpointSnapshot snapshot;
  agent.save(StateWriter(snapshot.arrays).part("agent"));
  snapshot.info.env_steps = snapshot.info.end_step = end_step;
  snapshot.info.first_step = end_step - buffer.num_steps();
  snapshot.info.step_bytes = buffer.step_bytes();
  snapshot.rows_first = std::max(store.stored_until(), snapshot.info.first_step);
  const std::int64_t count = end_step - snapshot.rows_first;
  snapshot.rows.resize(static_cast<std::size_t>(count * buffer.step_bytes()));
  buffer.read_steps(snapshot.rows_first - snapshot.info.first_step, count, snapshot.rows.data());
  const double copied = wall_seconds();
  store.write(snapshot, false);
  return {copied - begin, wall_seconds() - copied};
}

void bench_checkpoint(const CheckpointOptions& options) {
  const BenchShape& shape = options.shape;
  const std::filesystem::path folder = options.folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_empty(folder, error)) {
    throw ConfigError("--folder '" + options.folder +
                      "': must be an empty folder, or one that can be made");
  }
  const auto buffer = filled_buffer(shape, options.capacity, at::kCPU);
  const auto agent =
      make_agent({AgentConfig{}}, {shape.observation_dim, shape.action_dim, {0}, at::kCPU});
  CheckpointStore store(folder / "checkpoints", 2);
  std::int64_t end_step = buffer->num_steps();
  const Cost first = save(*buffer, *agent, end_step, store);
  const std::int64_t new_steps =
      std::max<std::int64_t>(1, options.new_rows / (buffer->size() / buffer->num_steps()));
  std::vector<char> rows(static_cast<std::size_t>(new_steps * buffer->step_bytes()));
  buffer->read_steps(0, new_steps, rows.data());
  Cost worst;
  for (int i = 0; i < options.saves; ++i) {
    buffer->append_steps(new_steps, rows.data());
    end_step += new_steps;
    const Cost cost = save(*buffer, *agent, end_step, store);
    worst = {std::max(worst.copy_s, cost.copy_s), std::max(worst.write_s, cost.write_s)};
  }
  std::filesystem::remove_all(folder / "checkpoints");
  print_result({{"part", "checkpoint"},
                {"rows", buffer->size()},
                {"row_bytes", buffer->memory_bytes() / buffer->capacity()},
                {"first_copy_s", first.copy_s},
                {"first_write_s", first.write_s},
                {"new_rows", options.new_rows},
                {"saves", options.saves},
                {"worst_copy_s", worst.copy_s},
                {"worst_write_s", worst.write_s}},
               options.output);
}

}  // namespace

BenchRun add_bench_checkpoint(CLI::App& parser) {
  const auto options = std::make_shared<CheckpointOptions>();
  add_shape_options(parser, options->shape);
  parser.add_option("--folder", options->folder, "empty or new folder on the disk to measure")
      ->required();
  parser.add_option("--capacity", options->capacity, "rows in the ring")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  parser.add_option("--new-rows", options->new_rows, "rows between two saves")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  parser.add_option("--saves", options->saves, "saves after the first")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  parser.add_flag("--json", options->output.json, "print one machine-readable object");
  return [options] { bench_checkpoint(*options); };
}

}  // namespace anthill
