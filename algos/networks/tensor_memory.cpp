#include "algos/networks/tensor_memory.hpp"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

namespace anthill {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kNumClasses = 8 * 64;

/// What stands before every block, padded to the alignment.
struct Header {
  Header* next;
  std::size_t size_class;
};

/// Classes grow by an eighth of a power of two: at most 12.5 % of a block is unused.
std::size_t class_of(std::size_t bytes) {
  const std::size_t units = (bytes + kAlignment - 1) / kAlignment;
  if (units < 16) return units;
  const auto shift = static_cast<std::size_t>(std::bit_width(units)) - 4;
  const std::size_t eighths = (units + (std::size_t{1} << shift) - 1) >> shift;  // 8 to 16
  return 8 * shift + eighths;
}

std::size_t bytes_of(std::size_t size_class) {
  if (size_class < 16) return size_class * kAlignment;
  const std::size_t shift = (size_class - 8) / 8;
  return ((size_class - 8 * shift) << shift) * kAlignment;
}

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, at::kCPU};
    const std::size_t size_class = class_of(bytes);
    Header* header = take(size_class);
    void* data = reinterpret_cast<char*>(header) + kAlignment;
    return {data, data, &release, at::kCPU};
  }

  at::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* destination, const void* source, std::size_t count) const override {
    default_copy_data(destination, source, count);
  }

  std::int64_t bytes_taken() {
    const std::lock_guard lock(mutex_);
    return bytes_taken_;
  }

 private:
  Header* take(std::size_t size_class) {
    {
      const std::lock_guard lock(mutex_);
      Header*& first = free_.at(size_class);
      if (first != nullptr) {
        Header* header = first;
        first = header->next;
        return header;
      }
      bytes_taken_ += static_cast<std::int64_t>(kAlignment + bytes_of(size_class));
    }
    void* memory = std::aligned_alloc(kAlignment, kAlignment + bytes_of(size_class));
    if (memory == nullptr) throw std::bad_alloc();
    return new (memory) Header{nullptr, size_class};
  }

  static void release(void* data);

  std::mutex mutex_;
  std::array<Header*, kNumClasses> free_{};  // last in, first out: the warmest block
  std::int64_t bytes_taken_ = 0;
};

/// Never destroyed: tensors of static storage may outlive everything.
KeepingAllocator& allocator() {
  static auto* instance = new KeepingAllocator;
  return *instance;
}

void KeepingAllocator::release(void* data) {
  if (data == nullptr) return;
  auto* header = reinterpret_cast<Header*>(static_cast<char*>(data) - kAlignment);
  KeepingAllocator& self = allocator();
  const std::lock_guard lock(self.mutex_);
  header->next = self.free_[header->size_class];
  self.free_[header->size_class] = header;
}

}  // namespace

void keep_tensor_memory() {
#if !defined(__SANITIZE_ADDRESS__)
  static const bool once = [] {
    c10::SetCPUAllocator(&allocator(), 1);
    return true;
  }();
  static_cast<void>(once);
#endif
}

std::int64_t tensor_memory_bytes() { return allocator().bytes_taken(); }

}  // namespace anthill
