"""A policy that anthill trained, as a PyTorch module: reads policy.safetensors and resolved.toml of a run folder.

    python examples/load_policy_pytorch.py runs/pendulum --episodes 10
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np
import torch
from torch import nn

import anthill
from anthill.policy import read_safetensors

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}


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
    deterministic policy's output [B, A]."""
    run = Path(run)
    actor = tomllib.loads((run / "resolved.toml").read_text())["actor"]
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


@torch.no_grad()
def evaluate(run, episodes, seed=0):
    """Returns of the deterministic policy; the largest difference of an action from anthill.Policy's."""
    policy, actor = anthill.Policy.load(run), load_actor(run)
    envs = policy.make_vec(episodes)
    space = envs.single_action_space
    observation, _ = envs.reset(seed=seed)
    returns, going, largest = np.zeros(episodes), np.ones(episodes, bool), 0.0
    while going.any():
        output = actor(torch.as_tensor(observation, dtype=torch.float32)).numpy()
        normalised = np.tanh(output[:, : space.shape[0]])
        action = normalised * (space.high - space.low) / 2 + (space.high + space.low) / 2
        largest = max(largest, float(np.abs(action - policy.act(observation)).max()))
        observation, reward, terminated, truncated, _ = envs.step(action)
        returns[going] += reward[going]
        going &= ~(terminated | truncated)
    return returns, largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run folder of an algorithm with an actor whose output is a tanh")
    parser.add_argument("--episodes", type=int, default=10)
    options = parser.parse_args()
    returns, largest = evaluate(options.run, options.episodes)
    print(f"return {returns.mean():.2f} +- {returns.std():.2f}; actions differ from anthill.Policy's by {largest:.1g}")


if __name__ == "__main__":
    main()
