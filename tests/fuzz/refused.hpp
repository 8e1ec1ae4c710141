/// What every reader of foreign bytes promises: a result, or ConfigError or DamagedCheckpoint with
/// one line. Anything else (another exception, a crash, a sanitizer's finding) ends the fuzzer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "algos/checkpoint/manifest.hpp"
#include "sim/errors.hpp"

namespace anthill {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

template <class Read>
void accept_or_refuse(const Read& read) {
  const auto check = [](const std::string& message) {
    if (message.empty() || message.find('\n') != std::string::npos) std::abort();
  };
  try {
    read();
  } catch (const ConfigError& error) {
    check(error.what());
  } catch (const DamagedCheckpoint& error) {
    check(error.what());
  }
}

}  // namespace anthill
