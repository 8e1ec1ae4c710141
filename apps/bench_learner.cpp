// Gradient updates per second on a filled replay buffer.
#include "apps/bench_learner.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "algos/agents/agent.hpp"
#include "algos/networks/device.hpp"
#include "algos/training/run_recorder.hpp"

namespace anthill {
namespace {

struct LearnerOptions {
  BenchShape shape;
  BenchOutput output;
  int num_threads = 1;
  std::int64_t hidden_dim = 256;
  bool layer_norm = false;
};

void bench_learner(const LearnerOptions& options) {
  const BenchShape& shape = options.shape;
  const at::Device device = resolve_device(device_choice(shape.device));
  set_learner_threads(options.num_threads);
  AgentConfig config;
  config.actor.hidden_dims = config.critic.hidden_dims = {options.hidden_dim, options.hidden_dim};
  config.critic.layer_norm = options.layer_norm;
  const auto agent = make_agent({config}, {shape.observation_dim, shape.action_dim, {0}, device});
  const auto buffer = filled_buffer(shape, 10'000, device);  // sampling has its own benchmark
  Batch batch(1, shape.batch_size, shape.observation_dim, shape.action_dim, device);
  std::uint64_t draw = 0;
  BenchClock clock(options.output, [&] { synchronize(device); });
  do {
    buffer->sample_into(batch.view(), draw++, current_stream(device));
    agent->update(batch);
    if (draw % 100 == 0) synchronize(device);  // the clock must not run ahead of the device
  } while (clock.add(1.0));
  const BenchRates rates = clock.rates();
  print_result({{"part", "learner"},
                {"algorithm", config.algorithm},
                {"device", device.str()},
                {"num_threads", learner_threads()},
                {"observation_dim", shape.observation_dim},
                {"action_dim", shape.action_dim},
                {"batch_size", shape.batch_size},
                {"hidden_dim", options.hidden_dim},
                {"layer_norm", options.layer_norm},
                {"updates_per_s", rates.best},
                {"updates_per_s_median", rates.median},
                {"ms_per_update", 1e3 / rates.best},
                {"memory_mib", resident_memory_mib()}},
               options.output);
}

}  // namespace

BenchRun add_bench_learner(CLI::App& parser) {
  const auto options = std::make_shared<LearnerOptions>();
  parser.add_option("--threads", options->num_threads, "learner threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_shape_options(parser, options->shape);
  parser.add_option("--hidden-dim", options->hidden_dim, "width of both hidden layers")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  parser.add_flag("--layer-norm", options->layer_norm, "LayerNorm in the critics");
  add_output_options(parser, options->output);
  return [options] { bench_learner(*options); };
}

}  // namespace anthill
