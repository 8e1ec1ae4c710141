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

BOOST_AUTO_TEST_CASE(home_only_chunks_run_at_home) {
  struct Owners {
    explicit Owners(std::size_t num_chunks) : threads(num_chunks, -1) {}
    std::vector<int> threads;
  };
  const auto note = [](void* context, std::int64_t chunk, int thread) {
    static_cast<Owners*>(context)->threads[static_cast<std::size_t>(chunk)] = thread;
  };
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (int batch = 0; batch < 200; ++batch) {
      // batches that everyone may help with, so that helpers are about when the next one begins
      Tally tally(17, num_threads);
      pool.run(Tally::count, &tally, 17);
      const auto num_chunks = static_cast<std::size_t>(batch % 13);
      Owners owners(num_chunks);
      pool.run(note, &owners, static_cast<std::int64_t>(num_chunks),
               ThreadPool::Sharing::home_only);
      for (std::size_t chunk = 0; chunk < num_chunks; ++chunk) {
        const int owner = owners.threads[chunk];
        const std::size_t first =
            num_chunks * static_cast<std::size_t>(owner) / static_cast<std::size_t>(num_threads);
        const std::size_t end = num_chunks * static_cast<std::size_t>(owner + 1) /
                                static_cast<std::size_t>(num_threads);
        BOOST_REQUIRE(first <= chunk);
        BOOST_REQUIRE(chunk < end);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_done_helps_the_others) {
  // chunk 0 waits for all others: if nobody took over the rest of its home, this would not end
  struct Blocked {
    std::atomic<int> num_done{0};
    static void work(void* context, std::int64_t chunk, int) {
      auto& blocked = *static_cast<Blocked*>(context);
      while (chunk == 0 && blocked.num_done < 9) std::this_thread::yield();
      ++blocked.num_done;
    }
  } blocked;
  ThreadPool pool(2);
  pool.run(Blocked::work, &blocked, 10);
  BOOST_TEST(blocked.num_done == 10);
}

BOOST_AUTO_TEST_CASE(pinned_threads_have_a_core_each) {
  struct Masks {
    std::vector<cpu_set_t> masks;
    static void note(void* context, std::int64_t chunk, int) {
      cpu_set_t& mask = static_cast<Masks*>(context)->masks[static_cast<std::size_t>(chunk)];
      if (sched_getaffinity(0, sizeof(mask), &mask) != 0) CPU_ZERO(&mask);
    }
  };
  cpu_set_t whole;
  BOOST_REQUIRE(sched_getaffinity(0, sizeof(whole), &whole) == 0);
  const int num_cores = CPU_COUNT(&whole);
  ThreadPool pool(num_cores, true);
  Masks masks{std::vector<cpu_set_t>(static_cast<std::size_t>(num_cores))};
  pool.run(Masks::note, &masks, num_cores, ThreadPool::Sharing::home_only);
  cpu_set_t together;
  CPU_ZERO(&together);
  for (int thread = 0; thread + 1 < num_cores; ++thread) {
    const cpu_set_t& mask = masks.masks[static_cast<std::size_t>(thread)];
    BOOST_TEST(CPU_COUNT(&mask) == 1);
    CPU_OR(&together, &together, &mask);
  }
  BOOST_TEST(CPU_COUNT(&together) == num_cores - 1);
  BOOST_TEST(CPU_EQUAL(&masks.masks.back(), &whole));  // the caller keeps its freedom
  BOOST_CHECK_THROW(ThreadPool(num_cores + 1, true), ConfigError);
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
