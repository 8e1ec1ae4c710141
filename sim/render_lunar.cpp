#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sim/lunar_row.hpp"
#include "sim/lunar_world.hpp"
#include "sim/render_canvas.hpp"
#include "sim/render_scene.hpp"

namespace anthill {
namespace {

constexpr Rgb kSky = {24, 26, 40}, kMoon = {196, 196, 190}, kLander = {136, 118, 196},
              kLeg = {168, 152, 214}, kFlame = {250, 160, 60}, kFlag = {224, 200, 60};

/// Follows an episode: the row holds its generator and actions, so the world of a later state of
/// the same episode is reached by the actions in between.
class LunarScene final : public Scene {
 public:
  LunarScene(const LunarLanderConfig& config, bool continuous) : world_(config, continuous) {}

  void draw(std::span<const double> state, std::span<const float> action, Image& image) override;
  std::string backend() const override { return "2-D"; }

 private:
  void go_to(std::span<const double> state);
  void draw_moon(Canvas& canvas) const;
  void draw_lander(Canvas& canvas, std::span<const float> action) const;
  Point map(const std::array<double, 2>& place) const {
    return {place[0] * scale_, height_ - place[1] * scale_};
  }

  LunarWorld world_;
  std::vector<double> row_;  // where the world is; empty: nowhere
  NumpyGenerator generator_{0};
  double scale_ = 1.0, height_ = 0.0;  // pixels per metre, pixels
};

void LunarScene::go_to(std::span<const double> state) {
  const auto same = [&](std::size_t begin, std::size_t end) {
    return std::equal(row_.begin() + static_cast<std::ptrdiff_t>(begin),
                      row_.begin() + static_cast<std::ptrdiff_t>(end),
                      state.begin() + static_cast<std::ptrdiff_t>(begin),
                      [](double a, double b) { return lunar::word(a) == lunar::word(b); });
  };
  const auto steps = static_cast<std::size_t>(state[lunar::kSteps]);
  std::size_t done = row_.empty() ? 0 : static_cast<std::size_t>(row_[lunar::kSteps]);
  std::array<double, lunar::kObservationDim> observation;
  const bool is_later = !row_.empty() && done <= steps && same(0, NumpyGenerator::kNumWords) &&
                        same(lunar::kActions, lunar::kActions + done);
  if (!is_later) {
    generator_ = lunar::episode_generator(state);
    world_.start(generator_, observation);
    done = 0;
  }
  for (; done < steps; ++done) {
    world_.step(generator_, lunar::unpack(state[lunar::kActions + done]), observation);
  }
  row_.assign(state.begin(), state.end());
}

void LunarScene::draw(std::span<const double> state, std::span<const float> action, Image& image) {
  go_to(state);
  image = Image(image.width, image.height, kSky);
  Canvas canvas(image);
  scale_ = std::min(image.width / lunar::kWidth, image.height / lunar::kHeight);
  height_ = image.height;
  draw_moon(canvas);
  draw_lander(canvas, action);
}

void LunarScene::draw_moon(Canvas& canvas) const {
  const LunarWorld::Shapes shapes = world_.shapes();
  std::vector<Point> ground;
  for (const auto& place : shapes.moon) ground.push_back(map(place));
  // to the picture's edges, which may be wider than the moon
  ground.push_back({static_cast<double>(canvas.width()), ground.back().y});
  ground.push_back({static_cast<double>(canvas.width()), height_});
  ground.push_back({0.0, height_});
  canvas.polygon(ground, kMoon);
  for (const double x : shapes.pad_x) {
    const Point foot = map({x, shapes.pad_y});
    const double pole = 50 / lunar::kScale * scale_;
    canvas.line(foot, {foot.x, foot.y - pole}, 2, {255, 255, 255});
    const std::array<Point, 3> flag = {{{foot.x, foot.y - pole},
                                        {foot.x + 0.5 * pole, foot.y - 0.85 * pole},
                                        {foot.x, foot.y - 0.7 * pole}}};
    canvas.polygon(flag, kFlag);
  }
}

void LunarScene::draw_lander(Canvas& canvas, std::span<const float> action) const {
  const LunarWorld::Shapes shapes = world_.shapes();
  const LunarWorld::Throttle throttle = world_.throttle_of(action);
  const double sine = std::sin(shapes.angle), cosine = std::cos(shapes.angle);
  // a place of the lander's own, in Gymnasium's pixels
  const auto on_lander = [&](double x, double y) {
    x /= lunar::kScale;
    y /= lunar::kScale;
    return map(
        {shapes.position[0] + x * cosine - y * sine, shapes.position[1] + x * sine + y * cosine});
  };
  if (throttle.main > 0) {
    const std::array<Point, 3> flame = {
        {on_lander(-6, -10), on_lander(6, -10), on_lander(0, -12 - 36 * throttle.main)}};
    canvas.polygon(flame, kFlame);
  }
  if (throttle.side > 0) {
    // direction 1 fires on the right
    const double side = throttle.direction;
    const std::array<Point, 3> flame = {{on_lander(17 * side, 14), on_lander(17 * side, 6),
                                         on_lander(side * (20 + 18 * throttle.side), 10)}};
    canvas.polygon(flame, kFlame);
  }
  const auto fill = [&](const std::vector<std::array<double, 2>>& outline, Rgb color) {
    std::vector<Point> corners;
    for (const auto& place : outline) corners.push_back(map(place));
    canvas.polygon(corners, color);
  };
  for (const auto& leg : shapes.legs) fill(leg, kLeg);
  fill(shapes.lander, kLander);
}

}  // namespace

std::unique_ptr<Scene> make_lunar_scene(const SimConfig& config) {
  return std::make_unique<LunarScene>(config.lunar_lander,
                                      config.env.find("Continuous") != std::string::npos);
}

}  // namespace anthill
