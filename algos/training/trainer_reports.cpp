// What the trainer reports of every member, and how it sees that numbers are not finite.
#include <algorithm>
#include <cmath>

#include "algos/networks/device.hpp"
#include "algos/training/trainer.hpp"

namespace anthill {
namespace {

/// `values` [M, K] of doubles.
std::vector<double> row_of(const Tensor& values, std::int64_t member) {
  const double* first = values.data_ptr<double>() + member * values.size(1);
  return {first, first + values.size(1)};
}

}  // namespace

bool Trainer::any_going() const {
  return !std::ranges::all_of(members_, [](const Member& member) { return member.diverged; });
}

/// Returns `finite`. A member whose numbers are not finite comes to its end, unless the
/// configuration says to go on.
bool Trainer::check(std::int64_t member, bool finite, TrainingObserver& observer) {
  if (finite || has_diverged(member)) return finite;
  if (config_.training.on_non_finite == OnNonFinite::abort) {
    at(member).diverged = true;
    observer.on_member_diverged(*this, member);
  } else {
    observer.member(member).on_non_finite(counters(member));
  }
  return false;
}

/// Also looks at what the learner measured since the last report, and at the parameters.
void Trainer::report_metrics(TrainingObserver& observer) {
  const bool learned = agent_->num_updates() > reported_updates_;
  reported_updates_ = agent_->num_updates();
  auto [names, values_of] = agent_->take_metric_means();
  const Tensor means = values_of.t().to(at::kDouble).contiguous();
  const Tensor diagnostics = learned ? diagnose(names) : Tensor();
  for (std::int64_t m = 0; m < num_members(); ++m) {
    // the end of a run alone has a row too
    if (has_diverged(m) && num_members() > 1) continue;
    const std::vector<double> values = row_of(means, m);
    std::vector<double> all = values;
    if (diagnostics.defined()) {
      const std::vector<double> more = row_of(diagnostics, m);
      all.insert(all.end(), more.begin(), more.end());
    }
    observer.member(m).on_metrics(counters(m), names, all);
    if (!learned) continue;
    check(m,
          std::ranges::all_of(values, [](double v) { return std::isfinite(v); }) &&
              agent_->parameters_are_finite(m),
          observer);
  }
}

/// On the rows that the latest update drew, as far as the ring still holds the same; a batch of its
/// own, so that nothing of training changes. [M, K], and their names behind `names`.
Tensor Trainer::diagnose(std::vector<std::string>& names) {
  const std::vector<std::string>& more = agent_->diagnostic_names();
  if (more.empty()) return {};
  if (!diagnosis_batch_) diagnosis_batch_ = std::make_unique<Batch>(batch_->copy_shape());
  buffer_->sample_into(diagnosis_batch_->view(),
                       static_cast<std::uint64_t>(counters_.gradient_updates - 1),
                       current_stream(device_));
  names.insert(names.end(), more.begin(), more.end());
  Tensor measured = agent_->diagnose(*diagnosis_batch_, reward_ranges());
  if (has_held_out_rows()) measured = at::cat({measured, held_out_losses(names)});
  return measured.t().to(at::kDouble).contiguous();
}

bool Trainer::has_held_out_rows() const {
  for (std::int64_t m = 0; m < num_members(); ++m) {
    if (buffer_->num_held_out(m) == 0) return false;
  }
  return true;
}

/// [2, M]: the critics' loss on held-out rows, and that over the loss on the diagnosed batch, both
/// by the networks as they are and with the same noise.
Tensor Trainer::held_out_losses(std::vector<std::string>& names) {
  if (!held_out_batch_) held_out_batch_ = std::make_unique<Batch>(batch_->copy_shape());
  BatchView view = held_out_batch_->view();
  view.held_out = true;
  buffer_->sample_into(view, static_cast<std::uint64_t>(counters_.gradient_updates - 1),
                       current_stream(device_));
  const Tensor held_out = agent_->critic_losses(*held_out_batch_);
  names.insert(names.end(), {"held_out_critic_loss", "held_out_ratio"});
  return at::stack({held_out, held_out / agent_->critic_losses(*diagnosis_batch_)});
}

std::function<bool()> Trainer::keep_going(const std::atomic<bool>& stop,
                                          TrainingObserver& observer) {
  return [this, &stop, &observer] {
    observer.on_tick(counters());
    return !stop.load(std::memory_order_relaxed);
  };
}

/// Of all members at once, but those whose parameters are not finite; false when a stop request
/// came in between.
bool Trainer::evaluate(const std::atomic<bool>& stop, TrainingObserver& observer) {
  if (!evaluator_) return true;
  std::vector<bool> wanted(members_.size(), false);
  for_going([&](std::int64_t m) {
    wanted[static_cast<std::size_t>(m)] = check(m, agent_->parameters_are_finite(m), observer);
  });
  const std::vector<EvaluationResult> results = evaluator_->evaluate_members(
      *agent_, ActionMode::deterministic, wanted, keep_going(stop, observer));
  if (results.empty()) return false;
  for_going([&](std::int64_t m) {
    const auto i = static_cast<std::size_t>(m);
    if (!wanted[i] || !check(m, results[i].finite, observer)) return;
    observer.member(m).on_evaluation(counters(m), results[i], *agent_);
  });
  return true;
}

bool Trainer::probe_is_due() const {
  const std::int64_t now = counters_.env_steps;
  return period_is_due(now - config_.sim.num_envs, now, config_.overestimation.period);
}

/// One member after the other, but those whose parameters are not finite; false, and nothing is
/// reported, when a stop request came in between.
bool Trainer::probe(const std::atomic<bool>& stop, TrainingObserver& observer) {
  std::vector<std::pair<std::int64_t, OverestimationResult>> results;
  bool interrupted = false;
  for_going([&](std::int64_t m) {
    if (interrupted || !check(m, agent_->parameters_are_finite(m), observer)) return;
    try {
      OverestimationResult result = at(m).probe->run(*agent_->actor_critic(m), counters_.env_steps,
                                                     keep_going(stop, observer));
      interrupted = result.kinds.empty();
      results.emplace_back(m, std::move(result));
    } catch (const NonFiniteActions&) {
      check(m, false, observer);
    }
  });
  if (interrupted) return false;
  for (const auto& [m, result] : results) {
    observer.member(m).on_overestimation(counters(m), result);
  }
  return true;
}

}  // namespace anthill
