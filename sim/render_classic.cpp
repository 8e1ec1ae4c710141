// Pendulum, CartPole and MountainCarContinuous; sizes and limits are those of sim/pendulum.cpp and
// its neighbours.
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "sim/render_canvas.hpp"
#include "sim/render_scene.hpp"

namespace anthill {
namespace {

constexpr Rgb kPaper = {250, 250, 247}, kInk = {60, 60, 60}, kPale = {205, 205, 200};
constexpr Rgb kBody = {70, 110, 160}, kRod = {200, 110, 60}, kForce = {200, 50, 60},
              kGround = {150, 165, 130};

/// From metres (y up) to pixels.
struct Map {
  Point origin;  // of the metres, in pixels
  double scale;  // pixels per metre

  Point operator()(double x, double y) const {
    return {origin.x + scale * x, origin.y - scale * y};
  }
};

class ClassicScene : public Scene {
 public:
  std::string backend() const final { return "2-D"; }
};

/// An arrow from `from`, `length` pixels to the right (negative: left).
void arrow(Canvas& canvas, Point from, double length, double thickness) {
  if (std::abs(length) < 1.0) return;
  const Point tip = {from.x + length, from.y};
  const double head = std::copysign(2.5 * thickness, length);
  canvas.line(from, {tip.x - head, tip.y}, thickness, kForce);
  const std::array<Point, 3> corners = {{{tip.x, tip.y},
                                         {tip.x - head, tip.y - 2 * thickness},
                                         {tip.x - head, tip.y + 2 * thickness}}};
  canvas.polygon(corners, kForce);
}

/// State: | angle from upright, counter-clockwise | speed |; action: torque.
class PendulumScene final : public ClassicScene {
  void draw(std::span<const double> state, std::span<const float> action, Image& image) override {
    image = Image(image.width, image.height, kPaper);
    Canvas canvas(image);
    const Map map = {{image.width * 0.5, image.height * 0.45}, image.height * 0.33};
    const double thickness = 0.16 * map.scale;
    canvas.circle(map(0, 0), 1.08 * map.scale, kPale, 0.35);
    const Point tip = map(-std::sin(state[0]), std::cos(state[0]));
    canvas.line(map(0, 0), tip, thickness, kRod);
    canvas.circle(map(0, 0), 0.05 * map.scale, kInk);
    // the torque as an arc around the axle, half a turn for all of it
    const double turn = static_cast<double>(action[0]) * std::numbers::pi;
    const double top = std::numbers::pi / 2, radius = 0.3 * map.scale;
    if (std::abs(turn) > 0.02) {
      canvas.arc(map(0, 0), radius, top, top + turn, 0.05 * map.scale, kForce);
      const double end = top + turn;
      canvas.circle({map.origin.x + radius * std::cos(end), map.origin.y - radius * std::sin(end)},
                    0.06 * map.scale, kForce);
    }
  }
};

/// State: | x | its speed | angle from upright, to the right | its speed |; action: 0 left, 1
/// right.
class CartpoleScene final : public ClassicScene {
  void draw(std::span<const double> state, std::span<const float> action, Image& image) override {
    constexpr double kLimit = 2.4, kPole = 1.0;  // m
    image = Image(image.width, image.height, kPaper);
    Canvas canvas(image);
    const Map map = {{image.width * 0.5, image.height * 0.62}, image.width * 0.19};
    canvas.line(map(-2.6, 0), map(2.6, 0), 2, kInk);
    for (const double side : {-kLimit, kLimit}) {
      canvas.line(map(side, -0.15), map(side, 0.15), 3, kForce);
    }
    const double x = state[0], width = 0.25, height = 0.15;
    const Point low = map(x - width, height), high = map(x + width, -height);
    canvas.rectangle(low, high, kBody);
    const Point axle = map(x, height / 2);
    canvas.line(axle, map(x + kPole * std::sin(state[2]), height / 2 + kPole * std::cos(state[2])),
                0.09 * map.scale, kRod);
    canvas.circle(axle, 0.04 * map.scale, kInk);
    const double side = action[0] == 1.0f ? 1.0 : -1.0;
    arrow(canvas, map(x + side * width, 0), side * 0.45 * map.scale, 0.04 * map.scale);
  }
};

/// State: | position | velocity | ... |; action: push.
class MountainCarScene final : public ClassicScene {
  static double hill(double x) { return 0.45 * std::sin(3 * x) + 0.55; }

  void draw(std::span<const double> state, std::span<const float> action, Image& image) override {
    constexpr double kLeft = -1.2, kRight = 0.6, kGoal = 0.45;
    image = Image(image.width, image.height, kPaper);
    Canvas canvas(image);
    const double scale = image.width / (kRight - kLeft);
    const Map map = {{-kLeft * scale, image.height * 0.8}, scale * 0.55};
    const auto at = [&](double x, double above) {
      return Point{map.origin.x + scale * x, map.origin.y - map.scale * hill(x) - above};
    };
    std::vector<Point> ground = {{static_cast<double>(image.width), image.height * 1.0},
                                 {0.0, image.height * 1.0}};
    for (int i = 0; i <= 120; ++i) ground.push_back(at(kLeft + (kRight - kLeft) * i / 120, 0));
    canvas.polygon(ground, kGround);
    const double size = 0.03 * image.width;
    const Point foot = at(kGoal, 0);
    canvas.line(foot, {foot.x, foot.y - 3 * size}, 2, kInk);
    const std::array<Point, 3> flag = {{{foot.x, foot.y - 3 * size},
                                        {foot.x + 1.3 * size, foot.y - 2.5 * size},
                                        {foot.x, foot.y - 2 * size}}};
    canvas.polygon(flag, kForce);

    // the car stands on the slope
    const double x = state[0];
    const Point ahead = at(x + 0.01, 0), behind = at(x - 0.01, 0), here = at(x, 0);
    const double slope = std::atan2(behind.y - ahead.y, ahead.x - behind.x);
    const auto on_car = [&](double forward, double up) {
      return Point{here.x + forward * std::cos(slope) - up * std::sin(slope),
                   here.y - forward * std::sin(slope) - up * std::cos(slope)};
    };
    const std::array<Point, 4> box = {{on_car(-size, 0.35 * size), on_car(size, 0.35 * size),
                                       on_car(size, 1.2 * size), on_car(-size, 1.2 * size)}};
    canvas.polygon(box, kBody);
    for (const double wheel : {-0.6, 0.6}) {
      canvas.circle(on_car(wheel * size, 0.35 * size), 0.35 * size, kInk);
    }
    const Point middle = on_car(0, 2.0 * size);
    arrow(canvas, middle, static_cast<double>(action[0]) * 3 * size, 0.15 * size);
  }
};

}  // namespace

std::unique_ptr<Scene> make_classic_scene(const std::string& env) {
  if (env.starts_with("Pendulum")) return std::make_unique<PendulumScene>();
  if (env.starts_with("CartPole")) return std::make_unique<CartpoleScene>();
  if (env.starts_with("MountainCarContinuous")) return std::make_unique<MountainCarScene>();
  return nullptr;
}

}  // namespace anthill
