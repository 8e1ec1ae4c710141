/// Several episodes beside each other: as frames, and as numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "algos/training/episode_record.hpp"
#include "algos/training/experiment_config.hpp"
#include "sim/render_scene.hpp"

namespace anthill {

/// What is drawn, and all that it is drawn from.
struct Show {
  ExperimentConfig config;
  std::shared_ptr<const Env> env;
  std::vector<std::size_t> numbers = {};  // of the episodes among those played
  std::vector<RecordedEpisode> episodes = {};
  double alpha = std::nan("");

  std::int64_t longest() const;  // steps
};

/// One line per step of every episode: what the overlays say, in full digits. Throws
/// std::runtime_error.
void write_values(const std::filesystem::path& path, const Show& show);

/// Draws all episodes at once, each in a cell of the scene's size. `show` must outlive it.
class Grid {
 public:
  /// `plain`: without overlays. Throws as make_scene().
  Grid(const Show& show, const SceneOptions& options, bool plain);

  std::string backend() const { return scenes_.front()->backend(); }

  /// The frame of a control step; an episode that has ended keeps its last picture, dimmed. Valid
  /// until the next call.
  const Image& draw(std::int64_t step);

 private:
  void draw_cell(std::size_t i, std::int64_t step);

  const Show& show_;
  bool plain_;
  int columns_ = 1;
  std::vector<std::unique_ptr<Scene>> scenes_;  // one, or one per episode
  std::vector<Image> cells_;
  std::vector<bool> is_dimmed_;
  Image frame_;
};

}  // namespace anthill
