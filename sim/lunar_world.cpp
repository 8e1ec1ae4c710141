#include "sim/lunar_world.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace anthill {
namespace {

using namespace lunar;

constexpr double kMainEnginePower = 13.0;
constexpr double kSideEnginePower = 0.6;
constexpr double kInitialRandom = 1000.0;  // N
constexpr double kLegAway = 20, kLegDown = 18, kLegWidth = 2, kLegHeight = 8;
constexpr double kLegSpringTorque = 40;
constexpr double kSideEngineHeight = 14, kSideEngineAway = 12;
constexpr double kMainEngineY = 4;
constexpr std::size_t kNumChunks = 11;
// of the velocity solver. Gymnasium's 180 suffice in flight; on the ground Box2D 2.4, which solves
// a joint's limit and its pivot in turns where 2.3 solved them as one, needs more: with 180 the
// legs are springs, and the lander comes to rest 14 steps later (docs/lunar_lander.md)
constexpr int kFlightIterations = 6 * 30;
constexpr int kContactIterations = 10 * kFlightIterations;
constexpr std::array<std::array<double, 2>, 6> kLanderOutline = {
    {{-14, 17}, {-17, 0}, {-17, -10}, {17, -10}, {17, 0}, {14, 17}}};
constexpr std::uint16_t kGround = 0x0001, kLander = 0x0010, kLeg = 0x0020;

/// Box2D computes in float32; what Python hands over is rounded here, as there.
b2Vec2 vec(double x, double y) { return {static_cast<float>(x), static_cast<float>(y)}; }

}  // namespace

LunarWorld::LunarWorld(const LunarLanderConfig& config, bool continuous)
    : config_(config), continuous_(continuous) {}

void LunarWorld::start(NumpyGenerator& rng, std::span<double> observation) {
  world_.emplace(vec(0, config_.gravity));
  world_->SetContactListener(this);
  leg_touches_ = {};
  crashed_ = false;
  shaping_.reset();
  build_moon(rng);
  build_lander(rng);
  build_leg(0, -1);
  build_leg(1, 1);
  const std::array<float, 2> nothing{};
  step(rng, nothing, observation);
}

/// Twelve heights are drawn and the five in the middle flattened; the ground is their running mean,
/// which reaches around the end for the first, as Python's index -1 does.
void LunarWorld::build_moon(NumpyGenerator& rng) {
  std::array<double, kNumChunks + 1> height;
  for (double& h : height) h = rng.uniform(0, kHeight / 2);
  helipad_y_ = kHeight / 4;
  for (std::size_t i = kNumChunks / 2 - 2; i <= kNumChunks / 2 + 2; ++i) height[i] = helipad_y_;
  const auto smooth_y = [&](std::size_t i) {
    const double before = height[(i + kNumChunks) % (kNumChunks + 1)];
    return 0.33 * (before + height[i] + height[i + 1]);
  };
  const auto chunk_x = [](std::size_t i) {
    return kWidth / (kNumChunks - 1) * static_cast<double>(i);
  };

  const b2BodyDef static_body;
  moon_ = world_->CreateBody(&static_body);
  b2EdgeShape edge;
  edge.SetTwoSided(vec(0, 0), vec(kWidth, 0));
  moon_->CreateFixture(&edge, 0);
  for (std::size_t i = 0; i + 1 < kNumChunks; ++i) {
    edge.SetTwoSided(vec(chunk_x(i), smooth_y(i)), vec(chunk_x(i + 1), smooth_y(i + 1)));
    b2FixtureDef fixture;
    fixture.shape = &edge;
    fixture.friction = 0.1f;
    moon_->CreateFixture(&fixture);
  }
}

void LunarWorld::build_lander(NumpyGenerator& rng) {
  std::array<b2Vec2, kLanderOutline.size()> outline;
  std::ranges::transform(kLanderOutline, outline.begin(), [](const auto& point) {
    return vec(point[0] / kScale, point[1] / kScale);
  });
  b2PolygonShape shape;
  shape.Set(outline.data(), static_cast<int32>(outline.size()));
  b2FixtureDef fixture;
  fixture.shape = &shape;
  fixture.density = 5.0f;
  fixture.friction = 0.1f;
  fixture.filter.categoryBits = kLander;
  fixture.filter.maskBits = kGround;
  b2BodyDef body;
  body.type = b2_dynamicBody;
  body.position = vec(kWidth / 2, kHeight);
  lander_ = world_->CreateBody(&body);
  lander_->CreateFixture(&fixture);

  const double push_x = rng.uniform(-kInitialRandom, kInitialRandom);
  const double push_y = rng.uniform(-kInitialRandom, kInitialRandom);
  lander_->ApplyForceToCenter(vec(push_x, push_y), true);
  if (config_.enable_wind) {
    wind_index_ = static_cast<double>(rng.integers(-9999, 9999));
    torque_index_ = static_cast<double>(rng.integers(-9999, 9999));
  }
}

