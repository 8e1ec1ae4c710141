/// Any bytes as a checkpoint's manifest.json; what is accepted must survive a round trip.
#include <cstdint>
#include <cstdlib>

#include "algos/checkpoint/manifest.hpp"
#include "tests/fuzz/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anthill::accept_or_refuse([&] {
    const auto info = anthill::parse_manifest(anthill::text_of(data, size), "manifest.json");
    const std::string text = anthill::manifest_text(info);
    if (anthill::manifest_text(anthill::parse_manifest(text, "again")) != text) std::abort();
  });
  return 0;
}
