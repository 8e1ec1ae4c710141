// Time in chunks, and the output that all parts of the benchmark share.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/bench_parts.hpp"
#include "sim/errors.hpp"

namespace anthill {

void add_output_options(CLI::App& parser, BenchOutput& output) {
  parser.add_option("--seconds", output.seconds, "time to measure for, split into chunks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  const auto json = parser.add_flag("--json", output.json, "print one machine-readable object");
  parser
      .add_flag("--serve", output.serve,
                "measure one chunk for every line of stdin (its seconds) and answer with its "
                "units, wall_s and cpu_s as JSON")
      ->excludes(json);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

BenchClock::BenchClock(const BenchOutput& output, std::function<void()> finish)
    : output_(output), finish_(std::move(finish)) {
  chunk_s_ = output_.seconds / kNumChunks;
  wall_begin_ = wall_seconds();
  cpu_begin_ = cpu_seconds();
}

bool BenchClock::add(double units) {
  units_ += units;
  if (wall_seconds() - wall_begin_ < chunk_s_) return true;
  finish_();
  const double wall_s = wall_seconds() - wall_begin_;
  const double cpu_s = cpu_seconds() - cpu_begin_;
  if (warm_ && output_.serve) {
    const nlohmann::json answer = {{"units", units_}, {"wall_s", wall_s}, {"cpu_s", cpu_s}};
    std::printf("%s\n", answer.dump().c_str());
    std::fflush(stdout);
  } else if (warm_) {
    rates_.push_back(units_ / wall_s);
    cpu_s_per_unit_.push_back(cpu_s / units_);
  }
  warm_ = true;
  if (!next_chunk()) return false;
  units_ = 0.0;
  wall_begin_ = wall_seconds();
  cpu_begin_ = cpu_seconds();
  return true;
}

bool BenchClock::next_chunk() {
  if (!output_.serve) return rates_.size() < kNumChunks;
  std::string line;
  if (!std::getline(std::cin, line)) return false;
  char* end = nullptr;
  chunk_s_ = std::strtod(line.c_str(), &end);
  if (line.empty() || *end != '\0' || !(chunk_s_ > 0.0)) {
    throw ConfigError("--serve: '" + line + "' on stdin; write one positive number of seconds");
  }
  return true;
}

BenchRates BenchClock::rates() const {
  std::vector<double> rates = rates_, cpu_s = cpu_s_per_unit_;
  if (rates.empty()) return {};
  std::ranges::sort(rates);
  std::ranges::sort(cpu_s);
  return {rates.back(), rates[rates.size() / 2], cpu_s[cpu_s.size() / 10]};
}

void print_result(const nlohmann::ordered_json& result, const BenchOutput& output) {
  if (output.serve) return;
  if (output.json) {
    std::puts(result.dump().c_str());
    return;
  }
  for (const auto& [key, value] : result.items()) {
    std::printf("%-24s %s\n", key.c_str(),
                value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
}

}  // namespace anthill
