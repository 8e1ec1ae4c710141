// Drawing without OpenGL: the canvas, letters, and the scenes of the tasks in two dimensions.
#define BOOST_TEST_MODULE render
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "sim/env_factory.hpp"
#include "sim/mujoco_env.hpp"
#include "sim/render_canvas.hpp"
#include "sim/render_font.hpp"
#include "sim/render_scene.hpp"

using namespace anthill;

namespace {

constexpr Rgb kWhite = {255, 255, 255}, kRed = {200, 0, 0};

/// Sum over pixels of how far red has come towards kRed's green of 0, in pixels.
double area(const Image& image) {
  double sum = 0.0;
  for (std::size_t i = 1; i < image.bytes.size(); i += 3) sum += (255.0 - image.bytes[i]) / 255.0;
  return sum;
}

/// The mean place of the pixels of a color.
Point middle_of(const Image& image, Rgb color) {
  Point sum;
  double count = 0.0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (image.at(x, y) != color) continue;
      sum = {sum.x + x, sum.y + y};
      count += 1.0;
    }
  }
  BOOST_REQUIRE(count > 0.0);
  return {sum.x / count, sum.y / count};
}

constexpr Rgb kRod = {200, 110, 60}, kBody = {70, 110, 160}, kForce = {200, 50, 60};

Image draw(Scene& scene, std::vector<double> state, std::vector<float> action) {
  Image image(320, 240);
  scene.draw(state, action, image);
  return image;
}

