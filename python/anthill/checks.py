"""What the environments are given, checked: seeds, masks of a reset, actions. ValueError says what is wrong."""

import operator

import gymnasium
import numpy as np


def whole_number(name, value):
    """An integer of Python's."""
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name}: expected an integer, got {value!r}") from None


def plain_options(options):
    """NumPy's numbers and arrays, and paths, as Python's own."""
    plain = {}
    for name, value in options.items():
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        plain[name] = value.__fspath__() if hasattr(value, "__fspath__") else value
    return plain


def lane_seeds(seed, num_envs):
    """Gymnasium's: one for each environment, or None where its generator goes on."""
    if seed is None:
        seeds = [None] * num_envs
    elif isinstance(seed, int | np.integer) and not isinstance(seed, bool):
        seeds = [int(seed) + lane for lane in range(num_envs)]
    elif isinstance(seed, list | tuple | np.ndarray):
        seeds = [None if lane is None else whole_number("seed", lane) for lane in seed]
    else:
        raise ValueError(f"seed: expected None, an integer or a list of them, got {seed!r}")
    if len(seeds) != num_envs:
        raise ValueError(f"seed: {len(seeds)} seeds for {num_envs} environments; give one for each")
    wrong = [lane for lane in seeds if lane is not None and not 0 <= lane < 2**64]
    if wrong:
        raise ValueError(f"seed: {wrong[0]} is not in [0, 2^64)")
    return seeds


def reset_mask(options, num_envs):
    """Which environments a reset is for, a bool array (N,)."""
    options = options or {}
    unknown = sorted(set(options) - {"reset_mask"})
    if unknown:
        raise ValueError(f"reset: unknown option '{unknown[0]}'; the only one is reset_mask")
    mask = options.get("reset_mask")
    if mask is None:
        return np.ones(num_envs, bool)
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != (num_envs,):
        raise ValueError(f"reset: reset_mask must be a bool array of shape ({num_envs},)")
    if not mask.any():
        raise ValueError("reset: reset_mask is true nowhere; leave the reset out")
    return mask


def float32_actions(actions, space, single_space):
    """Actions as the simulator reads them, (N, A) or (N,) float32; indices where they are discrete."""
    array = np.asarray(actions)
    if array.shape != space.shape:
        raise ValueError(f"actions: shape {array.shape}, expected {space.shape}")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"actions: dtype {array.dtype}; expected numbers such as {space.dtype}")
    if isinstance(single_space, gymnasium.spaces.Discrete):
        valid = (array >= 0) & (array < single_space.n) & (array == np.trunc(array))
        if not valid.all():
            lane = int(np.argmin(valid))
            raise ValueError(
                f"actions: {array[lane]} for environment {lane}; expected an integer from 0 to {single_space.n - 1}"
            )
    elif not np.isfinite(array).all():
        lane, element = map(int, np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"actions: {array[lane, element]} for environment {lane}, element {element}; not finite")
    return np.ascontiguousarray(array, np.float32)
