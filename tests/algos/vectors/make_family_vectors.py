"""Losses and gradients of TD3, DDPG and DQN from PyTorch, for tests/algos/family_vectors_test.cpp.

    python tests/algos/vectors/make_family_vectors.py           # writes family_<case>.safetensors
    python tests/algos/vectors/make_family_vectors.py --check   # makes them again and compares

As make_sac_vectors.py, from which the networks and the format come.
"""

import sys

import make_sac_vectors as base
import torch
from torch import nn
from update_rules import adamw, clip_gradient, turn
from vector_files import write_or_check

TARGET_NOISE, NOISE_CLIP, NUM_ACTIONS, UPDATES = 0.4, 0.5, 3, 4
CASES = {
    "td3": {"algorithm": "td3", "activation": "relu", "policy_delay": 2},
    "td3_layer_norm": {"algorithm": "td3", "activation": "elu", "policy_delay": 1,
                       "layer_norm": "before_activation", "weight_decay": 0.02},
    "ddpg": {"algorithm": "ddpg", "activation": "relu", "policy_delay": 1},
    "ddpg_linear": {"algorithm": "ddpg", "activation": "tanh", "policy_delay": 2,
                    "output": "linear"},
    "td3_environment": {"algorithm": "td3", "activation": "relu", "policy_delay": 2,
                        "action_units": "environment"},
    "ddpg_linear_turns": {"algorithm": "ddpg", "activation": "relu", "policy_delay": 1,
                          "output": "linear", "action_units": "environment", "critic_updates": 2},
    "dqn": {"algorithm": "dqn", "activation": "relu", "policy_delay": 1, "double_dqn": False},
    "dqn_double": {"algorithm": "dqn", "activation": "tanh", "policy_delay": 3, "double_dqn": True,
                   "layer_norm": "after_activation"},
    "td3_adam": {"algorithm": "td3", "activation": "relu", "policy_delay": 1,
                 "adam_actor": (0.5, 0.99, 1e-3), "adam_critic": (0.8, 0.9, 1e-4)},
    "dqn_adam": {"algorithm": "dqn", "activation": "relu", "policy_delay": 1,
                 "adam_critic": (0.8, 0.9, 1e-4)},
    "td3_periods": {"algorithm": "td3", "activation": "relu", "policy_delay": 2, "target_period": 3,
                    "reward_scale": 2.5, "n_step": 3, "max_gradient_norm": 0.5, "updates": 7},
    "ddpg_rounds": {"algorithm": "ddpg", "activation": "relu", "policy_delay": 1, "tau": 1.0,
                    "critic_updates": 2, "policy_updates": 2, "reward_scale": 0.5, "updates": 7},
    "dqn_hard": {"algorithm": "dqn", "activation": "relu", "policy_delay": 2, "tau": 1.0,
                 "reward_scale": 2.5, "n_step": 2, "max_gradient_norm": 0.5, "updates": 5},
}  # fmt: skip
DEFAULTS = base.DEFAULTS | {"output": "tanh", "double_dqn": False}


