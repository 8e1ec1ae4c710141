/// What a sweep file can get wrong, with the exact line that the user sees.
#define BOOST_TEST_MODULE sweep_errors
#include "configs/sweep.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

std::string sweep_error(const std::string& text, const std::string& more_base = "") {
  const TemporaryFolder folder;
  write_file("base.toml", "[sim]\nenv = \"Pendulum-v1\"\n" + more_base);
  write_file("s.toml", "base = \"base.toml\"\n" + text);
  return error_of([] { expand_sweep(read_sweep("s.toml", {})); });
}

void check_error(const std::string& text, const std::string& message) {
  BOOST_TEST(sweep_error(text) == message);
}

}  // namespace

BOOST_AUTO_TEST_CASE(keys) {
  check_error("[grid]\n\"training.replay_ration\" = [1]\n",
              "s.toml:3:1: unknown key 'replay_ration' in [training]; did you mean "
              "'replay_ratio'?");
  check_error("[grid]\n\"critic\" = [1]\n",
              "s.toml:3:1: critic is a section, and only single settings can be swept; write for "
              "example \"critic.KEY\" = [...]");
  check_error("[grid]\n\"sim\" = [1]\n",
              "s.toml:3:1: sim is a section, and only single settings can be swept; write for "
              "example \"sim.KEY\" = [...]");
  check_error("[grid.trainning]\nreplay_ratio = [1]\n",
              "s.toml:2:7: unknown section [trainning]; did you mean [training]?");
  check_error("[grid]\n\"run.seed\" = [1, 2]\n",
              "s.toml:3:1: the seeds are no part of a point; list them in `seeds` at the top");
  check_error("[gird]\n\"agent.tau\" = [1]\n",
              "s.toml:2:2: unknown key 'gird' in a sweep; did you mean 'grid'?");
  check_error("[grid]\n\"agent.tau\" = [0.1]\n[[zip]]\n\"agent.tau\" = [0.2]\n",
              "s.toml:5:16: 'agent.tau' is set at s.toml:3:16 already; remove one");
}

BOOST_AUTO_TEST_CASE(values) {
  check_error("[grid]\n\"training.replay_ratio\" = [1, \"8\"]\n",
              "s.toml:3:31: training.replay_ratio must be a finite real number in [0.0, 10000.0], "
              "got the string \"8\"; write for example replay_ratio = 1.0");
  check_error("[grid]\n\"training.replay_ratio\" = 8\n",
              "s.toml:3:27: 'training.replay_ratio' needs a list of values, got the integer 8; put "
              "it in [], or under [set] if it is fixed");
  check_error("[grid]\n\"agent.tau\" = []\n",
              "s.toml:3:15: 'agent.tau' has an empty list; give it values");
  check_error("[grid]\n\"agent.tau\" = [0.1, 0.2, 0.1]\n",
              "s.toml:3:26: the same as at s.toml:3:16, which would make duplicate points; remove "
              "one");
  check_error(
      "[[zip]]\n\"agent.tau\" = [0.1, 0.2]\n\"sim.num_envs\" = [1]\n",
      "s.toml:4:18: the lists of a [[zip]] have equal lengths: 'sim.num_envs' has 1 values, "
      "'agent.tau' has 2");
  check_error("[grid]\n", "s.toml:2:1: [grid] is empty; fill or remove it");
  check_error("[zip]\n\"agent.tau\" = [0.1, 0.2]\n",
              "s.toml:2:1: zip is a list of tables; write [[zip]] and keys below it");
  check_error("[[include]]\n", "s.toml:2:1: this [[include]] has no setting; fill or remove it");
}