void LunarWorld::build_leg(std::size_t leg, double side) {
  b2PolygonShape shape;
  shape.SetAsBox(static_cast<float>(kLegWidth / kScale), static_cast<float>(kLegHeight / kScale));
  b2FixtureDef fixture;
  fixture.shape = &shape;
  fixture.density = 1.0f;
  fixture.filter.categoryBits = kLeg;
  fixture.filter.maskBits = kGround;
  b2BodyDef body;
  body.type = b2_dynamicBody;
  body.position = vec(kWidth / 2 - side * kLegAway / kScale, kHeight);
  body.angle = static_cast<float>(side * 0.05);
  legs_[leg] = world_->CreateBody(&body);
  legs_[leg]->CreateFixture(&fixture);

  b2RevoluteJointDef joint;
  joint.bodyA = lander_;
  joint.bodyB = legs_[leg];
  joint.localAnchorB = vec(side * kLegAway / kScale, kLegDown / kScale);
  // pybox2d fills this in where Gymnasium says nothing
  joint.referenceAngle = legs_[leg]->GetAngle() - lander_->GetAngle();
  joint.enableMotor = true;
  joint.enableLimit = true;
  joint.maxMotorTorque = static_cast<float>(kLegSpringTorque);
  joint.motorSpeed = static_cast<float>(0.3 * side);
  joint.lowerAngle = static_cast<float>(side < 0 ? 0.9 - 0.5 : -0.9);
  joint.upperAngle = static_cast<float>(side < 0 ? 0.9 : -0.9 + 0.5);
  world_->CreateJoint(&joint);
}

/// Force and torque tanh(sin(2 k t) + sin(pi k t)) times the power, k = 0.01, while no leg touches.
void LunarWorld::blow_wind() {
  if (!config_.enable_wind || leg_touches_[0] || leg_touches_[1]) return;
  const auto strength = [](double t) {
    return std::tanh(std::sin(0.02 * t) + std::sin(std::numbers::pi * 0.01 * t));
  };
  lander_->ApplyForceToCenter(vec(strength(wind_index_) * config_.wind_power, 0), true);
  lander_->ApplyTorque(static_cast<float>(strength(torque_index_) * config_.turbulence_power),
                       true);
  wind_index_ += 1;
  torque_index_ += 1;
}

LunarWorld::Throttle LunarWorld::throttle_of(std::span<const float> action) const {
  Throttle throttle;
  if (!continuous_) {
    if (action[0] == 2) throttle.main = 1;
    if (action[0] == 1 || action[0] == 3) {
      throttle.side = 1;
      throttle.direction = static_cast<double>(action[0]) - 2;
    }
    return throttle;
  }
  const double main = static_cast<double>(std::clamp(action[0], -1.0f, 1.0f));
  const double side = static_cast<double>(std::clamp(action[1], -1.0f, 1.0f));
  if (main > 0) throttle.main = (main + 1.0) * 0.5;
  if (std::abs(side) > 0.5) {
    throttle.side = std::abs(side);
    throttle.direction = side < 0 ? -1 : 1;
  }
  return throttle;
}

/// Impulses at the nozzles. Two dispersion numbers are drawn whether an engine is on or not.
void LunarWorld::fire_engines(NumpyGenerator& rng, const Throttle& throttle) {
  const double angle = static_cast<double>(lander_->GetAngle());
  const std::array<double, 2> tip = {std::sin(angle), std::cos(angle)};
  const std::array<double, 2> side = {-tip[1], tip[0]};
  const double along = rng.uniform(-1, 1) / kScale;
  const double across = rng.uniform(-1, 1) / kScale;
  const auto push = [&](double impulse_x, double impulse_y, double x, double y) {
    lander_->ApplyLinearImpulse(vec(impulse_x, impulse_y), vec(x, y), true);
  };
  if (throttle.main > 0) {
    const double ox = tip[0] * (kMainEngineY / kScale + 2 * along) + side[0] * across;
    const double oy = -tip[1] * (kMainEngineY / kScale + 2 * along) - side[1] * across;
    const auto x = static_cast<double>(lander_->GetPosition().x);
    const auto y = static_cast<double>(lander_->GetPosition().y);
    push(-ox * kMainEnginePower * throttle.main, -oy * kMainEnginePower * throttle.main, x + ox,
         y + oy);
  }
  if (throttle.side > 0) {
    const double reach = 3 * across + throttle.direction * kSideEngineAway / kScale;
    const double ox = tip[0] * along + side[0] * reach;
    const double oy = -tip[1] * along - side[1] * reach;
    const auto x = static_cast<double>(lander_->GetPosition().x);
    const auto y = static_cast<double>(lander_->GetPosition().y);
    // 17, where the engines' height of 14 was meant: Gymnasium's
    push(-ox * kSideEnginePower * throttle.side, -oy * kSideEnginePower * throttle.side,
         x + ox - tip[0] * 17 / kScale, y + oy + tip[1] * kSideEngineHeight / kScale);
  }
}

