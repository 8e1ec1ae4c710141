"""Gymnasium's infos of vector environments: an array (N,) for each key, and a mask _key of who has it."""

import numpy as np


def masked(values, mask):
    """Each value with the same mask."""
    infos = {}
    for key, value in values.items():
        infos[key], infos[f"_{key}"] = value, mask
    return infos


def step_infos(names, terms, stepped):
    """The terms of the reward, `terms` (K, N), where `stepped` (N,)."""
    if stepped.all():
        return masked(dict(zip(names, terms)), stepped)
    return masked(dict(zip(names, np.where(stepped, terms, 0.0))), stepped) if stepped.any() else {}


def same_step_infos(names, terms, ended, last_observation):
    """Where episodes ended: final_obs and final_info; elsewhere the terms."""
    final_obs = np.full(len(ended), None, object)
    for lane in np.flatnonzero(ended):
        final_obs[lane] = last_observation[lane].copy()
    final_info = masked(dict(zip(names, np.where(ended, terms, 0.0))), ended)
    return masked({"final_obs": final_obs, "final_info": final_info}, ended) | step_infos(names, terms, ~ended)