BOOST_AUTO_TEST_CASE(points) {
  check_error("[grid]\n\"agent.tau\" = [0.1, 0.2]\n[[include]]\n\"agent.tau\" = 0.2\n",
              "s.toml:4:1: this point (tau-0.2) equals the one at s.toml:3:21 (tau-0.2) but for "
              "seed and machine; remove one");
  check_error(
      "[grid]\n\"run.device\" = [\"cpu\", \"auto\"]\n",
      "s.toml:3:24: this point (device-auto) equals the one at s.toml:3:17 (device-cpu) but "
      "for seed and machine; remove one");
  check_error("[grid]\n\"agent.tau\" = [0.1, 0.2]\n[[exclude]]\n\"agent.tau\" = 0.3\n",
              "s.toml:4:1: this [[exclude]] agrees with no point; correct or remove it");
  check_error("[grid]\n\"agent.tau\" = [0.1]\n[[exclude]]\n\"agent.tau\" = 0.1\n",
              "s.toml:4:1: no point is left; the excludes take away everything");
  // relations between settings hold in every point
  const std::string message = sweep_error("[grid]\n\"actor.log_std_min\" = [-5, 4]\n");
  BOOST_TEST(message.starts_with("s.toml:3:28: actor.log_std_min"), message);
  // the base's line is blamed: then the point is named too
  const std::string blames_base =
      sweep_error("[grid]\n\"training.total_env_steps\" = [20_000, 500]\n\"agent.tau\" = [0.1]\n",
                  "[training]\nlearning_starts = 1000\n");
  BOOST_TEST(blames_base.starts_with("s.toml:4:16: the point tau-0.1-total_env_steps-500: "
                                     "base.toml:4:19: "),
             blames_base);
}

BOOST_AUTO_TEST_CASE(top) {
  check_error("seeds = []\n", "s.toml:2:9: seeds is empty; give at least one");
  check_error("seeds = [1, 1]\n", "s.toml:2:9: seed 1 is listed twice");
  check_error(
      "seeds = [1, -1]\n",
      "s.toml:2:13: a seed of seeds is an integer in [0, 1000000000000], got the integer -1");
  check_error(
      "seeds = { count = 2_000_000 }\n",
      "s.toml:2:19: `count` of seeds is an integer in [1, 1000000], got the integer 2000000");
  check_error("seeds = { from = 1 }\n", "s.toml:2:9: seeds needs `count` beside `from`");
  check_error("seeds = 3\n",
              "s.toml:2:9: seeds is a list, or { from = 0, count = 5 }, not the integer 3");
  check_error("name = \"a/b\"\n",
              "s.toml:2:8: name becomes a folder's: one line without '/', at most 100 bytes, not "
              "beginning with '.'");
  const TemporaryFolder folder;
  write_file("s.toml", "base = \"none.toml\"\n");
  BOOST_TEST(
      error_of([] { read_sweep("s.toml", {}); }) ==
      "s.toml:1:8: base: there is no file 'none.toml'; the path counts from this sweep file");
  write_file("s.toml", "seeds = [1]\n");
  BOOST_TEST(error_of([] { read_sweep("s.toml", {}); }).starts_with("s.toml:1:1: no base;"));
}

BOOST_AUTO_TEST_CASE(a_million_points_are_refused_at_once) {
  std::string list;
  for (int i = 1; i <= 100; ++i) list += (i > 1 ? ", " : "") + std::to_string(i);
  const std::string text = "seeds = { count = 5 }\n[grid]\n\"training.batch_size\" = [" + list +
                           "]\n\"sim.num_envs\" = [" + list + "]\n\"agent.target_period\" = [" +
                           list + "]\n";
  check_error(text,
              "s.toml:1:1: too many runs: 1000000 points x 5 seeds = 5000000, more than max_runs = "
              "10000; shorten the lists, or raise max_runs at the top of the file");
  check_error("max_runs = 1_000_000\n",
              "s.toml:2:12: max_runs is an integer in [1, 100000], got the integer 1000000");
}

BOOST_AUTO_TEST_CASE(ten_thousand_points_expand) {
  const TemporaryFolder folder;
  std::string list;
  for (int i = 1; i <= 100; ++i) list += (i > 1 ? ", " : "") + std::to_string(i);
  write_file("base.toml", "[sim]\nenv = \"Pendulum-v1\"\n");
  write_file("s.toml", "base = \"base.toml\"\n[grid]\n\"training.batch_size\" = [" + list +
                           "]\n\"sim.num_envs\" = [" + list + "]\n");
  BOOST_TEST(expand_sweep(read_sweep("s.toml", {})).size() == 10'000u);
}
