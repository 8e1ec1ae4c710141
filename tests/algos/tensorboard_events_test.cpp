#define BOOST_TEST_MODULE tensorboard_events
#include "algos/training/tensorboard_events.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "tests/algos/temporary_folder.hpp"

namespace anthill {

BOOST_AUTO_TEST_CASE(crc32c_known_answers) {
  BOOST_TEST(crc32c("") == 0u);
  BOOST_TEST(crc32c("123456789") == 0xe3069283u);
  // RFC 3720, appendix B.4
  BOOST_TEST(crc32c(std::string(32, '\0')) == 0x8a9136aau);
  BOOST_TEST(crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
}

template <typename T>
static T take(std::string_view& bytes) {
  T value;
  BOOST_REQUIRE(bytes.size() >= sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

BOOST_AUTO_TEST_CASE(file_is_a_chain_of_checked_records) {
  const TemporaryFolder folder;
  EventWriter writer(folder.path(), 1700000000.5);
  writer.scalars({{"train/q_mean", 3.5}, {"train/alpha", -1.0}}, 300, 1700000001.5);
  writer.scalars({}, 400, 1700000002.5);  // nothing to say, no record
  writer.flush();
  BOOST_TEST(writer.path().filename().string().starts_with("events.out.tfevents.1700000000."));

  const std::string file = content_of(writer.path());
  std::string_view rest = file;
  std::vector<std::string_view> records;
  while (!rest.empty()) {
    const std::string_view length_bytes = rest.substr(0, 8);
    const auto length = take<std::uint64_t>(rest);
    BOOST_TEST(take<std::uint32_t>(rest) == masked_crc32c(length_bytes));
    records.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
    BOOST_TEST(take<std::uint32_t>(rest) == masked_crc32c(records.back()));
  }
  BOOST_REQUIRE(records.size() == 2u);
  BOOST_TEST(
      records[0].ends_with("\x1a\x0d"
                           "brain.Event:2"));
  // wall_time, step 300 as a varint, then the summary
  BOOST_TEST(records[1].substr(9, 3) == "\x10\xac\x02");
  BOOST_TEST(records[1].find("\x0a\x0ctrain/q_mean\x15") != std::string_view::npos);
}

BOOST_AUTO_TEST_CASE(two_writers_do_not_share_a_file) {
  const TemporaryFolder folder;
  const EventWriter first(folder.path(), 1.0), second(folder.path(), 1.0);
  BOOST_TEST(first.path() != second.path());
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_an_error) {
  BOOST_CHECK_THROW(EventWriter("/nowhere", 0.0), std::runtime_error);
}

}  // namespace anthill
