#include <algorithm>
#include <bit>
#include <cmath>

#include "sim/lunar_row.hpp"
#include "sim/lunar_world.hpp"
#include "sim/number_text.hpp"
#include "sim/option_checks.hpp"
#include "sim/tasks.hpp"

namespace anthill {
namespace {

constexpr std::int64_t kDefaultSteps = 1000;
constexpr std::int64_t kMaxSteps = 100'000;

/// State row: lunar_row.hpp. A Box2D world cannot be written as a row: the workspace is a live
/// world, and where it is not the row's, the episode is replayed.
class LunarLander final : public Env {
 public:
  LunarLander(bool continuous, const SimConfig& config);

  const EnvSpec& spec() const override { return spec_; }
  std::string physics_identity() const override;
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<LunarWorld>(config_, continuous_);
  }
  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override;
  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double>) const override;

 private:
  bool replay(LunarWorld& world, std::span<const double> state, const NumpyGenerator& rng) const;
  void append(std::span<double> state, std::span<const float> action) const;

  bool continuous_;
  LunarLanderConfig config_;
  EnvSpec spec_;
};

using lunar::episode_generator, lunar::kActions, lunar::kHash, lunar::kSteps, lunar::pack,
    lunar::unpack, lunar::word;
static_assert(LunarWorld::kKeyWords == kActions);

bool is_of(const LunarWorld& world, std::span<const double> state) {
  return std::equal(world.key.begin(), world.key.end(), state.begin(),
                    [](double a, double b) { return word(a) == word(b); });
}

/// Box2D fills a table when the first two shapes meet, without a lock: let that happen here.
void meet_once() {
  [[maybe_unused]] static const bool done = [] {
    b2World world({0, 0});
    b2CircleShape circle;
    circle.m_radius = 1;
    b2BodyDef body;
    body.type = b2_dynamicBody;
    for (int i = 0; i < 2; ++i) world.CreateBody(&body)->CreateFixture(&circle, 1);
    world.Step(0.01f, 1, 1);
    return true;
  }();
}

OptionChecks checks() { return {"sim.lunar_lander", "LunarLander-v3"}; }

LunarLander::LunarLander(bool continuous, const SimConfig& config)
    : continuous_(continuous), config_(config.lunar_lander) {
  checks().require(config_.gravity > -12 && config_.gravity < 0, "gravity",
                   "must be above -12 and below 0");
  checks().finite(
      {{"wind_power", config_.wind_power}, {"turbulence_power", config_.turbulence_power}});
  const std::int64_t limit =
      config.max_episode_steps > 0 ? config.max_episode_steps : kDefaultSteps;
  if (limit > kMaxSteps) {
    throw ConfigError(
        "sim.max_episode_steps: a row of LunarLander holds all actions of an episode; "
        "use at most " +
        std::to_string(kMaxSteps));
  }
  meet_once();
  const std::int64_t action_dim = continuous ? 2 : 1;
  const auto size = static_cast<std::size_t>(action_dim);
  spec_ = {.name = continuous ? "LunarLanderContinuous-v3" : "LunarLander-v3",
           .observation_dim = lunar::kObservationDim,
           .action_dim = action_dim,
           .num_actions = continuous ? 0 : 4,
           .action_low = std::vector<float>(size, continuous ? -1.0f : 0.0f),
           .action_high = std::vector<float>(size, continuous ? 1.0f : 3.0f),
           .state_dim = static_cast<std::int64_t>(kActions) + limit,
           .max_episode_steps = limit,
           .control_dt = 1.0 / lunar::kStepsPerSecond,
           .reward_terms = {},
           .workspace_per_lane = true};
}

/// Options that act on the replay count as physics.
std::string LunarLander::physics_identity() const {
  std::string text = "Box2D " + std::to_string(b2_version.major) + "." +
                     std::to_string(b2_version.minor) + "." + std::to_string(b2_version.revision) +
                     ", gravity " + number_text(config_.gravity);
  if (!config_.enable_wind) return text;
  return text + ", wind " + number_text(config_.wind_power) + " and " +
         number_text(config_.turbulence_power);
}

void LunarLander::reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                        std::span<double> observation) const {
  auto& world = static_cast<LunarWorld&>(workspace);
  std::ranges::fill(state, 0.0);
  const NumpyGenerator::Words words = rng.words();
  std::ranges::transform(words, state.begin(),
                         [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
  world.start(rng, observation);
  std::copy_n(state.begin(), world.key.size(), world.key.begin());
}

/// Adds an action to the row: the count, the hash and the word itself.
void LunarLander::append(std::span<double> state, std::span<const float> action) const {
  const double packed = pack(action);
  state[kActions + static_cast<std::size_t>(state[kSteps])] = packed;
  state[kSteps] += 1;
  // splitmix64's finaliser
  std::uint64_t hash = word(state[kHash]) * 0x9e3779b97f4a7c15ull + word(packed) + 1;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  state[kHash] = std::bit_cast<double>(hash ^ (hash >> 31));
}

/// Makes the row's world by living through its episode. False when that does not end with the
/// generator `rng`, with which the row would have to go on.
bool LunarLander::replay(LunarWorld& world, std::span<const double> state,
                         const NumpyGenerator& rng) const {
  NumpyGenerator generator = episode_generator(state);
  std::array<double, lunar::kObservationDim> observation;
  world.start(generator, observation);
  const auto num_steps = static_cast<std::size_t>(state[kSteps]);
  for (std::size_t i = 0; i < num_steps; ++i) {
    world.step(generator, unpack(state[kActions + i]), observation);
  }
  std::copy_n(state.begin(), world.key.size(), world.key.begin());
  return generator.words() == rng.words();
}

/// Observation (float32 in Gymnasium): x and y from the pad in half viewports, their speeds, angle
/// [rad], angular speed, and whether each leg touches the ground.
/// Reward: shaping - shaping of the step before - 0.3 * main throttle - 0.03 * side throttle, with
///   shaping = -100 |position| - 100 |velocity| - 100 |angle| + 10 per leg on the ground;
///   -100 instead for a crash or |x| >= 1, +100 for coming to rest. These terminate.
/// Actions: LunarLander-v3 0 nothing, 1 left engine, 2 main engine, 3 right engine; Continuous
///   [main, side], clipped to +-1: main > 0 is 50 to 100 % of thrust, |side| > 0.5 is its share.
/// A row that has reached the time limit cannot go on: its step is invalid.
/// Source: Gymnasium's box2d/lunar_lander.py. Its Box2D is 2.3, this one 2.4: trajectories agree to
/// about 1e-3 over 50 steps of free flight, and differ in their details after the first contact.
StepResult LunarLander::step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                             std::span<const float> action, std::span<double> next_observation,
                             std::span<double>) const {
  auto& world = static_cast<LunarWorld&>(workspace);
  if (!(state[kSteps] < static_cast<double>(spec_.max_episode_steps))) return {.invalid = true};
  if (!is_of(world, state) && !replay(world, state, rng)) {
    world.key = {};
    return {.invalid = true};
  }
  append(state, action);
  const StepResult result = world.step(rng, action, next_observation);
  std::copy_n(state.begin(), world.key.size(), world.key.begin());
  return result;
}

}  // namespace

std::unique_ptr<Env> make_lunar_lander(bool continuous, const SimConfig& config) {
  return std::make_unique<LunarLander>(continuous, config);
}

}  // namespace anthill
