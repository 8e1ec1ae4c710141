// A member of a stack is what it would be alone, whatever the others do.
#define BOOST_TEST_MODULE members
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "algos/training/member_arrays.hpp"
#include "algos/training/trainer.hpp"

using namespace anthill;

namespace {

ExperimentConfig small_experiment(const std::string& algorithm) {
  ExperimentConfig config;
  config.run.device = DeviceChoice::cpu;
  config.sim.env = algorithm == "dqn" ? "CartPole-v1" : "Pendulum-v1";
  config.sim.num_envs = 3;
  config.sim.num_threads = 1;
  config.sim.max_episode_steps = 25;
  config.buffer = {.capacity = 150, .store_state = true};  // overwrites its oldest rows
  config.training = {.total_env_steps = 300,
                     .random_steps = 60,
                     .learning_starts = 60,
                     .replay_ratio = 0.5,
                     .batch_size = 16,
                     .overlap = true};
  const bool sac = algorithm == "sac" || algorithm == "gsde" || algorithm == "batch_renorm";
  config.agent.algorithm = sac ? "sac" : algorithm;
  config.agent.actor.hidden_dims = config.agent.critic.hidden_dims = {16, 16};
  config.evaluation = {.period = 100, .num_episodes = 2};
  config.log.period = 50;
  if (algorithm == "gsde") {
    config.agent.actor.distribution = PolicyDistribution::gsde;
    config.agent.actor.layer_norm = true;
    config.agent.actor.hidden_dims = {16, 13};  // whose members lie at odd places
    config.agent.exploration.sde_sample_freq = 5;
  }
  config.agent.observation_normalisation = algorithm == "gsde" || algorithm == "td3";
  if (algorithm == "batch_renorm") {
    config.agent.critic.batch_renorm = config.agent.critic.weight_projection = true;
    config.agent.critic.batch_renorm_warmup = 50;
    config.agent.critic.hidden_dims = {16, 13};
  }
  if (sac) {
    config.agent.critic.target_clip = TargetClip::bound;  // needs a member's own rewards
    config.agent.critic.num_critics = 3;
    config.agent.critic.target_subset = 2;  // each member draws its own
    config.agent.reset_period = 60;
    config.overestimation = {.period = 120,
                             .num_states = 3,
                             .horizon = 10,
                             .num_episodes = 2,
                             .states = {"on_policy", "buffer_action"}};
  }
  return config;
}

/// Three members that differ in everything they may.
std::vector<ExperimentConfig> three_members(const std::string& algorithm) {
  std::vector<ExperimentConfig> members(3, small_experiment(algorithm));
  members[1].run.seed = 7;
  members[2].run.seed = 8;
  members[1].agent.discount = 0.9;
  members[1].agent.tau = 0.05;
  members[1].agent.reward_scale = 3.0;
  members[1].agent.critic.learning_rate = 2e-3;
  members[1].agent.temperature.initial_alpha = 0.2;
  members[1].overestimation.seed = 5;
  members[2].agent.actor.learning_rate = 1e-3;
  members[2].agent.temperature.learning_rate = 1e-2;
  members[2].agent.temperature.target_entropy_scale = 0.5;
  members[2].agent.exploration.scale = 0.4;
  return members;
}

/// What an observer can see of one member, as text: equal texts are equal runs.
struct Record : TrainingObserver {
  std::ostringstream text;
  void on_step(const Counters& c, const TransitionView& rows, const StepRecords& records) override {
    text << "step " << c.env_steps << ' ' << c.episodes << std::hexfloat;
    for (const float action : rows.action) text << ' ' << action;
    for (const float reward : rows.reward) text << ' ' << reward;
    for (const EpisodeRecord& episode : records.finished_episodes) {
      text << " | " << episode.env << ' ' << episode.episode_return;
    }
    for (const InvalidRecord& invalid : records.invalid_transitions) text << " ! " << invalid.env;
    text << '\n';
  }
  void on_metrics(const Counters& c, const std::vector<std::string>&,
                  const std::vector<double>& means) override {
    text << "metrics " << c.env_steps << ' ' << c.gradient_updates << std::hexfloat;
    for (const double mean : means) text << ' ' << mean;
    text << '\n';
  }
  void on_evaluation(const Counters& c, const EvaluationResult& result, Agent&) override {
    text << "evaluation " << c.env_steps << ' ' << std::hexfloat << result.return_mean() << '\n';
  }
  void on_overestimation(const Counters& c, const OverestimationResult& result) override {
    text << "probe " << c.env_steps << std::hexfloat;
    for (const ProbedKind& kind : result.kinds) {
      text << ' ' << kind.value("soft_return") << ' ' << kind.value("q_mean") << ' '
           << kind.value("plausible_high");
    }
    text << '\n';
  }
};

struct Records : TrainingObserver {
  std::vector<Record> records;
  std::vector<std::int64_t> diverged;
  explicit Records(std::size_t members) : records(members) {}
  TrainingObserver& member(std::int64_t m) override {
    return records.at(static_cast<std::size_t>(m));
  }
  void on_member_diverged(const Trainer&, std::int64_t m) override { diverged.push_back(m); }
};

/// The parameters of one member as an agent alone has them.
std::string parameters_of(const Trainer& trainer, std::int64_t member) {
  std::string bytes;
  for (const NamedTensor& named : trainer.agent().parameters()) {
    const Tensor own = named.tensor.narrow(0, member, 1).contiguous();
    bytes.append(static_cast<const char*>(own.const_data_ptr()), own.nbytes());
  }
  return bytes;
}

struct Outcome {
  TrainingEnd end;
  std::vector<std::string> texts, parameters;
  std::vector<std::int64_t> diverged;
};

Outcome train(const std::vector<ExperimentConfig>& members) {
  Records observer(members.size());
  std::atomic<bool> stop = false;
  Trainer trainer(members);
  Outcome outcome;
  outcome.end = trainer.run(stop, observer);
  for (std::size_t m = 0; m < members.size(); ++m) {
    outcome.texts.push_back(observer.records[m].text.str());
    outcome.parameters.push_back(parameters_of(trainer, static_cast<std::int64_t>(m)));
  }
  outcome.diverged = observer.diverged;
  return outcome;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_member_is_the_run_that_it_would_be_alone) {
  for (const std::string algorithm : {"sac", "gsde", "batch_renorm", "td3", "ddpg", "dqn"}) {
    BOOST_TEST_CONTEXT(algorithm) {
      const std::vector<ExperimentConfig> members = three_members(algorithm);
      const Outcome together = train(members);
      BOOST_TEST((together.end == TrainingEnd::finished));
      for (std::size_t m = 0; m < members.size(); ++m) {
        const Outcome alone = train({members[m]});
        BOOST_TEST(alone.texts[0] == together.texts[m]);
        BOOST_TEST((alone.parameters[0] == together.parameters[m]));
      }
      BOOST_TEST(together.texts[0] != together.texts[1]);
      BOOST_TEST(together.texts[1] != together.texts[2]);
    }
  }
}

BOOST_AUTO_TEST_CASE(exploration_is_a_members_own) {
  for (const std::string algorithm : {"td3", "dqn"}) {
    std::vector<ExperimentConfig> members(2, small_experiment(algorithm));
    members[1].agent.exploration.scale = 0.5;
    const Outcome together = train(members);
    BOOST_TEST(together.texts[0] != together.texts[1]);
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_diverges_ends_alone) {
  std::vector<ExperimentConfig> members = three_members("sac");
  const Outcome whole = train({members[0], members[2]});
  members[1].agent.critic.learning_rate = members[1].agent.actor.learning_rate = 1e30;
  const Outcome outcome = train(members);
  BOOST_TEST((outcome.end == TrainingEnd::finished));
  BOOST_TEST((outcome.diverged == std::vector<std::int64_t>{1}));
  BOOST_TEST(outcome.texts[0] == whole.texts[0]);
  BOOST_TEST(outcome.texts[2] == whole.texts[1]);
  BOOST_TEST((outcome.parameters[0] == whole.parameters[0]));
  BOOST_TEST((outcome.parameters[2] == whole.parameters[1]));
  // what it reported until then is what it reports alone
  const Outcome alone = train({members[1]});
  BOOST_TEST((alone.end == TrainingEnd::diverged));
  BOOST_TEST(alone.texts[0].starts_with(outcome.texts[1]));
}

BOOST_AUTO_TEST_CASE(a_stack_of_diverged_members_ends) {
  std::vector<ExperimentConfig> members(2, small_experiment("sac"));
  for (ExperimentConfig& member : members) {
    member.agent.critic.learning_rate = member.agent.actor.learning_rate = 1e30;
  }
  const Outcome outcome = train(members);
  BOOST_TEST((outcome.end == TrainingEnd::diverged));
  BOOST_TEST(outcome.diverged.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_part_of_an_array_that_is_a_members) {
  const auto array = [](std::vector<std::int64_t> shape, std::vector<float> values) {
    NamedArray result{.type = ArrayType::float32, .shape = std::move(shape), .bytes = {}};
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    result.bytes.assign(first, first + values.size() * sizeof(float));
    return result;
  };
  const auto same = [](const NamedArray& a, const NamedArray& b) {
    return a.shape == b.shape && a.bytes == b.bytes;
  };
  const NamedArray square = array({2, 2}, {1, 2, 3, 4});
  BOOST_TEST(same(array_of_member("actor", square, 1, 2), array({1, 2}, {3, 4})));
  BOOST_TEST(same(array_of_member("metric_sums", square, 1, 2), array({2, 1}, {2, 4})));
  BOOST_TEST(same(array_of_member("actor", square, 0, 1), square));
  const NamedArray count = array({}, {5});
  BOOST_TEST(same(array_of_member("num_updates", count, 1, 2), count));
  BOOST_TEST(is_finite(square));
  BOOST_TEST(!is_finite(array({2}, {1, NAN})));
}
