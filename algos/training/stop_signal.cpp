#include "algos/training/stop_signal.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace anthill {
namespace {

std::atomic<bool> stop_flag{false};
std::atomic<int> stop_number{0};
std::atomic<bool> installed{false};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// what asks for an end, and what must not cause one
constexpr std::array kStops = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
constexpr std::array kIgnored = {SIGPIPE, SIGXFSZ};
std::array<struct sigaction, kStops.size()> previous_stops;
std::array<struct sigaction, kIgnored.size()> previous_ignored;

extern "C" void handle_stop(int number) {
  if (number == SIGINT && stop_number.load() == SIGINT) ::_exit(130);
  if (number == SIGINT || stop_number.load() == 0) stop_number.store(number);
  stop_flag.store(true);
}

}  // namespace

StopSignal::StopSignal() {
  if (installed.exchange(true)) throw std::logic_error("StopSignal: there is one already");
  stop_flag.store(false);
  stop_number.store(0);
  struct sigaction action {};
  action.sa_handler = handle_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kStops.size(); ++i) {
    ::sigaction(kStops[i], &action, &previous_stops[i]);
  }
  action.sa_handler = SIG_IGN;
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    ::sigaction(kIgnored[i], &action, &previous_ignored[i]);
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kStops.size(); ++i) {
    ::sigaction(kStops[i], &previous_stops[i], nullptr);
  }
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    ::sigaction(kIgnored[i], &previous_ignored[i], nullptr);
  }
  installed.store(false);
}

const std::atomic<bool>& StopSignal::flag() const { return stop_flag; }

const char* StopSignal::name() const {
  switch (stop_number.load()) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    default:
      return "";
  }
}

}  // namespace anthill
