// What a trainer is made of.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algos/networks/device.hpp"
#include "algos/training/trainer.hpp"
#include "sim/env_factory.hpp"

namespace anthill {
namespace {

/// One per member.
std::vector<std::uint64_t> seeds_of(const std::vector<ExperimentConfig>& members) {
  if (members.empty()) throw std::invalid_argument("Trainer: at least one member is needed");
  std::vector<std::uint64_t> seeds;
  for (const ExperimentConfig& config : members) {
    seeds.push_back(static_cast<std::uint64_t>(config.run.seed));
  }
  return seeds;
}

/// seed, seed + 1, ... of every member.
std::vector<std::uint64_t> lane_seeds(const std::vector<std::uint64_t>& seeds,
                                      std::int64_t num_envs) {
  std::vector<std::uint64_t> lanes(seeds.size() * static_cast<std::size_t>(num_envs));
  for (std::size_t m = 0; m < seeds.size(); ++m) {
    const auto first = lanes.begin() + static_cast<std::ptrdiff_t>(m) * num_envs;
    std::iota(first, first + num_envs, seeds[m]);
  }
  return lanes;
}

}  // namespace

Trainer::Trainer(std::vector<ExperimentConfig> members)
    : config_(members.at(0)),
      device_(resolve_device(config_.run.device)),
      seeds_(seeds_of(members)),
      env_(make_env(config_.sim)),
      threads_(plan_threads(config_.sim.num_threads, config_.learner.num_threads,
                            static_cast<std::int64_t>(seeds_.size()), device_.is_cuda(),
                            num_available_cores())),
      pool_(threads_.simulation, config_.sim.pin_threads),
      replay_ratio_(config_.training) {
  if (members.size() > 1 && std::isfinite(config_.training.solved_return)) {
    throw ConfigError(
        "training.solved_return: a stack of members ends together; remove the key or train them "
        "one "
        "by one");
  }
  set_learner_threads(threads_.learner);
  if (config_.learner.cuda_graph) use_own_stream(device_);  // the default one cannot be captured
  std::vector<AgentConfig> agents;
  for (ExperimentConfig& config : members) {
    agents.push_back(config.agent);
    members_.push_back({.config = std::move(config)});
  }
  const EnvSpec& spec = env_->spec();
  const std::vector<std::uint64_t> lanes = lane_seeds(seeds_, config_.sim.num_envs);
  envs_ = std::make_unique<VectorEnv>(env_, lanes, pool_);
  staging_ = std::make_unique<Staging>(static_cast<std::int64_t>(lanes.size()),
                                       spec.observation_dim, spec.action_dim, device_.is_cuda());
  if (config_.buffer.held_out_share > 0.0) held_out_.assign(lanes.size(), 0);
  make_buffer();
  agent_ = make_agent(agents, agent_shape(spec, seeds_, device_));
  batch_ = std::make_unique<Batch>(num_members(), config_.training.batch_size, spec.observation_dim,
                                   spec.action_dim, device_);
  make_updates();
  make_judges();
}

void Trainer::make_updates() {
  Capture capture;
  if (device_.is_cuda() && config_.learner.cuda_graph) {
    capture = [device = device_](const std::function<void()>& queue) {
      return capture_cuda_graph(device, queue);
    };
  }
  CapturedUpdate* update = agent_->captured_update();
  double largest_ratio = config_.training.replay_ratio;
  for (const std::vector<double>& entry : config_.training.replay_ratio_schedule) {
    largest_ratio = std::max(largest_ratio, entry[1]);
  }
  const std::int64_t block = updates_per_block(largest_ratio, config_.sim.num_envs,
                                               update != nullptr ? update->kind_period() : 1);
  updates_ = std::make_unique<UpdateRunner>(*agent_, *buffer_, *batch_, std::move(capture), block);
}

void Trainer::make_buffer() {
  // a ring that is larger than the run would stay partly empty
  const std::int64_t reachable = config_.training.total_env_steps + config_.sim.num_envs;
  const std::int64_t capacity = std::min(config_.buffer.capacity, reachable);
  DeviceSystem system = config_.buffer.device_system;
  if (system == DeviceSystem::automatic) {
    system = device_.is_cuda() ? DeviceSystem::cuda : DeviceSystem::cpp;
  }
  if ((system == DeviceSystem::cuda) != device_.is_cuda()) {
    throw ConfigError(
        "buffer.device_system: the ring must live where the learner runs (run.device); "
        "use \"auto\"");
  }
  std::vector<float> discounts;
  for (const Member& member : members_) {
    discounts.push_back(static_cast<float>(member.config.agent.discount));
  }
  buffer_ = make_replay_buffer({.observation_dim = env_->spec().observation_dim,
                                .action_dim = env_->spec().action_dim,
                                .num_envs = config_.sim.num_envs,
                                .members = num_members(),
                                .capacity = capacity,
                                .state_dim = config_.buffer.store_state ? envs_->row_size() : 0,
                                .replacement = config_.buffer.replacement,
                                .n_step = config_.agent.n_step,
                                .discounts = std::move(discounts)},
                               seeds_.data(), system);
}

/// What evaluates and probes.
void Trainer::make_judges() {
  if (config_.evaluation.period > 0) {
    std::vector<std::uint64_t> first_seeds;
    for (const Member& member : members_) {
      first_seeds.push_back(evaluation_seed(member.config.run.seed));
    }
    evaluator_ = std::make_unique<Evaluator>(env_, config_.evaluation.num_episodes,
                                             std::move(first_seeds), pool_);
  }
  if (config_.overestimation.period == 0) return;
  for (std::int64_t m = 0; m < num_members(); ++m) {
    const ExperimentConfig& config = at(m).config;
    at(m).probe = std::make_unique<OverestimationProbe>(
        env_, config.overestimation, config.run.seed, config.sim.num_envs, pool_, buffer_.get(), m);
  }
}

}  // namespace anthill
