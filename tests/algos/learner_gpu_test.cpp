#define BOOST_TEST_MODULE learner_gpu
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>

#include "algos/agents/sac.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "algos/training/trainer.hpp"

using namespace anthill;

namespace {

bool has_gpu() { return resolve_device(DeviceChoice::automatic).is_cuda(); }

const at::Device kGpu(at::kCUDA, 0);

/// An agent and a batch, the same on both devices.
struct Learner {
  Sac agent;
  Batch batch;
  Learner(const AgentConfig& config, at::Device device)
      : agent({config, config}, {5, 3, {1, 2}, device}), batch(2, 64, 5, 3, device) {
    for (const Tensor& t :
         {batch.observation, batch.action, batch.reward, batch.next_observation}) {
      t.copy_(at::sin(at::arange(t.numel(), at::kFloat) * 0.37).view(t.sizes()));
    }
    batch.bootstrap.fill_(1.0);
  }
};

/// boost's main with an exit code that CTest reads as "skipped" where there is no device.
int skip_code() {
  std::puts("skipped: no usable GPU or driver");
  return 77;
}

}  // namespace

struct SkipWithoutGpu {
  SkipWithoutGpu() {
    if (!has_gpu()) std::exit(skip_code());
  }
};
BOOST_TEST_GLOBAL_FIXTURE(SkipWithoutGpu);

BOOST_AUTO_TEST_CASE(normals_agree_with_the_cpu) {
  const Tensor host = at::empty({2, 100'003}, at::kFloat), device = at::empty_like(host, kGpu);
  fill_normal(host, {1, 2}, RandomStream::actor_noise, 3);
  fill_normal(device, {1, 2}, RandomStream::actor_noise, 3);
  // the integers are the same; logf, sinf and cosf differ in the last bits
  BOOST_TEST((device.cpu() - host).abs().max().item<double>() < 2e-5);
}

BOOST_AUTO_TEST_CASE(updates_agree_with_the_cpu) {
  for (const int form : {0, 1, 2, 3}) {
    AgentConfig config;
    config.critic.layer_norm = form == 1;
    config.critic.unit_features = form >= 2;
    config.critic.target_clip = form < 2    ? TargetClip::none
                                : form == 2 ? TargetClip::bound
                                            : TargetClip::range;
    config.critic.target_range_period = 5;
    config.reset_period = form == 3 ? 15 : 0;
    Learner host(config, at::kCPU), device(config, kGpu);
    for (Learner* learner : {&host, &device}) {
      learner->agent.set_reward_ranges({{-0.02f, 0.02f}, {-0.02f, 0.02f}});
    }
    for (int i = 0; i < 20; ++i) {
      host.agent.update(host.batch);
      device.agent.update(device.batch);
    }
    BOOST_TEST(at::allclose(device.agent.diagnose(device.batch, {{-1.0f, 1.0f}, {-1.0f, 1.0f}}),
                            host.agent.diagnose(host.batch, {{-1.0f, 1.0f}, {-1.0f, 1.0f}}), 1e-2,
                            1e-3));
    for (std::size_t i = 0; i < host.agent.parameters().size(); ++i) {
      const Tensor a = host.agent.parameters()[i].tensor;
      const Tensor b = device.agent.parameters()[i].tensor.cpu();
      BOOST_TEST((a - b).norm().item<double>() <= 1e-3 * (1e-3 + a.norm().item<double>()),
                 host.agent.parameters()[i].name);
    }
  }
}

BOOST_AUTO_TEST_CASE(normals_of_many_members_and_of_a_word) {
  std::vector<std::uint64_t> seeds(150);  // more than one launch
  for (std::size_t m = 0; m < seeds.size(); ++m) seeds[m] = 7 * m;
  const Tensor host = at::empty({150, 33}, at::kFloat), device = at::empty_like(host, kGpu);
  const Tensor word = at::full({1}, 41, at::TensorOptions(kGpu).dtype(at::kLong));
  advance_word(word);
  fill_normal(host, seeds, RandomStream::actor_noise, 42);
  fill_normal(device, seeds, RandomStream::actor_noise,
              NoiseCounter(word.data_ptr<std::int64_t>()));
  BOOST_TEST((device.cpu() - host).abs().max().item<double>() < 2e-5);
}

/// A short run; its parameters at the end, on the host.
std::vector<Tensor> parameters_after(const ExperimentConfig& config) {
  TrainingObserver nobody;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_TEST((trainer.run(stop, nobody) == TrainingEnd::finished));
  std::vector<Tensor> parameters;
  for (const NamedTensor& named : trainer.agent().parameters()) {
    parameters.push_back(named.tensor.cpu());
  }
  return parameters;
}

BOOST_AUTO_TEST_CASE(graphs_agree_with_eager_updates_and_with_the_cpu) {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cuda;
  config.sim.env = "Pendulum-v1";
  config.sim.num_envs = 8;
  config.buffer.capacity = 200;  // overwrites its oldest rows
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {32, 32};
  // random actions all the way: rounding must not change what is learned from
  config.training = {.total_env_steps = 160,
                     .random_steps = 160,
                     .learning_starts = 120,
                     .replay_ratio = 0.7,
                     .batch_size = 32,
                     .overlap = true};
  config.evaluation.period = 0;
  config.learner.cuda_graph = true;
  const std::vector<Tensor> graphs = parameters_after(config);
  config.learner.cuda_graph = false;
  const std::vector<Tensor> eager = parameters_after(config);
  config.run.device = DeviceChoice::cpu;
  const std::vector<Tensor> host = parameters_after(config);
  const auto distance = [](const Tensor& a, const Tensor& b) {
    return (a - b).norm().item<double>() / (1e-3 + b.norm().item<double>());
  };
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    BOOST_TEST(distance(graphs[i], eager[i]) <= 1e-5);
    BOOST_TEST(distance(graphs[i], host[i]) <= 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(a_run_trains_to_the_end) {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cuda;
  config.sim.env = "Pendulum-v1";
  config.sim.num_envs = 16;
  config.buffer.capacity = 2000;
  config.training = {.total_env_steps = 1000,
                     .random_steps = 100,
                     .learning_starts = 100,
                     .replay_ratio = 0.5,
                     .batch_size = 64,
                     .overlap = true};
  config.evaluation = {.period = 500, .num_episodes = 2};
  TrainingObserver nobody;
  std::atomic<bool> stop = false;
  Trainer trainer(config);
  BOOST_TEST((trainer.run(stop, nobody) == TrainingEnd::finished));
  BOOST_TEST(trainer.agent().parameters_are_finite());
  BOOST_TEST(trainer.counters().gradient_updates == 454);
}
