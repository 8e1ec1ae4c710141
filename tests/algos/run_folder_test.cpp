#define BOOST_TEST_MODULE run_folder
#include "algos/training/run_folder.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/errors.hpp"
#include "tests/algos/temporary_folder.hpp"

namespace anthill {

using Json = nlohmann::json;

static Json json_of(const std::filesystem::path& path) { return Json::parse(content_of(path)); }

static bool one_line_about(const ConfigError& error, const std::string& text) {
  const std::string message = error.what();
  return message.find(text) != std::string::npos && message.find('\n') == std::string::npos;
}

BOOST_AUTO_TEST_CASE(a_new_folder_explains_itself) {
  const TemporaryFolder folder;
  RunFolder run(folder / "deep/run", "# as written\n", "[run]\n", {.mujoco_version = "3.17.0"});
  BOOST_TEST(content_of(folder / "deep/run/config.toml") == "# as written\n");
  BOOST_TEST(content_of(folder / "deep/run/resolved.toml") == "[run]\n");
  BOOST_TEST(json_of(folder / "deep/run/status.json")["state"] == "starting");
  const Json provenance = json_of(folder / "deep/run/provenance.json");
  BOOST_TEST(provenance["libraries"]["mujoco"] == "3.17.0");
  BOOST_TEST(provenance["libraries"]["libtorch"] == "unknown");
  BOOST_TEST(provenance["end_time_utc"].is_null());
}

BOOST_AUTO_TEST_CASE(an_empty_folder_is_taken_a_used_one_refused) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run");
  { const RunFolder run(folder / "run", "first", "", {}); }
  BOOST_CHECK_EXCEPTION(
      RunFolder(folder / "run", "second", "", {}), ConfigError,
      [](const ConfigError& error) { return one_line_about(error, "exists and is not empty"); });
  BOOST_TEST(content_of(folder / "run/config.toml") == "first");

  std::filesystem::create_directory(folder / "other");
  write_content(folder / "other/notes.txt", "precious");
  BOOST_CHECK_THROW(RunFolder(folder / "other", "", "", {}), ConfigError);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder / "other"), {}) == 1);
}

BOOST_AUTO_TEST_CASE(a_killed_owner_holds_nothing_even_when_nobody_waits_for_it) {
  const TemporaryFolder folder;
  const std::string file = (folder / "owner.json").string();
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const RunOwner owner(folder / ".", false);
    ::kill(::getpid(), SIGKILL);
  }
  siginfo_t ended{};
  // leaves it in the list of processes
  BOOST_REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  BOOST_TEST(json_of(file)["pid"] == child);
  { const RunOwner next(folder / ".", false); }
  BOOST_TEST(!std::filesystem::exists(file));
  ::waitpid(child, nullptr, 0);

  const RunOwner living(folder / ".", false);
  BOOST_CHECK_EXCEPTION(RunOwner(folder / ".", false), ConfigError, [](const ConfigError& error) {
    return one_line_about(error, "--force-unlock");
  });
}

BOOST_AUTO_TEST_CASE(places_that_cannot_be_written) {
  const TemporaryFolder folder;
  write_content(folder / "file", "text");
  for (const std::string& path :
       {(folder / "file").string(), (folder / "file/run").string(), std::string("/proc/run")}) {
    BOOST_CHECK_EXCEPTION(RunFolder(path, "", "", {}), ConfigError, [&](const ConfigError& error) {
      return one_line_about(error, path) && one_line_about(error, "--run");
    });
  }
  BOOST_TEST(content_of(folder / "file") == "text");
}

BOOST_AUTO_TEST_CASE(status_says_where_the_run_is) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", "", "", {});
  RunStatus status = {.state = RunState::running,
                      .env_steps = 2000,
                      .gradient_updates = 500,
                      .total_env_steps = 9000,
                      .last_evaluation = LastEvaluation{1000, 10, 12.5, 0.5}};
  run.update_status(status);
  Json json = json_of(folder / "run/status.json");
  BOOST_TEST(json["state"] == "running");
  BOOST_TEST(json["env_steps"] == 2000);
  BOOST_TEST(json["gradient_updates"] == 500);
  BOOST_TEST(json["total_env_steps"] == 9000);
  BOOST_TEST(json["last_evaluation"]["return_mean"] == 12.5);
  BOOST_TEST(json["pid"] == ::getpid());
  BOOST_TEST(json["updated_at"].get<std::string>().size() == 20u);

  // the same state again within the heartbeat is not written
  status.env_steps = 3000;
  run.update_status(status);
  BOOST_TEST(json_of(folder / "run/status.json")["env_steps"] == 2000);

  status.state = RunState::failed;
  status.reason = "two \"words\"\nand bytes \xff";
  run.finish(status);
  json = json_of(folder / "run/status.json");
  BOOST_TEST(json["state"] == "failed");
  BOOST_TEST(json["env_steps"] == 3000);
  const Json provenance = json_of(folder / "run/provenance.json");
  BOOST_TEST(provenance["end_time_utc"].get<std::string>().ends_with("Z"));
  BOOST_TEST(provenance["wall_time_s"].get<double>() >= 0.0);
}

BOOST_AUTO_TEST_CASE(a_resume_that_comes_to_no_step_keeps_the_numbers) {
  const TemporaryFolder folder;
  const RunStatus before = {.state = RunState::stopped,
                            .env_steps = 2000,
                            .gradient_updates = 500,
                            .total_env_steps = 9000,
                            .last_evaluation = LastEvaluation{1000, 10, 12.5, 0.5}};
  RunFolder(folder / "run", "", "", {}).finish(before);
  RunFolder run(folder / "run", "", "", {}, {.resumed = ResumedRun{"step-2000", 1.0}});
  BOOST_TEST(json_of(folder / "run/status.json")["state"] == "starting");
  run.finish({.state = RunState::failed, .reason = "refused"});
  const Json json = json_of(folder / "run/status.json");
  BOOST_TEST(json["state"] == "failed");
  BOOST_TEST(json["reason"] == "refused");
  BOOST_TEST(json["env_steps"] == 2000);
  BOOST_TEST(json["gradient_updates"] == 500);
  BOOST_TEST(json["total_env_steps"] == 9000);
  BOOST_TEST(json["last_evaluation"]["return_mean"] == 12.5);
}

BOOST_AUTO_TEST_CASE(a_reader_never_sees_half_a_status) {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", "", "", {});
  std::atomic<bool> done{false};
  std::atomic<int> broken{0}, reads{0};
  std::thread reader([&] {
    while (!done) {
      const Json json = Json::parse(content_of(folder / "run/status.json"), nullptr, false);
      if (json.is_discarded() || !json.contains("updated_at")) ++broken;
      ++reads;
    }
  });
  // writes only count while they are read
  for (int i = 0; i < 500 || reads < 50; ++i) {
    const RunState state = i % 2 == 0 ? RunState::running : RunState::stopped;
    run.update_status(
        {.state = state, .reason = std::string(static_cast<std::size_t>(10 * i), 'x')});
  }
  done = true;
  reader.join();
  BOOST_TEST(broken == 0);
  BOOST_TEST(!std::filesystem::exists(folder / "run/status.json.tmp"));
}

}  // namespace anthill
