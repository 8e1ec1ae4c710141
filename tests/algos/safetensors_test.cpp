#define BOOST_TEST_MODULE safetensors
#include "algos/training/safetensors.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>

#include "sim/errors.hpp"
#include "tests/algos/temporary_folder.hpp"

namespace anthill {

/// A file with this header and `data_bytes` zero bytes of data.
static std::string file_bytes(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

static std::string error_of(const std::filesystem::path& path) {
  try {
    read_safetensors(path);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

struct Example {
  std::vector<float> weight = {1.5f, -0.0f, std::numeric_limits<float>::infinity(), 1e-45f, 3, 4};
  std::vector<float> scalar = {7};
  std::vector<FloatArrayView> arrays() const {
    return {{"actor.weight", {2, 3}, weight.data()},
            {"empty", {0, 5}, nullptr},
            {"log_alpha", {}, scalar.data()}};
  }
};

BOOST_AUTO_TEST_CASE(round_trip) {
  const TemporaryFolder folder;
  const Example example;
  write_safetensors(folder / "p", example.arrays(), {{"env", "Ant-v5"}, {"note", "\"quoted\"\n"}});
  const Safetensors read = read_safetensors(folder / "p");
  BOOST_TEST(read.arrays.size() == 3u);
  const FloatArray& weight = read.arrays.at("actor.weight");
  BOOST_TEST(weight.shape == (std::vector<std::int64_t>{2, 3}), boost::test_tools::per_element());
  BOOST_TEST(std::memcmp(weight.values.data(), example.weight.data(), 24) == 0);
  BOOST_TEST(read.arrays.at("empty").values.empty());
  BOOST_TEST(read.arrays.at("log_alpha").shape.empty());
  BOOST_TEST(read.arrays.at("log_alpha").values.at(0) == 7.0f);
  BOOST_TEST(read.metadata.at("note") == "\"quoted\"\n");
  BOOST_TEST(!std::filesystem::exists(folder / "p.tmp"));

  // data start at a multiple of 8 bytes
  std::uint64_t length = 0;
  std::memcpy(&length, content_of(folder / "p").data(), 8);
  BOOST_TEST(length % 8 == 0u);
}

BOOST_AUTO_TEST_CASE(no_arrays_at_all) {
  const TemporaryFolder folder;
  write_safetensors(folder / "p", {}, {});
  BOOST_TEST(read_safetensors(folder / "p").arrays.empty());
}

BOOST_AUTO_TEST_CASE(wrong_use_of_the_writer) {
  const TemporaryFolder folder;
  const float value = 1;
  const auto write = [&](std::vector<FloatArrayView> arrays) {
    write_safetensors(folder / "p", arrays, {});
  };
  BOOST_CHECK_THROW(write({{"a", {1}, &value}, {"a", {1}, &value}}), std::logic_error);
  BOOST_CHECK_THROW(write({{"__metadata__", {1}, &value}}), std::logic_error);
  BOOST_CHECK_THROW(write({{"a", {-1}, &value}}), std::logic_error);
  BOOST_CHECK_THROW(write_safetensors("/nowhere/p", {}, {}), std::runtime_error);
  BOOST_TEST(!std::filesystem::exists(folder / "p"));
}

BOOST_AUTO_TEST_CASE(damaged_headers) {
  const TemporaryFolder folder;
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const struct {
    std::string bytes, says;
  } cases[] = {
      {"", "only 0 bytes"},
      {"1234567", "only 7 bytes"},
      {std::string(8, '\xff') + good, "header would have"},
      {file_bytes(good, 8).substr(0, 30), "header would have"},
      {file_bytes(" " + good, 8), "not a JSON object"},
      {file_bytes("{\"a\":", 8), "not valid JSON"},
      {file_bytes("{\"a\":1}", 0), "not described by an object"},
      {file_bytes(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "no dtype"},
      {file_bytes(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8), "F64, not F32"},
      {file_bytes(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8), "no list shape"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "no list data_offsets"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8),
       "wrong number"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "wrong number"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8),
       "two data_offsets"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "outside"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 8), "outside"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "than its shape"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[4611686018427387906,2],"data_offsets":[0,0]}})",
                  0),
       "than its shape"},
      {file_bytes(good, 12), "no array owns byte 8"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "owns byte 0"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                  12),
       "overlap"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                  8),
       "listed twice"},
      {file_bytes(R"({"__metadata__":{"a":1}})", 0), "not a string"},
      {file_bytes(R"({"__metadata__":[]})", 0), "not an object"},
  };
  for (const auto& [bytes, says] : cases) {
    write_content(folder / "p", bytes);
    const std::string error = error_of(folder / "p");
    BOOST_TEST(error.find(says) != std::string::npos, "expected '" << says << "', got: " << error);
    BOOST_TEST(error.find((folder / "p").string()) != std::string::npos);
    BOOST_TEST(error.find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_is_found) {
  const TemporaryFolder folder;
  write_safetensors(folder / "p", Example().arrays(), {{"env", "Ant-v5"}});
  const std::string whole = content_of(folder / "p");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_content(folder / "p", whole.substr(0, size));
    BOOST_TEST(!error_of(folder / "p").empty(), "cut to " << size << " bytes");
  }
}

BOOST_AUTO_TEST_CASE(any_changed_byte_is_an_error_or_harmless) {
  const TemporaryFolder folder;
  write_safetensors(folder / "p", Example().arrays(), {{"env", "Ant-v5"}});
  const std::string whole = content_of(folder / "p");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {1, 64}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      write_content(folder / "p", changed);
      BOOST_CHECK_NO_THROW(error_of(folder / "p"));  // nothing but ConfigError comes out
    }
  }
}

BOOST_AUTO_TEST_CASE(missing_files_and_folders) {
  const TemporaryFolder folder;
  BOOST_TEST(error_of(folder / "missing").find("missing") != std::string::npos);
  BOOST_TEST(error_of(folder.path()).find("directory") != std::string::npos);
}

}  // namespace anthill
