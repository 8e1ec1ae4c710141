// Gradient updates per second on a filled replay buffer, of several learners in turn.
#include "apps/bench_learner.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "algos/networks/device.hpp"
#include "algos/networks/gemm.hpp"
#include "algos/networks/learner_team.hpp"
#include "algos/training/run_recorder.hpp"
#include "algos/training/statistics.hpp"
#include "sim/errors.hpp"

namespace anthill {

std::int64_t BenchLearner::update() {
  constexpr std::int64_t kQueuedUpdates = 128;  // the clock must not run ahead of a device
  const std::int64_t before = num_updates;
  const std::int64_t end = before + (device().is_cuda() ? kQueuedUpdates : 1);
  while (num_updates < end) num_updates += runner->run(num_updates, end - num_updates);
  synchronize(device());
  return num_updates - before;
}

BenchLearner make_bench_learner(const std::vector<AgentConfig>& members, const AgentShape& agent,
                                const BenchShape& shape, std::int64_t graph_block) {
  const at::Device device = agent.device;
  BenchLearner learner{
      .agent = make_agent(members, agent),
      .buffer = filled_buffer(shape, 10'000, device, agent.members()),  // sampling has its own part
      .batch = std::make_unique<Batch>(agent.members(), shape.batch_size, shape.observation_dim,
                                       shape.action_dim, device),
      .runner = nullptr};
  Capture capture;
  if (device.is_cuda() && graph_block > 0) {
    capture = [device](const auto& queue) { return capture_cuda_graph(device, queue); };
  }
  learner.runner =
      std::make_unique<UpdateRunner>(*learner.agent, *learner.buffer, *learner.batch,
                                     std::move(capture), std::max<std::int64_t>(1, graph_block));
  return learner;
}

namespace {

struct LearnerOptions {
  BenchShape shape;
  BenchOutput output;
  int num_threads = 1;
  std::vector<std::int64_t> hidden_dims = {256}, depths = {2}, members = {1};
  std::vector<std::string> layer_norms = {"off"};
  std::vector<std::string> batch_renorms;  // contestants more for every shape
  std::int64_t graph_block = 0;
};

/// One learner, and what was measured of it.
struct LearnerContestant {
  std::int64_t hidden_dim, depth, members;
  std::string norm;  // of the critics: "none", "layer_norm", or how batch_renorm is used
  BenchLearner learner;
  std::vector<double> update_us, sample_us;  // a chunk each; an update of all members counts as M

  void sample(std::uint64_t draw) {
    learner.buffer->sample_into(learner.batch->view(), draw, current_stream(learner.device()));
  }
};

LearnerContestant make_contestant(const LearnerOptions& options, std::int64_t hidden_dim,
                                  std::int64_t depth, std::int64_t members,
                                  const std::string& norm) {
  const BenchShape& shape = options.shape;
  AgentConfig config;
  config.actor.hidden_dims.assign(static_cast<std::size_t>(depth), hidden_dim);
  config.critic.hidden_dims = config.actor.hidden_dims;
  config.critic.layer_norm = norm == "layer_norm";
  config.critic.batch_renorm = norm == "targets" || norm == "joint";
  if (norm == "joint") config.tau = 1.0;
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(members));
  for (std::size_t m = 0; m < seeds.size(); ++m) seeds[m] = m;
  return {.hidden_dim = hidden_dim,
          .depth = depth,
          .members = members,
          .norm = norm,
          .learner = make_bench_learner(std::vector<AgentConfig>(seeds.size(), config),
                                        {shape.observation_dim, shape.action_dim, seeds,
                                         resolve_device(device_choice(shape.device))},
                                        shape, options.graph_block),
          .update_us = {},
          .sample_us = {}};
}

/// Multiplications and additions of one member's update of SAC: networks forward and backward
/// without their elementwise parts. The policy's loss goes back through one critic for each row.
double flop_per_update(const LearnerContestant& c, const BenchShape& shape) {
  const auto in = static_cast<double>(shape.observation_dim);
  const auto action = static_cast<double>(shape.action_dim);
  const auto width = static_cast<double>(c.hidden_dim);
  const double between = static_cast<double>(c.depth - 1) * width * width;
  const double actor_in = in * width, critic_in = (in + action) * width;
  const double actor = actor_in + between + 2.0 * action * width;
  const double critic = critic_in + between + width;
  const double critic_loss = actor + 2.0 * (3.0 * critic + (critic - critic_in));
  const double actor_loss =
      actor + 2.0 * critic + (critic - in * width) + actor + (actor - actor_in);
  return 2.0 * static_cast<double>(shape.batch_size) * (critic_loss + actor_loss);
}

/// Matrix products per second, in FLOP/s: every thread of the learner multiplies matrices of its
/// own (CPU), or the device multiplies large ones.
double gemm_flop_per_s(double seconds, at::Device device) {
  const std::int64_t n = device.is_cuda() ? 4096 : 256;
  const std::int64_t threads = device.is_cuda() ? 1 : learner_threads();
  const Tensor a = at::ones({threads, n, n}, at::TensorOptions(device).dtype(at::kFloat));
  const Tensor b = at::ones_like(a), c = at::empty_like(a);
  const auto place = [n](const Tensor& t, std::int64_t i) {
    return t.data_ptr<float>() + i * n * n;
  };
  double units = 0.0;
  const double begin = wall_seconds();
  do {
    if (device.is_cuda()) {
      at::bmm_out(const_cast<Tensor&>(c), a, b);
      synchronize(device);
    } else {
      learner_team().run(threads, [&](std::int64_t i) {
        for (int k = 0; k < 10; ++k) {
          linear_forward(place(a, i), place(b, i), n, n, n, place(c, i));
        }
      });
    }
    units += device.is_cuda() ? 1.0 : 10.0 * static_cast<double>(threads);
  } while (wall_seconds() - begin < seconds);
  return units * 2.0 * static_cast<double>(n * n * n) / (wall_seconds() - begin);
}

/// One chunk of one contestant.
void measure(LearnerContestant& c, double seconds) {
  constexpr std::uint64_t kSamples = 100;
  double begin = wall_seconds();
  for (std::uint64_t i = 0; i < kSamples; ++i) c.sample(i);
  synchronize(c.learner.device());
  const auto members = static_cast<double>(c.members);
  c.sample_us.push_back(1e6 * (wall_seconds() - begin) / (kSamples * members));
  double updates = 0.0;
  begin = wall_seconds();
  do {
    updates += members * static_cast<double>(c.learner.update());
  } while (wall_seconds() - begin < seconds);
  c.update_us.push_back(1e6 * (wall_seconds() - begin) / updates);
}

nlohmann::ordered_json row_of(const LearnerContestant& c, const LearnerOptions& options,
                              double peak, double first_us) {
  const double us = quantile(c.update_us, 0.1), flop = flop_per_update(c, options.shape);
  return {{"hidden_dim", c.hidden_dim},
          {"depth", c.depth},
          {"layer_norm", c.norm == "layer_norm"},
          {"batch_renorm", c.norm == "targets" || c.norm == "joint" ? c.norm : "off"},
          {"members", c.members},
          {"updates_per_s", 1e6 / us},
          {"updates_per_s_median", 1e6 / quantile(c.update_us, 0.5)},
          {"ms_per_update", 1e-3 * us},
          {"over_first", us / first_us},
          {"gflop_per_s", 1e-3 * flop / us},
          {"share_of_gemm", 1e6 * flop / us / peak},
          {"sampling_share", quantile(c.sample_us, 0.1) / us}};
}

void bench_learner(const LearnerOptions& options) {
  const BenchShape& shape = options.shape;
  if (options.graph_block > 0) use_own_stream(resolve_device(device_choice(shape.device)));
  set_learner_threads(options.num_threads);
  std::vector<LearnerContestant> contestants;
  for (const std::int64_t depth : options.depths) {
    for (const std::int64_t hidden_dim : options.hidden_dims) {
      for (const std::int64_t members : options.members) {
        std::vector<std::string> norms;
        for (const std::string& is_on : options.layer_norms) {
          norms.push_back(is_on == "on" ? "layer_norm" : "none");
        }
        norms.insert(norms.end(), options.batch_renorms.begin(), options.batch_renorms.end());
        for (const std::string& norm : norms) {
          contestants.push_back(make_contestant(options, hidden_dim, depth, members, norm));
        }
      }
    }
  }
  const at::Device device = contestants.front().learner.device();
  if (options.output.serve) {
    if (contestants.size() > 1) throw ConfigError("--serve: one learner at a time; give no lists");
    BenchClock clock(options.output, [&] { synchronize(device); });
    LearnerContestant& c = contestants.front();
    while (clock.add(static_cast<double>(c.members * c.learner.update()))) {
    }
    return;
  }

  const double chunk_s = options.output.seconds / BenchClock::kNumChunks;
  std::vector<double> gemm_s_per_flop;
  for (int round = -1; round < BenchClock::kNumChunks; ++round) {
    for (LearnerContestant& c : contestants) measure(c, chunk_s);
    gemm_s_per_flop.push_back(1.0 / gemm_flop_per_s(0.1 * chunk_s, device));
    if (round >= 0) continue;
    for (LearnerContestant& c : contestants) {  // that was the warm-up
      c.update_us.clear();
      c.sample_us.clear();
    }
    gemm_s_per_flop.clear();
  }
  const double peak = 1.0 / quantile(gemm_s_per_flop, 0.1);
  const double first_us = quantile(contestants.front().update_us, 0.1);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const LearnerContestant& c : contestants) {
    rows.push_back(row_of(c, options, peak, first_us));
  }
  nlohmann::ordered_json result = {{"part", "learner"},
                                   {"algorithm", "sac"},
                                   {"device", device.str()},
                                   {"num_threads", learner_threads()},
                                   {"graph_block", device.is_cuda() ? options.graph_block : 0},
                                   {"observation_dim", shape.observation_dim},
                                   {"action_dim", shape.action_dim},
                                   {"batch_size", shape.batch_size},
                                   {"gemm_gflop_per_s", 1e-9 * peak},
                                   {"memory_mib", resident_memory_mib()}};
  if (rows.size() == 1 || options.output.json) result.update(rows.front());
  if (options.output.json) result["contestants"] = rows;
  print_result(result, options.output);
  if (rows.size() > 1 && !options.output.json) print_rows(rows);
}

}  // namespace

