#include "configs/section_table.hpp"
#include "configs/task_fields.hpp"

namespace anthill {

void add_classic_tasks(std::vector<Field>& fields) {
  SectionTable pendulum(
      fields, "sim.pendulum", [](auto& config) -> auto& { return config.sim.pendulum; });
  pendulum.add("gravity", &PendulumConfig::gravity, kAny, "m/s^2", "Gymnasium's argument g.");

  SectionTable cartpole(
      fields, "sim.cartpole", [](auto& config) -> auto& { return config.sim.cartpole; });
  cartpole.add("sutton_barto_reward", &CartpoleConfig::sutton_barto_reward,
               "Reward 0 per step and -1 for the last, instead of 1 per step.");

  SectionTable mountain_car(
      fields, "sim.mountain_car_continuous",
      [](auto& config) -> auto& { return config.sim.mountain_car_continuous; });
  mountain_car.add("goal_velocity", &MountainCarContinuousConfig::goal_velocity,
                   between(-1000, 1000), "position units per control step",
                   "Lowest velocity at which reaching the goal position ends the episode.");
}

}  // namespace anthill
