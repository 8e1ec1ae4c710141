/// `anthill rollout`: steps environments and writes every transition in Gymnasium's precision, to
/// check the simulator against anything else. Needs no learner.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "apps/exit_codes.hpp"
#include "apps/npz.hpp"
#include "apps/rollout_options.hpp"
#include "buffers/philox.hpp"
#include "sim/env_factory.hpp"
#include "sim/mujoco_info.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace {

constexpr std::int64_t kDefaultSteps = 1000;
constexpr std::int64_t kMaxWarnings = 10;

volatile std::sig_atomic_t stop_signal = 0;

/// The file's actions, checked against N and A; empty without a file.
NpyArray read_actions(const RolloutOptions& options, const EnvSpec& spec, std::int64_t num_envs) {
  if (options.actions.empty()) return {};
  NpyArray actions = read_npy(options.actions);
  const auto& shape = actions.shape;
  if (shape.size() != 3 || shape[0] < options.num_steps.value_or(1) || shape[1] != num_envs ||
      shape[2] != spec.action_dim) {
    std::string found;
    for (const std::int64_t dim : shape) found += (found.empty() ? "" : ", ") + std::to_string(dim);
    const std::string steps = options.num_steps ? std::to_string(*options.num_steps) : "T";
    throw ConfigError(options.actions + ": shape (" + found + "); " + spec.name + " needs (" +
                      steps + ", " + std::to_string(num_envs) + ", " +
                      std::to_string(spec.action_dim) + ")");
  }
  if (actions.rounded) {
    print_message("warning: " + options.actions +
                  ": float64 actions are rounded to float32, as the task's action space is");
  }
  return actions;
}

/// Uniform actions in the bounds, or uniform indices. They depend on seed + i only, as the resets
/// do: so environment i of a wide rollout is the one environment of a rollout from seed + i.
void draw_actions(const EnvSpec& spec, std::uint64_t seed, std::int64_t step,
                  std::span<float> actions) {
  const std::size_t action_dim = static_cast<std::size_t>(spec.action_dim);
  const auto num_actions = static_cast<std::uint64_t>(spec.num_actions);
  for (std::size_t k = 0; k < actions.size(); ++k) {
    const std::size_t element = k % action_dim;
    const PhiloxWords words =
        philox(seed + k / action_dim, RandomStream::random_action, static_cast<std::uint64_t>(step),
               static_cast<std::uint32_t>(element));
    if (num_actions > 0) {
      actions[k] = static_cast<float>(philox_below(words.word[0], words.word[1], num_actions));
      continue;
    }
    const float low = spec.action_low[element];
    const float high = spec.action_high[element];
    actions[k] = std::min(low + (high - low) * philox_uniform(words.word[0]), high);
  }
}

/// Storage of one vector step, in both precisions.
struct StepRows {
  explicit StepRows(const VectorEnv& envs)
      : num_envs(static_cast<std::size_t>(envs.num_envs())),
        observation_dim(static_cast<std::size_t>(envs.spec().observation_dim)),
        action_dim(static_cast<std::size_t>(envs.spec().action_dim)),
        observation(num_envs * observation_dim),
        acting_observation(observation.size()),
        next_observation(observation.size()),
        action(num_envs * action_dim),
        reward(num_envs),
        flags(3 * num_envs),
        observation_double(observation.size()),
        acting_observation_double(observation.size()),
        next_observation_double(observation.size()),
        reward_double(num_envs),
        terms_double(num_envs * envs.spec().reward_terms.size()),
        term(num_envs) {}

  TransitionView view() {
    const std::span<std::uint8_t> all(flags);
    return {.num_envs = static_cast<std::int64_t>(num_envs),
            .observation_dim = static_cast<std::int64_t>(observation_dim),
            .action_dim = static_cast<std::int64_t>(action_dim),
            .observation = observation,
            .action = action,
            .reward = reward,
            .next_observation = next_observation,
            .terminated = all.subspan(0, num_envs),
            .truncated = all.subspan(num_envs, num_envs),
            .invalid = all.subspan(2 * num_envs, num_envs)};
  }

  DoubleRows double_rows() {
    return {.next_observation = next_observation_double,
            .acting_observation = acting_observation_double,
            .reward = reward_double,
            .terms = terms_double};
  }

  std::size_t num_envs, observation_dim, action_dim;
  std::vector<float> observation, acting_observation, next_observation, action, reward;
  std::vector<std::uint8_t> flags;  // terminated, truncated, invalid
  std::vector<double> observation_double, acting_observation_double, next_observation_double,
      reward_double, terms_double;
  std::vector<double> term;  // one term of all environments
};

/// The arrays of the output, in the order that write_step appends to them.
std::vector<NpzArray> output_arrays(std::int64_t num_steps, std::int64_t num_envs,
                                    const EnvSpec& spec) {
  std::vector<NpzArray> arrays = {{"observation", {num_steps, num_envs, spec.observation_dim}},
                                  {"action", {num_steps, num_envs, spec.action_dim}},
                                  {"reward", {num_steps, num_envs}},
                                  {"next_observation", {num_steps, num_envs, spec.observation_dim}},
                                  {"terminated", {num_steps, num_envs}},
                                  {"truncated", {num_steps, num_envs}},
                                  {"invalid", {num_steps, num_envs}}};
  for (const std::string& name : spec.reward_terms) {
    arrays.push_back({"terms/" + name, {num_steps, num_envs}});
  }
  return arrays;
}

