/// The tables of a sweep file: [set], [grid], [[zip]], [[include]] and [[exclude]].
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "configs/sweep.hpp"
#include "configs/toml_nodes.hpp"

namespace anthill {

/// Reads the tables of one file. Every function throws ConfigError with file, line and column.
class SweepTables {
 public:
  /// A key with its value, as written.
  struct Entry {
    std::string key;
    toml::source_position at;
    const toml::node* node = nullptr;
  };

  explicit SweepTables(const std::string& path);

  std::string locate(const toml::source_position& at) const { return file_ + position_text(at); }

  [[noreturn]] void refuse(const toml::source_position& at, const std::string& what) const;

  /// A table of single values: [set], [[include]], [[exclude]]; `kind` is its name for messages.
  SweepCombination combination(const toml::table& table, const std::string& kind) const;

  /// Every key a list: an axis each.
  std::vector<SweepAxis> grid(const toml::table& table) const;

  /// Every key a list, all equally long: one axis.
  SweepAxis zip(const toml::table& table) const;

 private:
  std::vector<Entry> entries(const toml::table& table, const std::string& prefix = "") const;
  const Field& field_of(const Entry& entry) const;
  Setting setting(const Field& field, const toml::node& node) const;
  std::vector<Setting> list(const Entry& entry) const;

  std::string file_;
  std::filesystem::path folder_;
};

}  // namespace anthill