class Learner:
    """Actor and critics with targets; `policy_delay` also holds for the targets."""

    def __init__(self, settings):
        self.settings, self.num_updates = settings, 0
        algorithm = settings["algorithm"]
        if algorithm == "dqn":
            self.networks = {"critic_0": base.Mlp(settings, base.OBSERVATION, NUM_ACTIONS, False)}
        else:
            critics = 2 if algorithm == "td3" else 1
            self.networks = {"actor": base.Mlp(settings, base.OBSERVATION, base.ACTION, False)}
            self.networks |= {f"critic_{e}": base.Mlp(settings, base.OBSERVATION + base.ACTION, 1, False)
                              for e in range(critics)}  # fmt: skip
        self.critics = [name for name in self.networks if name.startswith("critic")]
        for name in list(self.networks):
            target = type(self.networks[name])(
                settings, self.networks[name].hidden[0].in_features,
                self.networks[name].output.out_features, False)  # fmt: skip
            target.load_state_dict(self.networks[name].state_dict())
            self.networks[f"target_{name}"] = target

        def adam(network, names):
            parameters = [p for name in names for p in self.networks[name].parameters()]
            return adamw(settings, network, parameters, base.LEARNING_RATE, settings["weight_decay"])

        for network in self.networks.values():
            network.double()
        self.critic_adam = adam("critic", self.critics)
        self.actor_adam = adam("actor", ["actor"]) if "actor" in self.networks else None

    def policy(self, name, observation):
        output = self.networks[name](observation)
        if self.settings["output"] == "linear":
            return output
        scale, bias = base.bounds(self.settings)
        return torch.tanh(output) * scale + bias

    def q(self, prefix, observation, action):
        x = torch.cat([observation, action], -1)
        return torch.stack([self.networks[prefix + name](x)[:, 0] for name in self.critics])

    @torch.no_grad()
    def next_value(self, inputs):
        observation = inputs["next_observation"]
        if self.settings["algorithm"] == "dqn":
            q = self.networks["target_critic_0"](observation)
            if not self.settings["double_dqn"]:
                return q.max(dim=1).values
            best = self.networks["critic_0"](observation).argmax(dim=1)
            return q[torch.arange(len(best)), best]
        action = self.policy("target_actor", observation)
        if self.settings["algorithm"] == "td3":
            noise = torch.clip(TARGET_NOISE * inputs["noise.target"], -NOISE_CLIP, NOISE_CLIP)
            scale, bias = base.bounds(self.settings)
            action = torch.clip(action + scale * noise, bias - scale, bias + scale)
        return self.q("target_", observation, action).min(dim=0).values

    def critic_loss(self, inputs):
        reward = self.settings["reward_scale"] * inputs["reward"]
        target = reward + base.DISCOUNT * inputs["bootstrap"] * self.next_value(inputs)
        if self.settings["algorithm"] == "dqn":
            q = self.networks["critic_0"](inputs["observation"])
            taken = q[torch.arange(len(q)), inputs["action"][:, 0].long()]
            return nn.functional.mse_loss(taken, target)
        scale, bias = base.bounds(self.settings)
        q = self.q("", inputs["observation"], inputs["action"] * scale + bias)
        return sum(nn.functional.mse_loss(one, target) for one in q)

    def update(self, inputs):
        self.num_updates += 1
        is_critic, is_policy, is_target = turn(self.settings, self.num_updates)
        out = {"critic_loss": self.critic_loss(inputs)}
        self.critic_adam.zero_grad()
        out["critic_loss"].backward()
        for name in self.critics:
            out |= gradients(name, self.networks[name])
        if is_critic:
            clip_gradient(self.settings, [p for name in self.critics for p in self.networks[name].parameters()])
            self.critic_adam.step()
        if self.actor_adam is not None:
            # its gradient is compared for every update, its step has its turns
            action = self.policy("actor", inputs["observation"])
            out["actor_loss"] = -self.q("", inputs["observation"], action)[0].mean()
            self.actor_adam.zero_grad()
            out["actor_loss"].backward()
            out |= gradients("actor", self.networks["actor"])
            if is_policy:
                clip_gradient(self.settings, self.networks["actor"].parameters())
                self.actor_adam.step()
        if is_target:
            with torch.no_grad():
                for name in [n for n in self.networks if not n.startswith("target_")]:
                    target = self.networks[f"target_{name}"]
                    for t, p in zip(target.parameters(), self.networks[name].parameters()):
                        t.lerp_(p, self.settings.get("tau", base.TAU))
        return out

    def parameters(self, prefix):
        out = {}
        for name, network in self.networks.items():
            out |= base.prefixed(f"{prefix}.{name}", network, network.parameters())
        return out


def gradients(name, network):
    return base.prefixed(f"gradient.{name}", network, [p.grad for p in network.parameters()])


def make_case(number, settings):
    torch.manual_seed(100 + number)
    generator = base.np.random.default_rng(100 + number)
    inputs = base.random_inputs(generator, settings)
    inputs = {k: v for k, v in inputs.items() if not k.startswith("noise.")}
    noise = generator.standard_normal((base.BATCH, base.ACTION)).astype("f4")
    inputs["noise.target"] = torch.tensor(noise).double()
    if settings["algorithm"] == "dqn":
        inputs["action"] = torch.tensor(generator.integers(NUM_ACTIONS, size=(base.BATCH, 1))).double()
    learner = Learner(settings)
    arrays = inputs | learner.parameters("start")
    arrays |= {k: v.detach().clone() for k, v in learner.update(inputs).items()}
    for _ in range(settings.get("updates", UPDATES) - 1):
        learner.update(inputs)
    return arrays | learner.parameters("end")


def main():
    extra = {"target_noise": TARGET_NOISE, "noise_clip": NOISE_CLIP, "num_actions": NUM_ACTIONS}
    return write_or_check("family", CASES, DEFAULTS, make_case, base.NUMBERS | {"updates": UPDATES} | extra)


if __name__ == "__main__":
    sys.exit(main())
