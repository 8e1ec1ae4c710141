/// Any bytes behind --set.
#include <cstdint>

#include "configs/toml_reader.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anthill::accept_or_refuse(
      [&] { anthill::read_override(std::string(anthill::text_of(data, size))); });
  return 0;
}
