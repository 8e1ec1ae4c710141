/// The parts of `anthill bench`: one file each (bench_env.cpp, ...), and what they share.
#pragma once

#include <CLI/CLI.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace anthill {

/// Measures one part and prints; to be called once the options are parsed. Throws ConfigError.
using BenchRun = std::function<void()>;

/// Each adds its part's options to the part's parser, which refuses all others.
BenchRun add_bench_env(CLI::App& parser);
BenchRun add_bench_buffer(CLI::App& parser);
BenchRun add_bench_learner(CLI::App& parser);
BenchRun add_bench_agents(CLI::App& parser);
BenchRun add_bench_checkpoint(CLI::App& parser);
BenchRun add_bench_train(CLI::App& parser);

/// The options that every part has.
struct BenchOutput {
  double seconds = 5.0;
  bool json = false;
  bool serve = false;
};
void add_output_options(CLI::App& parser, BenchOutput& output);

/// What was measured of one contestant, by chunks. A unit is a transition, an update or a batch.
struct BenchRates {
  double best = 0.0;            // units per second of wall time
  double median = 0.0;          // the same
  double cpu_s_per_unit = 0.0;  // CPU time of all threads per unit, 10th percentile over the chunks
};

/// Splits a measurement into chunks of equal time: hand in work until add() says that it is
/// enough. Alone it makes kNumChunks chunks, after one of warm-up. With `serve` it makes one chunk
/// for every line of stdin (its seconds), answers with one line of JSON
/// {"units", "wall_s", "cpu_s"}, and ends with stdin: so that a program can alternate between
/// several contestants that stay loaded (scripts/bench_peers).
class BenchClock {
 public:
  static constexpr int kNumChunks = 20;

  /// `finish` waits for work that is still queued; it is called at the end of each chunk.
  explicit BenchClock(
      const BenchOutput& output, std::function<void()> finish = [] {});

  /// Counts `units` that were just done; false when the measurement is over. May block on stdin
  /// between two chunks.
  bool add(double units);

  /// Of the chunks after the warm-up.
  BenchRates rates() const;

 private:
  bool next_chunk();

  BenchOutput output_;
  std::function<void()> finish_;
  bool warm_ = false;
  double chunk_s_ = 0.0, wall_begin_ = 0.0, cpu_begin_ = 0.0, units_ = 0.0;
  std::vector<double> rates_, cpu_s_per_unit_;
};

/// Prints a flat object: as one line of JSON, or a line for each key; nothing when serving.
void print_result(const nlohmann::ordered_json& result, const BenchOutput& output);

/// Prints objects with the same keys as the lines of a table.
void print_rows(const nlohmann::ordered_json& rows);

/// The same as CSV; closes the file. False when it could not be written.
bool write_rows_csv(const nlohmann::ordered_json& rows, std::ofstream& file);

/// Wall clock and CPU time of all threads of the process, in seconds.
double wall_seconds();
double cpu_seconds();

}  // namespace anthill
