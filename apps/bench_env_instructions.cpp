// How many instructions a transition takes: by the CPU's counter, or by valgrind's callgrind.
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "apps/bench_env.hpp"

namespace anthill {
namespace {

/// The number behind "Collected :" in callgrind's messages.
std::optional<double> collected(const std::string& messages) {
  const std::size_t found = messages.find("Collected : ");
  if (found == std::string::npos) return std::nullopt;
  return std::strtod(messages.c_str() + found + std::strlen("Collected : "), nullptr);
}

std::string output_of(const std::string& command) {
  std::string output;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> block;
  while (std::fgets(block.data(), block.size(), pipe) != nullptr) output += block.data();
  pclose(pipe);
  return output;
}

}  // namespace

std::optional<double> counted_instructions(const EnvContestant& contestant, double transitions) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  // this thread, any core: with one thread all work is done by the caller
  const auto counter = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  if (counter < 0) return std::nullopt;
  contestant.play();
  ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
  contestant.play();
  ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
  std::uint64_t count = 0;
  const bool ok = read(counter, &count, sizeof(count)) == sizeof(count) && count > 0;
  close(counter);
  if (!ok) return std::nullopt;
  return static_cast<double>(count) / transitions;
}

[[gnu::noinline]] void play_counted(const EnvContestant& contestant) { contestant.play(); }

std::optional<double> callgrind_instructions(const std::string& contestant,
                                             const EnvBenchOptions& options) {
  constexpr double kTransitions = 8 * 8;  // environments and steps of the short tape
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::optional<double> count = collected(
      output_of("valgrind --tool=callgrind --callgrind-out-file=/dev/null "
                "--toggle-collect='anthill::play_counted*' '" +
                self + "' env --env '" + options.env +
                "' --num-envs 8 --threads 1 --play-once --contestants " + contestant + " 2>&1"));
  if (!count || *count <= 0) return std::nullopt;
  return *count / kTransitions;
}

}  // namespace anthill
