#include "configs/toml_scan.hpp"

#include <algorithm>
#include <utility>

namespace anthill {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr int kMaxKeyParts = 8;
constexpr int kMaxNesting = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// What ends a word for the parser too.
bool ends_word(char c) { return std::string_view(" \t\n,]}#").find(c) != std::string_view::npos; }

/// One past the string that starts at `begin`; it ends at the line's end at the latest.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\n') return i;
    if (text[i] == quote) return i + 1;
    if (quote == '"' && text[i] == '\\') ++i;
  }
  return text.size();
}

/// Whether a string may start right after `word`: nothing, brackets, or key= and brackets, where
/// the key is in quotes or stands apart as well. Not after a number: the parser looks for its end
/// beyond the quote.
bool may_precede_string(std::string_view word) {
  const bool in_quotes = word.starts_with('"') || word.starts_with('\'');
  const std::size_t key_end = in_quotes ? end_of_string(word, 0) : 0;
  if (key_end < word.size() && word[key_end] == '=') word.remove_prefix(key_end + 1);
  bool in_key = false;
  for (const char c : word) {
    if (is_letter(c) || (in_key && (is_digit(c) || c == '-' || c == '.'))) {
      in_key = true;
    } else if (c == '=' && in_key) {
      in_key = false;
    } else if ((c != '[' && c != '{') || in_key) {
      return false;
    }
  }
  return !in_key;
}

/// Whether the word ends as a date does, NNNN-NN-NN. The parser looks behind it for a time.
bool ends_as_date(std::string_view word) {
  std::string date(word);
  std::erase(date, '_');
  if (date.size() < 10) return false;
  date.erase(0, date.size() - 10);
  return is_digit(date[0]) && date[4] == '-' && date[7] == '-';
}

/// Walks over the text once, word by word.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  ScanProblem scan() {
    if (text_.size() > kMaxBytes) {
      return {1, 1, "the text is longer than 1 MiB; give a configuration file"};
    }
    if (text_.starts_with("\xef\xbb\xbf")) at_ = word_ = 3;  // byte order mark
    while (at_ < text_.size()) {
      const std::string message = step();
      if (!message.empty()) return problem(message);
    }
    return {};
  }

 private:
  /// Moves over one character, string or comment; returns what is wrong with it.
  std::string step() {
    const char c = text_[at_];
    const std::string_view word = text_.substr(word_, at_ - word_);
    if (c == '"' || c == '\'') {
      if (text_.substr(at_, 3) == std::string(3, c)) {
        return "multi-line strings are not used; write the text on one line";
      }
      if (!may_precede_string(word)) return "a quote inside a word; put quotes around all of it";
      word_ = at_;
      at_ = end_of_string(text_, at_);
      return "";
    }
    if (!is_ascii(c)) {
      return "a character outside ASCII (a curly quote, a special space?); use plain characters, "
             "or put text in straight quotes";
    }
    const std::string message = depth_message(c);
    if (!message.empty()) return message;
    if (ends_word(c)) {
      if (ends_as_date(word)) return "dates are not used; put text in quotes";
      if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size() - 1);
      word_ = at_ + 1;
    }
    ++at_;
    return "";
  }

  /// Counts the parts of a dotted key and the open brackets.
  std::string depth_message(char c) {
    if (c == '.' && ++num_parts_ > kMaxKeyParts) {
      return "a dotted key has more than 8 parts; write [section] and key = value";
    }
    if (std::string_view("\n=,[]{}#").find(c) != std::string_view::npos) num_parts_ = 1;
    if ((c == '[' || c == '{') && ++nesting_ > kMaxNesting) {
      return "brackets are nested deeper than 8; write [section] and key = value";
    }
    if ((c == ']' || c == '}') && nesting_ > 0) --nesting_;
    return "";
  }

  ScanProblem problem(std::string message) const {
    ScanProblem problem{1, 1, std::move(message)};
    for (const char c : text_.substr(0, at_)) {
      if (c == '\n') {
        ++problem.line;
        problem.column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
        ++problem.column;  // code points, as the parser counts
      }
    }
    return problem;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t word_ = 0;  // where the current word starts
  int num_parts_ = 1;     // of the dotted key being read
  int nesting_ = 0;
};

}  // namespace

ScanProblem scan_toml(std::string_view text) { return Scanner(text).scan(); }

}  // namespace anthill
