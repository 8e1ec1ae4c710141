#include "python/simulator.hpp"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "sim/env_factory.hpp"

namespace anthill {
namespace {

SimulatorRows make_rows(std::size_t num_envs, const EnvSpec& spec) {
  const std::size_t size = num_envs * static_cast<std::size_t>(spec.observation_dim);
  return {.observation = std::vector<float>(size),
          .next_observation = std::vector<float>(size),
          .observation_double = std::vector<double>(size),
          .next_observation_double = std::vector<double>(size),
          .reward = std::vector<double>(num_envs),
          .terms = std::vector<double>(num_envs * spec.reward_terms.size()),
          .terminated = std::vector<std::uint8_t>(num_envs),
          .truncated = std::vector<std::uint8_t>(num_envs),
          .invalid = std::vector<std::uint8_t>(num_envs)};
}

}  // namespace

Simulator::Simulator(const SimConfig& config, std::span<const std::uint64_t> seeds)
    : env_(make_env(config)),
      num_envs_(static_cast<std::int64_t>(seeds.size())),
      process_(getpid()),
      pool_(std::make_unique<ThreadPool>(static_cast<int>(config.num_threads), config.pin_threads)),
      envs_(std::make_unique<VectorEnv>(env_, seeds, *pool_)),
      rows_{make_rows(seeds.size(), env_->spec()), make_rows(seeds.size(), env_->spec())},
      action_(seeds.size() * static_cast<std::size_t>(env_->spec().action_dim)),
      reward_(seeds.size()) {
  num_threads_ = pool_->num_threads();
  envs_->set_scale_actions(false);
}

Simulator::~Simulator() { close(); }

void Simulator::close() {
  if (getpid() != process_) {
    (void)envs_.release();
    (void)pool_.release();
  }
  envs_.reset();
  pool_.reset();
}

VectorEnv& Simulator::idle_envs() {
  if (getpid() != process_) {
    throw std::runtime_error(
        "these environments were made before this process was forked, and their threads are not "
        "in it; make them in the process that steps them");
  }
  if (!envs_) throw std::runtime_error("the environments are closed; make new ones");
  return *envs_;
}

std::size_t Simulator::reset(std::span<const std::uint8_t> lanes) {
  VectorEnv& envs = idle_envs();
  SimulatorRows& rows = rows_[other()];
  if (!lanes.empty()) {  // those that go on keep what they act on
    rows.observation = rows_[current_].observation;
    rows.observation_double = rows_[current_].observation_double;
  }
  envs.set_double_rows({.acting_observation = rows.observation_double});
  envs.reset(rows.observation, lanes);
  return current_ = other();
}

void Simulator::begin_step(std::span<const float> actions, std::span<const std::uint8_t> held) {
  VectorEnv& envs = idle_envs();
  if (actions.size() != action_.size()) {
    throw std::invalid_argument("actions: " + std::to_string(actions.size()) + " numbers, " +
                                env_->spec().name + " needs " + std::to_string(action_.size()));
  }
  std::ranges::copy(actions, action_.begin());
  held_.assign(held.begin(), held.end());
  SimulatorRows& rows = rows_[other()];
  envs.set_double_rows({.next_observation = rows.next_observation_double,
                        .acting_observation = rows.observation_double,
                        .reward = rows.reward,
                        .terms = rows.terms});
  envs.begin_step(view_of(rows), rows.observation, held_);
}

TransitionView Simulator::view_of(SimulatorRows& rows) {
  return {.num_envs = num_envs_,
          .observation_dim = env_->spec().observation_dim,
          .action_dim = env_->spec().action_dim,
          .observation = rows_[current_].observation,
          .action = action_,
          .reward = reward_,
          .next_observation = rows.next_observation,
          .terminated = rows.terminated,
          .truncated = rows.truncated,
          .invalid = rows.invalid};
}

void Simulator::step_all(std::span<const float> actions) {
  VectorEnv& envs = idle_envs();
  envs.set_double_rows({});
  for (; actions.size() >= action_.size(); actions = actions.subspan(action_.size())) {
    std::ranges::copy(actions.first(action_.size()), action_.begin());
    SimulatorRows& rows = rows_[other()];
    envs.begin_step(view_of(rows), rows.observation);
    envs.finish_step();
    current_ = other();
  }
}

std::size_t Simulator::finish_step() {
  VectorEnv& envs = idle_envs();
  envs.finish_step();
  for (const InvalidRecord& record : envs.invalid_transitions()) {
    rows_[other()].truncated[static_cast<std::size_t>(record.env)] = 1;
  }
  return current_ = other();
}

}  // namespace anthill
