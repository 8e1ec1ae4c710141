#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

#include "configs/sweep.hpp"
#include "configs/sweep_identity.hpp"
#include "configs/toml_text.hpp"
#include "sim/errors.hpp"

namespace anthill {
namespace {

std::string grouped(double number) {
  char text[64];
  std::snprintf(text, sizeof text, "%.0f", number);
  return text;
}

/// Before anything is expanded: the product may be astronomical.
void check_size(const SweepFile& sweep) {
  double points = 1.0;
  for (const SweepAxis& axis : sweep.axes) points *= static_cast<double>(axis.rows.size());
  points += static_cast<double>(sweep.includes.size());
  const double runs = points * static_cast<double>(sweep.seeds.size());
  if (runs <= static_cast<double>(sweep.max_runs)) return;
  throw ConfigError(printable(sweep.path) + ":1:1: too many runs: " + grouped(points) +
                    " points x " + std::to_string(sweep.seeds.size()) + " seeds = " +
                    grouped(runs) + ", more than max_runs = " + std::to_string(sweep.max_runs) +
                    "; shorten the lists, or raise max_runs at the top of the file");
}

bool agrees(const ExperimentConfig& config, const SweepCombination& wanted) {
  return std::ranges::all_of(wanted.settings, [&](const Setting& setting) {
    return setting.field->get(config) == setting.value;
  });
}

/// The next combination of rows, the last axis fastest; false after the last one.
bool advance(std::vector<std::size_t>& rows, const std::vector<SweepAxis>& axes) {
  for (std::size_t i = rows.size(); i-- > 0;) {
    if (++rows[i] < axes[i].rows.size()) return true;
    rows[i] = 0;
  }
  return false;
}

SweepPoint make_point(std::vector<Setting> settings, std::string location) {
  std::ranges::sort(settings, {}, [](const Setting& setting) { return setting.field->key(); });
  return {std::move(settings), "", std::move(location)};
}

class Expansion {
 public:
  explicit Expansion(const SweepFile& sweep) : sweep_(sweep), matched_(sweep.excludes.size()) {}

  void add_product() {
    std::vector<std::size_t> rows(sweep_.axes.size());
    do {
      std::vector<Setting> settings;
      std::string location = printable(sweep_.path) + ":1:1";
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const SweepCombination& row = sweep_.axes[i].rows[rows[i]];
        settings.insert(settings.end(), row.settings.begin(), row.settings.end());
        location = row.location;
      }
      add(make_point(std::move(settings), std::move(location)), true);
    } while (advance(rows, sweep_.axes));
  }

  void add(SweepPoint point, bool may_be_excluded) {
    const ExperimentConfig config = resolve_point(sweep_, point).config;
    if (may_be_excluded && is_excluded(config)) return;
    point.id = point_id(config);
    const auto [known, is_new] = places_.emplace(point.id, points_.size());
    if (!is_new) refuse_duplicate(point, points_[known->second], config);
    points_.push_back(std::move(point));
  }

  std::vector<SweepPoint> take() {
    for (std::size_t i = 0; i < matched_.size(); ++i) {
      if (matched_[i]) continue;
      throw ConfigError(sweep_.excludes[i].location +
                        ": this [[exclude]] agrees with no point; correct or remove it");
    }
    if (points_.empty()) {
      throw ConfigError(sweep_.excludes.front().location +
                        ": no point is left; the excludes take away everything");
    }
    return std::move(points_);
  }

 private:
  bool is_excluded(const ExperimentConfig& config) {
    bool excluded = false;
    for (std::size_t i = 0; i < matched_.size(); ++i) {
      if (!agrees(config, sweep_.excludes[i])) continue;
      matched_[i] = excluded = true;
    }
    return excluded;
  }

  [[noreturn]] void refuse_duplicate(const SweepPoint& point, const SweepPoint& other,
                                     const ExperimentConfig& config) const {
    if (identity_text(config) != identity_text(resolve_point(sweep_, other).config)) {
      throw ConfigError(point.location + ": this point's id, " + point.id +
                        ", is that of another one by chance; change any setting a little");
    }
    throw ConfigError(point.location + ": this point (" + short_overrides(point) +
                      ") equals the one at " + other.location + " (" + short_overrides(other) +
                      ") but for seed and machine; remove one");
  }

  const SweepFile& sweep_;
  std::vector<bool> matched_;
  std::map<std::string, std::size_t> places_;
  std::vector<SweepPoint> points_;
};

}  // namespace

std::vector<SweepPoint> expand_sweep(const SweepFile& sweep) {
  check_size(sweep);
  Expansion expansion(sweep);
  expansion.add_product();
  for (const SweepCombination& include : sweep.includes) {
    expansion.add(make_point(include.settings, include.location), false);
  }
  return expansion.take();
}

ResolvedExperiment resolve_point(const SweepFile& sweep, const SweepPoint& point) {
  std::vector<Setting> later = sweep.fixed;
  later.insert(later.end(), point.settings.begin(), point.settings.end());
  try {
    return resolve_experiment(sweep.base, later);
  } catch (const ConfigError& error) {
    const bool is_placed = std::string(error.what()).starts_with(printable(sweep.path) + ":");
    if (point.settings.empty() || is_placed) throw;
    throw ConfigError(point.location + ": the point " + short_overrides(point) + ": " +
                      error.what());
  }
}

std::string short_overrides(const SweepPoint& point) {
  constexpr std::size_t kLongest = 60;
  std::string text;
  for (const Setting& setting : point.settings) {
    if (!text.empty()) text += '-';
    text += setting.field->name + "-" + toml_value(setting.value);
  }
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '_' || c == '.' || c == '-';
    if (plain) name += c;
    if (c == ',') name += 'x';  // [256, 256] -> 256x256
  }
  if (name.size() > kLongest) name.resize(kLongest);
  while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.pop_back();
  return name.empty() ? "base" : name;
}

}  // namespace anthill
