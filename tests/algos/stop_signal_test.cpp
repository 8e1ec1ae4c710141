#define BOOST_TEST_MODULE stop_signal
#include "algos/training/stop_signal.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <stdexcept>
#include <string>

namespace anthill {

/// Exit code of a process that gets these signals while a StopSignal lives; -1: killed by one.
static int exit_code_after(std::initializer_list<int> signals) {
  const pid_t child = ::fork();
  if (child == 0) {
    const StopSignal stop;
    for (const int number : signals) ::raise(number);
    ::_exit(stop.requested() ? 7 : 0);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

BOOST_AUTO_TEST_CASE(first_asks_second_exits) {
  BOOST_TEST(exit_code_after({}) == 0);
  BOOST_TEST(exit_code_after({SIGINT}) == 7);
  BOOST_TEST(exit_code_after({SIGINT, SIGINT}) == 130);
  BOOST_TEST(exit_code_after({SIGTERM}) == 7);
  BOOST_TEST(exit_code_after({SIGTERM, SIGTERM}) == 7);
  BOOST_TEST(exit_code_after({SIGTERM, SIGINT}) == 7);
  BOOST_TEST(exit_code_after({SIGINT, SIGTERM, SIGINT}) == 130);
  BOOST_TEST(exit_code_after({SIGUSR1}) == 7);
  BOOST_TEST(exit_code_after({SIGUSR2, SIGUSR1}) == 7);
  BOOST_TEST(exit_code_after({SIGUSR1, SIGINT, SIGINT}) == 130);
  BOOST_TEST(exit_code_after({SIGPIPE, SIGXFSZ}) == 0);
}

BOOST_AUTO_TEST_CASE(names_and_fresh_flags) {
  {
    const StopSignal stop;
    BOOST_TEST(!stop.requested());
    BOOST_TEST(std::string(stop.name()) == "");
    ::raise(SIGTERM);
    BOOST_TEST(stop.requested());
    BOOST_TEST(stop.flag().load());
    BOOST_TEST(std::string(stop.name()) == "SIGTERM");
    BOOST_CHECK_THROW(StopSignal(), std::logic_error);
  }
  const StopSignal again;
  BOOST_TEST(!again.requested());
}

static volatile std::sig_atomic_t outer_signals = 0;

BOOST_AUTO_TEST_CASE(previous_handlers_return) {
  std::signal(SIGTERM, [](int) { outer_signals = outer_signals + 1; });
  { const StopSignal stop; }
  ::raise(SIGTERM);
  BOOST_TEST(outer_signals == 1);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace anthill
