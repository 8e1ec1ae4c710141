/// Roughly how long a run takes and how much memory it needs, before anything is run.
#pragma once

#include "algos/training/experiment_config.hpp"

namespace anthill {

struct RunEstimate {
  double seconds = 0.0;     // on one core of a server, learner on the CPU
  double memory_mib = 0.0;  // resident
};

/// From the arithmetic of the updates, the length of the run and a table of the tasks' costs: for
/// planning, on a CPU; machines differ by factors. Says nothing about a GPU's time.
RunEstimate estimate_run(const ExperimentConfig& config);

}  // namespace anthill
