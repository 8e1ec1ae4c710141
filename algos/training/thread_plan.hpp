/// How a run divides the machine's cores.
#pragma once

#include <cstdint>

namespace anthill {

struct ThreadPlan {
  int simulation = 1;  // threads that step environments, the training thread included
  int learner = 1;     // threads that share an update on the CPU, the training thread included
};

/// Resolves sim.num_threads and learner.num_threads (0: automatic) for `num_cores` cores that this
/// process may use. An update has two equal parts per member, so the learner takes two threads per
/// member, and no more than half of more than two cores. The simulation takes all cores of a small
/// machine (up to four), where the two take turns, and otherwise the cores that the learner leaves.
/// On a GPU the learner needs only the training thread.
ThreadPlan plan_threads(std::int64_t sim_threads, std::int64_t learner_threads,
                        std::int64_t members, bool learner_on_gpu, int num_cores);

}  // namespace anthill
