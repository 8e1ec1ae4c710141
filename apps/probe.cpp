/// anthill probe: the overestimation probe on the checkpoints of runs that are over, or still going
/// on.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "algos/training/stop_signal.hpp"
#include "apps/command_line.hpp"
#include "apps/exit_codes.hpp"
#include "apps/probe_checkpoint.hpp"
#include "apps/probe_runs.hpp"
#include "generated/build_info.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string source, output, checkpoints = "all";
  std::string actor_from, critic_from, alpha_from;
  std::vector<std::string> states;
  std::int64_t num_states = 0, num_rollouts = 0;  // 0: as the run's configuration says
  std::vector<std::string> overrides;
  std::vector<std::string> command_line;
};

/// Settings that say how to probe; all others belong to the run.
void check_overrides(const std::vector<std::string>& overrides) {
  for (const std::string& text : overrides) {
    bool allowed = false;
    for (const char* prefix : {"overestimation.", "run.device", "buffer.device_system",
                               "sim.num_threads", "sim.pin_threads", "learner.num_threads"}) {
      allowed = allowed || text.starts_with(prefix);
    }
    if (allowed) continue;
    throw ConfigError("--set " + text +
                      ": a probe leaves the run as it is; only [overestimation], run.device, "
                      "buffer.device_system and numbers of threads can be set");
  }
}

std::vector<std::string> overrides_of(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  const auto set = [&](const std::string& key, const std::string& value) {
    overrides.push_back("overestimation." + key + "=" + value);
  };
  if (arguments.num_states > 0) set("num_states", std::to_string(arguments.num_states));
  if (arguments.num_rollouts > 0) set("num_rollouts", std::to_string(arguments.num_rollouts));
  return overrides;
}

/// How the tables came to be.
std::string note_of(const Arguments& arguments) {
  const nlohmann::json object = {{"anthill_version", kVersion},
                                 {"arguments", arguments.command_line}};
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Every wanted checkpoint of one run; false when one could not be probed. A stop request ends it.
bool probe_run(const Arguments& arguments, const ProbedRun& run, ProbeTables& tables,
               const std::atomic<bool>& stop) {
  const auto checkpoints = choose_checkpoints(run.folder, parse_checkpoints(arguments.checkpoints));
  RunProbe probe(run.folder, arguments.states, overrides_of(arguments));
  bool good = true;
  for (const ListedCheckpoint& listed : checkpoints) {
    if (stop) return good;
    const auto source = [&](const std::string& from) {
      return from.empty() ? fs::path() : donor_checkpoint(from, listed.env_steps);
    };
    try {
      probe.run(run.name, listed.folder,
                {.actor = source(arguments.actor_from),
                 .critic = source(arguments.critic_from),
                 .alpha = source(arguments.alpha_from)},
                tables, [&] { return !stop.load(std::memory_order_relaxed); });
    } catch (const DamagedCheckpoint& error) {
      print_message(run.name + ": left out a checkpoint: " + error.what());
      good = false;
    }
  }
  return good;
}

int probe(const Arguments& arguments) {
  check_overrides(arguments.overrides);
  parse_checkpoints(arguments.checkpoints);
  const std::vector<ProbedRun> runs = find_runs(arguments.source);
  ProbeTables tables(arguments.output, note_of(arguments));
  StopSignal stop;
  bool good = true;
  for (const ProbedRun& run : runs) {
    try {
      good = probe_run(arguments, run, tables, stop.flag()) && good;
    } catch (const ConfigError& error) {
      if (runs.size() == 1) throw;
      print_message(run.name + ": left out: " + error.what());
      good = false;
    }
    if (stop.requested()) {
      print_message(std::string("stopped by ") + stop.name() + "; what was probed is written");
      return kExitStopped;
    }
  }
  return good ? kExitFinished : kExitFailed;
}

}  // namespace
}  // namespace anthill

int main(int argc, char** argv) {
  anthill::Arguments arguments;
  arguments.command_line.assign(argv, argv + argc);
  return anthill::run_command(
      argc, argv, "probe",
      [&](CLI::App& app) {
        app.add_option("run", arguments.source, "run folder, or a folder with runs below it")
            ->required();
        app.add_option("--output", arguments.output, "folder for the tables; made, or empty")
            ->required();
        app.add_option("--checkpoints", arguments.checkpoints,
                       "all, or env steps with commas: 10000,20000")
            ->capture_default_str();
        app.add_option("--states", arguments.states,
                       "kinds of states, with commas: on_policy, reset, buffer_action, "
                       "buffer_policy; default: all that the run has")
            ->delimiter(',')
            ->check(CLI::IsMember({"on_policy", "reset", "buffer_action", "buffer_policy"}));
        app.add_option("--num-states", arguments.num_states, "states of every kind")
            ->check(CLI::Range(1, 1'000'000));
        app.add_option("--num-rollouts", arguments.num_rollouts, "rollouts from every (s, a)")
            ->check(CLI::Range(1, 10'000));
        const char* donor = "another run (its checkpoint of the same env step) or checkpoint: ";
        app.add_option("--actor-from", arguments.actor_from, std::string(donor) + "take its actor");
        app.add_option("--critic-from", arguments.critic_from,
                       std::string(donor) + "take its critics");
        app.add_option("--alpha-from", arguments.alpha_from,
                       std::string(donor) + "take its temperature");
        anthill::add_set_option(app, arguments.overrides);
      },
      [&] { return anthill::probe(arguments); });
}
