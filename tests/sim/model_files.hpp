/// Small MJCF files for tests, in a folder that disappears with the object.
#pragma once

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim/sim_config.hpp"

namespace anthill {

class ModelFiles {
 public:
  ModelFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "anthill_XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~ModelFiles() { std::filesystem::remove_all(folder_); }
  ModelFiles(const ModelFiles&) = delete;
  ModelFiles& operator=(const ModelFiles&) = delete;

  /// An mjcf task on `text`.
  SimConfig task(const std::string& text) const {
    const std::filesystem::path path = folder_ / "model.xml";
    std::ofstream(path, std::ios::trunc) << text;
    SimConfig config{.env = "mjcf"};
    config.mjcf.model = path.string();
    config.mjcf.observation = {"qpos"};
    return config;
  }

  /// Bodies world, trunk, thigh, foot; joints x, z, hip; sensors rate (3), touch, time; a keyframe.
  SimConfig hopper() const {
    return task(R"(<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <geom type="plane" size="9 9 1"/>
    <body name="trunk" pos="0 0 0.6">
      <joint name="x" type="slide" axis="1 0 0"/><joint name="z" type="slide" axis="0 0 1"/>
      <geom type="sphere" size="0.1"/><site name="imu"/>
      <body name="thigh">
        <joint name="hip" type="hinge" axis="0 1 0" damping="1"/>
        <geom type="capsule" size="0.05" fromto="0 0 0 0 0 -0.4"/>
        <body name="foot" pos="0 0 -0.5">
          <geom type="sphere" size="0.08"/><site name="sole" type="sphere" size="0.09"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="hip" ctrlrange="-1 1" gear="20"/></actuator>
  <sensor>
    <gyro name="rate" site="imu"/><touch name="touch" site="sole"/><clock name="time"/>
  </sensor>
  <keyframe><key name="high" qpos="0 .5 .1" qvel="0 0 2"/></keyframe>
</mujoco>)");
  }

  /// A slider behind a filter with memory: observes qpos, qvel, act, actuator_force.
  SimConfig filtered() const {
    SimConfig config = task(R"(<mujoco>
  <worldbody><body><joint name="x" type="slide" damping="1"/><geom size="0.1"/></body></worldbody>
  <actuator>
    <general joint="x" ctrlrange="-1 1" dyntype="filter" dynprm="0.1" gainprm="5"/>
  </actuator>
</mujoco>)");
    config.mjcf.observation = {"qpos", "qvel", "act", "actuator_force"};
    return config;
  }

  /// A slider that any push accelerates beyond all bounds.
  SimConfig explosive() const {
    SimConfig config = task(R"(<mujoco>
  <worldbody><body><joint name="x" type="slide"/><geom size="0.1"/></body></worldbody>
  <actuator><motor joint="x" ctrlrange="-1 1" gear="1e15"/></actuator>
</mujoco>)");
    config.mjcf.observation = {"qpos", "qvel"};
    return config;
  }

  /// A bar that floats until it is pushed down; then forty contacts come at once, for which
  /// `memory` is too little: "32K" overflows the constraint buffer (a warning), "52K" the solver's
  /// stack (an error).
  SimConfig crowded(const std::string& memory) const {
    std::string spheres;
    for (int i = 0; i < 40; ++i) {
      spheres += "<geom size=\"0.04\" pos=\"" + std::to_string(0.1 * i) + " 0 0\"/>";
    }
    SimConfig config = task("<mujoco><size memory=\"" + memory + R"("/>
  <option gravity="0 0 0" timestep="0.005"/>
  <worldbody>
    <geom type="plane" size="9 9 1"/>
    <body pos="0 0 0.2"><joint name="z" type="slide" axis="0 0 1" damping="1"/>)" +
                            spheres + R"(</body>
  </worldbody>
  <actuator><motor joint="z" ctrlrange="-1 1" gear="200"/></actuator>
</mujoco>)");
    config.mjcf.observation = {"qpos", "qvel"};
    config.mjcf.reset_noise_scale = 0;
    return config;
  }

  /// A slider that is wrong in one way.
  SimConfig broken(const std::string& kind) const {
    const auto chosen = [&](const char* wanted, const char* text, const char* other = "") {
      return std::string(kind == wanted ? text : other);
    };
    SimConfig config =
        task("<mujoco><option>" + chosen("sleep", R"(<flag sleep="enable"/>)") +
             chosen("no sensors", R"(<flag sensor="disable"/>)") + "</option><asset>" +
             chosen("missing mesh", R"(<mesh name="m" file="not_there.stl"/>)") +
             "</asset><worldbody><body><joint name=\"x\" type=\"slide\"/><geom size=\"0.1\"/>" +
             chosen("missing mesh", R"(<geom type="mesh" mesh="m"/>)") +
             chosen("syntax", "<bod/>") + "</body></worldbody>" +
             chosen("no actuator", "",
                    ("<actuator><motor name=\"push\" joint=\"x\" " +
                     chosen("no ctrlrange", "", "ctrlrange=\"-1 1\" ") +
                     chosen("delay", "delay=\"0.01\" nsample=\"8\"") + "/></actuator>")
                        .c_str()) +
             R"(<sensor><jointpos name="position" joint="x"/></sensor></mujoco>)");
    config.mjcf.observation = {"qpos", "sensor(position)"};
    return config;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace anthill
