// In steady state an update takes no memory from the system.
#define BOOST_TEST_MODULE learner_memory
#include <sys/resource.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "algos/agents/agent.hpp"
#include "algos/networks/tensor_memory.hpp"

using namespace anthill;

// sizes of what is asked of operator new while counting; aligned forms come from the same place
namespace {
std::atomic<bool> counting{false};
std::atomic<std::int64_t> num_large{0}, largest{0};

void count(std::size_t bytes) {
  if (!counting.load(std::memory_order_relaxed)) return;
  if (bytes > 4096) num_large.fetch_add(1);
  if (static_cast<std::int64_t>(bytes) > largest.load()) largest = static_cast<std::int64_t>(bytes);
}

long num_page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}
}  // namespace

// not inlined: the compiler would see malloc's memory meet an operator delete
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  count(bytes);
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

BOOST_AUTO_TEST_CASE(an_update_allocates_no_tensor_storage) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  BOOST_TEST_MESSAGE("sanitizers own the memory: nothing to count");
  return;
#endif
  for (const bool layer_norm : {false, true}) {
    for (const std::size_t members : {1, 3}) {
      AgentConfig config;
      config.critic.layer_norm = layer_norm;
      const std::vector<AgentConfig> configs(members, config);
      const std::vector<std::uint64_t> seeds(members, 1);
      const auto agent = make_agent(configs, {27, 8, seeds, at::kCPU});
      const Batch batch(static_cast<std::int64_t>(members), 256, 27, 8, at::kCPU);
      for (int i = 0; i < 20; ++i) agent->update(batch);
      agent->take_metric_means();

      const std::int64_t taken = tensor_memory_bytes();
      const long faults = num_page_faults();
      num_large = largest = 0;
      counting = true;
      constexpr int kUpdates = 30;
      for (int i = 0; i < kUpdates; ++i) agent->update(batch);
      counting = false;
      const double faults_per_update = static_cast<double>(num_page_faults() - faults) / kUpdates;
      BOOST_TEST(tensor_memory_bytes() == taken);
      BOOST_TEST(num_large == 0, "largest allocation: " << largest << " bytes");
      BOOST_TEST(faults_per_update < 1.0);
    }
  }
}
