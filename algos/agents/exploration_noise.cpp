#include "algos/agents/exploration_noise.hpp"

#include <cmath>

#include "algos/networks/noise.hpp"

namespace anthill {

Tensor ExplorationNoise::next(const ExplorationConfig& config, const Tensor& like,
                              const std::vector<std::uint64_t>& seeds, RandomStream stream,
                              std::uint64_t counter) {
  const Tensor white = at::empty_like(like);
  fill_normal(white, seeds, stream, counter);
  if (config.correlation_steps == 0.0 || stream != RandomStream::exploration_noise) return white;
  if (!process_.defined() || !process_.sizes().equals(white.sizes())) {
    process_ = white;
  } else {
    const double rho = std::exp(-1.0 / config.correlation_steps);
    process_ = rho * process_ + std::sqrt(1.0 - rho * rho) * white;
  }
  return process_;
}

void ExplorationNoise::save(StateWriter state) const {
  if (!process_.defined()) return;
  state.integer("num_envs", process_.size(1));
  state.integer("action_dim", process_.size(2));
  state.tensor("process", process_);
}

void ExplorationNoise::load(const StateReader& state, at::Device device) {
  if (!state.has("process")) return;
  const std::vector<float> values = state.values<float>("process");
  process_ = at::tensor(values)
                 .view({-1, state.integer("num_envs"), state.integer("action_dim")})
                 .to(device);
}

}  // namespace anthill
