/// Soft actor-critic (Haarnoja et al., 2018: arXiv 1801.01290 and 1812.05905).
#pragma once

#include "algos/agents/action_measure.hpp"
#include "algos/agents/agent.hpp"
#include "algos/agents/exploration_noise.hpp"
#include "algos/networks/adam.hpp"
#include "algos/networks/batch_renorm.hpp"
#include "algos/networks/gsde.hpp"
#include "algos/networks/mlp.hpp"
#include "algos/networks/noise.hpp"
#include "algos/networks/squashed_gaussian.hpp"

namespace anthill {

/// critic.target_clip: what the targets are clipped to, (M) each; undefined where not used.
struct SacTargetClip {
  Tensor low, high;
  Tensor seen_low, seen_high;  // range: smallest and largest target so far
  Tensor log_prob_max;         // bound: largest log pi(a|s) so far, at least 0
};

/// Smallest and largest stored reward, (M) each.
struct SacRewards {
  Tensor low, high;
};
SacRewards make_sac_rewards(const std::vector<RewardRange>& rewards, at::Device device);

/// Everything the losses read. M = members, E = critic.num_critics.
struct SacModel {
  AgentConfig config;  // what all members share
  std::int64_t action_dim = 0;
  MlpShape actor_shape, critic_shape;
  Parameters actor;                    // (M x 1 x P)
  Parameters target_actor;             // the same, no gradient; with target_policy only
  Parameters critic;                   // (M x E x P)
  Parameters target_critic;            // (M x E x P), no gradient
  BatchRenormState critic_statistics;  // with critic.batch_renorm only
  Parameters target_statistics;        // (M x E x S) the targets' running statistics
  bool joint_critics = false;          // and no target network: (s, a) and (s', a') are one batch
  Tensor log_alpha;                    // (M), a leaf
  Tensor discount, reward_scale, target_entropy;  // (M)
  Tensor max_log_alpha;                           // (M), undefined: no cap
  SacTargetClip clip;
  ActionMeasure actions;
};

/// Networks initialised as the configuration asks. `members` (M) may differ in numbers; structure
/// and forms are those of the first.
SacModel make_sac_model(const std::vector<AgentConfig>& members, const AgentShape& shape);

/// First weights of the actor, drawn as those of network `network_id`.
void initialise_actor(const SacModel& model, const std::vector<std::uint64_t>& seeds,
                      std::uint64_t network_id);

/// First weights of the critics, of which their targets become copies; no statistics yet.
void initialise_critic(const SacModel& model, const std::vector<std::uint64_t>& seeds,
                       std::uint64_t network_id);

/// What the distribution reads, [M, B, 2A]: means, then raw log standard deviations.
Tensor sac_head(const SacModel& model, const Parameters& actor, const Tensor& observation);

/// a ~ pi(.|s) of `actor` (the model's or its target) and log pi(a|s), or minus the Gaussian's
/// entropy (temperature.entropy); `action` [M, B, A] as the losses measure it. `noise` as in
/// SacNoise.
SquashedSample sac_sample(const SacModel& model, const Parameters& actor, const Tensor& observation,
                          const Tensor& noise);

/// With actor.distribution = "gsde": a for given matrices `noise` (gsde.hpp), as the losses measure
/// it, [M, N, A].
Tensor sac_explore(const SacModel& model, const Tensor& observation, const Tensor& noise);

/// The policy without noise, as the losses measure actions, [M, B, A].
Tensor sac_mode(const SacModel& model, const Tensor& observation);

/// Which networks sac_q() and sac_features() are about.
enum class Critics { online, target };

/// Q_j(s, a), [M, E, B], with batch renormalisation in evaluation; `keep` as in SacNoise.
Tensor sac_q(const SacModel& model, Critics critics, const Tensor& observation,
             const Tensor& action, const Tensor& keep = {});

/// The penultimate features of the online critics, [M, E, B, W], no graph: as mlp_features; with
/// batch renormalisation those in front of the last normalisation, in evaluation.
Tensor sac_features(const SacModel& model, const Tensor& observation, const Tensor& action);

/// All that is random in one update. Dropout's masks (mlp.hpp) are undefined without dropout.
struct SacNoise {
  Tensor next_action = {}, action = {};  // (M x B x A) standard normal
  Tensor target_keep = {};               // for the target critics,
  Tensor critic_keep = {};               // for the critics in their own loss,
  Tensor actor_keep = {};                // and in the actor's
  Tensor subset = {};                    // (M x K) int64, critics of the target; undefined: all
};

/// What the critics' loss is made of: Q_j(s, a) in training, and the next values Q'_j(s', a'),
/// detached, of the target networks or, with joint_critics, of the same pass.
struct SacCriticValues {
  Tensor q, next_q;        // (M x E x B)
  Tensor statistics = {};  // as in SacCriticLoss
};
SacCriticValues sac_critic_values(const SacModel& model, const Batch& batch,
                                  const Tensor& next_action, const SacNoise& noise);

/// The losses: pure functions of (parameters, batch, noise). Losses are per member, [M]; sum() them
/// for a gradient.
struct SacCriticLoss {
  Tensor loss;                // (M)
  Tensor q;                   // (M x E x B), detached
  Tensor target;              // (M x B), detached
  Tensor next_log_prob = {};  // (M x B), detached
  Tensor statistics = {};     // what critic_statistics is to remember, with critic.batch_renorm
};
SacCriticLoss sac_critic_loss(const SacModel& model, const Batch& batch, const SacNoise& noise);

struct SacActorLoss {
  Tensor loss;      // (M)
  Tensor log_prob;  // (M x B), detached
};
SacActorLoss sac_actor_loss(const SacModel& model, const Batch& batch, const SacNoise& noise);

/// `log_prob` (M x B) of actions sampled from the current policy; returns (M).
Tensor sac_temperature_loss(const SacModel& model, const Tensor& log_prob);

/// The optimisers of one model, and how its targets follow.
struct SacOptimisers {
  Adam actor, critic, temperature;
  PolyakTarget target, target_actor;
};
SacOptimisers make_sac_optimisers(const std::vector<AgentConfig>& members, const SacModel& model);

/// One member of a model, of its optimisers, of a batch and of noise, in shared memory.
SacModel member_of(const SacModel& model, std::int64_t member);
SacOptimisers member_of(const SacOptimisers& optimisers, std::int64_t member);
Batch member_of(const Batch& batch, std::int64_t member);
SacNoise member_of(const SacNoise& noise, std::int64_t member);

class Sac final : public Agent, private CapturedUpdate {
 public:
  Sac(const std::vector<AgentConfig>& members, const AgentShape& shape);

