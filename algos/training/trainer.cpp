#include "algos/training/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "algos/agents/exploration.hpp"
#include "algos/networks/device.hpp"
#include "algos/networks/noise.hpp"
#include "sim/env_factory.hpp"
#include "sim/mujoco_info.hpp"

namespace anthill {

TrainingEnd Trainer::run(const std::atomic<bool>& stop, TrainingObserver& observer) {
  const TrainingConfig& training = config_.training;
  if (!loaded_) envs_->reset(staging_->current_observation());
  observer.on_safe_point(*this, false);
  // the evaluation before the first step, or what a resumed run's latest step still lacks
  bool finite = close_step(stop, observer);
  while (finite && !stop && counters_.env_steps < training.total_env_steps) {
    // the pool owns the rows from begin_step to finish_step; learning goes on beside it
    const TransitionView rows = staging_->back();
    remember_state();
    finite = tolerate(choose_actions(rows), observer);
    if (!finite) break;
    envs_->begin_step(rows, staging_->next_acting_observation());
    if (training.overlap) learn(counters_.env_steps, stop, observer);
    envs_->finish_step();
    count_step();
    observer.on_step(counters_, rows, *envs_);
    finite = close_step(stop, observer);
    if (finite) observer.on_safe_point(*this, false);
  }
  if (finite) observer.on_safe_point(*this, true);
  // with overlap the last step's updates are still owed, and its row is written after them
  if (finite) learn(counters_.env_steps, stop, observer);
  finite = tolerate(report_metrics(observer), observer) && finite;
  if (finite && !stop) finite = evaluate(stop, observer) != Outcome::diverged;
  if (finite && !stop && probe_is_due()) finite = probe(stop, observer) != Outcome::diverged;
  if (!finite) return TrainingEnd::diverged;
  return stop ? TrainingEnd::stopped : TrainingEnd::finished;
}

/// Store, learn, log, evaluate, probe: from where phase_ stands until all is done or a stop request
/// comes. False when numbers are no longer finite.
bool Trainer::close_step(const std::atomic<bool>& stop, TrainingObserver& observer) {
  const bool overlap = config_.training.overlap;
  const std::int64_t now = counters_.env_steps, before = now - envs_->num_envs();
  if (phase_ == StepPhase::unstored) {
    // with overlap the updates do not see this step's rows yet
    if (overlap && !learn(before, stop, observer)) return true;
    TransitionView rows = staging_->back();
    rows.state = state_before_;
    for (std::size_t i = 0; config_.training.timeout_is_terminal && i < rows.terminated.size(); ++i)
      if (rows.truncated[i]) rows.terminated[i] = 1;
    buffer_->insert(rows, current_stream(device_));
    staging_->flip();
    phase_ = StepPhase::unlearned;
  }
  if (phase_ == StepPhase::unlearned) {
    if (!overlap && !learn(now, stop, observer)) return true;
    phase_ = StepPhase::unreported;
  }
  // the end has a row and an evaluation of its own
  if (now >= config_.training.total_env_steps) return true;
  if (phase_ == StepPhase::unreported) {
    const bool due = period_is_due(before, now, config_.log.period);
    if (due && !tolerate(report_metrics(observer), observer)) return false;
    phase_ = StepPhase::unevaluated;
  }
  if (phase_ == StepPhase::unevaluated) {
    if (now == 0 || period_is_due(before, now, config_.evaluation.period)) {
      const Outcome outcome = evaluate(stop, observer);
      if (outcome != Outcome::done) return outcome == Outcome::interrupted;
    }
    phase_ = StepPhase::unprobed;
  }
  if (phase_ == StepPhase::unprobed) {
    const Outcome outcome = probe_is_due() ? probe(stop, observer) : Outcome::done;
    if (outcome != Outcome::done) return outcome == Outcome::interrupted;
    phase_ = StepPhase::closed;
  }
  return true;
}

/// Writes normalised actions into the rows; false when the policy's are not finite.
bool Trainer::choose_actions(const TransitionView& rows) {
  const auto counter = static_cast<std::uint64_t>(counters_.vector_steps);
  if (counters_.env_steps < config_.training.random_steps) {
    fill_uniform_actions(rows.action.data(), rows.num_envs * rows.action_dim, seeds_,
                         RandomStream::random_action, counter);
    if (const std::int64_t choices = env_->spec().num_actions; choices > 0) {
      for (float& a : rows.action) {
        a = static_cast<float>(random_index(0.5 * (1.0 + a), choices));
      }
    }
    return true;
  }
  agent_->set_env_steps(counters_.env_steps);
  agent_->act(rows.observation, rows.action, ActionMode::stochastic,
              RandomStream::exploration_noise, counter);
  return std::ranges::all_of(rows.action, [](float a) { return std::isfinite(a); });
}

void Trainer::count_step() {
  phase_ = StepPhase::unstored;
  counters_.env_steps += envs_->num_envs();
  counters_.episodes += static_cast<std::int64_t>(envs_->finished_episodes().size());
  ++counters_.vector_steps;
  num_valid_ += envs_->num_envs() - static_cast<std::int64_t>(envs_->invalid_transitions().size());
}

/// The updates that `env_steps` transitions have earned; false when a stop request left some owed.
bool Trainer::learn(std::int64_t env_steps, const std::atomic<bool>& stop,
                    TrainingObserver& observer) {
  std::int64_t due = replay_ratio_.updates_due(env_steps, counters_.gradient_updates);
  if (due > 0 && num_valid_ == 0) {
    throw std::runtime_error("every one of " + std::to_string(env_steps) +
                             " transitions is invalid (MuJoCo: " + last_mujoco_warning() +
                             "); check the options of [sim] and the model file");
  }
  if (due > 0) agent_->set_env_steps(env_steps);
  if (due > 0 && agent_->needs_reward_range()) agent_->set_reward_range(buffer_->reward_range());
  for (; due > 0 && !stop; --due) {
    buffer_->sample_into(batch_->view(), static_cast<std::uint64_t>(counters_.gradient_updates),
                         current_stream(device_));
    agent_->update(*batch_);
    ++counters_.gradient_updates;
    observer.on_tick(counters_);
  }
  return due == 0;
}

/// False when the parameters, or what the learner measured since the last report, are not finite.
bool Trainer::report_metrics(TrainingObserver& observer) {
  const bool learned = agent_->num_updates() > reported_updates_;
  reported_updates_ = agent_->num_updates();
  const Tensor means = agent_->take_metric_means().select(1, 0).to(at::kDouble).contiguous();
  const std::vector<double> values(means.data_ptr<double>(),
                                   means.data_ptr<double>() + means.numel());
  std::vector<std::string> names = agent_->metric_names();
  std::vector<double> all = values;
  if (learned) add_diagnostics(names, all);
  observer.on_metrics(counters_, names, all);
  if (!learned) return true;
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); }) &&
         agent_->parameters_are_finite();
}

