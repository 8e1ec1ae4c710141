/// Numbers and times as a watching person reads them. Standard library only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace anthill {

/// 12,345,678
inline std::string grouped(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool start = i == 0 || digits[i - 1] == '-';
    if (!start && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// Three or four significant digits: enough to watch, short enough for a line.
inline std::string short_number(double value) {
  std::array<char, 32> text;
  const double size = std::abs(value);
  const char* format = size >= 1e6 || (size > 0.0 && size < 1e-3) ? "%.2e"
                       : size >= 100.0                            ? "%.0f"
                       : size >= 10.0                             ? "%.1f"
                                                                  : "%.3g";
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

/// 45s, 12m05s, 3h07m, 2d04h
inline std::string duration(double seconds) {
  std::array<char, 32> text;
  const auto total = static_cast<long long>(std::min(seconds, 1e12) + 0.5);
  if (total < 60) {
    std::snprintf(text.data(), text.size(), "%llds", total);
  } else if (total < 3600) {
    std::snprintf(text.data(), text.size(), "%lldm%02llds", total / 60, total % 60);
  } else if (total < 86400) {
    std::snprintf(text.data(), text.size(), "%lldh%02lldm", total / 3600, total / 60 % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lldd%02lldh", total / 86400, total / 3600 % 24);
  }
  return text.data();
}

}  // namespace anthill
