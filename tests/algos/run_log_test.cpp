#define BOOST_TEST_MODULE run_log
#include "algos/training/run_log.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>

#include "tests/algos/temporary_folder.hpp"

namespace anthill {

/// The cells of row `index` (0: first after the header) by column.
static std::map<std::string, std::string> row_of(const std::filesystem::path& path, int index) {
  std::istringstream text(content_of(path));
  std::string header, line;
  std::getline(text, header);
  for (int i = 0; i <= index; ++i) BOOST_REQUIRE(std::getline(text, line));
  std::istringstream names(header), cells(line + ",");
  std::map<std::string, std::string> row;
  for (std::string name, cell; std::getline(names, name, ',') && std::getline(cells, cell, ',');) {
    row[name] = cell;
  }
  return row;
}

BOOST_AUTO_TEST_CASE(three_files_from_rows) {
  const TemporaryFolder folder;
  RunLog log(folder.path(), false);
  log.episode({{"env_steps", 500}, {"env", 3}, {"episode_return", -1.5}, {"terminated", true}});
  log.train({{"env_steps", 1000}, {"q_mean", 3.25}, {"alpha", 0.5}, {"critic_loss", 2}});
  log.episode({{"env_steps", 1100}, {"env", 4}, {"episode_return", 7}});
  log.evaluation({{"env_steps", 2000}, {"return_mean", 812.5}});

  BOOST_TEST(row_of(folder / "train.csv", 0)["q_mean"] == "3.25");
  auto before = row_of(folder / "episodes.csv", 0);
  BOOST_TEST(before["terminated"] == "1");
  BOOST_TEST(before["q_mean"] == "");
  auto after = row_of(folder / "episodes.csv", 1);
  BOOST_TEST(after["env"] == "4");
  BOOST_TEST(after["q_mean"] == "3.25");
  BOOST_TEST(after["alpha"] == "0.5");
  BOOST_TEST(after["critic_loss"] == "2");
  BOOST_TEST(after["entropy"] == "");
  BOOST_TEST(row_of(folder / "eval.csv", 0)["return_mean"] == "812.5");
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 3);
}

BOOST_AUTO_TEST_CASE(reward_terms_are_columns_of_episodes) {
  const TemporaryFolder folder;
  const std::vector<std::string> terms = {"reward_forward", "reward_ctrl"};
  {
    RunLog log(folder.path(), true, terms);
    log.episode({{"env_steps", 10}, {"episode_reward_forward", 2.5}, {"episode_reward_ctrl", -1}});
    BOOST_CHECK_THROW(log.episode({{"env_steps", 11}, {"episode_cost", 1}}), std::logic_error);
  }
  auto row = row_of(folder / "episodes.csv", 0);
  BOOST_TEST(row["episode_reward_forward"] == "2.5");
  BOOST_TEST(row["episode_reward_ctrl"] == "-1");
  // another task's columns do not fit the file
  BOOST_CHECK_THROW(RunLog(folder.path(), false, std::span(terms).first(1)), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(learner_columns_follow_the_latest_row) {
  const TemporaryFolder folder;
  RunLog log(folder.path(), true);
  log.train({{"env_steps", 1000}, {"q_mean", 1}});
  log.train({{"env_steps", 2000}});  // a period without updates
  log.episode({{"env_steps", 2100}});
  log.flush();
  BOOST_TEST(row_of(folder / "episodes.csv", 0)["q_mean"] == "");
}

BOOST_AUTO_TEST_CASE(rows_must_fit_the_glossary) {
  const TemporaryFolder folder;
  RunLog log(folder.path(), true);
  BOOST_CHECK_THROW(log.train({{"q_mean", 1}}), std::logic_error);
  BOOST_CHECK_THROW(log.train({{"env_steps", 1}, {"return_mean", 1}}), std::logic_error);
  BOOST_CHECK_THROW(log.evaluation({{"env_steps", 1}, {"q_mean", 1}}), std::logic_error);
}

}  // namespace anthill
