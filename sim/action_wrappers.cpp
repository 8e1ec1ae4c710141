#include "sim/action_wrappers.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "sim/number_text.hpp"

namespace anthill {
namespace {

/// Everything as the task has it, until a wrapper says otherwise.
class Wrapper : public Env {
 public:
  explicit Wrapper(std::unique_ptr<Env> env) : env_(std::move(env)), spec_(env_->spec()) {}

  const EnvSpec& spec() const override { return spec_; }
  std::string model_path() const override { return env_->model_path(); }
  std::string physics_identity() const override { return env_->physics_identity(); }
  std::unique_ptr<Workspace> make_workspace() const override { return env_->make_workspace(); }
  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    env_->reset(workspace, rng, state, observation);
  }

  const Env& inner() const { return *env_; }

 protected:
  std::unique_ptr<Env> env_;
  EnvSpec spec_;
};

class RepeatedActions final : public Wrapper {
 public:
  RepeatedActions(std::unique_ptr<Env> env, std::int64_t repeat)
      : Wrapper(std::move(env)), repeat_(repeat) {
    if (spec_.max_episode_steps > 0) {
      spec_.max_episode_steps = std::max<std::int64_t>(1, spec_.max_episode_steps / repeat);
    }
    spec_.control_dt *= static_cast<double>(repeat);
  }

  std::unique_ptr<Workspace> make_workspace() const override {
    auto workspace = std::make_unique<RepeatWorkspace>();
    workspace->inner = env_->make_workspace();
    workspace->terms.resize(spec_.reward_terms.size());
    return workspace;
  }

  void reset(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
             std::span<double> observation) const override {
    env_->reset(*static_cast<RepeatWorkspace&>(workspace).inner, rng, state, observation);
  }

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override {
    auto& own = static_cast<RepeatWorkspace&>(workspace);
    std::ranges::fill(terms, 0.0);
    StepResult all;
    for (std::int64_t i = 0; i < repeat_ && !all.terminated && !all.invalid; ++i) {
      const StepResult one =
          env_->step(*own.inner, rng, state, action, next_observation, own.terms);
      all = {all.reward + one.reward, one.terminated, one.invalid};
      for (std::size_t k = 0; k < terms.size(); ++k) terms[k] += own.terms[k];
    }
    return all;
  }

 private:
  struct RepeatWorkspace : Workspace {
    std::unique_ptr<Workspace> inner;
    std::vector<double> terms;  // of one step
  };

  std::int64_t repeat_;
};

class TableActions final : public Wrapper {
 public:
  TableActions(std::unique_ptr<Env> env, const std::vector<std::vector<double>>& table)
      : Wrapper(std::move(env)) {
    if (spec_.num_actions > 0) {
      throw ConfigError("sim.action_table: the actions of " + spec_.name +
                        " are discrete already; remove it");
    }
    for (const std::vector<double>& row : table) {
      check(row);
      table_.emplace_back(row.begin(), row.end());
    }
    spec_.action_dim = 1;
    spec_.num_actions = static_cast<std::int64_t>(table.size());
    spec_.action_low = {0.0f};
    spec_.action_high = {static_cast<float>(table.size() - 1)};
  }

  StepResult step(Workspace& workspace, NumpyGenerator& rng, std::span<double> state,
                  std::span<const float> action, std::span<double> next_observation,
                  std::span<double> terms) const override {
    const auto index = static_cast<std::size_t>(action[0]);  // checked by the caller
    return env_->step(workspace, rng, state, table_[index], next_observation, terms);
  }

 private:
  void check(const std::vector<double>& row) const {
    if (std::ssize(row) != spec_.action_dim) {
      throw ConfigError("sim.action_table: a row has " + std::to_string(row.size()) +
                        " numbers, an action of " + spec_.name + " has " +
                        std::to_string(spec_.action_dim) + "; correct the row");
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto low = static_cast<double>(spec_.action_low[i]);
      const auto high = static_cast<double>(spec_.action_high[i]);
      if (row[i] >= low && row[i] <= high) continue;
      throw ConfigError("sim.action_table: " + number_text(row[i]) + " is outside of the bounds [" +
                        number_text(low) + ", " + number_text(high) + "] of " + spec_.name +
                        "; correct the number");
    }
  }

  std::vector<std::vector<float>> table_;  // (num_actions x A)
};

}  // namespace

std::unique_ptr<Env> repeat_actions(std::unique_ptr<Env> env, std::int64_t repeat) {
  if (repeat < 1) throw ConfigError("sim.action_repeat: must be at least 1");
  if (repeat == 1) return env;
  return std::make_unique<RepeatedActions>(std::move(env), repeat);
}

std::unique_ptr<Env> table_actions(std::unique_ptr<Env> env,
                                   const std::vector<std::vector<double>>& table) {
  if (table.empty()) return env;
  return std::make_unique<TableActions>(std::move(env), table);
}

const Env& without_wrappers(const Env& env) {
  const Env* task = &env;
  while (const auto* wrapper = dynamic_cast<const Wrapper*>(task)) task = &wrapper->inner();
  return *task;
}

}  // namespace anthill
