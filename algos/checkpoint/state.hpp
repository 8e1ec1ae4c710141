/// How every stateful part of a run writes itself down and comes back: named arrays.
///
/// A part has `void save(StateWriter) const` and `void load(const StateReader&)`, and takes all
/// that must survive from one to the other. Names are joined by dots: "agent.critic.first_moment".
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "algos/checkpoint/named_arrays.hpp"
#include "algos/tensor.hpp"

namespace anthill {

template <class T>
concept StoredValue = std::same_as<T, float> || std::same_as<T, double> ||
    std::same_as<T, std::int64_t> || std::same_as<T, std::uint8_t>;

template <StoredValue T>
constexpr ArrayType array_type() {
  if constexpr (std::same_as<T, float>) return ArrayType::float32;
  if constexpr (std::same_as<T, double>) return ArrayType::float64;
  if constexpr (std::same_as<T, std::int64_t>) return ArrayType::int64;
  return ArrayType::uint8;
}

/// Adds copies to a set of arrays, which must outlive it. A name that is taken is a
/// std::logic_error. Cheap to copy.
class StateWriter {
 public:
  explicit StateWriter(NamedArrays& arrays, std::string prefix = "")
      : arrays_(&arrays), prefix_(std::move(prefix)) {}

  /// A writer whose names begin with `name` and a dot.
  StateWriter part(const std::string& name) const;

  void integer(const std::string& name, std::int64_t value) const;
  void real(const std::string& name, double value) const;
  void text(const std::string& name, const std::string& value) const;

  /// `shape` empty: one dimension of values.size().
  template <StoredValue T>
  void array(const std::string& name, std::span<const T> values,
             std::vector<std::int64_t> shape = {}) const {
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    add(name, array_type<T>(), std::move(shape), values.data(), values.size_bytes());
  }

  /// float32 or int64, on any device; waits for it.
  void tensor(const std::string& name, const Tensor& value) const;

 private:
  void add(const std::string& name, ArrayType type, std::vector<std::int64_t> shape,
           const void* data, std::size_t num_bytes) const;

  NamedArrays* arrays_;
  std::string prefix_;
};

/// Reads what a StateWriter wrote. Throws ConfigError, which names the array and the file, when one
/// is missing or has another type or shape. Cheap to copy; the arrays must outlive it.
class StateReader {
 public:
  /// `where` (a path) stands in the messages.
  StateReader(const NamedArrays& arrays, std::string where, std::string prefix = "")
      : arrays_(&arrays), where_(std::move(where)), prefix_(std::move(prefix)) {}

  StateReader part(const std::string& name) const;

  /// Whether an array or a part of this name is there.
  bool has(const std::string& name) const;

  std::int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  std::string text(const std::string& name) const;

  /// All values of an array of any shape.
  template <StoredValue T>
  std::vector<T> values(const std::string& name) const {
    std::vector<T> result;
    copy(find(name, array_type<T>()), [&](std::size_t num_bytes) {
      result.resize(num_bytes / sizeof(T));
      return result.data();
    });
    return result;
  }

  /// Fills `into`, which must have as many values as the array.
  template <StoredValue T>
  void array(const std::string& name, std::span<T> into) const {
    const NamedArray& array = find(name, array_type<T>());
    check_size(name, array, into.size_bytes());
    copy(array, [&](std::size_t) { return into.data(); });
  }

  /// Fills `into` (float32 or int64, any device), which must have the array's shape.
  void tensor(const std::string& name, const Tensor& into) const;

 private:
  const NamedArray& find(const std::string& name, ArrayType type) const;
  void check_size(const std::string& name, const NamedArray& array, std::size_t num_bytes) const;
  [[noreturn]] void fail(const std::string& name, const std::string& what) const;

  template <class Target>
  static void copy(const NamedArray& array, const Target& target) {
    void* to = target(array.bytes.size());
    if (!array.bytes.empty()) std::memcpy(to, array.bytes.data(), array.bytes.size());
  }

  const NamedArrays* arrays_;
  std::string where_, prefix_;
};

}  // namespace anthill
