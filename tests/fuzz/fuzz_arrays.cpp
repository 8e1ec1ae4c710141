/// Any bytes as a safetensors file: a checkpoint's state, or a policy.
#include <cstdint>

#include "algos/checkpoint/named_arrays.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anthill::accept_or_refuse(
      [&] { anthill::parse_safetensors(anthill::text_of(data, size), "fuzz.safetensors"); });
  return 0;
}
