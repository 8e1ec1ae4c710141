#include "algos/training/stop_signal.hpp"

#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace anthill {
namespace {

std::atomic<bool> stop_flag{false};
std::atomic<int> stop_number{0};
std::atomic<bool> installed{false};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

struct sigaction previous_interrupt, previous_terminate, previous_pipe;

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
  ::sigaction(SIGINT, &action, &previous_interrupt);
  ::sigaction(SIGTERM, &action, &previous_terminate);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, &previous_pipe);
}

StopSignal::~StopSignal() {
  ::sigaction(SIGINT, &previous_interrupt, nullptr);
  ::sigaction(SIGTERM, &previous_terminate, nullptr);
  ::sigaction(SIGPIPE, &previous_pipe, nullptr);
  installed.store(false);
}

const std::atomic<bool>& StopSignal::flag() const { return stop_flag; }

const char* StopSignal::name() const {
  switch (stop_number.load()) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "";
  }
}

}  // namespace anthill
