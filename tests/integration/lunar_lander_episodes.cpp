// Plays LunarLander with Gymnasium's heuristic controller, one episode per seed, and prints
// "seed,return,length,landed". usage: lunar_lander_episodes ENV GRAVITY ENABLE_WIND FIRST_SEED NUM
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "sim/env_factory.hpp"

namespace {

using anthill::Env;

/// The heuristic of Gymnasium's lunar_lander.py, in its float32.
std::vector<float> heuristic(const std::array<float, 8>& s, bool continuous) {
  const float angle_target = std::clamp(s[0] * 0.5f + s[2] * 1.0f, -0.4f, 0.4f);
  const float hover_target = 0.55f * std::abs(s[0]);
  float angle = (angle_target - s[4]) * 0.5f - s[5] * 1.0f;
  float hover = (hover_target - s[1]) * 0.5f - s[3] * 0.5f;
  if (s[6] != 0 || s[7] != 0) {
    angle = 0;
    hover = -s[3] * 0.5f;
  }
  if (continuous) {
    return {std::clamp(hover * 20 - 1, -1.0f, 1.0f), std::clamp(-angle * 20, -1.0f, 1.0f)};
  }
  if (hover > std::abs(angle) && hover > 0.05f) return {2};
  if (angle < -0.05f) return {3};
  return {angle > 0.05f ? 1.0f : 0.0f};
}

void play(const Env& env, std::uint64_t seed) {
  const auto workspace = env.make_workspace();
  anthill::NumpyGenerator rng(seed);
  std::vector<double> state(static_cast<std::size_t>(env.spec().state_dim));
  std::array<double, 8> observation;
  std::array<float, 8> seen;
  const auto cast = [](double x) { return static_cast<float>(x); };
  env.reset(*workspace, rng, state, observation);
  double episode_return = 0;
  std::int64_t length = 0;
  anthill::StepResult result;
  while (!result.terminated && length < env.spec().max_episode_steps) {
    std::transform(observation.begin(), observation.end(), seen.begin(), cast);
    const auto action = heuristic(seen, env.spec().num_actions == 0);
    result = env.step(*workspace, rng, state, action, observation, {});
    episode_return += result.reward;
    ++length;
  }
  std::printf("%llu,%.17g,%lld,%d\n", static_cast<unsigned long long>(seed), episode_return,
              static_cast<long long>(length), result.terminated && result.reward == 100 ? 1 : 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  anthill::SimConfig config{.env = argv[1]};
  config.lunar_lander.gravity = std::atof(argv[2]);
  config.lunar_lander.enable_wind = std::string(argv[3]) == "1";
  const auto env = anthill::make_env(config);
  const auto first = std::strtoull(argv[4], nullptr, 10);
  const auto num_episodes = std::strtoull(argv[5], nullptr, 10);
  for (std::uint64_t i = 0; i < num_episodes; ++i) play(*env, first + i);
  return 0;
}
