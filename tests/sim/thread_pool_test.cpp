#define BOOST_TEST_MODULE sim_thread_pool
#include "sim/thread_pool.hpp"

#include <sched.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <vector>

#include "sim/errors.hpp"

using namespace anthill;

namespace {

struct Tally {
  explicit Tally(std::size_t num_chunks, int num_threads_in)
      : counts(num_chunks), num_threads(num_threads_in) {}

  static void count(void* context, std::int64_t chunk, int thread) {
    auto& tally = *static_cast<Tally*>(context);
    tally.counts[static_cast<std::size_t>(chunk)] += 1;
    if (thread < 0 || thread >= tally.num_threads) tally.bad_threads += 1;
  }

  std::vector<int> counts;  // plain: a chunk that two threads ran is a data race, seen by TSan
  int num_threads;
  std::atomic<int> bad_threads{0};
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_chunk_runs_once_in_every_batch) {
  for (const int num_threads : {1, 2, 3, 7}) {
    ThreadPool pool(num_threads);
    BOOST_TEST(pool.num_threads() == num_threads);
    for (const std::size_t num_chunks : {0u, 1u, 2u, 5u, 64u}) {
      Tally tally(num_chunks, num_threads);
      constexpr int kBatches = 300;
      for (int i = 0; i < kBatches; ++i) {
        pool.run(Tally::count, &tally, static_cast<std::int64_t>(num_chunks));
      }
      for (const int count : tally.counts) BOOST_TEST(count == kBatches);
      BOOST_TEST(tally.bad_threads == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(late_threads_never_touch_an_old_context) {
  ThreadPool pool(4);
  // each batch has its own short-lived context and its own size: a straggler would write into freed
  // memory (ASan) or run a chunk twice
  for (std::size_t i = 0; i < 3000; ++i) {
    auto tally = std::make_unique<Tally>(i % 5 + 1, 4);
    pool.run(Tally::count, tally.get(), static_cast<std::int64_t>(tally->counts.size()));
    for (const int count : tally->counts) BOOST_REQUIRE(count == 1);
  }
}

BOOST_AUTO_TEST_CASE(one_thread_works_only_inside_finish) {
  ThreadPool pool(1);
  Tally tally(3, 1);
  pool.begin(Tally::count, &tally, 3);
  BOOST_TEST(tally.counts == std::vector<int>(3, 0), boost::test_tools::per_element());
  pool.finish();
  BOOST_TEST(tally.counts == std::vector<int>(3, 1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(begin_lets_the_background_threads_work_alone) {
  ThreadPool pool(2);
  std::atomic<int> done{0};
  pool.begin([](void* context, std::int64_t,
                int) { static_cast<std::atomic<int>*>(context)->fetch_add(1); },
             &done, 10);
  while (done < 10) std::this_thread::yield();
  pool.finish();
  BOOST_TEST(done == 10);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  ThreadPool pool(2);
  Tally tally(1, 2);
  pool.begin(Tally::count, &tally, 1);
  BOOST_CHECK_THROW(pool.begin(Tally::count, &tally, 1), std::logic_error);
  pool.finish();
  BOOST_CHECK_THROW(pool.begin(Tally::count, &tally, -1), std::invalid_argument);
  BOOST_CHECK_THROW(pool.begin(Tally::count, &tally, 1ll << 40), std::invalid_argument);
  pool.run(Tally::count, &tally, 1);
  BOOST_TEST(tally.counts[0] == 2);
  BOOST_CHECK_THROW(ThreadPool(-1), ConfigError);
}

BOOST_AUTO_TEST_CASE(default_size_follows_the_affinity_mask) {
  BOOST_TEST(ThreadPool(0).num_threads() == num_available_cores());
  cpu_set_t before;
  BOOST_REQUIRE(sched_getaffinity(0, sizeof(before), &before) == 0);
  BOOST_TEST(num_available_cores() >= 1);
  BOOST_TEST(num_available_cores() <= CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_SET(first, &one);
  BOOST_REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
  BOOST_TEST(num_available_cores() == 1);
  BOOST_REQUIRE(sched_setaffinity(0, sizeof(before), &before) == 0);
}
