/// Inside of `anthill bench env`: what its source files share.
#pragma once

#include <fstream>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench_parts.hpp"
#include "sim/bare_loop.hpp"

namespace anthill {

struct EnvBenchOptions {
  BenchOutput output;
  std::string env = "Ant-v4";
  std::vector<std::int64_t> num_envs = {64};
  std::vector<int> num_threads = {1};
  std::vector<std::string> contestants = {"anthill", "bare", "mjbatch"};
  std::string csv;
  bool instructions = false;
  bool play_once = false;  // internal: play a short tape once and exit, for callgrind
};

/// One way to do the tape's work, and what was measured of it.
struct EnvContestant {
  std::string name;  // anthill, bare or mjbatch
  std::int64_t num_envs = 0;
  int num_threads = 1;
  std::function<void()> play = {};                    // the whole tape once, in every environment
  std::vector<double> wall_us = {}, cpu_us = {};      // per transition, one value per chunk
  std::optional<double> instructions = std::nullopt;  // per transition
};

/// Instructions in user space per transition, of a contestant with one thread that plays
/// `transitions` per call of play(): from the CPU's counter; empty where the machine has none.
std::optional<double> counted_instructions(const EnvContestant& contestant, double transitions);

/// The same by running this program once more under valgrind's callgrind, on few environments;
/// empty where there is no valgrind.
std::optional<double> callgrind_instructions(const std::string& contestant,
                                             const EnvBenchOptions& options);

/// What callgrind counts: one contestant.play(). Not inlined, for its name is the switch.
void play_counted(const EnvContestant& contestant);

/// Resident memory that one more environment costs, in KiB, beside rows that belong to the buffer.
double memory_kib_per_env(const std::shared_ptr<const Env>& env);

/// What the pool itself costs, with work that does nothing: of one thread per chunk, and of wall
/// time to begin and finish a step; {"num_threads", "chunk_ns", "step_us"}.
nlohmann::ordered_json pool_costs(const std::vector<int>& num_threads);

/// One flat object for each contestant, with its ratio to the bare loop of the same width;
/// anthill's with memory_kib_per_env().
nlohmann::ordered_json env_rows(const std::vector<EnvContestant>& contestants, double memory_kib);

/// Those rows as a table on stdout.
void print_env_table(const nlohmann::ordered_json& rows);

}  // namespace anthill