/// On the rows that the latest update drew, as far as the ring still holds the same; a batch of its
/// own, so that nothing of training changes.
void Trainer::add_diagnostics(std::vector<std::string>& names, std::vector<double>& values) {
  const std::vector<std::string>& more = agent_->diagnostic_names();
  if (more.empty()) return;
  if (!diagnosis_batch_) diagnosis_batch_ = std::make_unique<Batch>(batch_->copy_shape());
  buffer_->sample_into(diagnosis_batch_->view(),
                       static_cast<std::uint64_t>(counters_.gradient_updates - 1),
                       current_stream(device_));
  const Tensor measured = agent_->diagnose(*diagnosis_batch_, buffer_->reward_range())
                              .select(1, 0)
                              .to(at::kDouble)
                              .contiguous();
  names.insert(names.end(), more.begin(), more.end());
  values.insert(values.end(), measured.data_ptr<double>(),
                measured.data_ptr<double>() + measured.numel());
}

/// Whether training goes on: with finite numbers, or without where the configuration says so.
bool Trainer::tolerate(bool finite, TrainingObserver& observer) {
  if (finite) return true;
  if (config_.training.on_non_finite == OnNonFinite::abort) return false;
  observer.on_non_finite(counters_);
  return true;
}

/// `diverged`, without an evaluation, when the parameters are not finite.
Trainer::Outcome Trainer::evaluate(const std::atomic<bool>& stop, TrainingObserver& observer) {
  if (!evaluator_) return Outcome::done;
  if (!agent_->parameters_are_finite()) {
    return tolerate(false, observer) ? Outcome::done : Outcome::diverged;
  }
  const auto keep_going = [&] {
    observer.on_tick(counters_);
    return !stop.load(std::memory_order_relaxed);
  };
  const EvaluationResult result =
      evaluator_->evaluate(*agent_, ActionMode::deterministic, keep_going);
  if (result.returns.empty()) return Outcome::interrupted;
  observer.on_evaluation(counters_, result, *agent_);
  return Outcome::done;
}

