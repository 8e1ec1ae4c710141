/// The measurements behind `anthill bench`.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace anthill {

struct BenchOptions {
  std::string env = "Ant-v4";
  std::int64_t num_envs = 64;
  int num_threads = 1;
  std::int64_t observation_dim = 27;
  std::int64_t action_dim = 8;
  std::int64_t batch_size = 256;
  std::int64_t capacity = 1'000'000;
  std::int64_t hidden_dim = 256;
  bool layer_norm = false;
  std::string device = "cpu";
  double seconds = 5.0;
};

/// Runs "env", "buffer" or "learner" and returns one flat object: the options that matter, the rate
/// of the best and of the median chunk, and memory. Times are wall time on this thread. Throws
/// ConfigError.
nlohmann::json bench_part(const std::string& part, const BenchOptions& options);

}  // namespace anthill
