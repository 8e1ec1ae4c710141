// Batches per second out of a full ring, and the filled ring that the learner's benchmark shares.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "apps/bench_learner.hpp"
#include "buffers/staging.hpp"

namespace anthill {

std::unique_ptr<ReplayBuffer> filled_buffer(const BenchShape& shape, std::int64_t capacity,
                                            at::Device device, std::int64_t members) {
  constexpr std::int64_t kNumEnvs = 64;
  const std::vector<std::uint64_t> seeds(static_cast<std::size_t>(members));
  auto buffer =
      make_replay_buffer({.observation_dim = shape.observation_dim,
                          .action_dim = shape.action_dim,
                          .num_envs = kNumEnvs,
                          .members = members,
                          .capacity = std::max(capacity, kNumEnvs)},
                         seeds.data(), device.is_cuda() ? DeviceSystem::cuda : DeviceSystem::cpp);
  Staging staging(members * kNumEnvs, shape.observation_dim, shape.action_dim, device.is_cuda());
  const TransitionView rows = staging.back();
  for (const std::span<float> field :
       {rows.observation, rows.action, rows.reward, rows.next_observation}) {
    fill_uniform_actions(field.data(), static_cast<std::int64_t>(field.size()), {0},
                         RandomStream::random_action, 0);
  }
  while (buffer->size() < buffer->capacity()) buffer->insert(rows, current_stream(device));
  return buffer;
}

void add_shape_options(CLI::App& parser, BenchShape& shape) {
  parser.add_option("--observation-dim", shape.observation_dim, "elements of an observation")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  parser.add_option("--action-dim", shape.action_dim, "elements of an action")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  parser.add_option("--batch-size", shape.batch_size, "transitions in a batch")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  parser.add_option("--device", shape.device, "cpu, cuda or auto")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
}

DeviceChoice device_choice(const std::string& name) {
  if (name == "cpu") return DeviceChoice::cpu;
  return name == "cuda" ? DeviceChoice::cuda : DeviceChoice::automatic;
}

namespace {

struct BufferOptions {
  BenchShape shape;
  BenchOutput output;
  std::int64_t capacity = 1'000'000;
};

void bench_buffer(const BufferOptions& options) {
  const BenchShape& shape = options.shape;
  const at::Device device = resolve_device(device_choice(shape.device));
  const auto buffer = filled_buffer(shape, options.capacity, device);
  Batch batch(1, shape.batch_size, shape.observation_dim, shape.action_dim, device);
  std::uint64_t draw = 0;
  BenchClock clock(options.output);
  do {
    for (int i = 0; i < 100; ++i) buffer->sample_into(batch.view(), draw++, current_stream(device));
    synchronize(device);
  } while (clock.add(100.0));
  const BenchRates rates = clock.rates();
  print_result({{"part", "buffer"},
                {"device", device.str()},
                {"observation_dim", shape.observation_dim},
                {"action_dim", shape.action_dim},
                {"batch_size", shape.batch_size},
                {"capacity", buffer->capacity()},
                {"batches_per_s", rates.best},
                {"batches_per_s_median", rates.median},
                {"us_per_batch", 1e6 / rates.best},
                {"memory_mib", static_cast<double>(buffer->memory_bytes()) / (1024.0 * 1024.0)}},
               options.output);
}

}  // namespace

BenchRun add_bench_buffer(CLI::App& parser) {
  const auto options = std::make_shared<BufferOptions>();
  add_shape_options(parser, options->shape);
  parser.add_option("--capacity", options->capacity, "rows in the ring")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  add_output_options(parser, options->output);
  return [options] { bench_buffer(*options); };
}

}  // namespace anthill
