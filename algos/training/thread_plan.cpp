#include "algos/training/thread_plan.hpp"

#include <algorithm>

namespace anthill {

ThreadPlan plan_threads(std::int64_t sim_threads, std::int64_t learner_threads,
                        std::int64_t members, bool learner_on_gpu, int num_cores) {
  ThreadPlan plan;
  if (learner_threads > 0) {
    plan.learner = static_cast<int>(learner_threads);
  } else if (!learner_on_gpu) {
    const int most = num_cores <= 2 ? num_cores : num_cores / 2;
    plan.learner = static_cast<int>(std::min<std::int64_t>(2 * members, most));
  }
  if (sim_threads > 0) {
    plan.simulation = static_cast<int>(sim_threads);
  } else {
    // the training thread belongs to both
    const int taken = num_cores > 4 ? plan.learner - 1 : 0;
    plan.simulation = std::max(1, num_cores - taken);
  }
  return plan;
}

}  // namespace anthill
