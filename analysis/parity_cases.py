"""Which tasks and options are compared with Gymnasium, and with which actions."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Case:
    """One task with options, by Gymnasium's names (Pendulum's g is gravity).

    actions: "uniform" in the bounds, "wide" (out of the bounds as well), or "pumping" (swings the mountain car up).
    time_limit: short, so that resets are compared where a task never terminates; None: the task's own.
    """

    env_id: str
    options: dict = dataclasses.field(default_factory=dict)
    actions: str = "uniform"
    time_limit: int | None = 40

    def __str__(self):
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return " ".join(part for part in (self.env_id, self.actions, options) if part)


def section_of(env_id):
    """Name of the task's section: "HumanoidStandup-v5" -> "humanoid_standup"."""
    name = env_id.split("-")[0].replace("CartPole", "Cartpole")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


FORWARD = {"forward_reward_weight": 2.5, "ctrl_cost_weight": 0.03}
SEEN = {"exclude_current_positions_from_observation": False}
NOT_TERMINATED = {"healthy_reward": -0.3, "terminate_when_unhealthy": False}

# besides the defaults with "uniform" and "wide" actions
OPTIONS = {
    "Ant-v4": [
        {"use_contact_forces": True},
        {"use_contact_forces": True, "contact_cost_weight": 0.01, "contact_force_range": (-0.5, 0.7)},
        {"ctrl_cost_weight": 0.1, **NOT_TERMINATED},
        {"healthy_z_range": (0.45, 0.8), "reset_noise_scale": 0.02, **SEEN},
    ],
    "Ant-v5": [
        {**FORWARD, **NOT_TERMINATED},
        {"contact_cost_weight": 0.01, "contact_force_range": (-0.5, 0.7), "frame_skip": 3},
        {"healthy_z_range": (0.45, 0.8), "reset_noise_scale": 0.02, **SEEN},
        {"include_cfrc_ext_in_observation": False, "main_body": 2},
    ],
    "HalfCheetah-v4": [{**FORWARD, "reset_noise_scale": 0.3, **SEEN}],
    "HalfCheetah-v5": [{**FORWARD, "reset_noise_scale": 0.3, **SEEN}, {"frame_skip": 3}],
    "Hopper-v4": [
        {**FORWARD, **NOT_TERMINATED},
        {"healthy_z_range": (1.0, 1.5), "healthy_angle_range": (-0.1, 0.15), "reset_noise_scale": 0.02, **SEEN},
        {"healthy_state_range": (-3.0, 2.0)},
    ],
    "Hopper-v5": [
        {**FORWARD, **NOT_TERMINATED},
        {"healthy_z_range": (1.0, 1.5), "healthy_angle_range": (-0.1, 0.15), "reset_noise_scale": 0.02, **SEEN},
        {"healthy_state_range": (-3.0, 2.0), "frame_skip": 2},
    ],
    "Walker2d-v4": [
        {**FORWARD, **NOT_TERMINATED},
        {"healthy_z_range": (1.0, 1.5), "healthy_angle_range": (-0.3, 0.4), "reset_noise_scale": 0.02, **SEEN},
    ],
    "Walker2d-v5": [
        {**FORWARD, **NOT_TERMINATED},
        {"healthy_z_range": (1.0, 1.5), "healthy_angle_range": (-0.3, 0.4), "reset_noise_scale": 0.02, **SEEN},
        {"xml_file": "walker2d.xml", "frame_skip": 2},
    ],
    "Humanoid-v4": [
        {"forward_reward_weight": 1.0, "ctrl_cost_weight": 0.3, **NOT_TERMINATED},
        {"healthy_z_range": (1.2, 1.5), "reset_noise_scale": 0.05, **SEEN},
    ],
    "Humanoid-v5": [
        {"forward_reward_weight": 1.0, "ctrl_cost_weight": 0.3, **NOT_TERMINATED},
        {"contact_cost_weight": 1e-3, "contact_cost_range": (1.0, 25.0), "frame_skip": 3},
        {"healthy_z_range": (1.2, 1.5), "reset_noise_scale": 0.05, "include_cinert_in_observation": False,
         "include_qfrc_actuator_in_observation": False, **SEEN},
        {"include_cvel_in_observation": False, "include_cfrc_ext_in_observation": False},
    ],
    "HumanoidStandup-v5": [
        {"ctrl_cost_weight": 0.3, "impact_cost_weight": 1e-3, "impact_cost_range": (1.0, 25.0), "frame_skip": 3},
        {"reset_noise_scale": 0.05, "include_cinert_in_observation": False,
         "include_qfrc_actuator_in_observation": False, **SEEN},
        {"include_cvel_in_observation": False, "include_cfrc_ext_in_observation": False},
    ],
    "Swimmer-v5": [{**FORWARD, "reset_noise_scale": 0.3, **SEEN}, {"frame_skip": 2}],
    "InvertedPendulum-v4": [],
    "InvertedPendulum-v5": [{"frame_skip": 4, "reset_noise_scale": 0.05}],
    "InvertedDoublePendulum-v5": [{"healthy_reward": -3.0, "frame_skip": 2, "reset_noise_scale": 0.02}],
    "Reacher-v5": [{"reward_dist_weight": 2.5, "reward_control_weight": 0.3, "frame_skip": 3}],
    "Pendulum-v1": [{"gravity": 9.81}],
    "CartPole-v1": [{"sutton_barto_reward": True}],
    "MountainCarContinuous-v0": [{"goal_velocity": 0.03}, {"goal_velocity": 0.07}],
}  # fmt: skip


def _cases():
    for env_id, options in OPTIONS.items():
        # the car needs more than 40 steps to its goal
        usual, limit = ("pumping", None) if env_id.startswith("MountainCar") else ("uniform", 40)
        yield Case(env_id, {}, usual, limit)
        if not env_id.startswith("CartPole"):  # whose actions have no bounds to leave
            yield Case(env_id, {}, "wide")
        for chosen in options:
            yield Case(env_id, chosen, usual, limit)


CASES = list(_cases())
