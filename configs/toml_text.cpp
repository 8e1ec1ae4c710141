#include "configs/toml_text.hpp"

#include <charconv>
#include <type_traits>

namespace anthill {
namespace {

std::string escaped(std::string_view text, bool quotes) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      if (quotes && (c == '"' || c == '\\')) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string real_text(double real) {
  char buffer[40];
  const char* end = std::to_chars(buffer, buffer + sizeof(buffer), real).ptr;
  const std::string text(static_cast<const char*>(buffer), end);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) {
    return text.find_first_of(".ni") == std::string::npos ? text + ".0" : text;  // also nan, inf
  }
  // 3e-04 -> 3e-4, 1e+06 -> 1e6
  std::string exponent = text.substr(e + 2);
  exponent.erase(0, exponent.find_first_not_of('0'));
  return text.substr(0, e + 1) + (text[e + 1] == '-' ? "-" : "") + exponent;
}

std::string item_text(bool value) { return value ? "true" : "false"; }
std::string item_text(std::int64_t value) { return std::to_string(value); }
std::string item_text(double value) { return real_text(value); }
std::string item_text(const std::string& value) { return toml_string(value); }

template <class T>
std::string item_text(const std::vector<T>& items) {
  std::string text = "[";
  for (const T& item : items) {
    if (text.size() > 1) text += ", ";
    text += item_text(item);
  }
  return text + "]";
}

}  // namespace

std::string toml_string(std::string_view text) { return '"' + escaped(text, true) + '"'; }

std::string toml_value(const Value& value) {
  return std::visit([](const auto& held) { return item_text(held); }, value);
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return escaped(text, false);
  // do not cut a UTF-8 sequence
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return escaped(text.substr(0, end), false) + "...";
}

}  // namespace anthill
