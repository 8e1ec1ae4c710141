#include "sim/vector_env.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "sim/vector_env_impl.hpp"
#include "sim/ziggurat.hpp"

namespace anthill {
namespace {

template <typename T>
void check_size(std::span<T> rows, std::size_t expected, const char* name) {
  if (rows.size() == expected) return;
  throw std::invalid_argument(std::string("VectorEnv: ") + name + " has " +
                              std::to_string(rows.size()) + " elements, expected " +
                              std::to_string(expected));
}

void check_optional_size(std::span<double> rows, std::size_t expected, const char* name) {
  if (!rows.empty()) check_size(rows, expected, name);
}

}  // namespace

VectorEnv::Impl::Impl(std::shared_ptr<const Env> env_in, std::span<const std::uint64_t> seeds_in,
                      ThreadPool& pool_in)
    : env(std::move(env_in)),
      pool(pool_in),
      seeds(seeds_in.begin(), seeds_in.end()),
      action_scale(env->spec()) {
  ziggurat_tables();  // may throw, which resets in the pool must not
  if (seeds.empty()) throw ConfigError("sim.num_envs: must be at least 1");
  const EnvSpec& spec = env->spec();
  num_envs = seeds.size();
  observation_dim = static_cast<std::size_t>(spec.observation_dim);
  action_dim = static_cast<std::size_t>(spec.action_dim);
  num_terms = spec.reward_terms.size();
  state_dim = static_cast<std::size_t>(spec.state_dim);
  row_size = lane_row_size(spec);
  tag = row_tag(*env);
  num_waiting = num_envs;
  max_episode_steps = spec.max_episode_steps;
  // 64 chunks for each thread bound the wait for the last one to 1/64 of a step; more lanes in a
  // chunk spare the cheap tasks (docs/simulation_threads.md)
  const auto num_threads = static_cast<std::size_t>(pool.num_threads());
  lanes_per_chunk = std::clamp<std::size_t>(num_envs / (64 * num_threads), 1, 16);

  try {
    make_workspaces();
    episode_slots.resize(num_envs);
    invalid_slots.resize(num_envs, {.step = -1});
    episode_terms.resize(num_envs * num_terms);
    finished.reserve(num_envs);
    invalid.reserve(num_envs);
    rows = std::make_unique_for_overwrite<double[]>(num_envs * row_size);
  } catch (const std::bad_alloc&) {
    throw ConfigError("sim.num_envs: no memory for " + std::to_string(num_envs) +
                      " environments; use fewer");
  }
  // each thread writes its own rows first, so that the pages lie near the core that uses them
  for_all_lanes(run_chunk<&Impl::seed_lane>, ThreadPool::Sharing::home_only);
  pool.finish();
}

/// Scratch and workspaces, each made by the thread that will use it, for the same reason.
void VectorEnv::Impl::make_workspaces() {
  struct Making {
    Impl& impl;
    std::vector<std::exception_ptr> failures;  // by thread: none may leave the pool's work
  } making{*this, std::vector<std::exception_ptr>(static_cast<std::size_t>(pool.num_threads()))};
  scratch.resize(making.failures.size());
  const bool per_lane = env->spec().workspace_per_lane;
  const auto make_scratch = [](void* context, std::int64_t, int thread) {
    auto& [impl, failures] = *static_cast<Making*>(context);
    const auto i = static_cast<std::size_t>(thread);
    try {
      const bool shared = !impl.env->spec().workspace_per_lane;
      impl.scratch[i] = {
          shared ? impl.env->make_workspace() : nullptr, std::vector<float>(impl.action_dim),
          std::vector<double>(impl.observation_dim), std::vector<double>(impl.num_terms)};
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  const auto make_lane = [](void* context, std::int64_t lane, int thread) {
    auto& [impl, failures] = *static_cast<Making*>(context);
    try {
      impl.lane_workspaces[static_cast<std::size_t>(lane)] = impl.env->make_workspace();
    } catch (...) {
      failures[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  };
  pool.run(make_scratch, &making, pool.num_threads(), ThreadPool::Sharing::home_only);
  if (per_lane) {
    lane_workspaces.resize(num_envs);
    pool.run(make_lane, &making, static_cast<std::int64_t>(num_envs),
             ThreadPool::Sharing::home_only);
  }
  for (const std::exception_ptr& failure : making.failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void VectorEnv::Impl::for_all_lanes(ThreadPool::Work work, ThreadPool::Sharing sharing) {
  const std::size_t num_chunks = (num_envs + lanes_per_chunk - 1) / lanes_per_chunk;
  pool.begin(work, this, static_cast<std::int64_t>(num_chunks), sharing);
}

// by lane, so the order does not depend on threads
void VectorEnv::Impl::collect_records() {
  for (EpisodeRecord& slot : episode_slots) {
    if (slot.length == 0) continue;
    finished.push_back(slot);
    slot.length = 0;
  }
  for (InvalidRecord& slot : invalid_slots) {
    if (slot.step < 0) continue;
    invalid.push_back(slot);
    slot.step = -1;
  }
  num_invalid += static_cast<std::int64_t>(invalid.size());
}

void VectorEnv::Impl::check_views() const {
  check_size(view.action, num_envs * action_dim, "rows.action");
  check_size(view.reward, num_envs, "rows.reward");
  check_size(view.next_observation, num_envs * observation_dim, "rows.next_observation");
  check_size(view.terminated, num_envs, "rows.terminated");
  check_size(view.truncated, num_envs, "rows.truncated");
  check_size(view.invalid, num_envs, "rows.invalid");
  check_size(acting_observation, num_envs * observation_dim, "acting_observation");
  if (!held_lanes.empty()) check_size(held_lanes, num_envs, "held");
}

void VectorEnv::Impl::require_idle(const char* function) const {
  if (!in_flight) return;
  throw std::logic_error(std::string("VectorEnv::") + function + ": call finish_step() first");
}

VectorEnv::VectorEnv(std::shared_ptr<const Env> env, std::span<const std::uint64_t> seeds,
                     ThreadPool& pool)
    : impl_(std::make_unique<Impl>(std::move(env), seeds, pool)) {}

VectorEnv::~VectorEnv() {
  if (impl_->in_flight) impl_->pool.finish();
}

const EnvSpec& VectorEnv::spec() const { return impl_->env->spec(); }

std::int64_t VectorEnv::num_envs() const { return static_cast<std::int64_t>(impl_->num_envs); }

void VectorEnv::reset(std::span<float> acting_observation, std::span<const std::uint8_t> lanes) {
  impl_->require_idle("reset");
  check_size(acting_observation, impl_->num_envs * impl_->observation_dim, "acting_observation");
  if (!lanes.empty()) check_size(lanes, impl_->num_envs, "lanes");
  impl_->acting_observation = acting_observation;
  impl_->chosen_lanes = lanes;
  impl_->for_all_lanes(lanes.empty() ? Impl::run_chunk<&Impl::reset_lane>
                                     : Impl::run_chunk<&Impl::reset_chosen_lane>);
  impl_->pool.finish();
  impl_->count_waiting_lanes();
}

void VectorEnv::begin_step(TransitionView rows, std::span<float> acting_observation,
                           std::span<const std::uint8_t> held, bool end_episodes) {
  impl_->require_idle("begin_step");
  if (impl_->num_waiting > 0) throw std::logic_error("VectorEnv::begin_step: call reset() first");
  impl_->view = rows;
  impl_->acting_observation = acting_observation;
  impl_->held_lanes = held;
  impl_->end_episodes = end_episodes;
  impl_->check_views();
  impl_->finished.clear();
  impl_->invalid.clear();
  impl_->for_all_lanes(Impl::run_chunk<&Impl::step_lane>);
  impl_->in_flight = true;
}

void VectorEnv::finish_step() {
  if (!impl_->in_flight) throw std::logic_error("VectorEnv::finish_step: call begin_step() first");
  impl_->pool.finish();
  impl_->in_flight = false;
  impl_->collect_records();
}

void VectorEnv::set_scale_actions(bool scale) {
  impl_->require_idle("set_scale_actions");
  impl_->scale_actions = scale;
}

void VectorEnv::set_double_rows(DoubleRows rows) {
  impl_->require_idle("set_double_rows");
  const std::size_t num_envs = impl_->num_envs;
  const std::size_t num_values = num_envs * impl_->observation_dim;
  check_optional_size(rows.next_observation, num_values, "next_observation in double");
  check_optional_size(rows.acting_observation, num_values, "acting_observation in double");
  check_optional_size(rows.reward, num_envs, "reward in double");
  check_optional_size(rows.terms, num_envs * impl_->num_terms, "terms in double");
  impl_->doubles = rows;
}

std::span<const EpisodeRecord> VectorEnv::finished_episodes() const { return impl_->finished; }

std::span<const InvalidRecord> VectorEnv::invalid_transitions() const { return impl_->invalid; }

std::int64_t VectorEnv::num_sim_warnings() const { return impl_->num_invalid; }

}  // namespace anthill
