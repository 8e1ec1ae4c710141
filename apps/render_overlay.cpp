#include "apps/render_overlay.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "algos/training/human_text.hpp"

namespace anthill {
namespace {

constexpr Rgb kPanel = {16, 18, 26}, kText = {235, 235, 235}, kQuiet = {170, 175, 185};
// Okabe and Ito's palette, as the figures of the analysis
constexpr Rgb kQ = {230, 159, 0}, kSoft = {86, 180, 233}, kHard = {0, 190, 130};
constexpr double kOpacity = 0.85;

int scale_of(const Image& picture) { return std::max(1, (picture.height + 150) / 300); }

/// "reward_forward" is "forward" beside other rewards.
std::string short_term(const std::string& name) {
  constexpr std::string_view prefix = "reward_";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

/// "reward      1.23": the number ends in column 24, or further right behind a long label.
std::string aligned(std::string label, double value) {
  constexpr std::size_t width = 24;
  const std::string number = short_number(value + 0.0);  // 0 rather than -0
  const std::size_t room = width - std::min(width, number.size());
  label.resize(std::max(room, label.size() + 1), ' ');
  return label + number;
}

struct Curve {
  std::span<const double> values;
  Rgb color;
};

void draw_curves(Image& picture, const RecordedEpisode& episode, std::int64_t step) {
  const std::vector<Curve> curves = {
      {episode.hard_value, kHard}, {episode.soft_value, kSoft}, {episode.q_mean, kQ}};
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Curve& curve : curves) {
    for (const double value : curve.values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low > high) return;
  Canvas canvas(picture);
  const int scale = scale_of(picture);
  const double width = picture.width, bottom = picture.height, margin = 4.0 * scale;
  const double top = bottom - std::max(0.18 * bottom, 40.0);
  canvas.rectangle({0, top}, {width, bottom}, kPanel, kOpacity);
  const double last = std::max<double>(1.0, static_cast<double>(episode.length() - 1));
  // the ends of the axis are written to the left of the curves
  const std::string highest = short_number(high), lowest = short_number(low);
  const double letters =
      margin +
      kLetterWidth * scale *
          (1.0 + static_cast<double>(std::max({highest.size(), lowest.size(), std::size_t{6}})));
  const auto at = [&](std::size_t t, double value) {
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    return Point{letters + (width - letters - margin) * static_cast<double>(t) / last,
                 bottom - margin - share * (bottom - top - 2 * margin)};
  };
  canvas.text(static_cast<int>(margin), static_cast<int>(top + margin), highest, scale, kQuiet);
  canvas.text(static_cast<int>(margin), static_cast<int>(bottom - margin) - 8 * scale, lowest,
              scale, kQuiet);
  for (const Curve& curve : curves) {
    for (std::size_t t = 1; t <= static_cast<std::size_t>(step); ++t) {
      if (!std::isfinite(curve.values[t - 1]) || !std::isfinite(curve.values[t])) continue;
      canvas.line(at(t - 1, curve.values[t - 1]), at(t, curve.values[t]), 1.2 * scale, curve.color);
    }
    const double now = curve.values[static_cast<std::size_t>(step)];
    if (std::isfinite(now)) {
      canvas.circle(at(static_cast<std::size_t>(step), now), 2.0 * scale, curve.color);
    }
  }
}

}  // namespace

std::vector<OverlayLine> overlay_lines(const RecordedEpisode& episode, std::int64_t step,
                                       const OverlayContext& context) {
  const auto t = static_cast<std::size_t>(step);
  std::vector<OverlayLine> lines = {
      {context.spec.name, kText},
      {"episode " + std::to_string(context.number) + " seed " + std::to_string(episode.seed),
       kQuiet},
      {"step " + std::to_string(step) + "/" + std::to_string(episode.length()), kQuiet}};
  const auto add = [&lines](const std::string& label, double value, Rgb color) {
    if (!std::isnan(value)) lines.push_back({aligned(label, value), color});
  };
  const auto end = episode.reward.begin() + static_cast<std::ptrdiff_t>(t);
  add("return", std::accumulate(episode.reward.begin(), end + 1, 0.0), kText);
  add("reward", episode.reward[t], kText);
  const std::size_t num_terms = context.spec.reward_terms.size();
  for (std::size_t k = 0; k < num_terms; ++k) {
    add("  " + short_term(context.spec.reward_terms[k]), episode.terms[t * num_terms + k], kQuiet);
  }
  add("Q", episode.q_mean[t], kQ);
  add("  smallest Q", episode.q_min[t], kQuiet);
  add("soft value", episode.soft_value[t], kSoft);
  add("hard value", episode.hard_value[t], kHard);
  if (!episode.values_are_whole) lines.push_back({"  up to the time limit", kQuiet});
  const bool soft = !std::isnan(episode.soft_value[t]);
  add(soft ? "Q - soft value" : "Q - hard value",
      episode.q_mean[t] - (soft ? episode.soft_value[t] : episode.hard_value[t]), kText);
  add("alpha", context.alpha, kText);
  return lines;
}

void draw_overlay(Image& picture, const RecordedEpisode& episode, std::int64_t step,
                  const OverlayContext& context) {
  const std::vector<OverlayLine> lines = overlay_lines(episode, step, context);
  const int scale = scale_of(picture), margin = 4 * scale;
  std::size_t columns = 0;
  for (const OverlayLine& line : lines) columns = std::max(columns, line.text.size());
  Canvas canvas(picture);
  canvas.rectangle({0, 0},
                   {2.0 * margin + static_cast<double>(columns) * kLetterWidth * scale,
                    2.0 * margin + static_cast<double>(lines.size()) * kLineHeight * scale},
                   kPanel, kOpacity);
  int y = margin;
  for (const OverlayLine& line : lines) {
    canvas.text(margin, y, line.text, scale, line.color);
    y += kLineHeight * scale;
  }
  draw_curves(picture, episode, step);
}

void draw_ended(Image& picture, const RecordedEpisode& episode) {
  Canvas canvas(picture);
  const int scale = scale_of(picture);
  canvas.rectangle({0, 0}, {1.0 * picture.width, 1.0 * picture.height}, kPanel, 0.45);
  const std::string text = episode.invalid      ? "simulator failure"
                           : episode.terminated ? "terminated"
                                                : "time limit";
  const int width = static_cast<int>(text.size()) * kLetterWidth * scale;
  canvas.text((picture.width - width) / 2, picture.height / 2, text, scale, kText);
}

}  // namespace anthill
