#include "buffers/staging.hpp"

#include <cstddef>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "buffers/cuda_device.hpp"

namespace anthill {
namespace {

constexpr std::size_t kAlignment = 64;

void free_plain(void* memory) noexcept { ::operator delete(memory, std::align_val_t(kAlignment)); }

using Memory = std::unique_ptr<void, void (*)(void*) noexcept>;

void* allocate_plain(std::size_t bytes) {
  try {
    return ::operator new(bytes, std::align_val_t(kAlignment));
  } catch (const std::bad_alloc&) {
    throw std::runtime_error("staging: cannot allocate " + std::to_string(bytes) +
                             " bytes; use fewer environments");
  }
}

Memory allocate(std::size_t bytes, bool pinned) {
  Memory memory = pinned ? Memory(allocate_pinned(bytes), free_pinned)
                         : Memory(allocate_plain(bytes), free_plain);
  std::memset(memory.get(), 0, bytes);
  return memory;
}

/// Cuts aligned arrays off one block; without a block it only counts.
class Cutter {
 public:
  explicit Cutter(std::byte* block) : block_(block) {}

  template <class T>
  std::span<T> cut(std::int64_t count) {
    const auto size = static_cast<std::size_t>(count);
    T* first = block_ == nullptr ? nullptr : reinterpret_cast<T*>(block_ + bytes_);
    bytes_ += (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return first == nullptr ? std::span<T>() : std::span<T>(first, size);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* block_;
  std::size_t bytes_ = 0;
};

TransitionView cut_rows(Cutter& cutter, std::int64_t lanes, std::int64_t d, std::int64_t a) {
  TransitionView rows;
  rows.num_envs = lanes;
  rows.observation_dim = d;
  rows.action_dim = a;
  rows.observation = cutter.cut<float>(lanes * d);
  rows.action = cutter.cut<float>(lanes * a);
  rows.reward = cutter.cut<float>(lanes);
  rows.next_observation = cutter.cut<float>(lanes * d);
  rows.terminated = cutter.cut<std::uint8_t>(lanes);
  rows.truncated = cutter.cut<std::uint8_t>(lanes);
  rows.invalid = cutter.cut<std::uint8_t>(lanes);
  return rows;
}

}  // namespace

struct Staging::Impl {
  Memory memory{nullptr, free_plain};
  TransitionView rows[2];
  int back = 0;
};

Staging::Staging(std::int64_t num_lanes, std::int64_t observation_dim, std::int64_t action_dim,
                 bool pinned)
    : impl_(std::make_unique<Impl>()) {
  constexpr std::int64_t kMaxDim = 1 << 20, kMaxLanes = std::int64_t{1} << 31;
  if (num_lanes < 1 || num_lanes > kMaxLanes || observation_dim < 1 || observation_dim > kMaxDim ||
      action_dim < 1 || action_dim > kMaxDim) {
    throw std::invalid_argument("staging: no rows of " + std::to_string(num_lanes) + " lanes x (" +
                                std::to_string(observation_dim) + " observations, " +
                                std::to_string(action_dim) + " actions)");
  }
  Cutter count(nullptr);
  cut_rows(count, num_lanes, observation_dim, action_dim);
  const std::size_t bytes = count.bytes();
  impl_->memory = allocate(2 * bytes, pinned);
  auto* block = static_cast<std::byte*>(impl_->memory.get());
  for (std::size_t i = 0; i < 2; ++i) {
    Cutter cutter(block + i * bytes);
    impl_->rows[i] = cut_rows(cutter, num_lanes, observation_dim, action_dim);
  }
}

Staging::~Staging() = default;

TransitionView Staging::back() const { return impl_->rows[impl_->back]; }

std::span<float> Staging::next_acting_observation() const {
  return impl_->rows[1 - impl_->back].observation;
}

void Staging::flip() { impl_->back = 1 - impl_->back; }

}  // namespace anthill
