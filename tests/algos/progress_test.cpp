#define BOOST_TEST_MODULE progress
#include "algos/training/progress.hpp"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>

namespace anthill {

static const ProgressState kState = {.env_steps = 12'000,
                                     .total_env_steps = 200'000,
                                     .gradient_updates = 2'000,
                                     .replay_ratio = 0.25,
                                     .evaluation_return = 812.34,
                                     .q_mean = 34.56,
                                     .alpha = 0.1234};
static const ProgressRates kRates = {1234.5, 308.6, 152.0};

BOOST_AUTO_TEST_CASE(the_whole_line) {
  BOOST_TEST(progress_line(kState, kRates, 200, false) ==
             "12,000/200,000 6%  ETA 2m32s  1234 steps/s  309 updates/s  RR 0.25  eval 812  "
             "Q 34.6  alpha 0.123");
}

BOOST_AUTO_TEST_CASE(unknown_values_are_left_out) {
  BOOST_TEST(progress_line({.env_steps = 0, .total_env_steps = 10}, {}, 80, false) == "0/10 0%");
  BOOST_TEST(progress_line({}, {}, 80, false) == "0/0");
}

BOOST_AUTO_TEST_CASE(it_fits_any_width) {
  const std::string whole = progress_line(kState, kRates, 1000, false);
  for (int width = 0; width < 120; ++width) {
    const std::string line = progress_line(kState, kRates, width, false);
    BOOST_TEST(line.size() <= static_cast<std::size_t>(width));
    BOOST_TEST(whole.starts_with(line));
  }
  BOOST_TEST(progress_line(kState, kRates, 30, false) == "12,000/200,000 6%  ETA 2m32s");
  BOOST_TEST(progress_line(kState, kRates, -1, false) == "");
}

BOOST_AUTO_TEST_CASE(colour_takes_no_columns) {
  for (const int width : {20, 30, 200}) {
    std::string line = progress_line(kState, kRates, width, true);
    BOOST_TEST(line.find('\x1b') != std::string::npos);
    for (std::size_t at; (at = line.find('\x1b')) != std::string::npos;) {
      line.erase(at, line.find('m', at) + 1 - at);
    }
    BOOST_TEST(line == progress_line(kState, kRates, width, false));
  }
}

BOOST_AUTO_TEST_CASE(durations_and_sizes) {
  const auto eta = [](double seconds) {
    return progress_line({.env_steps = 1, .total_env_steps = 2}, {.remaining_s = seconds}, 80,
                         false)
        .substr(9);
  };
  BOOST_TEST(eta(0) == "ETA 0s");
  BOOST_TEST(eta(59.6) == "ETA 1m00s");
  BOOST_TEST(eta(3599) == "ETA 59m59s");
  BOOST_TEST(eta(11220) == "ETA 3h07m");
  BOOST_TEST(eta(187200) == "ETA 2d04h");
  BOOST_TEST(
      progress_line(
          {.env_steps = 1'234'567, .total_env_steps = 1'234'568, .q_mean = -1.5e7, .alpha = 1e-5},
          {}, 80, false) == "1,234,567/1,234,568 99%  Q -1.50e+07  alpha 1.00e-05");
}

static std::string read_available(int descriptor) {
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::array<char, 4096> block;
  std::string text;
  for (ssize_t size; (size = ::read(descriptor, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  return text;
}

BOOST_AUTO_TEST_CASE(plain_lines_without_a_terminal) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  {
    Progress progress(0.0, ends[1]);
    progress.update({.env_steps = 1, .total_env_steps = 4});
    progress.message("warning: something");
    progress.finish();
  }
  BOOST_TEST(read_available(ends[0]) == "1/4 25%\nwarning: something\n");
  {
    Progress progress(1000.0, ends[1]);
    for (int i = 1; i <= 4; ++i) progress.update({.env_steps = i, .total_env_steps = 4});
  }  // only the last state, from the destructor
  const std::string last = read_available(ends[0]);
  BOOST_TEST(last.starts_with("4/4 100%  ETA 0s  "));
  BOOST_TEST(std::count(last.begin(), last.end(), '\n') == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

static std::string on_terminal(unsigned short columns) {
  int master = 0, terminal = 0;
  const winsize size = {.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  BOOST_REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, &size) == 0);
  {
    Progress progress(1000.0, terminal);
    progress.update(kState);
    progress.message("warning");
    progress.finish();
    progress.update(kState);
    progress.finish();
    progress.finish();
  }
  const std::string text = read_available(master);
  ::close(master);
  ::close(terminal);
  return text;
}

BOOST_AUTO_TEST_CASE(one_live_line_on_a_terminal) {
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  BOOST_TEST(on_terminal(30).find("\x1b[36m") != std::string::npos);
  ::setenv("NO_COLOR", "1", 1);
  // drawn, and ended once by each finish() with something to end; the terminal turns \n into \r\n
  const std::string line = "\r12,000/200,000 6%  RR 0.25\x1b[K";
  BOOST_TEST(on_terminal(30) == "warning\r\n" + line + "\r\n" + line + "\r\n");
  ::setenv("TERM", "dumb", 1);
  BOOST_TEST(on_terminal(30).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_closed_descriptor_is_no_error) {
  Progress progress(0.0, 987);
  progress.update(kState);
  progress.message("text");
  BOOST_CHECK_NO_THROW(progress.finish());
}

}  // namespace anthill
