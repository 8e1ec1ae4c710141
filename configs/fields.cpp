#include "configs/fields.hpp"

#include "configs/agent_fields.hpp"
#include "configs/section_table.hpp"
#include "configs/task_fields.hpp"

namespace anthill {
namespace {

constexpr EnumName<DeviceChoice> kDeviceChoices[] = {
    {DeviceChoice::automatic, "auto"}, {DeviceChoice::cpu, "cpu"}, {DeviceChoice::cuda, "cuda"}};
constexpr EnumName<DeviceSystem> kDeviceSystems[] = {{DeviceSystem::automatic, "auto"},
                                                     {DeviceSystem::cpp, "cpp"},
                                                     {DeviceSystem::omp, "omp"},
                                                     {DeviceSystem::cuda, "cuda"}};
constexpr EnumName<OnNonFinite> kOnNonFinite[] = {{OnNonFinite::abort, "abort"},
                                                  {OnNonFinite::go_on, "continue"}};

// far beyond any use, and exact in a double
constexpr double kMaxSteps = 1e12;

void add_run(std::vector<Field>& fields) {
  SectionTable table(
      fields, "run", [](auto& config) -> auto& { return config.run; });
  table.add("name", &RunConfig::name,
            "Free text for provenance.json; empty: the configuration file's stem.");
  table.add("seed", &RunConfig::seed, at_least(0), "",
            "Environment i draws from seed + i; every Philox stream is keyed by it.");
  table.add("device", &RunConfig::device,
            "Where the learner runs; auto: cuda where a GPU is found, else cpu.");
}

void add_sim(std::vector<Field>& fields) {
  SectionTable table(
      fields, "sim", [](auto& config) -> auto& { return config.sim; });
  table.add("env", &SimConfig::env, "Gymnasium's id of the task.");
  table.add("num_envs", &SimConfig::num_envs, between(1, 1'000'000), "environments",
            "Environments stepped side by side.");
  table.add("num_threads", &SimConfig::num_threads, between(0, 4096), "threads",
            "Threads that step them; 0: one per core that the process may use.");
  table.add("pin_threads", &SimConfig::pin_threads,
            "Keep each thread but the main one on a core of its own; for a run that has its cores "
            "to itself.");
  table.add("max_episode_steps", &SimConfig::max_episode_steps, between(0, 1e9), "control steps",
            "Time limit of an episode; 0: the task's own.");
  table.add("action_repeat", &SimConfig::action_repeat, between(1, 1'000'000), "control steps",
            "An action is held for so many control steps, which count as one env step.");
  table.add(
      "action_table", &SimConfig::action_table, 4096,
      "Actions of a continuous task, in its units, that become the discrete actions 0, 1, ...; "
      "[]: none.");
}

void add_buffer(std::vector<Field>& fields) {
  SectionTable table(
      fields, "buffer", [](auto& config) -> auto& { return config.buffer; });
  table.add("capacity", &BufferConfig::capacity, between(1, 1e10), "transitions",
            "Transitions kept, over all environments; rounded down to a multiple of sim.num_envs.");
  table.add("device_system", &BufferConfig::device_system,
            "Thrust's device system; auto: cuda where the learner runs on cuda, else cpp.");
  table.add("store_state", &BufferConfig::store_state,
            "Keep the simulator's row with every transition, for probes of stored states.");
  table.add(
      "replacement", &BufferConfig::replacement,
      "false: no transition twice in a batch (from learning_starts on a batch must be stored).");
  table.add("held_out_share", &BufferConfig::held_out_share, between(0, 0.5), "",
            "Share of the episodes that are never learned from, for held_out_critic_loss (SAC).");
}

void add_training(std::vector<Field>& fields) {
  SectionTable table(
      fields, "training", [](auto& config) -> auto& { return config.training; });
  table.add("total_env_steps", &TrainingConfig::total_env_steps, between(1, kMaxSteps), "env steps",
            "Length of the run: transitions over all environments.");
  table.add("random_steps", &TrainingConfig::random_steps, between(0, kMaxSteps), "env steps",
            "Transitions at the start that are taken with uniform random actions.");
  table.add("learning_starts", &TrainingConfig::learning_starts, between(0, kMaxSteps), "env steps",
            "Transitions before the first gradient update is earned.");
  table.add("replay_ratio", &TrainingConfig::replay_ratio, between(0, 10'000),
            "updates per transition", "Gradient updates per environment transition.");
  table.add("replay_ratio_schedule", &TrainingConfig::replay_ratio_schedule, 1000,
            "[env steps, ratio] each, such as [[20_000, 2.0], [50_000, 8.0]]: what transitions "
            "after so many env steps earn; replay_ratio before the first.");
  table.add("prefill_updates", &TrainingConfig::prefill_updates, between(0, kMaxSteps), "updates",
            "Updates on what is stored when learning starts, before the first earned one (the "
            "priming of Nikishin et al., 2022).");
  table.add(
      "burst", &TrainingConfig::burst, between(1, kMaxSteps), "env steps",
      "Updates are made together, once in so many transitions; 1: as soon as they are earned.");
  table.add("batch_size", &TrainingConfig::batch_size, between(1, 1'000'000), "transitions",
            "Transitions per gradient update.");
  table.add("on_non_finite", &TrainingConfig::on_non_finite,
            "When losses, values or parameters are no longer finite; abort: end with a post-mortem "
            "folder.");
  table.add("timeout_is_terminal", &TrainingConfig::timeout_is_terminal,
            "Store a transition at the time limit as terminated: no bootstrapping there, as some "
            "published programs have it; it lowers every value.");
  table.add("overlap", &TrainingConfig::overlap,
            "Learn while the simulator steps; false: step, store, then learn.");
  table.add("reset_period", &TrainingConfig::reset_period, between(0, kMaxSteps), "env steps",
            "Time after which all environments start a new episode together; 0: never.");
  table.add(
      "solved_return", &TrainingConfig::solved_return, kAnyOrInfinite, "",
      "The run ends once the last solved_episodes training episodes have this mean return; inf: "
      "never.");
  table.add("solved_episodes", &TrainingConfig::solved_episodes, between(1, 1'000'000), "episodes",
            "How many solved_return averages over.");
}

void add_learner(std::vector<Field>& fields) {
  SectionTable table(
      fields, "learner", [](auto& config) -> auto& { return config.learner; });
  table.add("num_threads", &LearnerConfig::num_threads, between(0, 1024), "threads",
            "CPU threads that share an update (results do not depend on them); 0: two, or one on "
            "a single core.");
  table.add("cuda_graph", &LearnerConfig::cuda_graph,
            "On a GPU, capture updates once and launch a learn phase as one graph, where the "
            "algorithm allows it (SAC); false: kernel by kernel. Not yet run on a GPU.");
}

void add_evaluation(std::vector<Field>& fields) {
  SectionTable table(
      fields, "evaluation", [](auto& config) -> auto& { return config.evaluation; });
  table.add("period", &EvaluationConfig::period, between(0, kMaxSteps), "env steps",
            "Time between evaluations with the deterministic policy; 0: never.");
  table.add("num_episodes", &EvaluationConfig::num_episodes, between(1, 1'000'000), "episodes",
            "Episodes of one evaluation, on environments of their own.");
}

void add_checkpoint(std::vector<Field>& fields) {
  SectionTable table(
      fields, "checkpoint", [](auto& config) -> auto& { return config.checkpoint; });
  table.add("period", &CheckpointConfig::period, between(0, kMaxSteps), "env steps",
            "Time between checkpoints; 0: by wall time alone.");
  table.add("period_s", &CheckpointConfig::period_s, between(0, 1e9), "s",
            "Wall time between checkpoints; 0: by env steps alone; both 0: no checkpoints.");
  table.add("keep", &CheckpointConfig::keep, between(2, 1'000'000), "checkpoints",
            "Newest checkpoints that are kept.");
  table.add("archive_period", &CheckpointConfig::archive_period, between(0, kMaxSteps), "env steps",
            "Time between checkpoints that are kept for good, in checkpoints/archive; 0: none.");
}

void add_overestimation(std::vector<Field>& fields) {
  using Config = OverestimationConfig;
  SectionTable table(
      fields, "overestimation", [](auto& config) -> auto& { return config.overestimation; });
  table.add("period", &Config::period, between(0, kMaxSteps), "env steps",
            "Time between probes of the critics by Monte-Carlo rollouts; 0: never.");
  table.add("num_states", &Config::num_states, between(1, 1'000'000), "states",
            "Probed (s, a) of every kind.");
  table.add("num_rollouts", &Config::num_rollouts, between(1, 10'000), "rollouts",
            "Independent rollouts from every (s, a); at least 2 tell noise from spread.");
  table.add("horizon", &Config::horizon, between(1, 1'000'000), "control steps",
            "Length at which a rollout is cut, whatever the time limit: 459 leave 1 % of the value "
            "behind at a discount of .99, 917 .01 %.");
  table.add("num_episodes", &Config::num_episodes, between(1, 100'000), "episodes",
            "Episodes of the current policy that the on_policy states are from.");
  table.add("states", &Config::states, {"on_policy", "reset", "buffer_action", "buffer_policy"},
            "Where probed (s, a) are from; the buffer's need buffer.store_state.");
  table.add("deterministic_rollouts", &Config::deterministic_rollouts,
            "One more rollout from every state, of the deterministic policy, for DroQ's measure.");
  table.add("num_resamples", &Config::num_resamples, between(1, 1'000'000), "resamples",
            "Of the bootstrap over episodes that gives the intervals.");
  table.add(
      "seed", &Config::seed, at_least(0), "",
      "Added to run.seed for the probe's own random numbers; training does not depend on it.");
}

void add_log(std::vector<Field>& fields) {
  SectionTable table(
      fields, "log", [](auto& config) -> auto& { return config.log; });
  table.add("period", &LogConfig::period, between(1, kMaxSteps), "env steps",
            "Time between rows of train.csv.");
  table.add("tensorboard", &LogConfig::tensorboard, "Write TensorBoard event files as well.");
  table.add("progress_period_s", &LogConfig::progress_period_s, above(0, 86'400), "s",
            "Time between progress lines when stderr is no terminal.");
}

std::vector<Field> make_fields() {
  std::vector<Field> fields;
  add_run(fields);
  add_sim(fields);
  add_mujoco_tasks(fields);
  add_classic_tasks(fields);
  add_lunar_lander(fields);
  add_mjcf(fields);
  add_buffer(fields);
  add_training(fields);
  add_agents(fields);
  add_learner(fields);
  add_evaluation(fields);
  add_overestimation(fields);
  add_checkpoint(fields);
  add_log(fields);
  return fields;
}

}  // namespace

std::span<const EnumName<DeviceChoice>> enum_names(DeviceChoice) { return kDeviceChoices; }
std::span<const EnumName<DeviceSystem>> enum_names(DeviceSystem) { return kDeviceSystems; }
std::span<const EnumName<OnNonFinite>> enum_names(OnNonFinite) { return kOnNonFinite; }

const std::vector<Field>& fields() {
  static const std::vector<Field> kFields = make_fields();
  return kFields;
}

bool Field::is_path(const Value& value) const {
  if (file == FileText::none) return false;
  const std::string& text = std::get<std::string>(value);
  return file == FileText::path ? !text.empty() : text.starts_with('/') || text.starts_with('.');
}

const Field* find_field(std::string_view key) {
  for (const Field& field : fields()) {
    if (field.key() == key) return &field;
  }
  return nullptr;
}

}  // namespace anthill
