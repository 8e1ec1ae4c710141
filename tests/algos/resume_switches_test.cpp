#define BOOST_TEST_MODULE resume_switches
#include <boost/test/unit_test.hpp>

#include "tests/algos/run_in_two.hpp"

using namespace anthill;
using namespace anthill::testing;

BOOST_AUTO_TEST_CASE(every_switch_with_a_state) {
  ExperimentConfig config = small_experiment();
  config.agent.critic.layer_norm = config.agent.actor.layer_norm = true;
  config.agent.critic.dropout = 0.1;
  config.agent.critic.weight_decay = 0.01;
  config.agent.critic.max_gradient_norm = 1.0;
  config.agent.temperature.loss_form = AlphaLossForm::alpha;
  config.training.replay_ratio = 3.0;
  const Whole whole = run_whole(config);
  for (const std::int64_t tick : {100, 500}) {
    compare(whole, run_in_two(config, tick, -1, config), "tick " + std::to_string(tick));
  }
  config.agent.temperature = {.automatic = false, .initial_alpha = 0.2};
  compare(run_whole(config), run_in_two(config, 300, -1, config), "fixed alpha");
}

BOOST_AUTO_TEST_CASE(every_switch_of_the_reference_systems) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    config.training.reset_period = 84;
    config.training.burst = 20;
    config.training.replay_ratio = 0.9;
    config.training.solved_return = -1e6;  // at once when there are nine episodes
    config.training.solved_episodes = 9;
    config.buffer.replacement = false;
    config.agent.action_units = ActionUnits::environment;
    config.agent.target_policy = true;
    config.agent.temperature = {
        .automatic = false, .initial_alpha = 0.5, .decay_steps = 100.0, .final_alpha = 0.01};
    config.agent.policy_delay = 2;
    config.agent.target_period = 3;
    config.agent.exploration = {.scale = 0.4, .correlation_steps = 8.0};
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {30, 61, 77, 133, 200, 260}) {
      compare(whole, run_in_two(config, tick, -1, config),
              "delays, overlap " + std::to_string(overlap) + ", tick " + std::to_string(tick));
    }
    config.agent.policy_delay = config.agent.target_period = 1;
    config.agent.critic_updates = 4;
    config.agent.policy_updates = 2;
    config.agent.actor.distribution = PolicyDistribution::clipped_gaussian;
    config.agent.temperature.entropy = EntropyForm::analytic;
    const Whole turns = run_whole(config);
    for (const std::int64_t tick : {61, 133, 201}) {
      compare(turns, run_in_two(config, tick, -1, config), "turns");
    }
  }
}

BOOST_AUTO_TEST_CASE(held_out_episodes) {
  for (const bool overlap : {false, true}) {
    ExperimentConfig config = small_experiment();
    config.training.overlap = overlap;
    config.buffer.held_out_share = 0.4;
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {30, 61, 133, 200, 260}) {
      compare(whole, run_in_two(config, tick, -1, config), "tick " + std::to_string(tick));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_remedy) {
  const auto in_two = [](const std::string& name, const auto& change) {
    ExperimentConfig config = small_experiment();
    config.overestimation.period = 0;
    config.evaluation.period = 0;
    change(config);
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {31, 133, 201}) {
      compare(whole, run_in_two(config, tick, -1, config), name);
    }
  };
  in_two("clipped to the range of targets, time limits as ends, held actions", [](auto& config) {
    config.agent.critic.target_clip = TargetClip::range;
    config.agent.critic.target_range_period = 20;
    config.training.timeout_is_terminal = true;
    config.sim.action_repeat = 2;
  });
  in_two("clipped to the bound, capped temperature, n steps", [](auto& config) {
    config.agent.critic.target_clip = TargetClip::bound;
    config.agent.temperature.max_alpha = 0.9;
    config.agent.n_step = 3;
  });
  in_two("subsets of five critics, unit features", [](auto& config) {
    config.agent.critic.num_critics = 5;
    config.agent.critic.target_subset = 2;
    config.agent.policy_value = PolicyValue::mean;
    config.agent.critic.unit_features = true;
    config.agent.actor.residual = config.agent.critic.residual = true;
  });
  in_two("primed, by a schedule of replay ratios", [](auto& config) {
    config.training.prefill_updates = 25;
    const auto half = static_cast<double>(config.training.total_env_steps) / 2.0;
    config.training.replay_ratio_schedule = {{std::floor(half), 2.0}};
  });
  in_two("batch renormalisation", [](auto& config) {
    config.agent.critic.batch_renorm = true;
    config.agent.critic.batch_renorm_warmup = 60;
  });
  in_two("normalised observations",
         [](auto& config) { config.agent.observation_normalisation = true; });
  in_two("batch renormalisation without target networks, projected weights, resets",
         [](auto& config) {
           config.agent.critic.batch_renorm = config.agent.critic.weight_projection = true;
           config.agent.critic.batch_renorm_warmup = 20;
           config.agent.tau = 1.0;
           config.agent.reset_period = 50;
         });
  in_two("resets by env steps", [](auto& config) {
    config.agent.reset_period = 90;
    config.agent.reset_unit = ResetUnit::env_steps;
    config.agent.reset_networks = {"critic", "temperature"};
  });
  in_two("resets at listed times, another Adam", [](auto& config) {
    config.agent.reset_times = {40, 70, 200};
    config.agent.critic.adam_beta1 = config.agent.actor.adam_beta1 = 0.5;
    config.agent.temperature.adam_eps = 1e-4;
  });
  in_two("resets by updates", [](auto& config) { config.agent.reset_period = 50; });
}

// the matrices of exploration are no state: stops lie inside and between their periods
BOOST_AUTO_TEST_CASE(state_dependent_exploration) {
  ExperimentConfig config = small_experiment();
  config.agent.actor.distribution = PolicyDistribution::gsde;
  config.agent.actor.layer_norm = true;
  config.agent.actor.log_std_init = -1.0;
  config.agent.exploration.sde_sample_freq = 7;
  config.agent.reset_period = 120;
  config.agent.target_policy = true;
  const Whole whole = run_whole(config);
  for (const std::int64_t step : {16, 20, 21, 22, 60}) {
    compare(whole, run_in_two(config, -1, step, config), "step " + std::to_string(step));
  }
  ExperimentConfig threads = config;
  threads.sim.num_threads = threads.learner.num_threads = 2;
  compare(whole, run_whole(threads), "two threads");
  compare(whole, run_in_two(config, 133, -1, threads), "one thread, then two");
}

BOOST_AUTO_TEST_CASE(every_algorithm) {
  for (const std::string algorithm : {"td3", "ddpg", "dqn"}) {
    ExperimentConfig config = small_experiment();
    config.overestimation.period = 0;
    config.agent.algorithm = algorithm;
    if (algorithm == "dqn") config.sim.env = "CartPole-v1";
    config.agent.policy_delay = algorithm == "dqn" ? 1 : 2;
    config.agent.target_period = 3;
    config.agent.exploration = {.scale = 0.9,
                                .final_scale = 0.1,
                                .schedule = ExplorationSchedule::exponential,
                                .period = 50};
    config.agent.n_step = 3;
    if (algorithm != "dqn") config.agent.exploration.correlation_steps = 5.0;
    const Whole whole = run_whole(config);
    for (const std::int64_t tick : {40, 133}) {
      compare(whole, run_in_two(config, tick, -1, config), algorithm);
    }
  }
}
