#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "configs/sweep.hpp"
#include "configs/sweep_tables.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"
#include "sim/nearest_name.hpp"

namespace anthill {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTopKeys = {"name", "base", "seeds",   "max_runs", "set",
                                           "grid", "zip",  "include", "exclude"};

/// The keys at the top of the file.
class Reader : public SweepTables {
 public:
  explicit Reader(const std::string& path)
      : SweepTables(path), folder_(fs::path(path).parent_path()) {}

  std::vector<std::int64_t> seeds(const toml::node& node) const {
    std::vector<std::int64_t> found;
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& item : *array) found.push_back(seed(item, "a seed", 0));
    } else if (const toml::table* table = node.as_table()) {
      for (const auto& [key, value] : *table) {
        if (key.str() != "from" && key.str() != "count") {
          refuse(key.source().begin, "seeds is a list, or { from = 0, count = 5 }; '" +
                                         printable(key.str(), 60) + "' is neither key");
        }
      }
      const toml::node* count = table->get("count");
      if (count == nullptr) refuse(node.source().begin, "seeds needs `count` beside `from`");
      const toml::node* from = table->get("from");
      const std::int64_t first = from == nullptr ? 0 : seed(*from, "`from`", 0);
      const std::int64_t number = seed(*count, "`count`", 1, 1'000'000);
      for (std::int64_t i = 0; i < number; ++i) found.push_back(first + i);
    } else {
      refuse(node.source().begin,
             "seeds is a list, or { from = 0, count = 5 }, not " + describe_node(node));
    }
    if (found.empty()) refuse(node.source().begin, "seeds is empty; give at least one");
    std::set<std::int64_t> unique;
    for (const std::int64_t one : found) {
      if (unique.insert(one).second) continue;
      refuse(node.source().begin, "seed " + std::to_string(one) + " is listed twice");
    }
    return found;
  }

  std::int64_t seed(const toml::node& node, const std::string& what, std::int64_t low,
                    std::int64_t high = 1'000'000'000'000) const {
    const auto* integer = node.as_integer();
    if (integer == nullptr || integer->get() < low || integer->get() > high) {
      refuse(node.source().begin, what + " of seeds is an integer in [" + std::to_string(low) +
                                      ", " + std::to_string(high) + "], got " +
                                      describe_node(node));
    }
    return integer->get();
  }

  std::string text(const toml::node& node, const std::string& key) const {
    const auto* string = node.as_string();
    if (string == nullptr || string->get().empty()) {
      refuse(node.source().begin, key + " is a text in quotes, got " + describe_node(node));
    }
    return string->get();
  }

  std::string name(const toml::node& node) const {
    const std::string found = text(node, "name");
    const bool plain = std::ranges::none_of(found, [](char c) {
      return c == '/' || c == '\x7f' || static_cast<unsigned char>(c) < 0x20;
    });
    if (!plain || found.starts_with('.') || found.size() > 100) {
      refuse(node.source().begin,
             "name becomes a folder's: one line without '/', at most 100 "
             "bytes, not beginning with '.'");
    }
    return found;
  }

  std::int64_t max_runs(const toml::node& node) const {
    const auto* integer = node.as_integer();
    constexpr std::int64_t kMost = 100'000;
    if (integer == nullptr || integer->get() < 1 || integer->get() > kMost) {
      refuse(node.source().begin, "max_runs is an integer in [1, " + std::to_string(kMost) +
                                      "], got " + describe_node(node));
    }
    return integer->get();
  }

  std::string base_path(const toml::node& node) const {
    const fs::path path = (folder_ / text(node, "base")).lexically_normal();
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
      refuse(node.source().begin, "base: there is no file '" + path.string() +
                                      "'; the path counts from this sweep file");
    }
    return path.string();
  }

 private:
  fs::path folder_;
};

const toml::table& table_of(const Reader& reader, const toml::node& node, const std::string& key) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    reader.refuse(node.source().begin, key + " is a table; write [" + key + "] and keys below it");
  }
  return *table;
}

/// The tables of [[key]]; a single [key] is refused.
std::vector<const toml::table*> tables_of(const Reader& reader, const toml::table& root,
                                          const std::string& key) {
  std::vector<const toml::table*> tables;
  const toml::node* node = root.get(key);
  if (node == nullptr) return tables;
  const toml::array* array = node->as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    tables.push_back((*array)[i].as_table());
  }
  if (tables.empty() || std::ranges::count(tables, nullptr) > 0) {
    reader.refuse(node->source().begin,
                  key + " is a list of tables; write [[" + key + "]] and keys below it");
  }
  return tables;
}

