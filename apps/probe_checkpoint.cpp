#include "apps/probe_checkpoint.hpp"

#include "algos/agents/composed_actor_critic.hpp"
#include "algos/training/file_io.hpp"
#include "apps/command_line.hpp"
#include "configs/experiment.hpp"
#include "sim/env_factory.hpp"
#include "sim/errors.hpp"
#include "sim/vector_env.hpp"

namespace anthill {
namespace fs = std::filesystem;

namespace {

double number(std::int64_t value) { return static_cast<double>(value); }

/// The kinds that the run can give, or those that were asked for.
std::vector<std::string> chosen_states(const fs::path& run, const std::vector<std::string>& states,
                                       bool stores_state) {
  if (states.empty() && stores_state) {
    return {"on_policy", "reset", "buffer_action", "buffer_policy"};
  }
  if (states.empty()) {
    print_message("note: '" + run.string() +
                  "' stores no simulator rows (buffer.store_state = false): only on_policy and "
                  "reset states are probed");
    return {"on_policy", "reset"};
  }
  for (const std::string& name : states) {
    if (!name.starts_with("buffer") || stores_state) continue;
    throw ConfigError("--states " + name + ": '" + run.string() +
                      "' stores no simulator rows in its replay buffer; train with "
                      "buffer.store_state = true, or probe on_policy and reset");
  }
  return states;
}

/// "critic_from" = RUN/step-..., from .../RUN/checkpoints[/archive]/step-...
std::string donor_name(const fs::path& checkpoint) {
  if (checkpoint.empty()) return "";
  fs::path run = fs::absolute(checkpoint).lexically_normal().parent_path();
  if (run.filename() == "archive") run = run.parent_path();
  if (run.filename() == "checkpoints") run = run.parent_path();
  const std::string name = (run.filename() / checkpoint.filename()).string();
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  throw ConfigError("'" + name +
                    "' has a comma, a quote or a line end in its name, which the tables cannot "
                    "hold; rename the folder");
}

}  // namespace

ProbeTables::ProbeTables(fs::path folder, std::string note)
    : folder_(std::move(folder)),
      note_(std::move(note)),
      summary_table_(overestimation_metrics(), probe_origin_metrics().columns),
      state_table_(overestimation_state_metrics(), probe_origin_metrics().columns) {
  std::error_code error;
  if (!fs::exists(folder_, error) || (fs::is_directory(folder_) && fs::is_empty(folder_))) return;
  throw ConfigError("--output: '" + folder_.string() +
                    "' exists and is not an empty folder; choose another");
}

void ProbeTables::write(const OverestimationResult& result, const MetricRow& origin,
                        const CheckpointInfo& info) {
  if (!summary_) {
    make_folder(folder_);
    replace_file(folder_ / "probe.json", note_, false);
    summary_.emplace(folder_ / overestimation_metrics().file, summary_table_.table());
    states_.emplace(folder_ / overestimation_state_metrics().file, state_table_.table());
  }
  for (const ProbedKind& kind : result.kinds) {
    MetricRow row = kind.summary;
    row.insert(row.end(), origin.begin(), origin.end());
    row.insert(row.end(), {{"env_steps", number(info.env_steps)},
                           {"gradient_updates", number(info.gradient_updates)},
                           {"wall_time_s", info.wall_time_s},
                           {"seconds", result.seconds}});
    summary_->append(row);
    for (std::size_t i = 0; i < kind.states.size(); ++i) {
      MetricRow state = state_row(kind.kind, static_cast<std::int64_t>(i), kind.states[i]);
      state.insert(state.end(), origin.begin(), origin.end());
      state.emplace_back("env_steps", number(info.env_steps));
      states_->append(state);
    }
  }
  states_->flush();
  summary_->flush();
}

/// An agent of another run, frozen.
struct RunProbe::Donor {
  std::unique_ptr<Agent> agent;  // null: there is none
  std::unique_ptr<ActorCritic> view;
};

RunProbe::RunProbe(const fs::path& run, const std::vector<std::string>& states,
                   const std::vector<std::string>& overrides) {
  const ResolvedExperiment experiment =
      read_experiment((run / "resolved.toml").string(), overrides);
  check_experiment(experiment, 0);
  config_ = experiment.config;
  config_.overestimation.states = chosen_states(run, states, config_.buffer.store_state);
  ExperimentConfig quiet = config_;
  quiet.evaluation.period = quiet.overestimation.period = 0;
  trainer_ = std::make_unique<Trainer>(quiet);
}

/// The configured probe, without the buffer's kinds while the buffer is empty.
OverestimationProbe RunProbe::make_probe() const {
  OverestimationConfig config = config_.overestimation;
  if (trainer_->buffer().size() == 0) {
    std::erase_if(config.states,
                  [](const std::string& kind) { return kind.starts_with("buffer"); });
  }
  return OverestimationProbe(make_env(config_.sim), config, config_.run.seed, config_.sim.num_envs,
                             trainer_->pool(), &trainer_->buffer());
}

/// The agent of the checkpoint `folder`, made as its own configuration says: its networks need not
/// have this run's shapes.
RunProbe::Donor RunProbe::load_donor(const fs::path& folder) const {
  if (folder.empty()) return {};
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const std::string expected = row_identity(trainer_->env());
  if (checkpoint.info().env != expected) {
    throw ConfigError("'" + folder.string() + "' is of another task (" +
                      checkpoint.info().env.substr(0, 200) + ", not " + expected.substr(0, 200) +
                      "); take one of the same task, model and MuJoCo");
  }
  const std::string path = (folder / checkpoint.info().config.name).string();
  const ExperimentConfig of_donor = read_experiment(path, {}).config;
  const AgentConfig& agent = of_donor.agent;
  if (of_donor.sim.action_table != config_.sim.action_table ||
      of_donor.sim.action_repeat != config_.sim.action_repeat) {
    throw ConfigError("'" + folder.string() +
                      "' was trained with another sim.action_table or sim.action_repeat: its "
                      "actions are others; take a run with the same");
  }
  const bool same_kind = (agent.algorithm == "sac") == (config_.agent.algorithm == "sac");
  if (!same_kind || agent.discount != config_.agent.discount ||
      agent.reward_scale != config_.agent.reward_scale) {
    throw ConfigError("'" + folder.string() + "' was trained with another " +
                      (same_kind ? "agent.discount or agent.reward_scale"
                                 : "agent.algorithm (" + agent.algorithm + ")") +
                      ": its values are of another kind; take a run with the same");
  }
  const EnvSpec& spec = trainer_->env().spec();
  Donor donor;
  donor.agent = make_agent(
      {agent},
      agent_shape(spec, {static_cast<std::uint64_t>(config_.run.seed)}, trainer_->device()));
  donor.agent->load_networks(checkpoint.state().part("agent"));
  donor.view = donor.agent->actor_critic(0);
  return donor;
}

void RunProbe::run(const std::string& name, const fs::path& checkpoint, const ProbeDonors& donors,
                   ProbeTables& tables, const KeepGoing& keep_going) {
  const Checkpoint opened = Checkpoint::open(checkpoint);
  if (!donors.alpha.empty() && config_.agent.algorithm != "sac") {
    throw ConfigError("--alpha-from: " + config_.agent.algorithm +
                      " has no temperature; leave it out");
  }
  trainer_->load_frozen(opened);
  const Donor actor = load_donor(donors.actor), critic = load_donor(donors.critic),
              alpha = load_donor(donors.alpha);
  const std::unique_ptr<ActorCritic> own = trainer_->agent().actor_critic(0);
  const ComposedActorCritic agent(actor.view ? *actor.view : *own,
                                  critic.view ? *critic.view : *own,
                                  alpha.view ? *alpha.view : *own);

  const CheckpointInfo& info = opened.info();
  const OverestimationProbe probe = make_probe();
  const OverestimationResult result = probe.run(agent, info.env_steps, keep_going);
  if (result.kinds.empty()) {
    if (trainer_->buffer().size() == 0) {
      print_message(name + ": nothing to probe at env step " + std::to_string(info.env_steps) +
                    ": the replay buffer is empty");
    }
    return;
  }
  const std::string words[] = {name, checkpoint.filename().string(), donor_name(donors.actor),
                               donor_name(donors.critic), donor_name(donors.alpha)};
  MetricRow origin;
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (words[i].empty()) continue;
    origin.emplace_back(probe_origin_metrics().columns[i].name, std::string_view(words[i]));
  }
  tables.write(result, origin, info);
  for (const ProbedKind& kind : result.kinds) {
    print_message(name + ": " + overestimation_line(kind, info.env_steps));
  }
  print_message(name + ": " + overestimation_cost_line(result, result.seconds, info.wall_time_s));
}

}  // namespace anthill
