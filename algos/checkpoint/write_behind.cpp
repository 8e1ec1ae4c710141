#include "algos/checkpoint/write_behind.hpp"

#include <chrono>
#include <exception>
#include <stdexcept>

namespace anthill {

WriteBehind::~WriteBehind() {
  if (writing_.valid()) writing_.wait();
}

void WriteBehind::start(std::function<void()> job) {
  if (writing_.valid()) throw std::logic_error("WriteBehind: the last job's end was not asked for");
  writing_ = std::async(std::launch::async, [job = std::move(job)]() -> std::string {
    try {
      job();
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  });
}

bool WriteBehind::is_over() const {
  return writing_.valid() &&
         writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

bool WriteBehind::is_busy() const { return writing_.valid() && !is_over(); }

std::string WriteBehind::finish() { return writing_.valid() ? writing_.get() : ""; }

}  // namespace anthill
