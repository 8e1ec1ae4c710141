/// Everything that a configuration file can get wrong, with the exact line that the user sees.
#define BOOST_TEST_MODULE bad_input
#include <sys/stat.h>
#include <unistd.h>

#include "configs/toml_reader.hpp"
#include "tests/configs/config_files.hpp"

using namespace anthill;

namespace {

void check_error(const std::string& text, const std::string& message) {
  BOOST_TEST(read_error(text) == message);
}

/// "run, sim, ..., log": every section in the order of the documentation.
std::string all_sections() {
  std::string text;
  std::string section;
  for (const Field& field : fields()) {
    if (field.section == section) continue;
    section = field.section;
    text += (text.empty() ? "" : ", ") + section;
  }
  return text;
}

std::string file_error(const std::string& path) {
  return error_of([&] { read_experiment(path, {}); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(unknown_keys) {
  check_error("[training]\nreplay_ration = 1.0\n",
              "x.toml:2:1: unknown key 'replay_ration' in [training]; did you mean "
              "'replay_ratio'?");
  check_error("[buffer]\n  batch_size = 64\n",
              "x.toml:2:3: unknown key 'batch_size' in [buffer]; did you mean 'batch_size' in "
              "[training]?");
  check_error("[log]\nzzz = 64\n",
              "x.toml:2:1: unknown key 'zzz' in [log]; the keys are period, tensorboard, "
              "progress_period_s");
  check_error("seed = 3\n",
              "x.toml:1:1: unknown key 'seed' outside any section; did you mean 'seed' in [run]?");
  // a quoted key is one name, whatever is in it
  check_error("\"training.replay_ratio\" = 3\n",
              "x.toml:1:1: unknown key '\"training.replay_ratio\"' outside any section; the "
              "sections are " +
                  all_sections());
  check_error("[log]\n\"per\\niod\" = 64\n",
              "x.toml:2:1: unknown key '\"per\\niod\"' in [log]; the keys are period, "
              "tensorboard, progress_period_s");
}

BOOST_AUTO_TEST_CASE(unknown_sections) {
  check_error("[trainning]\nreplay_ratio = 1.0\n",
              "x.toml:1:2: unknown section [trainning]; did you mean [training]?");
  check_error("[sim.aunt]\nframe_skip = 1\n",
              "x.toml:1:6: unknown section [sim.aunt]; did you mean [sim.ant]?");
  check_error("[agent.actor]\nlayer_norm = true\n",
              "x.toml:1:8: unknown section [agent.actor]; the sections are " + all_sections());
  check_error("sim = 3\n", "x.toml:1:1: sim is a section; write [sim] and its keys below it");
  check_error("[[sim]]\nenv = \"Ant-v4\"\n",
              "x.toml:1:3: sim is a section; write [sim] and its keys below it");
}

BOOST_AUTO_TEST_CASE(the_first_mistake_in_the_file_is_reported) {
  check_error("[training]\nbatch_size = 0\n[agent]\ntua = 0.1\n",
              "x.toml:2:14: training.batch_size must be an integer in [1, 1000000], got 0; write "
              "for example batch_size = 256");
}

BOOST_AUTO_TEST_CASE(wrong_types) {
  check_error("[training]\nreplay_ratio = \"fast\"\n",
              "x.toml:2:16: training.replay_ratio must be a finite real number in [0.0, 10000.0], "
              "got the string \"fast\"; write for example replay_ratio = 1.0");
  check_error("[sim]\nenv = 4\n",
              "x.toml:2:7: sim.env must be one line of text of at most 1000 bytes, got the integer "
              "4; write for example env = \"Ant-v4\"");
  check_error("[run]\nseed = 07:32:00\n",
              "x.toml:2:8: run.seed must be an integer >= 0, got a date or time; write for example "
              "seed = 0");
  check_error("[run.seed]\nvalue = 3\n",
              "x.toml:1:1: run.seed must be an integer >= 0, got a section; write for example "
              "seed = 0");
  check_error("[run]\nseed = [3]\n",
              "x.toml:2:8: run.seed must be an integer >= 0, got a list; write for example "
              "seed = 0");
}

BOOST_AUTO_TEST_CASE(numbers_and_booleans_are_not_mixed_up) {
  check_error("[training]\noverlap = 1\n",
              "x.toml:2:11: training.overlap must be true or false, got the integer 1; write for "
              "example overlap = true");
  check_error("[training]\nbatch_size = true\n",
              "x.toml:2:14: training.batch_size must be an integer in [1, 1000000], got the "
              "boolean true; write for example batch_size = 256");
  check_error("[training]\nreplay_ratio = true\n",
              "x.toml:2:16: training.replay_ratio must be a finite real number in [0.0, 10000.0], "
              "got the boolean true; write for example replay_ratio = 1.0");
  check_error("[training]\nbatch_size = 256.0\n",
              "x.toml:2:14: training.batch_size must be an integer in [1, 1000000], got the real "
              "number 256.0; write for example batch_size = 256");
  // the one conversion
  const ResolvedExperiment experiment =
      read_text("[training]\nreplay_ratio = 3\n[sim.ant]\nhealthy_z_range = [0, 0.5]\n");
  BOOST_TEST(experiment.config.training.replay_ratio == 3.0);
  BOOST_TEST(experiment.config.sim.ant.healthy_z_range[0] == 0.0);
}

BOOST_AUTO_TEST_CASE(not_finite) {
  check_error("[agent]\ndiscount = nan\n",
              "x.toml:2:12: agent.discount must be a finite real number in [0.0, 1.0], got nan; "
              "write for example discount = 0.99");
  check_error("[sim.ant]\nhealthy_reward = inf\n",
              "x.toml:2:18: sim.ant.healthy_reward must be a finite real number, got inf; write "
              "for example healthy_reward = 1.0");
  check_error("[sim.ant]\nhealthy_z_range = [0.2, nan]\n",
              "x.toml:2:19: sim.ant.healthy_z_range must be a list of 2 real numbers, inf and -inf "
              "included, got [0.2, nan]; write for example healthy_z_range = [0.2, 1.0]");
}

BOOST_AUTO_TEST_CASE(out_of_range) {
  check_error("[sim]\nnum_envs = 0\n",
              "x.toml:2:12: sim.num_envs must be an integer in [1, 1000000], got 0; write for "
              "example num_envs = 1");
  check_error("[sim]\nnum_envs = 1_000_000_000\n",
              "x.toml:2:12: sim.num_envs must be an integer in [1, 1000000], got 1000000000; write "
              "for example num_envs = 1");
  check_error("[critic]\nhidden_dims = [256, 0]\n",
              "x.toml:2:15: critic.hidden_dims must be a list of 0 to 16 integers in [1, 65536], "
              "got [256, 0]; write for example hidden_dims = [256, 256]");
  check_error("[critic]\nhidden_dims = [256, 256.0]\n",
              "x.toml:2:15: critic.hidden_dims must be a list of 0 to 16 integers in [1, 65536], "
              "got a list of other elements; write for example hidden_dims = [256, 256]");
  check_error("[sim.ant]\nhealthy_z_range = [0.2]\n",
              "x.toml:2:19: sim.ant.healthy_z_range must be a list of 2 real numbers, inf and -inf "
              "included, got [0.2]; write for example healthy_z_range = [0.2, 1.0]");
  check_error("[run]\nname = \"two\\nlines\"\n",
              "x.toml:2:8: run.name must be one line of text of at most 1000 bytes, got "
              "\"two\\nlines\"; write for example name = \"\"");
}

BOOST_AUTO_TEST_CASE(unknown_choices) {
  check_error("[run]\ndevice = \"cda\"\n",
              "x.toml:2:10: run.device must be \"auto\", \"cpu\" or \"cuda\", got \"cda\"; did you "
              "mean \"cuda\"?");
  check_error("[agent]\nalgorithm = \"ppo\"\n",
              "x.toml:2:13: agent.algorithm must be \"sac\", \"td3\", \"ddpg\" or \"dqn\", got "
              "\"ppo\"; write for example "
              "algorithm = \"sac\"");
  check_error(
      "[agent]\npreset = \"rllib\"\n",
      "x.toml:2:10: agent.preset must be \"sb3\", \"jaxrl\" or \"td3\", got \"rllib\"; write for "
      "example preset = \"sb3\"");
}

BOOST_AUTO_TEST_CASE(set_twice) {
  check_error("[training]\nbatch_size = 1\nbatch_size = 2\n",
              "x.toml:3:14: cannot redefine existing integer 'batch_size', every key and section "
              "may appear once; remove one");
  check_error("[training]\nbatch_size = 1\n[training]\nreplay_ratio = 2\n",
              "x.toml:3:1: cannot redefine existing table 'training', every key and section may "
              "appear once; remove one");
}

BOOST_AUTO_TEST_CASE(syntax) {
  const std::string remedy = "; correct the syntax (text needs quotes, lists need brackets)";
  check_error("[sim]\nenv = Ant-v4\n",
              "x.toml:2:7: invalid TOML, value: could not determine value type" + remedy);
  check_error("[sim\nnum_envs = 1\n",
              "x.toml:1:5: invalid TOML, table header: expected ']', saw '\\n'" + remedy);
  check_error("[run]\nseed = 99999999999999999999\n",
              "x.toml:2:28: invalid TOML, decimal integer: '99999999999999999999' is not "
              "representable in 64 bits" +
                  remedy);
  check_error("[run]\nname = \"\xff\"\n",
              "x.toml:2:8: invalid TOML, encountered invalid utf-8 sequence" + remedy);
}

BOOST_AUTO_TEST_CASE(nothing_in_it) {
  const std::string message =
      "x.toml:1:1: no setting in this file; start with [sim] and env = \"Ant-v4\"";
  check_error("", message);
  check_error("# only a comment\n", message);
  check_error("[sim]\n[sim.ant]\n", message);
}

BOOST_AUTO_TEST_CASE(too_deep_or_too_long) {
  std::string dotted = "a";
  for (int i = 1; i < 50'000; ++i) dotted += ".a";
  const std::string deep_key =
      "a dotted key has more than 8 parts; write [section] and key = value";
  check_error(dotted + " = 1\n", "x.toml:1:16: " + deep_key);
  check_error("[" + dotted + "]\n", "x.toml:1:17: " + deep_key);
  check_error("a = {" + dotted + " = 1}\n", "x.toml:1:21: " + deep_key);
  check_error("'a' . \"b.#\" . c.d.e.f.g.h . i = 1\n", "x.toml:1:27: " + deep_key);
  const std::string deep_list =
      "brackets are nested deeper than 8; write [section] and key = value";
  check_error("[run]\nname = " + std::string(50'000, '['), "x.toml:2:16: " + deep_list);
  std::string inline_tables = "a = ";
  for (int i = 0; i < 50'000; ++i) inline_tables += "{a=";
  check_error(inline_tables, "x.toml:1:29: " + deep_list);
  check_error(std::string((1 << 20) + 1, ' '),
              "x.toml:1:1: the text is longer than 1 MiB; give a configuration file");
}

BOOST_AUTO_TEST_CASE(what_the_parser_must_not_see) {
  const std::string not_ascii =
      "a character outside ASCII (a curly quote, a special space?); use plain characters, or put "
      "text in straight quotes";
  check_error("[run]\nname = \xe2\x80\x9cx\xe2\x80\x9d\n", "x.toml:2:8: " + not_ascii);
  check_error("[run]\n\xc3\xa9 = 1\n", "x.toml:2:1: " + not_ascii);
  check_error("[run]\nname = 'x'\xc2\xa0\n", "x.toml:2:11: " + not_ascii);
  check_error("[run]\n'\xc3\xa9' = 1\n",
              "x.toml:2:1: unknown key '\"\xc3\xa9\"' in [run]; the keys are name, seed, device");
  check_error("[run]\nname = \"\"\"\\\n\xc3\xa9\"\"\"\n",
              "x.toml:2:8: multi-line strings are not used; write the text on one line");
}

BOOST_AUTO_TEST_CASE(dates_and_glued_quotes_that_the_parser_must_not_see) {
  const std::string date = "dates are not used; put text in quotes";
  check_error("[run]\nseed = 1979-05-27 0\n", "x.toml:2:18: " + date);
  check_error("[run]\nseed=1979-0_5-27\n", "x.toml:2:17: " + date);
  const std::string glued = "a quote inside a word; put quotes around all of it";
  check_error("[run]\nseed = 0x\"\xc3\xa9\"\n", "x.toml:2:10: " + glued);
  check_error("[run]\nseed = 1=[\"\xc3\xa9\"]\n", "x.toml:2:11: " + glued);
  check_error("[run]\nseed = 1.'\xc3\xa9'\n", "x.toml:2:10: " + glued);
  check_error("[run]\nname = \"x\"\"y\"\n", "x.toml:2:11: " + glued);
  check_error("[run]\nname ==\"x\"\n", "x.toml:2:8: " + glued);
  for (const std::string text : {"run={name=\"\xc3\xa9\"}\n", "[run]\n\"name\"='\xc3\xa9'\n",
                                 "[run]\nname =\"\xc3\xa9\"\n", "'run'={'name' =\"\xc3\xa9\"}\n"}) {
    BOOST_TEST(read_text(text).config.run.name == "\xc3\xa9");
  }
}

BOOST_AUTO_TEST_CASE(dots_and_brackets_in_text_and_comments_are_fine) {
  const ResolvedExperiment experiment = read_text(
      "# ............ [[[[[[[[[[[[ \"\n"
      "[run]  # \"\"\" .........\n"
      "name = \"a.b.c.d.e.f.g.h.i.j.k [[[[[[[[[[[[ \\\" # \"  # ............\n"
      "seed = 7\n");
  BOOST_TEST(experiment.config.run.name == "a.b.c.d.e.f.g.h.i.j.k [[[[[[[[[[[[ \" # ");
  BOOST_TEST(experiment.config.run.seed == 7);
  BOOST_TEST(read_text("\xef\xbb\xbf# \xc3\xa9\n[run]\nname = '\xc3\xa9 \\' # \xc3\xa9 '''\n")
                 .config.run.name == "\xc3\xa9 \\");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_read) {
  const TemporaryFolder folder;
  BOOST_TEST(file_error("missing.toml") == "missing.toml: no such file; check the path");
  BOOST_TEST(file_error("") == ": no such file; check the path");
  BOOST_REQUIRE(std::filesystem::create_directory("folder.toml"));
  BOOST_TEST(file_error("folder.toml") == "folder.toml: is a directory; give a TOML file in it");
  BOOST_REQUIRE(mkfifo("pipe.toml", 0600) == 0);
  BOOST_TEST(file_error("pipe.toml") == "pipe.toml: is not a regular file; give a TOML file");
  write_file("inside", "x");
  BOOST_TEST(file_error("inside/x.toml").find("inside/x.toml: ") == 0u);
  BOOST_TEST(file_error("two\nlines.toml") == "two\\nlines.toml: no such file; check the path");
}

BOOST_AUTO_TEST_CASE(a_file_without_read_permission) {
  const TemporaryFolder folder;
  write_file("closed.toml", "[run]\nseed = 1\n");
  BOOST_REQUIRE(chmod("closed.toml", 0) == 0);
  // permissions do not stop root: step down to nobody for the call
  const bool is_root = geteuid() == 0;
  if (is_root) BOOST_REQUIRE(seteuid(65534) == 0);
  const std::string message = file_error("closed.toml");
  if (is_root) BOOST_REQUIRE(seteuid(0) == 0);
  BOOST_TEST(message == "closed.toml: cannot be opened; check its permissions");
}
