/// Every setting of one experiment, section by section what its TOML holds. Plain data.
#pragma once

#include "algos/agents/agent_config.hpp"
#include "algos/training/overestimation_config.hpp"
#include "algos/training/training_config.hpp"
#include "buffers/buffer_config.hpp"
#include "sim/sim_config.hpp"

namespace anthill {

struct ExperimentConfig {
  RunConfig run;                // [run]
  SimConfig sim;                // [sim], [sim.ant], [sim.hopper], ...
  BufferConfig buffer;          // [buffer]
  TrainingConfig training;      // [training]
  LearnerConfig learner;        // [learner]
  AgentConfig agent;            // [agent], and at top level [actor], [critic], [temperature]
  EvaluationConfig evaluation;  // [evaluation]
  CheckpointConfig checkpoint;  // [checkpoint]
  OverestimationConfig overestimation;  // [overestimation]
  LogConfig log;                        // [log]
};

}  // namespace anthill