bool Trainer::probe_is_due() const {
  const std::int64_t now = counters_.env_steps;
  return probe_ && period_is_due(now - envs_->num_envs(), now, config_.overestimation.period);
}

/// `diverged`, without a probe, when the parameters are not finite.
Trainer::Outcome Trainer::probe(const std::atomic<bool>& stop, TrainingObserver& observer) {
  if (!agent_->parameters_are_finite()) {
    return tolerate(false, observer) ? Outcome::done : Outcome::diverged;
  }
  const auto keep_going = [&] {
    observer.on_tick(counters_);
    return !stop.load(std::memory_order_relaxed);
  };
  const OverestimationResult result =
      probe_->run(*agent_->actor_critic(), counters_.env_steps, keep_going);
  if (result.kinds.empty()) return Outcome::interrupted;
  observer.on_overestimation(counters_, result);
  return Outcome::done;
}

/// Keeps the simulator's rows as they are before the step, for a buffer that stores them.
void Trainer::remember_state() {
  if (config_.buffer.store_state) {
    state_before_.assign(envs_->state().begin(), envs_->state().end());
  }
}

Trainer::Trainer(const ExperimentConfig& config)
    : config_(config),
      device_(resolve_device(config.run.device)),
      seeds_{static_cast<std::uint64_t>(config.run.seed)},
      env_(make_env(config.sim)),
      threads_(plan_threads(config.sim.num_threads, config.learner.num_threads,
                            static_cast<std::int64_t>(seeds_.size()), device_.is_cuda(),
                            num_available_cores())),
      pool_(threads_.simulation, config.sim.pin_threads),
      replay_ratio_(config.training.replay_ratio, config.training.learning_starts) {
  set_learner_threads(threads_.learner);
  const EnvSpec& spec = env_->spec();
  const std::int64_t num_envs = config.sim.num_envs;
  const auto members = static_cast<std::int64_t>(seeds_.size());

  std::vector<std::uint64_t> lane_seeds(static_cast<std::size_t>(num_envs));
  std::iota(lane_seeds.begin(), lane_seeds.end(), seeds_[0]);
  envs_ = std::make_unique<VectorEnv>(env_, lane_seeds, pool_);
  staging_ = std::make_unique<Staging>(members * num_envs, spec.observation_dim, spec.action_dim,
                                       device_.is_cuda());

  // a ring that is larger than the run would stay partly empty
  const std::int64_t reachable = config.training.total_env_steps + num_envs;
  const std::int64_t capacity = std::min(config.buffer.capacity, reachable);
  DeviceSystem system = config.buffer.device_system;
  if (system == DeviceSystem::automatic) {
    system = device_.is_cuda() ? DeviceSystem::cuda : DeviceSystem::cpp;
  }
  if ((system == DeviceSystem::cuda) != device_.is_cuda()) {
    throw ConfigError(
        "buffer.device_system: the ring must live where the learner runs (run.device); "
        "use \"auto\"");
  }
  buffer_ = make_replay_buffer({.observation_dim = spec.observation_dim,
                                .action_dim = spec.action_dim,
                                .num_envs = num_envs,
                                .members = members,
                                .capacity = capacity,
                                .state_dim = config.buffer.store_state ? envs_->row_size() : 0},
                               seeds_.data(), system);

  agent_ = make_agent({config.agent},
                      {spec.observation_dim, spec.action_dim, seeds_, device_, spec.num_actions});
  batch_ = std::make_unique<Batch>(members, config.training.batch_size, spec.observation_dim,
                                   spec.action_dim, device_);
  if (config.evaluation.period > 0) {
    evaluator_ = std::make_unique<Evaluator>(env_, config.evaluation.num_episodes,
                                             evaluation_seed(config.run.seed), pool_);
  }
  if (config.overestimation.period > 0) {
    if (!agent_->actor_critic()) {
      throw ConfigError("overestimation.period: " + config.agent.algorithm +
                        " has no stochastic policy with critics to probe; set it to 0");
    }
    probe_ = std::make_unique<OverestimationProbe>(env_, config.overestimation, config.run.seed,
                                                   num_envs, pool_, buffer_.get());
  }
}

}  // namespace anthill
