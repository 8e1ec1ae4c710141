#include "algos/training/member_arrays.hpp"

#include <algorithm>
#include <cmath>

namespace anthill {

NamedArray array_of_member(const std::string& name, const NamedArray& array, std::int64_t member,
                           std::int64_t members) {
  const bool columns = name.ends_with("sums");
  const std::int64_t axis = array.shape.empty() ? 0
                            : columns           ? array.shape.back()
                                                : array.shape.front();
  if (members == 1 || axis != members) return array;
  NamedArray part{.type = array.type, .shape = array.shape, .bytes = {}};
  (columns ? part.shape.back() : part.shape.front()) = 1;
  // pieces of equal length that belong to member 0, 1, ..., 0, 1, ...
  const std::int64_t turns = columns ? array.shape.front() : 1;
  const auto piece = static_cast<std::ptrdiff_t>(array.bytes.size()) / (turns * members);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    const auto first = array.bytes.begin() + (turn * members + member) * piece;
    part.bytes.insert(part.bytes.end(), first, first + piece);
  }
  return part;
}

bool is_finite(const NamedArray& array) {
  if (array.type != ArrayType::float32) return true;
  const auto* values = reinterpret_cast<const float*>(array.bytes.data());
  return std::all_of(values, values + array.bytes.size() / sizeof(float),
                     [](float value) { return std::isfinite(value); });
}

}  // namespace anthill
