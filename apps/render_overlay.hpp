/// What is written over a picture of an episode: numbers, and curves of Q and its true value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algos/training/episode_record.hpp"
#include "sim/render_canvas.hpp"

namespace anthill {

/// What an overlay needs beside the episode. NaN: not known, and left out.
struct OverlayContext {
  const EnvSpec& spec;
  double alpha;
  std::int64_t number = 0;  // of the episode, from 0
};

struct OverlayLine {
  std::string text;
  Rgb color;
};

/// The lines for step `step` of the episode, in this order: episode, step, return so far, reward
/// and its terms, Q, its soft and hard value, the bias Q - value, alpha.
std::vector<OverlayLine> overlay_lines(const RecordedEpisode& episode, std::int64_t step,
                                       const OverlayContext& context);

/// Draws the lines at the upper left and, at the bottom, Q and its values up to this step.
void draw_overlay(Image& picture, const RecordedEpisode& episode, std::int64_t step,
                  const OverlayContext& context);

/// Over the last picture of an episode that has ended while others go on.
void draw_ended(Image& picture, const RecordedEpisode& episode);

}  // namespace anthill
