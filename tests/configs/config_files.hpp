/// What the configuration tests share: throw-away files and the message of a refused input.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "configs/experiment.hpp"
#include "configs/fields.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {

/// A folder that disappears with the object; the working directory while it lives, so that messages
/// hold short relative paths.
class TemporaryFolder {
 public:
  TemporaryFolder() : before_(std::filesystem::current_path()) {
    std::string name = (std::filesystem::temp_directory_path() / "anthill_XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
    std::filesystem::current_path(path_);
  }
  ~TemporaryFolder() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  std::filesystem::path before_;
  std::filesystem::path path_;
};

inline std::string file_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  BOOST_REQUIRE(stream);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  BOOST_REQUIRE(stream.flush());
}

/// Reads `text` as the file x.toml in a folder of its own.
inline ResolvedExperiment read_text(const std::string& text,
                                    const std::vector<std::string>& overrides = {}) {
  const TemporaryFolder folder;
  write_file("x.toml", text);
  return read_experiment("x.toml", overrides);
}

/// The message of the ConfigError that `call` throws; fails when there is none.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  BOOST_ERROR("no ConfigError");
  return "";
}

inline std::string read_error(const std::string& text,
                              const std::vector<std::string>& overrides = {}) {
  return error_of([&] { read_text(text, overrides); });
}

/// A configuration's values as text, key by key, to compare two.
inline std::vector<std::string> values_of(const ExperimentConfig& config) {
  std::vector<std::string> values;
  for (const Field& field : fields()) {
    values.push_back(field.key() + " = " + toml_value(field.get(config)));
  }
  return values;
}

}  // namespace anthill
