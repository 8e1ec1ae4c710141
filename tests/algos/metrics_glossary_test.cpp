#define BOOST_TEST_MODULE metrics_glossary
#include "algos/training/metrics_glossary.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>

#include "tests/algos/temporary_folder.hpp"

namespace anthill {

static const MetricTable* const kTables[] = {&train_metrics(), &episode_metrics(),
                                             &evaluation_metrics(), &overestimation_metrics(),
                                             &overestimation_state_metrics()};

BOOST_AUTO_TEST_CASE(every_column_is_defined_once) {
  for (const MetricTable* table : kTables) {
    BOOST_TEST_CONTEXT(table->file) {
      std::set<std::string_view> names;
      BOOST_TEST(table->columns.front().name == "env_steps");
      for (const MetricColumn& column : table->columns) {
        BOOST_TEST_CONTEXT(column.name) {
          BOOST_TEST(names.insert(column.name).second);
          BOOST_TEST(!column.unit.empty());
          BOOST_TEST(!column.definition.empty());
          BOOST_TEST(!column.written.empty());
          std::string_view name = column.name;
          if (name.ends_with(kTermFamily)) name.remove_suffix(kTermFamily.size());
          BOOST_TEST(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                     std::string_view::npos);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_page_covers_every_column) {
  const std::string page = metrics_markdown();
  for (const MetricTable* table : kTables) {
    const std::size_t section = page.find("## " + std::string(table->file));
    BOOST_REQUIRE(section != std::string::npos);
    for (const MetricColumn& column : table->columns) {
      BOOST_TEST(page.find("| `" + std::string(column.name) + "` |", section) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_family_becomes_one_column_per_reward_term) {
  const std::vector<std::string> terms = {"reward_forward", "reward_ctrl"};
  const TaskTable task(episode_metrics(), terms);
  const auto columns = task.table().columns;
  const auto& family = episode_metrics().columns.back();
  BOOST_REQUIRE(columns.size() == episode_metrics().columns.size() + 1);
  BOOST_TEST(columns[columns.size() - 2].name == "episode_reward_forward");
  BOOST_TEST(columns.back().name == "episode_reward_ctrl");
  BOOST_TEST(columns.back().definition == family.definition);
  const TaskTable none(episode_metrics(), {});
  BOOST_TEST(none.table().columns.size() == episode_metrics().columns.size() - 1);
  const TaskTable train(train_metrics(), terms);
  BOOST_TEST(train.table().columns.size() == train_metrics().columns.size());
}

BOOST_AUTO_TEST_CASE(docs_page_is_fresh) {
  const std::string path = "docs/metrics.md";
  if (std::getenv("ANTHILL_WRITE_DOCS") != nullptr) write_content(path, metrics_markdown());
  const bool fresh = content_of(path) == metrics_markdown();
  BOOST_TEST(fresh, "docs/metrics.md is stale: run this test with ANTHILL_WRITE_DOCS=1");
}

}  // namespace anthill
