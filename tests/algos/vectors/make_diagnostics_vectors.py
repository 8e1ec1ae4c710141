"""Writes diagnostics_*.safetensors: what SAC's diagnostics are for the networks and batches of sac_*.safetensors.

    python tests/algos/vectors/make_diagnostics_vectors.py [--check]

NumPy and SciPy in float64, from the formulas of docs/metrics.md; gradients are central differences. PyTorch only writes.
"""

import json
import pathlib
import sys

import numpy as np
import scipy
import torch
from scipy.linalg import svdvals
from scipy.stats import entropy
from vector_files import from_bytes, write_or_check

HERE = pathlib.Path(__file__).parent
LOG_ALPHA = -8.0  # of no weight in the bounds, so that these can lie among the Q's
CASES = {"sb3": {}, "jaxrl_layer_norm": {}, "three_critics": {}}
ACTIVATIONS = {"relu": lambda x: np.maximum(x, 0), "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), "tanh": np.tanh}


class Case:
    """One file's networks in float64, and the functions that the diagnostics are of."""

    def __init__(self, name):
        content = (HERE / f"sac_{name}.safetensors").read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        self.settings = header.pop("__metadata__")
        flat = from_bytes(content)
        self.arrays = {k: flat[k].astype(np.float64).reshape(header[k]["shape"]) for k in flat}
        self.num_critics, self.discount = int(self.settings["num_critics"]), float(self.settings["discount"])
        self.alpha = np.exp(LOG_ALPHA)

    def layers(self, network):
        return sum(name.startswith(f"start.{network}.hidden_") and name.endswith("weight") for name in self.arrays)

    def features(self, network, x):
        for k in range(self.layers(network)):
            x = x @ self.arrays[f"start.{network}.hidden_{k}.weight"].T + self.arrays[f"start.{network}.hidden_{k}.bias"]
            if self.settings["layer_norm"] == "before_activation":
                x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
                x = x * self.arrays[f"start.{network}.layer_norm_{k}.weight"] + self.arrays[f"start.{network}.layer_norm_{k}.bias"]
            x = ACTIVATIONS[self.settings["activation"]](x)
        return x

    def output(self, network, x):
        return self.features(network, x) @ self.arrays[f"start.{network}.output.weight"].T + self.arrays[f"start.{network}.output.bias"]

    def q(self, observation, action, kind="critic"):
        return np.stack([self.output(f"{kind}_{j}", np.hstack([observation, action]))[:, 0] for j in range(self.num_critics)])

    def sample(self, observation, noise):
        """log_std, u, log pi."""
        mean, raw = np.split(self.output("actor", observation), 2, axis=1)
        affine = self.settings["log_std_form"] == "tanh_affine"
        log_std = -10 + 6 * (1 + np.tanh(raw)) if affine else np.clip(raw, -20, 2)
        u = mean + np.exp(log_std) * noise
        if self.settings["log_prob_form"] == "exact":
            correction = 2 * (np.log(2) - u - np.logaddexp(0, -2 * u))
        else:
            correction = np.log(np.maximum(1 - np.tanh(u) ** 2, 0) + 1e-6)
        return log_std, u, (-(noise**2) / 2 - log_std - np.log(2 * np.pi) / 2 - correction).sum(1)

    def critic_loss(self):
        a = self.arrays
        _, u, log_prob = self.sample(a["next_observation"], a["noise.next_action"])
        value = self.q(a["next_observation"], np.tanh(u), "target_critic").min(0) - self.alpha * log_prob
        target = a["reward"] + self.discount * a["bootstrap"] * value
        return ((self.q(a["observation"], a["action"]) - target) ** 2).sum(0).mean()

    def actor_loss(self):
        a = self.arrays
        _, u, log_prob = self.sample(a["observation"], a["noise.action"])
        return (self.alpha * log_prob - self.q(a["observation"], np.tanh(u)).min(0)).mean()

    def parameters(self, network):
        return [name for name in self.arrays if name.startswith(f"start.{network}")]

    def gradient_norm(self, loss, network, step=1e-6):
        square = 0.0
        for name in self.parameters(network):
            values = self.arrays[name].reshape(-1)  # a view
            for i in range(values.size):
                kept = values[i]
                values[i] = kept + step
                above = loss()
                values[i] = kept - step
                square += ((above - loss()) / (2 * step)) ** 2
                values[i] = kept
        return np.sqrt(square)


def make(_, settings):
    case = Case(settings["of"])
    a = case.arrays
    observation, action = a["observation"], a["action"]
    log_std, u, log_prob = case.sample(observation, a["noise.action"])
    q = case.q(observation, action)
    features = [case.features(f"critic_{j}", np.hstack([observation, action])) for j in range(case.num_critics)]
    activity = np.stack([np.abs(h).mean(0) for h in features])

    def slope(k, step=1e-6):
        shift = np.zeros_like(u)
        shift[:, k] = step
        return (case.q(observation, np.tanh(u) + shift).min(0) - case.q(observation, np.tanh(u) - shift).min(0)) / (2 * step)

    # rewards whose bounds lie among the Q's, halfway between two of them
    ordered = np.sort(q.ravel())
    high, low = ordered[-3:-1].mean(), ordered[1:3].mean()
    rewards = np.array([low * (1 - case.discount) + case.discount * case.alpha * log_prob.max(),
                        high * (1 - case.discount) - case.discount * case.alpha * action.shape[1] * np.log(2)])  # fmt: skip
    high = max(0.0, (rewards[1] + case.discount * case.alpha * action.shape[1] * np.log(2)) / (1 - case.discount))
    low = min(0.0, (rewards[0] - case.discount * case.alpha * log_prob.max()) / (1 - case.discount))
    found = {
        "actor_gradient_norm": case.gradient_norm(case.actor_loss, "actor"),
        "critic_gradient_norm": case.gradient_norm(case.critic_loss, "critic"),
        "actor_parameter_norm": np.sqrt(sum((a[n] ** 2).sum() for n in case.parameters("actor"))),
        "critic_parameter_norm": np.sqrt(sum((a[n] ** 2).sum() for n in case.parameters("critic"))),
        "critic_dormant_025": (activity <= 0.025 * activity.mean(1, keepdims=True)).mean(),
        "critic_dormant_100": (activity <= 0.1 * activity.mean(1, keepdims=True)).mean(),
        "critic_effective_rank": np.mean([np.exp(entropy(svdvals(h))) for h in features]),
        "policy_log_std": log_std.mean(),
        "policy_u_abs": np.abs(u).mean(),
        "policy_saturated": (np.abs(np.tanh(u)) > 0.99).mean(),
        "action_gradient_norm": np.linalg.norm(np.stack([slope(k) for k in range(action.shape[1])], 1), axis=1).mean(),
        "implausible_share": ((q > high) | (q < low)).mean(),
        "rewards": rewards,
        "log_alpha": LOG_ALPHA,
    }
    return {name: torch.tensor(np.atleast_1d(value)) for name, value in found.items()}


if __name__ == "__main__":
    cases = {name: {"of": name} | own for name, own in CASES.items()}
    sys.exit(write_or_check("diagnostics", cases, {}, make, {"scipy": scipy.__version__}))