void write_step(NpzWriter& writer, StepRows& rows) {
  const std::vector<double> action(rows.action.begin(), rows.action.end());
  const std::vector<double> flags(rows.flags.begin(), rows.flags.end());
  const std::span<const double> all(flags);
  writer.append(0, rows.observation_double);
  writer.append(1, action);
  writer.append(2, rows.reward_double);
  writer.append(3, rows.next_observation_double);
  writer.append(4, all.subspan(0, rows.num_envs));
  writer.append(5, all.subspan(rows.num_envs, rows.num_envs));
  writer.append(6, all.subspan(2 * rows.num_envs, rows.num_envs));
  const std::size_t num_terms = rows.terms_double.size() / rows.num_envs;
  for (std::size_t k = 0; k < num_terms; ++k) {
    for (std::size_t i = 0; i < rows.num_envs; ++i) {
      rows.term[i] = rows.terms_double[i * num_terms + k];
    }
    writer.append(7 + k, rows.term);
  }
}

void warn_invalid(const InvalidRecord& record, const EnvSpec& spec) {
  const std::string bad_action =
      spec.num_actions > 0
          ? "the action is no index in [0, " + std::to_string(spec.num_actions - 1) + "]"
          : "the action is not finite";
  print_message("environment " + std::to_string(record.env) + " (seed " +
                std::to_string(record.seed) + "), step " + std::to_string(record.step) +
                " of its episode: " +
                (record.invalid_action ? bad_action
                                       : "the simulation failed (" + simulation_failure() + ")") +
                "; the episode ends here and the transition is marked invalid");
}

struct Totals {
  std::int64_t episodes = 0;
  std::int64_t invalid = 0;
};

Totals roll_out(VectorEnv& envs, const NpyArray& actions, std::uint64_t seed,
                std::int64_t num_steps, NpzWriter& writer) {
  StepRows rows(envs);
  Totals totals;
  envs.set_scale_actions(false);
  envs.set_double_rows(rows.double_rows());
  envs.reset(rows.acting_observation);
  for (std::int64_t step = 0; step < num_steps; ++step) {
    if (stop_signal != 0) {
      throw std::runtime_error("stopped by a signal at step " + std::to_string(step) +
                               "; nothing is written");
    }
    rows.observation = rows.acting_observation;
    rows.observation_double = rows.acting_observation_double;
    if (actions.values.empty()) {
      draw_actions(envs.spec(), seed, step, rows.action);
    } else {
      const auto size = static_cast<std::ptrdiff_t>(rows.action.size());
      std::copy_n(actions.values.begin() + step * size, size, rows.action.begin());
    }
    envs.begin_step(rows.view(), rows.acting_observation);
    envs.finish_step();
    for (const InvalidRecord& record : envs.invalid_transitions()) {
      if (totals.invalid++ < kMaxWarnings) warn_invalid(record, envs.spec());
    }
    totals.episodes += static_cast<std::int64_t>(envs.finished_episodes().size());
    write_step(writer, rows);
  }
  return totals;
}

int rollout(const RolloutOptions& options) {
  const auto [config, first_seed, output] = read_rollout_settings(options);
  const std::shared_ptr<const Env> env = make_env(config);
  const NpyArray actions = read_actions(options, env->spec(), config.num_envs);
  const std::int64_t num_steps =
      options.num_steps.value_or(actions.shape.empty() ? kDefaultSteps : actions.shape[0]);

  NpzWriter writer(output, output_arrays(num_steps, config.num_envs, env->spec()));
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(config.num_envs));
  const auto seed = static_cast<std::uint64_t>(first_seed);
  std::iota(seeds.begin(), seeds.end(), seed);
  ThreadPool pool(static_cast<int>(config.num_threads), config.pin_threads);
  VectorEnv envs(env, seeds, pool);

  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) { stop_signal = number; });
  }
  const Totals totals = roll_out(envs, actions, seed, num_steps, writer);
  std::error_code error;
  if (std::filesystem::exists(output, error)) print_message("replacing " + output);
  writer.finish();
  if (totals.invalid > kMaxWarnings) {
    print_message("in all, " + std::to_string(totals.invalid) + " transitions are marked invalid");
  }
  std::printf("%s: %lld steps of %lld %s, %lld episodes ended, %lld invalid transitions\n",
              output.c_str(), static_cast<long long>(num_steps),
              static_cast<long long>(config.num_envs), env->spec().name.c_str(),
              static_cast<long long>(totals.episodes), static_cast<long long>(totals.invalid));
  return kExitFinished;
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::RolloutOptions options;
  return anthill::run_command(
      argc, argv, "rollout", [&](CLI::App& app) { anthill::add_rollout_options(app, options); },
      [&] { return anthill::rollout(options); });
}
