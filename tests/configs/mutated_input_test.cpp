/// Random damage to valid files: the reader either accepts the result or refuses it with one line
/// that starts with a position. It never crashes and throws nothing else.
#define BOOST_TEST_MODULE mutated_input
#include <random>

#include "configs/toml_reader.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

constexpr int kNumMutants = 20'000;

std::size_t below(std::mt19937_64& rng, std::size_t end) { return rng() % end; }

/// One to six edits: bytes changed, removed, doubled, or fragments that have broken parsers.
std::string mutate(std::string text, std::mt19937_64& rng) {
  static const std::string kFragments[] = {"[",
                                           "]]",
                                           "{",
                                           "}",
                                           "\"",
                                           "'''",
                                           "\"\"\"",
                                           "\\",
                                           "\\u0",
                                           "\n",
                                           "\r\n",
                                           ".",
                                           "=",
                                           "#",
                                           ",",
                                           "nan",
                                           "-inf",
                                           "1e9",
                                           "0x",
                                           "true",
                                           "1979-05-27",
                                           "1979-05-27 0",
                                           "07:32:00",
                                           "+1",
                                           "=",
                                           "[sim]",
                                           "a.b.c.d.e.f",
                                           "[[a]]\n",
                                           "\xff",
                                           "\xc3\xa9",
                                           "\xc2\xa0",
                                           "\xe2\x80\xa8",
                                           "\xe3\x80\x80",
                                           "\xc3",
                                           "\xef\xbb\xbf",
                                           std::string(1, '\0'),
                                           "9223372036854775808",
                                           "_",
                                           "\x7f",
                                           "[training]\n"};
  const std::size_t num_edits = 1 + below(rng, 6);
  for (std::size_t edit = 0; edit < num_edits && !text.empty(); ++edit) {
    const std::size_t at = below(rng, text.size());
    const std::size_t length = below(rng, 20);
    switch (below(rng, 4)) {
      case 0:
        text[at] = static_cast<char>(rng() & 0xff);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(below(rng, text.size()), length));
        break;
      default:
        text.insert(at, kFragments[below(rng, std::size(kFragments))]);
    }
  }
  return text;
}

bool is_one_line(const std::string& message) {
  return message.find_first_of("\n\r") == std::string::npos && message.size() < 1000;
}

/// "x.toml:LINE:COLUMN: ".
bool has_position(const std::string& message) {
  if (!message.starts_with("x.toml:")) return false;
  const std::size_t line_end = message.find_first_not_of("0123456789", 7);
  if (line_end == 7 || line_end == std::string::npos || message[line_end] != ':') return false;
  const std::size_t end = message.find_first_not_of("0123456789", line_end + 1);
  return end > line_end + 1 && end != std::string::npos && message.substr(end, 2) == ": ";
}

}  // namespace

BOOST_AUTO_TEST_CASE(damaged_files) {
  const std::string sources[] = {
      file_text("configs/smoke.toml"), file_text("configs/ant_rr8_layer_norm.toml"),
      "# \xc3\xa9\n[run]\nname = \"\xc3\xa9\"\nseed = 1\n[critic]\nhidden_dims = [1, "
      "2]\n[sim]\nnum_envs = 0x10\n",
      "sim = {env = 'Ant-v4', num_envs = 3, ant = {healthy_z_range = [0.1, 2]}}\n"};
  std::mt19937_64 rng(1);
  int num_refused = 0;
  int num_accepted = 0;
  for (int i = 0; i < kNumMutants; ++i) {
    const std::string text = mutate(sources[below(rng, std::size(sources))], rng);
    try {
      for (const Setting& setting : read_settings(text, "x.toml")) {
        BOOST_REQUIRE(check_value(*setting.field, setting.value) == "");
        BOOST_REQUIRE(has_position(setting.location + ": "));
      }
      ++num_accepted;
    } catch (const ConfigError& error) {
      ++num_refused;
      if (is_one_line(error.what()) && has_position(error.what())) continue;
      BOOST_REQUIRE_MESSAGE(false, "bad message: " << error.what() << "\nfor:\n" << text);
    }
  }
  // both outcomes must be common, or the test says little
  BOOST_TEST(num_refused > kNumMutants / 10);
  BOOST_TEST(num_accepted > kNumMutants / 50);
}

BOOST_AUTO_TEST_CASE(damaged_overrides) {
  const std::string sources[] = {"training.replay_ratio=0.25", "critic.hidden_dims=[64, 64]",
                                 "sim.env=Ant-v5", "run.name=\"a b\""};
  std::mt19937_64 rng(2);
  int num_accepted = 0;
  for (int i = 0; i < kNumMutants; ++i) {
    const std::string text = mutate(sources[below(rng, std::size(sources))], rng);
    try {
      const Setting setting = read_override(text);
      BOOST_REQUIRE(check_value(*setting.field, setting.value) == "");
      ++num_accepted;
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      if (is_one_line(message) && message.starts_with("--set ")) continue;
      BOOST_REQUIRE_MESSAGE(false, "bad message: " << message << "\nfor: " << text);
    }
  }
  BOOST_TEST(num_accepted > kNumMutants / 50);
}
