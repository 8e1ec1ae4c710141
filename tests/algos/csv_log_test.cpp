#define BOOST_TEST_MODULE csv_log
#include "algos/training/csv_log.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <cmath>
#include <csignal>
#include <limits>

#include "tests/algos/temporary_folder.hpp"

namespace anthill {

static constexpr MetricColumn kColumns[] = {
    {"env_steps", "1", "", ""}, {"alpha", "1", "", ""}, {"q_mean", "1", "", ""}};
static const MetricTable kTable = {"test.csv", "test", "", kColumns};

BOOST_AUTO_TEST_CASE(rows_by_name_in_any_order) {
  const TemporaryFolder folder;
  CsvLog log(folder / "test.csv", kTable);
  log.append({{"q_mean", 3.25}, {"env_steps", 1'000'000}});
  log.append({{"alpha", 0.1}, {"env_steps", -2}});
  BOOST_TEST(content_of(folder / "test.csv") == "env_steps,alpha,q_mean\n");
  log.flush();
  BOOST_TEST(content_of(folder / "test.csv") == "env_steps,alpha,q_mean\n1000000,,3.25\n-2,0.1,\n");
}

BOOST_AUTO_TEST_CASE(numbers_read_back_exactly) {
  for (const double value : {0.1, 1.0 / 3.0, -1e-300, 5e-324, 1.7976931348623157e308, 123456.789,
                             9007199254740993.0, 1e22, -0.5, 2e-7}) {
    const std::string text = csv_number(value);
    double read = 0.0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    BOOST_TEST(read == value, text);
  }
  BOOST_TEST(csv_number(0.1) == "0.1");
  BOOST_TEST(csv_number(1e6) == "1000000");
  BOOST_TEST(csv_number(-0.0) == "0");
  BOOST_TEST(csv_number(std::nan("")) == "nan");
  BOOST_TEST(csv_number(-std::nan("")) == "nan");
  BOOST_TEST(csv_number(std::numeric_limits<double>::infinity()) == "inf");
  BOOST_TEST(csv_number(-std::numeric_limits<double>::infinity()) == "-inf");
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused_and_leave_no_row) {
  const TemporaryFolder folder;
  CsvLog log(folder / "test.csv", kTable);
  BOOST_CHECK_EXCEPTION(log.append({{"env_steps", 1}, {"q_maen", 2}}), std::logic_error,
                        [](const std::logic_error& error) {
                          return std::string(error.what()).find("'q_maen'") != std::string::npos;
                        });
  BOOST_CHECK_THROW(log.append({{"alpha", 1}, {"alpha", 2}}), std::logic_error);
  log.flush();
  BOOST_TEST(content_of(folder / "test.csv") == "env_steps,alpha,q_mean\n");
}

BOOST_AUTO_TEST_CASE(continues_and_truncates) {
  const TemporaryFolder folder;
  std::int64_t after_one = 0;
  {
    CsvLog log(folder / "test.csv", kTable);
    log.append({{"env_steps", 1}});
    after_one = log.offset();
    log.append({{"env_steps", 2}});
  }  // the destructor flushes
  const std::string whole = "env_steps,alpha,q_mean\n1,,\n2,,\n";
  BOOST_TEST(content_of(folder / "test.csv") == whole);
  CsvLog log(folder / "test.csv", kTable);
  BOOST_TEST(log.offset() == static_cast<std::int64_t>(whole.size()));
  BOOST_CHECK_THROW(log.truncate(after_one + 1), std::runtime_error);
  BOOST_CHECK_THROW(log.truncate(3), std::runtime_error);
  BOOST_CHECK_THROW(log.truncate(1000), std::runtime_error);
  log.append({{"env_steps", 99}});  // pending rows are forgotten too
  log.truncate(after_one);
  log.append({{"env_steps", 3}});
  log.flush();
  BOOST_TEST(content_of(folder / "test.csv") == "env_steps,alpha,q_mean\n1,,\n3,,\n");
}

BOOST_AUTO_TEST_CASE(another_header_is_refused) {
  const TemporaryFolder folder;
  write_content(folder / "test.csv", "env_steps,alpha\n1,2\n");
  BOOST_CHECK_THROW(CsvLog(folder / "test.csv", kTable), std::runtime_error);
  BOOST_TEST(content_of(folder / "test.csv") == "env_steps,alpha\n1,2\n");
}

static bool names_path(const std::runtime_error& error, const std::string& path) {
  const std::string text = error.what();
  return text.find(path) != std::string::npos && text.find('\n') == std::string::npos;
}

BOOST_AUTO_TEST_CASE(write_errors_name_the_path) {
  BOOST_CHECK_EXCEPTION(
      CsvLog("/dev/full", kTable), std::runtime_error,
      [](const std::runtime_error& error) { return names_path(error, "/dev/full"); });
  BOOST_CHECK_EXCEPTION(
      CsvLog("/nowhere/test.csv", kTable), std::runtime_error,
      [](const std::runtime_error& error) { return names_path(error, "/nowhere/test.csv"); });
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_whole_rows_and_can_be_retried) {
  const TemporaryFolder folder;
  CsvLog log(folder / "test.csv", kTable);
  log.append({{"env_steps", 1}});
  log.flush();
  const std::string before = content_of(folder / "test.csv");
  for (int i = 0; i < 100; ++i) log.append({{"env_steps", 2}, {"q_mean", 0.123456789}});

  // the limit on the size of files stands in for a full disk: part of the write succeeds
  const auto previous_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit previous{};
  BOOST_REQUIRE(getrlimit(RLIMIT_FSIZE, &previous) == 0);
  rlimit small = previous;
  small.rlim_cur = before.size() + 20;
  BOOST_REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    log.flush();
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  const std::string during = content_of(folder / "test.csv");
  setrlimit(RLIMIT_FSIZE, &previous);
  std::signal(SIGXFSZ, previous_handler);

  BOOST_TEST(message.find("test.csv") != std::string::npos);
  BOOST_TEST(during == before);
  log.flush();
  const std::string after = content_of(folder / "test.csv");
  BOOST_TEST(after.starts_with(before));
  BOOST_TEST(std::count(after.begin(), after.end(), '\n') == 102);
}

}  // namespace anthill
