#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "sim/mujoco_task.hpp"
#include "sim/quantity.hpp"

namespace anthill {
namespace {

/// State row: | physics | xpos of the forward body: x, y, z |. xpos lags qpos by one pass.
class Mjcf final : public MujocoTask {
 public:
  explicit Mjcf(const SimConfig& config);

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override;

 private:
  void draw_start(NumpyGenerator& rng, std::span<double> state) const override;
  void remember(const mjData& data, std::span<double> state) const override;
  void observe(const mjData& data, std::span<double> observation) const override;
  void find_keyframe();
  void find_quantities();
  double observed(const Quantity& quantity, const mjData& data, std::size_t i) const;
  bool healthy(const mjData& data) const;
  double contact_cost(const mjData& data) const;
  double sum(const WeightedQuantity& term, const mjData& data) const;

  MjcfConfig config_;
  int forward_body_ = 0;
  std::size_t forward_axis_ = 0;
  int keyframe_ = -1;
  std::vector<Quantity> observation_;
  std::vector<Bound> bounds_;
  std::vector<WeightedQuantity> extra_rewards_;
};

OptionChecks checks() { return {"sim.mjcf", "mjcf"}; }

void check_options(const MjcfConfig& config) {
  checks().finite({{"forward_reward_weight", config.forward_reward_weight},
                   {"ctrl_cost_weight", config.ctrl_cost_weight},
                   {"contact_cost_weight", config.contact_cost_weight},
                   {"healthy_reward", config.healthy_reward}});
  checks().ordered({{"velocity_range", config.velocity_range},
                    {"contact_force_range", config.contact_force_range}});
  checks().frame_skip(config.frame_skip);
  checks().reset_noise_scale(config.reset_noise_scale);
  const std::string& axis = config.forward_axis;
  checks().require(axis == "x" || axis == "y" || axis == "z", "forward_axis",
                   "must be \"x\", \"y\" or \"z\", got \"" + axis + "\"");
  const std::string& noise = config.reset_velocity_noise;
  checks().require(noise == "normal" || noise == "uniform", "reset_velocity_noise",
                   "must be \"normal\" or \"uniform\", got \"" + noise + "\"");
  checks().require(!config.model.empty(), "model",
                   "env = \"mjcf\" needs a model; give the path of an MJCF file");
}

/// Options are checked before the model is loaded. The path becomes absolute, so that it is taken
/// as it is and never looked for elsewhere.
std::string checked_path(const MjcfConfig& config) {
  check_options(config);
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(config.model, error);
  return error ? config.model : path.lexically_normal().string();
}

Mjcf::Mjcf(const SimConfig& config)
    : MujocoTask("mjcf", checked_path(config.mjcf), config.mjcf.frame_skip,
                 config.max_episode_steps, 1000),
      config_(config.mjcf) {
  require_model(model().nu > 0, "has no actuator, so there is nothing to learn; add <actuator>");
  forward_axis_ = static_cast<std::size_t>(config_.forward_axis[0] - 'x');
  if (!config_.forward_body.empty()) {
    forward_body_ = find_body(model(), "sim.mjcf.forward_body", config_.forward_body);
  } else {
    forward_body_ = model().nbody > 1 ? 1 : 0;
  }
  find_keyframe();
  find_quantities();

  spec_.state_dim += 3;
  spec_.reward_terms = {"reward_forward", "reward_ctrl", "reward_contact", "reward_survive"};
  for (std::size_t i = 0; i < extra_rewards_.size(); ++i) {
    spec_.reward_terms.push_back("reward_extra_" + std::to_string(i));
  }
}

void Mjcf::find_keyframe() {
  const std::string& name = config_.reset_keyframe;
  if (name.empty()) return;
  keyframe_ = mj_name2id(&model(), mjOBJ_KEY, name.c_str());
  checks().require(keyframe_ >= 0, "reset_keyframe",
                   "the model has no keyframe named '" + name + "'; name one of its <key>s");
}

void Mjcf::find_quantities() {
  const mjModel& m = model();
  spec_.observation_dim = 0;
  for (const std::string& text : config_.observation) {
    observation_.push_back(find_quantity(m, "sim.mjcf.observation", text));
    spec_.observation_dim += static_cast<std::int64_t>(observation_.back().size);
  }
  checks().require(!observation_.empty(), "observation",
                   "is empty; name what the policy sees, for example [\"qpos\", \"qvel\"]");
  for (const std::string& text : config_.healthy) {
    bounds_.push_back(find_bound(m, "sim.mjcf.healthy", text));
  }
  for (const std::string& text : config_.extra_rewards) {
    extra_rewards_.push_back(find_weighted(m, "sim.mjcf.extra_rewards", text));
  }
  const auto reads = [](const Quantity& quantity) { return quantity.array == &mjData::cfrc_ext; };
  reads_contact_forces_ = config_.contact_cost_weight != 0 ||
                          std::ranges::any_of(observation_, reads) ||
                          std::ranges::any_of(bounds_, reads, &Bound::quantity) ||
                          std::ranges::any_of(extra_rewards_, reads, &WeightedQuantity::quantity);
}

/// Element i as it is observed; bounds and extra rewards see it as it is.
double Mjcf::observed(const Quantity& quantity, const mjData& data, std::size_t i) const {
  const double raw = quantity.values(data)[i];
  const auto clip = [raw](const auto& range) { return numpy_clip(raw, range[0], range[1]); };
  if (quantity.array == &mjData::cfrc_ext) return clip(config_.contact_force_range);
  if (quantity.array == &mjData::qvel) return clip(config_.velocity_range);
  return raw;
}

/// Observation: the quantities of `observation`, one after the other, all float64.
void Mjcf::observe(const mjData& data, std::span<double> observation) const {
  double* out = observation.data();
  for (const Quantity& quantity : observation_) {
    for (std::size_t i = 0; i < quantity.size; ++i) *out++ = observed(quantity, data, i);
  }
}

/// Start: the keyframe's (or the model's) position plus uniform noise, its velocity plus normal or
/// uniform noise, in this order of drawing, as Gymnasium's reset_model; activations 0.
void Mjcf::draw_start(NumpyGenerator& rng, std::span<double> state) const {
  const mjModel& m = model();
  const double scale = config_.reset_noise_scale;
  draw_positions(rng, scale, state, keyframe_ < 0 ? nullptr : m.key_qpos + keyframe_ * m.nq);
  if (config_.reset_velocity_noise == "normal") {
    draw_normal_velocities(rng, scale, state);
  } else {
    draw_uniform_velocities(rng, scale, state);
  }
  if (keyframe_ < 0) return;
  const double* qvel = m.key_qvel + keyframe_ * m.nv;
  for (mjtSize i = 0; i < m.nv; ++i) state[static_cast<std::size_t>(m.nq + i)] += qvel[i];
}

void Mjcf::remember(const mjData& data, std::span<double> state) const {
  std::copy_n(data.xpos + 3 * forward_body_, 3, state.data() + physics_dim());
}

bool Mjcf::healthy(const mjData& data) const {
  return std::ranges::all_of(bounds_, [&](const Bound& bound) {
    return std::ranges::all_of(bound.quantity.values(data),
                               [&](double x) { return bound.holds(x); });
  });
}

double Mjcf::contact_cost(const mjData& data) const {
  const Quantity forces{&mjData::cfrc_ext, 0, 6 * static_cast<std::size_t>(model().nbody)};
  const auto square = [&](std::size_t i) {
    const double force = observed(forces, data, i);
    return force * force;
  };
  return config_.contact_cost_weight * numpy_sum<double>(forces.size, square);
}

double Mjcf::sum(const WeightedQuantity& term, const mjData& data) const {
  const std::span<const double> values = term.quantity.values(data);
  return numpy_sum<double>(values.size(), [&](std::size_t i) {
    return term.squared ? values[i] * values[i] : values[i];
  });
}

/// Reward, in float64 but for the control cost (float32, widened when it meets a float64):
///   reward_forward  forward_reward_weight * (xpos of forward_body after - before) / control_dt
///   reward_survive  healthy_reward while healthy, else 0
///   reward_ctrl     -ctrl_cost_weight * sum(action^2)
///   reward_contact  -contact_cost_weight * sum(clip(cfrc_ext)^2) over all bodies
///   reward_extra_i  weight_i * sum of quantity i, or of its squares
///   reward          (forward + survive + extras with weight >= 0)
///                   - (ctrl cost + contact cost + extras with weight < 0)
/// Terminated: a bound of `healthy` does not hold, and terminate_when_unhealthy.
/// The order of the sum is that of Gymnasium's ant_v5.py, so that Ant-v5 keeps its bits.
StepResult Mjcf::step(Workspace& workspace, NumpyGenerator&, std::span<double> state,
                      std::span<const float> action, std::span<double> next_observation,
                      std::span<double> terms) const {
  const std::size_t position = physics_dim() + forward_axis_;
  const double before = state[position];
  if (!advance(workspace, state, action, next_observation)) return {.invalid = true};
  const mjData& data = data_of(workspace);
  const double forward_velocity = velocity(before, state[position]);
  const bool is_healthy = healthy(data);
  const float ctrl_cost = numpy_control_cost(config_.ctrl_cost_weight, action);
  const double contact = config_.contact_cost_weight == 0 ? 0.0 : contact_cost(data);
  terms[0] = forward_velocity * config_.forward_reward_weight;
  terms[1] = -ctrl_cost;
  terms[2] = -contact;
  terms[3] = is_healthy ? config_.healthy_reward : 0.0;
  double rewards = terms[0] + terms[3];
  double costs = static_cast<double>(ctrl_cost) + contact;
  for (std::size_t i = 0; i < extra_rewards_.size(); ++i) {
    const WeightedQuantity& extra = extra_rewards_[i];
    const double term = extra.weight * sum(extra, data);
    terms[4 + i] = term;
    (extra.weight < 0 ? costs : rewards) += extra.weight < 0 ? -term : term;
  }
  return {.reward = rewards - costs, .terminated = !is_healthy && config_.terminate_when_unhealthy};
}

}  // namespace

std::unique_ptr<Env> make_mjcf(const SimConfig& config) { return std::make_unique<Mjcf>(config); }

}  // namespace anthill
