#define BOOST_TEST_MODULE metrics_glossary
#include "algos/training/metrics_glossary.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>

#include "tests/algos/temporary_folder.hpp"

namespace anthill {

BOOST_AUTO_TEST_CASE(every_column_is_defined_once) {
  for (const MetricTable* table : {&train_metrics(), &episode_metrics(), &evaluation_metrics()}) {
    BOOST_TEST_CONTEXT(table->file) {
      std::set<std::string_view> names;
      BOOST_TEST(table->columns.front().name == "env_steps");
      for (const MetricColumn& column : table->columns) {
        BOOST_TEST_CONTEXT(column.name) {
          BOOST_TEST(names.insert(column.name).second);
          BOOST_TEST(!column.unit.empty());
          BOOST_TEST(!column.definition.empty());
          BOOST_TEST(!column.written.empty());
          BOOST_TEST(column.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                     std::string_view::npos);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_page_covers_every_column) {
  const std::string page = metrics_markdown();
  for (const MetricTable* table : {&train_metrics(), &episode_metrics(), &evaluation_metrics()}) {
    const std::size_t section = page.find("## " + std::string(table->file));
    BOOST_REQUIRE(section != std::string::npos);
    for (const MetricColumn& column : table->columns) {
      BOOST_TEST(page.find("| `" + std::string(column.name) + "` |", section) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(docs_page_is_fresh) {
  const std::string path = ANTHILL_SOURCE_DIR "/docs/metrics.md";
  if (std::getenv("ANTHILL_WRITE_DOCS") != nullptr) write_content(path, metrics_markdown());
  const bool fresh = content_of(path) == metrics_markdown();
  BOOST_TEST(fresh, "docs/metrics.md is stale: run this test with ANTHILL_WRITE_DOCS=1");
}

}  // namespace anthill