std::array<double, kObservationDim> LunarWorld::state() const {
  const auto x = static_cast<double>(lander_->GetPosition().x);
  const auto y = static_cast<double>(lander_->GetPosition().y);
  const auto velocity_x = static_cast<double>(lander_->GetLinearVelocity().x);
  const auto velocity_y = static_cast<double>(lander_->GetLinearVelocity().y);
  return {(x - kWidth / 2) / (kWidth / 2),
          (y - (helipad_y_ + kLegDown / kScale)) / (kHeight / 2),
          velocity_x * (kWidth / 2) / kStepsPerSecond,
          velocity_y * (kHeight / 2) / kStepsPerSecond,
          static_cast<double>(lander_->GetAngle()),
          20.0 * static_cast<double>(lander_->GetAngularVelocity()) / kStepsPerSecond,
          leg_touches_[0] ? 1.0 : 0.0,
          leg_touches_[1] ? 1.0 : 0.0};
}

StepResult LunarWorld::step(NumpyGenerator& rng, std::span<const float> action,
                            std::span<double> observation) {
  blow_wind();
  const Throttle throttle = throttle_of(action);
  fire_engines(rng, throttle);
  const bool touches = leg_touches_[0] || leg_touches_[1];
  world_->Step(static_cast<float>(1.0 / kStepsPerSecond),
               touches ? kContactIterations : kFlightIterations, 2 * 30);

  const auto s = state();
  // float32 in Gymnasium
  for (std::size_t i = 0; i < s.size(); ++i) observation[i] = static_cast<float>(s[i]);
  const double shaping = -100 * std::sqrt(s[0] * s[0] + s[1] * s[1]) -
                         100 * std::sqrt(s[2] * s[2] + s[3] * s[3]) - 100 * std::abs(s[4]) +
                         10 * s[6] + 10 * s[7];
  StepResult result{.reward = shaping_ ? shaping - *shaping_ : 0.0};
  shaping_ = shaping;
  result.reward -= throttle.main * 0.30;
  result.reward -= throttle.side * 0.03;
  if (crashed_ || std::abs(s[0]) >= 1.0) {
    result.terminated = true;
    result.reward = -100;
  }
  if (!lander_->IsAwake()) {
    result.terminated = true;
    result.reward = 100;
  }
  return result;
}

LunarWorld::Shapes LunarWorld::shapes() const {
  const auto point = [](const b2Vec2& v) {
    return std::array<double, 2>{static_cast<double>(v.x), static_cast<double>(v.y)};
  };
  const auto outline = [&](const b2Body& body) {
    const auto& shape = static_cast<const b2PolygonShape&>(*body.GetFixtureList()->GetShape());
    std::vector<std::array<double, 2>> corners;
    for (int32 i = 0; i < shape.m_count; ++i) {
      corners.push_back(point(body.GetWorldPoint(shape.m_vertices[i])));
    }
    return corners;
  };
  Shapes shapes;
  for (const b2Fixture* f = moon_->GetFixtureList(); f != nullptr; f = f->GetNext()) {
    const auto& edge = static_cast<const b2EdgeShape&>(*f->GetShape());
    if (edge.m_vertex1.y == 0 && edge.m_vertex2.y == 0) continue;  // the floor below everything
    shapes.moon.push_back(point(edge.m_vertex1));
    shapes.moon.push_back(point(edge.m_vertex2));
  }
  std::ranges::sort(shapes.moon, {}, [](const auto& place) { return place[0]; });
  shapes.lander = outline(*lander_);
  for (std::size_t leg = 0; leg < 2; ++leg) shapes.legs[leg] = outline(*legs_[leg]);
  const double chunk = kWidth / (kNumChunks - 1);
  shapes.pad_x = {chunk * (kNumChunks / 2 - 1), chunk * (kNumChunks / 2 + 1)};
  shapes.pad_y = helipad_y_;
  shapes.position = point(lander_->GetPosition());
  shapes.angle = static_cast<double>(lander_->GetAngle());
  return shapes;
}

void LunarWorld::BeginContact(b2Contact* contact) {
  const b2Body* a = contact->GetFixtureA()->GetBody();
  const b2Body* b = contact->GetFixtureB()->GetBody();
  crashed_ |= a == lander_ || b == lander_;
  for (std::size_t i = 0; i < 2; ++i) leg_touches_[i] |= a == legs_[i] || b == legs_[i];
}

void LunarWorld::EndContact(b2Contact* contact) {
  const b2Body* a = contact->GetFixtureA()->GetBody();
  const b2Body* b = contact->GetFixtureB()->GetBody();
  for (std::size_t i = 0; i < 2; ++i) {
    if (a == legs_[i] || b == legs_[i]) leg_touches_[i] = false;
  }
}

}  // namespace anthill
