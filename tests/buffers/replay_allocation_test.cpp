#define BOOST_TEST_MODULE replay_allocation
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "tests/buffers/replay_reference.hpp"

namespace {

std::atomic<long> num_allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++num_allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// not inlined: the compiler would see malloc's memory meet an operator delete
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  return counted(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
// the standard library's temporary buffers use this one
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++num_allocations;
  return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(inserting_and_sampling_do_not_allocate) {
  const ReplayShape shape{27, 8, 64, 2, 640};
  const long before_construction = num_allocations;
  const auto buffer = make_buffer(shape);
  BOOST_TEST(num_allocations > before_construction);  // the counter works
  RowMaker maker(shape);
  HostBatch batch(shape, 3, 256);
  for (int step = 0; step < 25; ++step) {
    const TransitionView rows = maker.next();
    const BatchView view = batch.view();
    const long before = num_allocations;
    buffer->insert(rows);
    buffer->sample_into(view, static_cast<std::uint64_t>(step));
    const long after = num_allocations;
    BOOST_TEST(after == before);
  }
}
