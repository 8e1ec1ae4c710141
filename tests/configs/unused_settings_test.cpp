/// Settings that have no effect beside others are refused.
#define BOOST_TEST_MODULE unused_settings
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

void check(const std::string& text) { check_experiment(read_text(text), 2); }

std::string error(const std::string& text) {
  return error_of([&] { check(text); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(options_of_another_task_are_refused) {
  BOOST_TEST(error("[sim]\nenv = \"Pendulum-v1\"\n[sim.ant]\nframe_skip = 4\nmain_body = 1\n") ==
             "x.toml:4:14: sim.ant.frame_skip has no effect on Pendulum-v1; remove it");
}

BOOST_AUTO_TEST_CASE(settings_of_another_algorithm_are_refused) {
  BOOST_TEST(error("[agent]\nalgorithm = \"td3\"\n[temperature]\nautomatic = false\n") ==
             "x.toml:4:13: temperature.automatic has no effect on td3; remove it");
  BOOST_TEST(error("[exploration]\nscale = 0.3\n") ==
             "x.toml:2:9: exploration.scale has no effect without exploration.correlation_steps in "
             "SAC; set that or remove it");
  BOOST_TEST(error("[agent]\nalgorithm = \"dqn\"\n[actor]\nlearning_rate = 0.1\n") ==
             "x.toml:4:17: actor.learning_rate has no effect on dqn; remove it");
  // what a preset sets counts as unset only under that preset
  BOOST_CHECK_NO_THROW(check("[agent]\npreset = \"td3\"\nalgorithm = \"td3\"\n"));
  BOOST_TEST(error("[agent]\nalgorithm = \"dqn\"\npolicy_delay = 2\n") ==
             "x.toml:3:16: agent.policy_delay has no effect on dqn; remove it");
  BOOST_TEST(error("[agent]\nalgorithm = \"td3\"\ntarget_policy = true\n") ==
             "x.toml:3:17: agent.target_policy has no effect on td3; remove it");
  for (const std::string algorithm : {"td3", "ddpg", "dqn"}) {
    const std::string agent = "[agent]\nalgorithm = \"" + algorithm + "\"\n";
    const std::string end = " has no effect on " + algorithm + "; remove it";
    BOOST_TEST(error(agent + "[actor]\ndistribution = \"gsde\"\n") ==
               "x.toml:4:16: actor.distribution" + end);
    BOOST_TEST(error(agent + "[actor]\nsde_learn_features = false\n") ==
               "x.toml:4:22: actor.sde_learn_features" + end);
    BOOST_TEST(error(agent + "[critic]\nbatch_renorm = true\n") ==
               "x.toml:4:16: critic.batch_renorm" + end);
    BOOST_TEST(error(agent + "[critic]\nlayer_norm = true\nweight_projection = true\n") ==
               "x.toml:5:21: critic.weight_projection" + end);
    BOOST_TEST(error(agent + "[critic]\nweight_projection = true\n") ==
               "x.toml:4:21: critic.weight_projection" + end);
    BOOST_CHECK_NO_THROW(check(agent + "observation_normalisation = true\n"));
    BOOST_TEST(error(agent + "[exploration]\nsde_sample_freq = 3\n") ==
               "x.toml:4:19: exploration.sde_sample_freq" + end);
  }
}

BOOST_AUTO_TEST_CASE(batch_renorm_stands_alone) {
  BOOST_TEST(error("[critic]\nbatch_renorm_warmup = 10\n") ==
             "x.toml:2:23: critic.batch_renorm_warmup has no effect without critic.batch_renorm; "
             "set that or remove it");
  for (const std::string other :
       {"layer_norm = true", "dropout = 0.1", "residual = true", "unit_features = true"}) {
    const std::string key = "critic." + other.substr(0, other.find(' '));
    BOOST_TEST(error("[critic]\n" + other + "\nbatch_renorm = true\n") ==
               "x.toml:3:16: critic.batch_renorm and " + key +
                   " exclude each other; set one of "
                   "them");
  }
  BOOST_CHECK_NO_THROW(
      check("[critic]\nbatch_renorm = true\nbatch_renorm_momentum = 0.9\n"
            "batch_renorm_warmup = 0\n[actor]\nlayer_norm = true\n[agent]\ntau = 1.0\n"));
}

BOOST_AUTO_TEST_CASE(a_bound_of_values_needs_a_bound_of_the_entropy) {
  const std::string clip = "[critic]\ntarget_clip = \"bound\"\n";
  BOOST_TEST(
      error(clip + "[actor]\ndistribution = \"clipped_gaussian\"\n") ==
      "x.toml:2:15: critic.target_clip = \"bound\" needs a squashed policy, whose entropy has "
      "a bound; use \"range\"");
  BOOST_CHECK_NO_THROW(check(clip + "[actor]\ndistribution = \"gsde\"\n"));
}

BOOST_AUTO_TEST_CASE(resets_come_by_one_rule) {
  const std::string agent = "[agent]\nreset_times = [10, 20]\n";
  BOOST_CHECK_NO_THROW(check(agent));
  BOOST_TEST(error(agent + "reset_period = 5\n") ==
             "x.toml:2:15: agent.reset_times and agent.reset_period both say when networks start "
             "anew; remove one");
  BOOST_TEST(error("[agent]\nreset_times = [10, 10]\n") ==
             "x.toml:2:15: agent.reset_times must rise; sort it and write each time once");
  BOOST_TEST(error("[agent]\nreset_times = [20, 10]\n").find("must rise") != std::string::npos);
  BOOST_TEST(error("[agent]\nreset_times = [0, 10]\n").find("agent.reset_times") == 13);
  BOOST_TEST(error("[agent]\nalgorithm = \"ddpg\"\nreset_times = [10]\n") ==
             "x.toml:3:15: agent.reset_times has no effect on ddpg; remove it");
}

BOOST_AUTO_TEST_CASE(adam_has_numbers_in_reach) {
  BOOST_CHECK_NO_THROW(check("[critic]\nadam_beta1 = 0.0\nadam_beta2 = 0.9999\nadam_eps = 1.0\n"));
  for (const std::string wrong : {"adam_beta1 = 1.0", "adam_beta2 = -0.1", "adam_eps = 0.0"}) {
    const std::string key = "critic." + wrong.substr(0, wrong.find(' '));
    BOOST_TEST(error("[critic]\n" + wrong + "\n").find(key + " must be a finite real number in ") !=
               std::string::npos);
  }
  BOOST_TEST(error("[agent]\nalgorithm = \"td3\"\n[temperature]\nadam_eps = 1e-4\n") ==
             "x.toml:4:12: temperature.adam_eps has no effect on td3; remove it");
}

BOOST_AUTO_TEST_CASE(weights_are_projected_behind_a_normalisation_alone) {
  BOOST_TEST(
      error("[critic]\nweight_projection = true\n") ==
      "x.toml:2:21: critic.weight_projection needs critic.layer_norm or critic.batch_renorm, "
      "which give the layers of fixed size their scale back; set one of them");
  for (const std::string normalisation : {"layer_norm", "batch_renorm"}) {
    BOOST_CHECK_NO_THROW(
        check("[critic]\nweight_projection = true\n" + normalisation + " = true\n"));
  }
}

BOOST_AUTO_TEST_CASE(a_switch_that_another_one_disables_is_refused) {
  BOOST_TEST(error("[temperature]\ndecay_steps = 100\n") ==
             "x.toml:2:15: temperature.decay_steps has no effect without temperature.automatic = "
             "false; set that or remove it");
  BOOST_TEST(error("[temperature]\nfinal_alpha = 0.1\n") ==
             "x.toml:2:15: temperature.final_alpha has no effect without temperature.decay_steps; "
             "set that or remove it");
  BOOST_TEST(error("[temperature]\nentropy = \"analytic\"\n") ==
             "x.toml:2:11: temperature.entropy has no effect without actor.distribution = "
             "\"clipped_gaussian\"; set that or remove it");
  for (const std::string key : {"log_std_min = -5.0", "log_std_form = \"tanh_affine\""}) {
    BOOST_TEST(error("[actor]\n" + key + "\ndistribution = \"gsde\"\n")
                   .ends_with(" has no effect without actor.distribution = \"squashed_gaussian\"; "
                              "set that or remove it"));
  }
  BOOST_TEST(error("[actor]\nlog_std_init = -2.0\n") ==
             "x.toml:2:16: actor.log_std_init has no effect without actor.distribution = \"gsde\"; "
             "set that or remove it");
  BOOST_TEST(error("[exploration]\nsde_sample_freq = 4\n") ==
             "x.toml:2:19: exploration.sde_sample_freq has no effect without actor.distribution = "
             "\"gsde\"; set that or remove it");
  BOOST_TEST(error("[temperature]\nentropy = \"analytic\"\n[actor]\ndistribution = \"gsde\"\n") ==
             "x.toml:2:11: temperature.entropy has no effect without actor.distribution = "
             "\"clipped_gaussian\"; set that or remove it");
  BOOST_TEST(
      error("[actor]\ndistribution = \"gsde\"\nhidden_dims = []\n") ==
      "x.toml:3:15: actor.distribution = \"gsde\" needs a hidden layer, whose output are its "
      "features; set actor.hidden_dims");
  BOOST_CHECK_NO_THROW(
      check("[agent]\npreset = \"jaxrl\"\n[actor]\ndistribution = \"gsde\"\n"
            "log_std_init = -2.0\nsde_learn_features = false\n"
            "[exploration]\nsde_sample_freq = 4\n"));
  BOOST_TEST(error("[agent]\npolicy_updates = 4\n") ==
             "x.toml:2:18: agent.policy_updates has no effect without agent.critic_updates; set "
             "that or remove it");
  BOOST_TEST(error("[training]\nsolved_episodes = 10\n") ==
             "x.toml:2:19: training.solved_episodes has no effect without training.solved_return; "
             "set that or remove it");
  BOOST_TEST(error("[buffer]\nreplacement = false\n[training]\nlearning_starts = 100\n") ==
             "x.toml:4:19: training.batch_size = 256 exceeds training.learning_starts = 100; lower "
             "the first or raise the second");
}
