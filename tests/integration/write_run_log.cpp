/// Writes a small run log and a safetensors file into the folder argv[1], for run_log_test.py.
#include <cmath>
#include <limits>
#include <vector>

#include "algos/training/run_log.hpp"
#include "algos/training/safetensors.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  anthill::RunLog log(folder, true);
  for (int i = 1; i <= 300; ++i) {
    const double step = 1e7 * i;  // steps beyond 32 bits, varints of several lengths
    log.train({{"env_steps", step}, {"q_mean", 0.1 * i}, {"alpha", 1.0 / (3.0 * i)}});
    log.episode({{"env_steps", step}, {"env", i % 7}, {"episode_return", -i}});
  }
  log.train({{"env_steps", 4e9},
             {"q_mean", std::numeric_limits<double>::infinity()},
             {"critic_loss", std::nan("")}});
  log.evaluation({{"env_steps", 5e9}, {"return_mean", 812.5}, {"num_episodes", 10}});

  const std::vector<anthill::MetricRow> states = {
      {{"env_steps", 5e9}, {"states", "reset"}, {"state", 0}, {"q_mean", 1.5}}};
  log.overestimation({{"env_steps", 5e9}, {"states", "reset"}, {"bias_reward", 0.25}}, states);

  const std::vector<float> weight = {1.5f, -2.0f, 3e-40f, 4.0f, 5.0f, 6.0f};
  const std::vector<float> log_alpha = {-0.25f};
  const std::vector<anthill::FloatArrayView> arrays = {{"actor.weight", {2, 3}, weight.data()},
                                                       {"log_alpha", {}, log_alpha.data()}};
  anthill::write_safetensors(folder / "policy.safetensors", arrays, {{"env", "Ant-v5"}});
}
