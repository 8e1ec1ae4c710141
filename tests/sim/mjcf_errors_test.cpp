// What [sim.mjcf] can get wrong, and the one line that says so.
#define BOOST_TEST_MODULE sim_mjcf_errors
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "sim/env_factory.hpp"
#include "tests/sim/model_files.hpp"
#include "tests/sim/mujoco_guard.hpp"

using namespace anthill;

namespace {

std::string error_of(const SimConfig& config) {
  try {
    make_env(config);
  } catch (const ConfigError& error) {
    BOOST_TEST(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The error of the test's hopper with one change.
template <typename Change>
std::string error_with(const ModelFiles& files, Change change) {
  SimConfig config = files.hopper();
  change(config.mjcf);
  return error_of(config);
}

}  // namespace

BOOST_AUTO_TEST_CASE(wrong_fields_are_refused_in_one_line) {
  const ModelFiles files;
  const auto observing = [&](const std::string& text) {
    return error_with(files, [&](MjcfConfig& config) { config.observation = {"qpos", text}; });
  };
  BOOST_TEST(observing("qpso") ==
             "sim.mjcf.observation: 'qpso': unknown field 'qpso'; did you mean 'qpos'? the fields "
             "are qpos, qvel, act, qfrc_actuator, actuator_force, sensordata, xpos, cinert, cvel, "
             "cfrc_ext, sensor(NAME), joint(NAME), joint_velocity(NAME)");
  BOOST_TEST(observing("qpos[4]") ==
             "sim.mjcf.observation: 'qpos[4]': [4] is empty or beyond the model's 3 elements");
  BOOST_TEST(contains(observing("qpos[3:]"), "beyond the model's 3 elements"));
  BOOST_TEST(contains(observing("qpos[2:1]"), "is empty"));
  BOOST_TEST(contains(observing("qpos[-1]"), "no index"));
  BOOST_TEST(contains(observing("qpos[1:2"), "write it as"));
  BOOST_TEST(contains(observing("xpos[4:]"), "beyond the model's 4 elements"));
  BOOST_TEST(contains(observing("sensor(tuch)"),
                      "the model has no sensor named 'tuch'; did you mean 'touch'?"));
  BOOST_TEST(contains(observing("joint(elbow)"), "no joint named 'elbow'"));
  BOOST_TEST(contains(observing("xpos(food)"), "no body named 'food'; did you mean 'foot'?"));
  BOOST_TEST(contains(observing("qpos(hip)"), "takes no (NAME)"));
  BOOST_TEST(contains(observing("sensor(time)"), "a clock is no part of the state"));
  BOOST_TEST(contains(observing("sensordata"), "leave out element 4 of sensordata"));
  BOOST_TEST(contains(observing("sensordata[4]"), "a clock is no part of the state"));
  BOOST_TEST(observing("sensordata[:4]") == "");
  BOOST_TEST(contains(observing("act"), "the model has none of it"));
  BOOST_TEST(contains(observing("sensor(touch"), "no ')'"));
  BOOST_TEST(contains(observing(""), "unknown field ''"));
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused_in_one_line) {
  const ModelFiles files;
  const auto with = [&](auto change) { return error_with(files, change); };
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.observation = {}; }), "observation: is empty"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.model = ""; }), "sim.mjcf.model: "));
  BOOST_TEST(
      contains(with([](MjcfConfig& c) { c.model = "none.xml"; }), "/none.xml': no such file"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.forward_body = "fot"; }), "no body named 'fot'"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.forward_axis = "w"; }), "forward_axis: must be"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.reset_keyframe = "hi"; }), "no keyframe"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.reset_velocity_noise = "no"; }), "must be"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.frame_skip = 0; }), "frame_skip: must be"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.healthy_reward = NAN; }), "finite number"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.velocity_range = {1, 1}; }), "low < high"));
  for (const char* text :
       {"qpos[2]", "0.2 > qpos[2]", "1 < qpos < 2 < 3", "a < qpos", "1 < 2", "qpos < qvel < 2"}) {
    BOOST_TEST(contains(with([&](MjcfConfig& c) { c.healthy = {text}; }), "LOW <= QUANTITY"), text);
  }
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.healthy = {"2 < qpos < 1"}; }), "not below"));
  BOOST_TEST(contains(with([](MjcfConfig& c) { c.healthy = {"1 < qps"}; }), "unknown field"));
  for (const char* text : {"qpos", "x * qpos", "nan * qpos", "qpos * 2"}) {
    BOOST_TEST(contains(with([&](MjcfConfig& c) { c.extra_rewards = {text}; }), "WEIGHT * "), text);
  }
}

BOOST_AUTO_TEST_CASE(models_that_cannot_be_a_task_are_refused) {
  const ModelFiles files;
  const auto error = [&](const char* kind) { return error_of(files.broken(kind)); };
  BOOST_TEST(contains(error("no actuator"), "has no actuator"));
  BOOST_TEST(contains(error("no ctrlrange"), "actuator 0 ('push') has no ctrlrange"));
  BOOST_TEST(contains(error("missing mesh"), "not_there.stl"));
  BOOST_TEST(contains(error("syntax"), "MuJoCo cannot load it"));
  BOOST_TEST(contains(error("delay"), "delay or history"));
  BOOST_TEST(contains(error("sleep"), "which bodies sleep"));
  BOOST_TEST(contains(error("no sensors"), "turns its sensors off"));
}
