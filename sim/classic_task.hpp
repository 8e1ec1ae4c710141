/// What the classic control tasks share: a few numbers of state and no workspace.
#pragma once

#include <memory>
#include <utility>

#include "sim/env.hpp"

namespace anthill {

class ClassicTask : public Env {
 public:
  const EnvSpec& spec() const override { return spec_; }
  std::unique_ptr<Workspace> make_workspace() const override {
    return std::make_unique<Workspace>();
  }

 protected:
  /// `spec.max_episode_steps` is Gymnasium's limit, replaced by `max_episode_steps` when not 0.
  ClassicTask(EnvSpec spec, std::int64_t max_episode_steps) : spec_(std::move(spec)) {
    if (max_episode_steps > 0) spec_.max_episode_steps = max_episode_steps;
  }

 private:
  EnvSpec spec_;
};

}  // namespace anthill
