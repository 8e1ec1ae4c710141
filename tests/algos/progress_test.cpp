#define BOOST_TEST_MODULE progress
#include "algos/training/progress.hpp"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
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
  const std::string brief =
      "12k/200k ETA 2m32s 1234 steps/s 309 upd/s RR 0.25 eval 812 Q 34.6 alpha 0.123";
  for (int width = 0; width < 120; ++width) {
    const std::string line = progress_line(kState, kRates, width, false);
    BOOST_TEST(line.size() <= static_cast<std::size_t>(width));
    BOOST_TEST((line == whole || brief.starts_with(line)));
  }
  BOOST_TEST(progress_line(kState, kRates, 79, false) == brief);
  BOOST_TEST(progress_line(kState, kRates, 30, false) == "12k/200k ETA 2m32s");
  BOOST_TEST(progress_line(kState, kRates, -1, false) == "");
}

BOOST_AUTO_TEST_CASE(eighty_columns_hold_every_field) {
  // one column stays free
  ProgressState state = {.env_steps = 9'876'543,
                         .total_env_steps = 10'000'000,
                         .gradient_updates = 9'000'000,
                         .replay_ratio = 0.25,
                         .evaluation_return = -1234.5,
                         .q_mean = 65.8,
                         .alpha = 0.0516};
  const auto line = [&] { return progress_line(state, {501.2, 125.3, 12'345}, 79, false); };
  BOOST_TEST(line() ==
             "9.9M/10M ETA 3h25m 501 steps/s 125 upd/s RR 0.25 eval -1234 Q 65.8 alpha 0.0516");
  for (const auto& [steps, text] : {std::pair{999, "999/"},
                                    {1'000, "1.0k/"},
                                    {9'949, "9.9k/"},
                                    {9'951, "10k/"},
                                    {99'499, "99k/"},
                                    {99'501, "100k/"},
                                    {999'499, "999k/"},
                                    {999'500, "1.0M/"}}) {
    state.env_steps = steps;
    BOOST_TEST(line().starts_with(text), line() << " is not " << text);
  }
}

BOOST_AUTO_TEST_CASE(the_estimate_is_that_of_steps_that_learn) {
  ProgressState state = {.env_steps = 1'000, .total_env_steps = 3'000};
  // 1,000 steps a second and nothing to learn
  BOOST_TEST(progress_rates({{5.0, 0, 0}}, state, 6.0).remaining_s == 2.0);
  // nothing is known of updates before the first one
  state.total_gradient_updates = 500;
  BOOST_TEST(std::isnan(progress_rates({{5.0, 0, 0}}, state, 6.0).remaining_s));
  // since learning began at 7 s: 10 updates/s, and 490 are left
  state = {.env_steps = 2'020,
           .total_env_steps = 3'000,
           .gradient_updates = 10,
           .total_gradient_updates = 500};
  const ProgressRates rates =
      progress_rates({{5.0, 0, 0}, {6.0, 1'000, 0}, {7.0, 2'000, 0}, {7.5, 2'010, 5}}, state, 8.0);
  BOOST_TEST(rates.remaining_s == 49.0);
  BOOST_TEST(rates.env_steps_per_s == 2'020.0 / 3.0);
  // updates go on where no step does: inside of a long learn phase
  const ProgressRates learning = progress_rates({{0.0, 2'020, 10}},
                                                {.env_steps = 2'020,
                                                 .total_env_steps = 3'000,
                                                 .gradient_updates = 110,
                                                 .total_gradient_updates = 500},
                                                10.0);
  BOOST_TEST(learning.updates_per_s == 10.0);
  BOOST_TEST(learning.remaining_s == 39.0);
  BOOST_TEST(std::isnan(learning.env_steps_per_s));
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
  const std::string line = "\r12k/200k RR 0.25 eval 812\x1b[K";
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