  void act(std::span<const float> observation, std::span<float> action, ActionMode mode,
           RandomStream stream, std::uint64_t counter) override;
  void set_env_steps(std::int64_t env_steps) override;
  bool needs_reward_range() const override {
    return model_.config.critic.target_clip == TargetClip::bound;
  }
  void set_reward_ranges(const std::vector<RewardRange>& rewards) override;
  void update(const Batch& batch) override;
  CapturedUpdate* captured_update() override;
  std::int64_t num_updates() const override { return num_updates_; }
  MetricMeans take_metric_means() override;
  const std::vector<std::string>& diagnostic_names() const override;
  Tensor diagnose(const Batch& batch, const std::vector<RewardRange>& rewards) override;
  Tensor critic_losses(const Batch& batch) override;
  std::vector<NamedTensor> parameters() const override;
  void save(StateWriter state) const override;
  void load(const StateReader& state) override;
  void load_networks(const StateReader& state) override;
  std::unique_ptr<ActorCritic> actor_critic(std::int64_t member) const override;

  const SacModel& model() const { return model_; }

 private:
  void reset_if_due();
  void save_remedies(const StateWriter& state) const;
  void load_remedies(const StateReader& state);
  std::int64_t kind(std::int64_t update) const override;
  std::int64_t kind_period() const override;
  void queue(const Batch& batch, std::int64_t kind) override;
  void count(std::int64_t updates) override;
  const std::int64_t* update_word() const override { return word_.data_ptr<std::int64_t>(); }
  void draw_noise(const Batch& batch, NoiseCounter update, SacNoise& noise) const;
  void draw_latest_noise(const Batch& batch);
  Tensor sampled(const Tensor& observation, RandomStream stream, std::uint64_t counter);
  Tensor update_temperature(const Tensor& log_prob);
  void measure(const Batch& batch, SacCriticLoss critic, SacActorLoss actor, Tensor alpha_loss,
               const Tensor& alpha);

  AgentShape shape_;
  std::vector<AgentConfig> members_;
  SacModel model_;
  SacOptimisers optimisers_;
  std::int64_t num_updates_ = 0, num_resets_ = 0;
  Tensor word_;                 // (1) updates so far, where the learner runs
  std::int64_t env_steps_ = 0;  // set before every burst of updates, as are
  SacRewards rewards_;          // the stored rewards where a bound needs them
  Tensor initial_log_alpha_;    // (M)
  ExplorationNoise exploration_noise_;
  ExplorationMatrices exploration_matrices_;
  SacNoise noise_;            // made on the first update
  SacNoise diagnosis_noise_;  // and on the first diagnosis
  Tensor metric_sums_;        // (K x M)
  // updates in the sums: all, those of the critics, those of the policy
  std::int64_t num_measured_ = 0, num_critic_measured_ = 0, num_policy_measured_ = 0;
};

}  // namespace anthill
