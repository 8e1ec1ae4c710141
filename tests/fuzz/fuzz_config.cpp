/// Any bytes as a configuration file: settings, or one line that says what is wrong.
#include <cstdint>

#include "configs/toml_reader.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anthill::accept_or_refuse(
      [&] { anthill::read_settings(anthill::text_of(data, size), "fuzz.toml"); });
  return 0;
}
