/// The subcommands of `anthill`, each an executable `anthill-NAME` beside it: names and one-line
/// summaries for every --help.
#pragma once

#include <array>
#include <string_view>

namespace anthill {

struct Subcommand {
  std::string_view name;
  std::string_view summary;
};

inline constexpr std::array<Subcommand, 10> kSubcommands = {{
    {"train", "train an agent as a configuration file says, into a run folder"},
    {"evaluate", "run the policy of a run folder and report its returns"},
    {"watch", "follow a run folder, or all runs below one, in the terminal"},
    {"render", "draw episodes of a run's policy, with what its critics say of them"},
    {"probe", "measure the critics' overestimation in every checkpoint of runs"},
    {"sweep", "many runs from one file, on this machine or through Slurm; their state and results"},
    {"inspect", "say what a run folder or a checkpoint holds and whether it verifies"},
    {"bench", "measure the speed of the simulator, the replay buffer and the learner"},
    {"config", "print a configuration with the origin of every value, or document every key"},
    {"rollout", "step environments with given or random actions and write every transition"},
}};

}  // namespace anthill