void check_top_keys(const Reader& reader, const toml::table& root) {
  for (const auto& [key, node] : root) {
    const std::string name(key.str());
    if (std::ranges::count(kTopKeys, name) > 0) continue;
    const std::string nearest = nearest_name(name, kTopKeys);
    reader.refuse(key.source().begin,
                  "unknown key '" + printable(name, 60) + "' in a sweep; " +
                      (nearest.empty() ? "the keys are name, base, seeds, max_runs, [set], [grid], "
                                         "[[zip]], [[include]], [[exclude]]"
                                       : "did you mean '" + nearest + "'?"));
  }
}

/// Refuses a key that two axes set, one that is both fixed and swept, and equal values on one axis.
void check_axes(const SweepFile& sweep) {
  std::map<std::string, std::string> places;
  const auto claim = [&](const Setting& setting) {
    const auto [known, is_new] = places.emplace(setting.field->key(), setting.location);
    if (is_new) return;
    throw ConfigError(setting.location + ": '" + setting.field->key() + "' is set at " +
                      known->second + " already; remove one");
  };
  for (const Setting& setting : sweep.fixed) claim(setting);
  for (const SweepAxis& axis : sweep.axes) {
    for (const Setting& setting : axis.rows.front().settings) claim(setting);
    std::map<std::string, std::string> seen;
    for (const SweepCombination& row : axis.rows) {
      std::string values;
      for (const Setting& setting : row.settings) values += toml_value(setting.value) + " ";
      const auto [known, is_new] = seen.emplace(values, row.location);
      if (is_new) continue;
      throw ConfigError(row.location + ": the same as at " + known->second +
                        ", which would make duplicate points; remove one");
    }
  }
}

/// --set, which must not undo what is swept.
void add_overrides(SweepFile& sweep, const std::vector<std::string>& overrides) {
  for (const std::string& text : overrides) {
    Setting setting = read_override(text);
    const std::string& key = setting.field->key();
    if (key == "run.seed") {
      throw ConfigError(setting.location + ": the seeds are the sweep file's `seeds`");
    }
    if (std::ranges::binary_search(sweep.swept_keys, key)) {
      throw ConfigError(setting.location + ": '" + key + "' is swept; edit the sweep file");
    }
    setting.location = "--set";
    sweep.fixed.push_back(std::move(setting));
  }
}

void note_swept_keys(SweepFile& sweep) {
  std::set<std::string> keys;
  const auto note = [&](const SweepCombination& row) {
    for (const Setting& setting : row.settings) keys.insert(setting.field->key());
  };
  for (const SweepAxis& axis : sweep.axes) note(axis.rows.front());
  for (const SweepCombination& include : sweep.includes) note(include);
  sweep.swept_keys.assign(keys.begin(), keys.end());
}

void read_tables(const Reader& reader, const toml::table& root, SweepFile& sweep) {
  if (const toml::node* set = root.get("set")) {
    sweep.fixed = reader.combination(table_of(reader, *set, "set"), "[set]").settings;
  }
  if (const toml::node* grid = root.get("grid")) {
    sweep.axes = reader.grid(table_of(reader, *grid, "grid"));
  }
  for (const toml::table* zip : tables_of(reader, root, "zip")) {
    sweep.axes.push_back(reader.zip(*zip));
  }
  for (const toml::table* include : tables_of(reader, root, "include")) {
    sweep.includes.push_back(reader.combination(*include, "[[include]]"));
  }
  for (const toml::table* exclude : tables_of(reader, root, "exclude")) {
    sweep.excludes.push_back(reader.combination(*exclude, "[[exclude]]"));
  }
}

}  // namespace

SweepFile read_sweep(const std::string& path, const std::vector<std::string>& overrides) {
  SweepFile sweep;
  sweep.path = path;
  sweep.verbatim = read_config_file(path);
  const Reader reader(path);
  const toml::table root = parse_toml(
      sweep.verbatim, [&](const toml::source_position& at) { return reader.locate(at); });
  check_top_keys(reader, root);
  const toml::node* base = root.get("base");
  if (base == nullptr) {
    throw ConfigError(printable(path) +
                      ":1:1: no base; name the experiment to sweep: base = \"../ant_sac.toml\"");
  }
  sweep.base = read_experiment_file(reader.base_path(*base));
  const toml::node* name = root.get("name");
  sweep.name = name != nullptr ? reader.name(*name) : fs::path(path).stem().string();
  if (const toml::node* most = root.get("max_runs")) sweep.max_runs = reader.max_runs(*most);
  read_tables(reader, root, sweep);
  if (const toml::node* seeds = root.get("seeds")) {
    sweep.seeds = reader.seeds(*seeds);
  } else {
    sweep.seeds = {resolve_experiment(sweep.base, {}).config.run.seed};
  }
  note_swept_keys(sweep);
  check_axes(sweep);
  add_overrides(sweep, overrides);
  return sweep;
}

}  // namespace anthill
