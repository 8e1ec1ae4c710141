"""The spaces of the tasks, as Gymnasium's environments have them."""

import numpy as np
from gymnasium import spaces

_CAR_ANGLE = 12 * 2 * np.pi / 360
# bounds of the observations that are float32 in Gymnasium; all others are float64 without bounds
_FLOAT32_BOUNDS = {
    "Pendulum-v1": ([-1, -1, -8], [1, 1, 8]),
    "CartPole-v1": ([-4.8, -np.inf, -2 * _CAR_ANGLE, -np.inf], [4.8, np.inf, 2 * _CAR_ANGLE, np.inf]),
    "MountainCarContinuous-v0": ([-1.2, -0.07], [0.6, 0.07]),
    "LunarLander-v3": (
        [-2.5, -2.5, -10, -10, -2 * np.pi, -10, -0.0, -0.0],
        [2.5, 2.5, 10, 10, 2 * np.pi, 10, 1, 1],
    ),
}
_FLOAT32_BOUNDS["LunarLanderContinuous-v3"] = _FLOAT32_BOUNDS["LunarLander-v3"]


def observation_space(spec):
    """The Box of one environment; its dtype is that of the observations."""
    if spec["name"] in _FLOAT32_BOUNDS:
        low, high = (np.array(bound, np.float32) for bound in _FLOAT32_BOUNDS[spec["name"]])
        return spaces.Box(low, high, dtype=np.float32)
    return spaces.Box(-np.inf, np.inf, (spec["observation_dim"],), np.float64)


def action_space(spec):
    """The Discrete or Box of one environment, in environment units."""
    if spec["num_actions"] > 0:
        return spaces.Discrete(spec["num_actions"])
    low, high = (np.array(spec[name], np.float32) for name in ("action_low", "action_high"))
    return spaces.Box(low, high, dtype=np.float32)
