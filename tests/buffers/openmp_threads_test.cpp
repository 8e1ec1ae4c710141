/// The OMP device system in a process whose OpenMP thread count is 1, as LibTorch may set it.
#define BOOST_TEST_MODULE openmp_threads
#include <omp.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>

#include "tests/buffers/replay_reference.hpp"

using namespace anthill;
using namespace anthill::testing;

namespace {

/// Threads of this process. OpenMP keeps its team after a parallel section, idle.
[[maybe_unused]] int num_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_large_batch_takes_every_core_and_leaves_the_setting_alone) {
#if defined(__SANITIZE_THREAD__)
  BOOST_TEST_MESSAGE("skipped: libgomp is not instrumented, its barriers look like races");
#else
  omp_set_num_threads(1);
  const int before = num_threads();
  const ReplayShape shape{9, 3, 16, 1, 160};
  const auto buffer = make_buffer(shape, DeviceSystem::omp);
  RowMaker maker(shape);
  buffer->insert(maker.next(0.0));
  HostBatch small(shape, 1, 64), large(shape, 1, 20'000);
  buffer->sample_into(small.view(), 0);
  BOOST_TEST(num_threads() == before);  // not worth a team
  buffer->sample_into(large.view(), 1);
  BOOST_TEST(num_threads() == before + omp_get_num_procs() - 1);
  BOOST_TEST(omp_get_max_threads() == 1);
#endif
}
