#include "apps/render_grid.hpp"

#include <algorithm>
#include <fstream>
#include <span>
#include <stdexcept>

#include "algos/training/csv_log.hpp"
#include "apps/render_overlay.hpp"

namespace anthill {

std::int64_t Show::longest() const {
  std::int64_t steps = 0;
  for (const RecordedEpisode& episode : episodes) steps = std::max(steps, episode.length());
  return steps;
}

void write_values(const std::filesystem::path& path, const Show& show) {
  const EnvSpec& spec = show.env->spec();
  std::string text = "episode,seed,step,reward";
  for (const std::string& term : spec.reward_terms) text.append(",").append(term);
  text += ",q_mean,q_min,soft_value,hard_value\n";
  const auto cell = [](double value) { return std::isnan(value) ? "" : csv_number(value); };
  for (std::size_t i = 0; i < show.episodes.size(); ++i) {
    const RecordedEpisode& episode = show.episodes[i];
    for (std::size_t t = 0; t < episode.reward.size(); ++t) {
      text.append(std::to_string(show.numbers[i])).append(",").append(std::to_string(episode.seed));
      text.append(",").append(std::to_string(t)).append(",").append(cell(episode.reward[t]));
      for (std::size_t k = 0; k < spec.reward_terms.size(); ++k) {
        text.append(",").append(cell(episode.terms[t * spec.reward_terms.size() + k]));
      }
      for (const auto* values :
           {&episode.q_mean, &episode.q_min, &episode.soft_value, &episode.hard_value}) {
        text.append(",").append(cell((*values)[t]));
      }
      text += "\n";
    }
  }
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write '" + path.string() + "'; check the disk");
}

Grid::Grid(const Show& show, const SceneOptions& options, bool plain)
    : show_(show),
      plain_(plain),
      columns_(static_cast<int>(std::ceil(std::sqrt(static_cast<double>(show.episodes.size()))))),
      cells_(show.episodes.size(), Image(options.width, options.height)),
      is_dimmed_(show.episodes.size(), false) {
  // a drawing that follows a live world wants one for each episode
  const bool many = show.env->spec().workspace_per_lane;
  for (std::size_t i = 0; i < (many ? show.episodes.size() : 1); ++i) {
    scenes_.push_back(make_scene(show.config.sim, show.env, options));
  }
  const int rows = (static_cast<int>(show.episodes.size()) + columns_ - 1) / columns_;
  frame_ = Image(columns_ * options.width, rows * options.height);
}

const Image& Grid::draw(std::int64_t step) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    draw_cell(i, step);
    const int column = static_cast<int>(i) % columns_, row = static_cast<int>(i) / columns_;
    frame_.paste(cells_[i], column * cells_[i].width, row * cells_[i].height);
  }
  return frame_;
}

void Grid::draw_cell(std::size_t i, std::int64_t step) {
  const RecordedEpisode& episode = show_.episodes[i];
  const bool is_over = step >= episode.length();
  if (is_over && is_dimmed_[i]) return;
  const std::int64_t shown = std::min(step, episode.length() - 1);
  const auto part = [shown](const auto& values, std::int64_t width) {
    return std::span(values).subspan(static_cast<std::size_t>(shown * width),
                                     static_cast<std::size_t>(width));
  };
  scenes_[std::min(i, scenes_.size() - 1)]->draw(part(episode.state, show_.env->spec().state_dim),
                                                 part(episode.action, show_.env->spec().action_dim),
                                                 cells_[i]);
  if (!plain_) {
    draw_overlay(cells_[i], episode, shown,
                 {.spec = show_.env->spec(),
                  .alpha = show_.alpha,
                  .number = static_cast<std::int64_t>(show_.numbers[i])});
  }
  if (is_over) draw_ended(cells_[i], episode);
  is_dimmed_[i] = is_over;
}

}  // namespace anthill