BenchRun add_bench_learner(CLI::App& parser) {
  const auto options = std::make_shared<LearnerOptions>();
  parser.add_option("--threads", options->num_threads, "learner threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_shape_options(parser, options->shape);
  const auto list = [&](const char* name, auto& values, const char* meaning) {
    return parser.add_option(name, values, meaning)->delimiter(',')->capture_default_str();
  };
  list("--hidden-dim", options->hidden_dims, "widths of the hidden layers")
      ->check(CLI::Range(1, 65536));
  list("--depth", options->depths, "numbers of hidden layers")->check(CLI::Range(1, 64));
  list("--members", options->members, "agents in one learner")->check(CLI::Range(1, 4096));
  list("--layer-norm", options->layer_norms, "LayerNorm in the critics: off, on or both")
      ->check(CLI::IsMember({"off", "on"}));
  list("--batch-renorm", options->batch_renorms,
       "beside these, batch renormalisation in the critics: targets, or joint without them")
      ->check(CLI::IsMember({"targets", "joint"}));
  parser
      .add_option("--graph-block", options->graph_block,
                  "on a GPU: updates that one graph launches; 0: kernel by kernel")
      ->check(CLI::Range(0, static_cast<int>(LaunchSchedule::kMaxBlock)))
      ->capture_default_str();
  add_output_options(parser, options->output);
  return [options] { bench_learner(*options); };
}

}  // namespace anthill
