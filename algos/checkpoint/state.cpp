#include "algos/checkpoint/state.hpp"

#include <stdexcept>

#include "sim/errors.hpp"

namespace anthill {
namespace {

/// On the host, contiguous, and what the type is called.
Tensor on_host(const Tensor& value) { return value.detach().to(at::kCPU).contiguous(); }

ArrayType type_of(const Tensor& value, const std::string& name) {
  if (value.scalar_type() == at::kFloat) return ArrayType::float32;
  if (value.scalar_type() == at::kLong) return ArrayType::int64;
  throw std::logic_error("state '" + name + "': only float32 and int64 tensors are stored");
}

}  // namespace

StateWriter StateWriter::part(const std::string& name) const {
  return StateWriter(*arrays_, prefix_ + name + ".");
}

void StateWriter::integer(const std::string& name, std::int64_t value) const {
  add(name, ArrayType::int64, {}, &value, sizeof value);
}

void StateWriter::real(const std::string& name, double value) const {
  add(name, ArrayType::float64, {}, &value, sizeof value);
}

void StateWriter::text(const std::string& name, const std::string& value) const {
  add(name, ArrayType::uint8, {static_cast<std::int64_t>(value.size())}, value.data(),
      value.size());
}

void StateWriter::tensor(const std::string& name, const Tensor& value) const {
  const Tensor host = on_host(value);
  add(name, type_of(value, prefix_ + name), host.sizes().vec(), host.const_data_ptr(),
      host.nbytes());
}

void StateWriter::add(const std::string& name, ArrayType type, std::vector<std::int64_t> shape,
                      const void* data, std::size_t num_bytes) const {
  NamedArray array{type, std::move(shape), std::vector<std::byte>(num_bytes)};
  if (num_bytes > 0) std::memcpy(array.bytes.data(), data, num_bytes);
  if (!arrays_->emplace(prefix_ + name, std::move(array)).second) {
    throw std::logic_error("state '" + prefix_ + name + "' is saved twice");
  }
}

StateReader StateReader::part(const std::string& name) const {
  return StateReader(*arrays_, where_, prefix_ + name + ".");
}

bool StateReader::has(const std::string& name) const {
  const std::string full = prefix_ + name;
  const auto next = arrays_->lower_bound(full);
  if (next != arrays_->end() && next->first == full) return true;
  const auto inside = arrays_->lower_bound(full + ".");
  return inside != arrays_->end() && inside->first.starts_with(full + ".");
}

std::int64_t StateReader::integer(const std::string& name) const {
  std::int64_t value = 0;
  array(name, std::span(&value, 1));
  return value;
}

double StateReader::real(const std::string& name) const {
  double value = 0.0;
  array(name, std::span(&value, 1));
  return value;
}

std::string StateReader::text(const std::string& name) const {
  const std::vector<std::uint8_t> bytes = values<std::uint8_t>(name);
  return {bytes.begin(), bytes.end()};
}

void StateReader::tensor(const std::string& name, const Tensor& into) const {
  const NamedArray& array = find(name, type_of(into, prefix_ + name));
  if (array.shape != into.sizes().vec()) fail(name, "has another shape than this run's");
  const Tensor source =
      at::from_blob(const_cast<std::byte*>(array.bytes.data()), into.sizes(), into.scalar_type());
  at::NoGradGuard no_grad;
  into.copy_(source);
}

const NamedArray& StateReader::find(const std::string& name, ArrayType type) const {
  const auto found = arrays_->find(prefix_ + name);
  if (found == arrays_->end()) fail(name, "is missing");
  if (found->second.type != type) {
    fail(name, std::string("holds ") + array_type_name(found->second.type) + ", not " +
                   array_type_name(type));
  }
  return found->second;
}

void StateReader::check_size(const std::string& name, const NamedArray& array,
                             std::size_t num_bytes) const {
  if (array.bytes.size() == num_bytes) return;
  fail(name, "has " + std::to_string(array.bytes.size()) + " bytes, this run's has " +
                 std::to_string(num_bytes));
}

void StateReader::fail(const std::string& name, const std::string& what) const {
  throw ConfigError("'" + where_ + "': state '" + prefix_ + name + "' " + what +
                    "; resume with the build and the configuration that saved it");
}

}  // namespace anthill