SimConfig config_of(const std::string& env) {
  SimConfig config;
  config.env = env;
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(shapes_cover_their_area) {
  Image image(100, 80, kWhite);
  Canvas canvas(image);
  canvas.rectangle({10.5, 20.25}, {30, 40.75}, {255, 0, 0});
  BOOST_TEST(std::abs(area(image) - 19.5 * 20.5) < 0.5);
  BOOST_CHECK(image.at(20, 30) == (Rgb{255, 0, 0}));
  BOOST_CHECK(image.at(10, 30) == (Rgb{255, 128, 128}));  // half covered
  BOOST_CHECK(image.at(9, 30) == kWhite);

  image = Image(100, 80, kWhite);
  canvas.circle({50, 40}, 20, {255, 0, 0});
  BOOST_TEST(std::abs(area(image) / (std::numbers::pi * 400) - 1.0) < 0.01);
  image = Image(100, 80, kWhite);
  canvas.line({20, 20}, {60, 50}, 6, {255, 0, 0});
  BOOST_TEST(std::abs(area(image) / (50 * 6 + std::numbers::pi * 9) - 1.0) < 0.01);
  image = Image(100, 80, kWhite);
  canvas.arc({50, 40}, 20, 0, std::numbers::pi, 4, {255, 0, 0});
  BOOST_TEST(std::abs(area(image) / (std::numbers::pi * 20 * 4) - 1.0) < 0.02);
  BOOST_CHECK(image.at(50, 20) == (Rgb{255, 0, 0}));  // counter-clockwise: the upper half
  BOOST_CHECK(image.at(50, 60) == kWhite);
}

BOOST_AUTO_TEST_CASE(opacity_is_blended_once) {
  Image image(40, 40, kWhite);
  Canvas(image).line({10, 20}, {30, 20}, 10, {255, 0, 0}, 0.5);
  for (const int x : {8, 10, 20, 30, 32}) BOOST_CHECK(image.at(x, 20) == (Rgb{255, 128, 128}));
}

BOOST_AUTO_TEST_CASE(what_lies_outside_is_cut_off) {
  Image image(30, 20, kWhite);
  Canvas canvas(image);
  canvas.rectangle({-100, -100}, {100, 100}, kRed);
  canvas.line({-50, -50}, {200, 300}, 9, kWhite);
  canvas.circle({30, 20}, 500, kRed);
  canvas.text(-3, -4, "outside and too long for this", 3, kWhite);
  canvas.polygon({}, kRed);
  Image part(10, 10);
  BOOST_CHECK_THROW(image.paste(part, 25, 0), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(letters_are_distinct_and_drawn_as_their_squares) {
  for (char a = ' '; a <= '~'; ++a) {
    for (char b = ' '; b < a; ++b) {
      BOOST_TEST((glyph_of(a) != glyph_of(b)), "'" << a << "' looks like '" << b << "'");
    }
  }
  BOOST_CHECK(glyph_of('\n') == glyph_of('?') && glyph_of('\xc3') == glyph_of('?'));
  Image image(40, 30, kWhite);
  Canvas(image).text(4, 6, "QL", 2, kRed);
  for (int y = 0; y < 2 * kGlyphHeight; ++y) {
    for (int x = 0; x < 2 * (kLetterWidth + kGlyphWidth); ++x) {
      const Glyph& glyph = glyph_of(x < 2 * kLetterWidth ? 'Q' : 'L');
      const int column = x / 2 % kLetterWidth;
      const bool set =
          column < kGlyphWidth && (glyph[static_cast<std::size_t>(y / 2)] >> (4 - column) & 1) != 0;
      BOOST_TEST((image.at(4 + x, 6 + y) == (set ? kRed : kWhite)), x << ", " << y);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_png_file_is_the_same_every_time) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("anthill-render-" + std::to_string(::getpid()) + ".png");
  Image image(33, 21, kRed);
  const auto bytes = [&] {
    write_png(path, image);
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string first = bytes();
  BOOST_TEST(first.substr(1, 3) == "PNG");
  BOOST_TEST((first == bytes()));
  std::filesystem::remove(path);
  BOOST_CHECK_THROW(write_png("/no/such/folder/x.png", image), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(the_pendulum_stands_where_its_angle_says) {
  const auto scene = make_classic_scene("Pendulum-v1");
  const Image up = draw(*scene, {0, 0}, {0}), down = draw(*scene, {std::numbers::pi, 0}, {0});
  const Image left = draw(*scene, {std::numbers::pi / 2, 0}, {0});
  BOOST_TEST(middle_of(up, kRod).y < 108 - 20);
  BOOST_TEST(middle_of(down, kRod).y > 108 + 20);
  BOOST_TEST(middle_of(left, kRod).x < 160 - 20);
  BOOST_TEST(std::abs(middle_of(left, kRod).y - 108) < 2);
  // a positive torque turns counter-clockwise
  BOOST_TEST(middle_of(draw(*scene, {std::numbers::pi, 0}, {0.5f}), kForce).x < 158);
  BOOST_TEST(middle_of(draw(*scene, {std::numbers::pi, 0}, {-0.5f}), kForce).x > 162);
}

BOOST_AUTO_TEST_CASE(the_cart_and_its_pole_stand_where_they_are) {
  const auto scene = make_classic_scene("CartPole-v1");
  const Image middle = draw(*scene, {0, 0, 0.2, 0}, {1}),
              right = draw(*scene, {1, 0, -0.2, 0}, {0});
  BOOST_TEST(std::abs(middle_of(middle, kBody).x - 160) < 2);
  BOOST_TEST(std::abs(middle_of(right, kBody).x - (160 + 0.19 * 320)) < 2);
  BOOST_TEST(middle_of(middle, kRod).x > middle_of(middle, kBody).x + 2);
  BOOST_TEST(middle_of(right, kRod).x < middle_of(right, kBody).x - 2);
}

BOOST_AUTO_TEST_CASE(the_car_stands_in_the_valley_and_on_the_hill) {
  const auto scene = make_classic_scene("MountainCarContinuous-v0");
  const Point valley = middle_of(draw(*scene, {-std::numbers::pi / 6, 0, 0}, {0}), kBody);
  const Point hill = middle_of(draw(*scene, {0.45, 0, 0}, {0}), kBody);
  BOOST_TEST(std::abs(valley.x - (1.2 - std::numbers::pi / 6) / 1.8 * 320) < 2);
  BOOST_TEST(hill.y < valley.y - 50);
}

// in any order, and again
BOOST_AUTO_TEST_CASE(the_lander_s_pictures_depend_on_the_state_alone) {
  for (const std::string name : {"LunarLander-v3", "LunarLanderContinuous-v3"}) {
    const SimConfig config = config_of(name);
    const auto env = make_env(config);
    const auto workspace = env->make_workspace();
    NumpyGenerator rng(7);
    std::vector<double> row(static_cast<std::size_t>(env->spec().state_dim)), observation(8);
    env->reset(*workspace, rng, row, observation);
    std::vector<std::vector<double>> states;
    const std::vector<float> action(static_cast<std::size_t>(env->spec().action_dim), 0.0f);
    for (int step = 0; step < 60; ++step) {
      states.push_back(row);
      if (env->step(*workspace, rng, row, action, observation, {}).terminated) break;
    }
    const auto scene = make_scene(config, env, {});
    std::vector<Image> forwards;
    for (const auto& state : states) forwards.push_back(draw(*scene, state, action));
    BOOST_CHECK(forwards.front() != forwards.back());
    for (const std::size_t i :
         {std::size_t{40}, std::size_t{3}, std::size_t{0}, states.size() - 1}) {
      BOOST_TEST((draw(*scene, states[i], action) == forwards[i]), name << ", state " << i);
      BOOST_TEST((draw(*make_scene(config, env, {}), states[i], action) == forwards[i]));
    }
    // falling
    constexpr Rgb kLander = {136, 118, 196};
    BOOST_TEST(middle_of(forwards.back(), kLander).y > middle_of(forwards.front(), kLander).y + 5);
  }
}

BOOST_AUTO_TEST_CASE(every_task_without_mujoco_has_a_drawing) {
  int drawn = 0;
  for (const std::string& name : env_names()) {
    if (name == "mjcf") continue;
    const SimConfig config = config_of(name);
    const auto env = make_env(config);
    if (dynamic_cast<const MujocoEnv*>(env.get()) != nullptr) continue;
    BOOST_TEST(make_scene(config, env, {})->backend() == "2-D");
    ++drawn;
  }
  BOOST_TEST(drawn == 5);
}
