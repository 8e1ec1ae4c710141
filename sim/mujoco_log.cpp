// MuJoCo's warnings and errors: counted and kept, never printed to a log file, never exit(1).
#include <mujoco/mujoco.h>

#include <atomic>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "sim/mujoco_env.hpp"

namespace anthill {
namespace {

std::atomic<std::int64_t> num_warnings{0};
std::mutex text_mutex;
char last_text[256] = "";
thread_local std::jmp_buf* error_exit = nullptr;
thread_local bool counts_warnings = true;

void handle_message(const mjLogMessage* message) {
  if (message->level < mjLOG_WARNING) return;
  if (message->level < mjLOG_ERROR && !counts_warnings) return;
  num_warnings.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(text_mutex);
    std::snprintf(last_text, sizeof(last_text), "%.250s", message->subject);
  }
  if (message->level < mjLOG_ERROR) return;
  if (error_exit != nullptr) std::longjmp(*error_exit, 1);
  // MuJoCo does not survive a return from here
  std::fprintf(stderr, "MuJoCo error outside of a guarded call: %s\n", message->subject);
  std::abort();
}

}  // namespace

bool call_mujoco(void (*function)(void*), void* context, bool count_warnings) {
  [[maybe_unused]] static const mjfLogHandler previous = mju_setLogHandler(handle_message);
  std::jmp_buf* const outer = error_exit;
  std::jmp_buf here;
  if (setjmp(here) != 0) {
    error_exit = outer;
    counts_warnings = true;
    return false;
  }
  error_exit = &here;
  counts_warnings = count_warnings;
  function(context);
  error_exit = outer;
  counts_warnings = true;
  return true;
}

std::string mujoco_version() { return mj_versionString(); }

std::int64_t num_mujoco_warnings() { return num_warnings.load(std::memory_order_relaxed); }

std::string last_mujoco_warning() {
  const std::lock_guard lock(text_mutex);
  return last_text;
}

std::string simulation_failure() {
  const std::string text = last_mujoco_warning();
  return text.empty() ? "non-finite state, reward or observation" : "latest warning: " + text;
}

}  // namespace anthill
