/// One member's part of what a stack of agents saves.
#pragma once

#include <cstdint>
#include <string>

#include "algos/checkpoint/named_arrays.hpp"

namespace anthill {

/// The part of an array of Agent::save() that is member `member`'s of `members`: row `member` of
/// [M, ...] as [1, ...], column `member` of sums of metrics [K, M] (names that end in "sums") as
/// [K, 1], and all of anything else, such as counters.
NamedArray array_of_member(const std::string& name, const NamedArray& array, std::int64_t member,
                           std::int64_t members);

/// Whether all float32 values are finite; true for other types.
bool is_finite(const NamedArray& array);

}  // namespace anthill
