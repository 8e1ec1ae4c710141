"""A policy that anthill trained, as a PyTorch module: reads policy.safetensors and resolved.toml of a run folder.

    python examples/load_policy_pytorch.py runs/pendulum --episodes 10
"""

import argparse
import sys
import tomllib
from pathlib import Path

import numpy as np
import torch
from torch import nn

import anthill
from anthill.policy import read_safetensors

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}
TOLERANCE = 1e-4  # of the actions' range: another library rounds differently


class Hidden(nn.Module):
    """Linear, LayerNorm and activation in the order of the configuration, and a skip where the widths agree."""

    def __init__(self, inputs, outputs, actor):
        super().__init__()
        norm = [nn.LayerNorm(outputs)] if actor["layer_norm"] else []
        activation = [ACTIVATIONS[actor["activation"]]()]
        first = actor["layer_norm_placement"] == "before_activation"
        self.linear = nn.Linear(inputs, outputs)
        self.rest = nn.Sequential(*(norm + activation if first else activation + norm))
        self.skip = actor["residual"] and inputs == outputs

    def forward(self, x):
        h = self.rest(self.linear(x))
        return h + x if self.skip else h


class UnitNorm(nn.Module):
    def forward(self, x):
        return x * (x.square().sum(-1, keepdim=True) + 1e-12).rsqrt()


def load_actor(run, member=0):
    """The actor's network: observations [B, D] to SAC's means and raw log standard deviations [B, 2A], or to a
    deterministic policy's or gSDE's output [B, A]."""
    run = Path(run)
    config = tomllib.loads((run / "resolved.toml").read_text())
    if config["agent"]["algorithm"] not in ("sac", "td3", "ddpg"):
        raise ValueError(f"{run}: {config['agent']['algorithm']} has no actor; give a run of sac, td3 or ddpg")
    actor = config["actor"]
    arrays, _ = read_safetensors(run / "policy.safetensors")
    # [members, ensemble, ...]; an actor is alone in its ensemble
    own = {name.removeprefix("actor."): array[member, 0] for name, array in arrays.items() if name.startswith("actor.")}
    layers = []
    for i, width in enumerate(actor["hidden_dims"]):
        layer = Hidden(own[f"hidden_{i}.weight"].shape[1], width, actor)
        state = {f"linear.{part}": own[f"hidden_{i}.{part}"] for part in ("weight", "bias")}
        for place, module in enumerate(layer.rest):
            if isinstance(module, nn.LayerNorm):
                state |= {f"rest.{place}.{part}": own[f"layer_norm_{i}.{part}"] for part in ("weight", "bias")}
        layer.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
        layers.append(layer)
    output = nn.Linear(own["output.weight"].shape[1], len(own["output.bias"]))
    output.load_state_dict({part: torch.tensor(own[f"output.{part}"]) for part in ("weight", "bias")})
    return nn.Sequential(*layers, *([UnitNorm()] if actor["unit_features"] else []), output)


def normalised(output, config, low, high):
    """The deterministic policy's actions in [-1, 1], [B, A], from the actor's outputs."""
    output = output[:, : len(low)]  # SAC's means
    actor = config["actor"]
    is_sac = config["agent"]["algorithm"] == "sac"
    if not (actor.get("distribution") == "clipped_gaussian" if is_sac else actor.get("output") == "linear"):
        return np.tanh(output)
    if config["agent"].get("action_units") == "environment":
        output = (output - (high + low) / 2) / ((high - low) / 2)
    return np.clip(output, -1, 1)


@torch.no_grad()
def evaluate(run, episodes, seed=0):
    """Returns of the deterministic policy; the largest difference of an action from anthill.Policy's, as a share of
    the actions' range."""
    actor, policy = load_actor(run), anthill.Policy.load(run)
    envs = policy.make_vec(episodes)
    space = envs.single_action_space
    observation, _ = envs.reset(seed=seed)
    returns, going, largest = np.zeros(episodes), np.ones(episodes, bool), 0.0
    while going.any():
        output = actor(torch.as_tensor(policy.normalised(observation), dtype=torch.float32)).numpy()
        action = normalised(output, policy.config, space.low, space.high)
        action = action * (space.high - space.low) / 2 + (space.high + space.low) / 2
        difference = np.abs(action - policy.act(observation)) / (space.high - space.low)
        largest = max(largest, float(difference.max()))
        observation, reward, terminated, truncated, _ = envs.step(action)
        returns[going] += reward[going]
        going &= ~(terminated | truncated)
    return returns, largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run folder of an algorithm with an actor: sac, td3 or ddpg")
    parser.add_argument("--episodes", type=int, default=10)
    options = parser.parse_args()
    try:
        returns, largest = evaluate(options.run, options.episodes)
    except (ValueError, OSError) as error:
        sys.exit(f"load_policy_pytorch: {error}")
    print(f"return {returns.mean():.2f} +- {returns.std():.2f}; actions differ from anthill.Policy's by {largest:.1g}")
    if not largest <= TOLERANCE:
        sys.exit(f"load_policy_pytorch: more than {TOLERANCE:g} of the actions' range: this is another policy")


if __name__ == "__main__":
    main()
