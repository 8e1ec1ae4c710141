"""Losses and gradients of SAC from PyTorch's own modules, for tests/algos/sac_vectors_test.cpp.

    python tests/algos/vectors/make_sac_vectors.py           # writes sac_<case>.safetensors
    python tests/algos/vectors/make_sac_vectors.py --check   # makes them again and compares

Needs a torch that can be imported. Everything is computed in float64 and stored as float32; the
inputs are float32 values from the start, so that both sides see the same numbers.
"""

import math
import sys

import numpy as np
import torch
from torch import nn
from update_rules import adamw, clip_gradient, turn
from vector_files import write_or_check

BATCH, OBSERVATION, ACTION, UPDATES = 8, 5, 2, 3
# what "action_units = environment" measures actions in
ACTION_SCALE, ACTION_BIAS = (2.0, 0.5), (0.25, -0.5)
DISCOUNT, TAU, LEARNING_RATE = 0.97, 0.05, 1e-3

# settings are named as in TOML; "layer_norm" and so on hold for actor and critic alike
CASES = {
    "sb3": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
            "alpha_form": "log_alpha"},
    "jaxrl_layer_norm": {"activation": "relu", "log_std_form": "tanh_affine", "alpha_form": "alpha",
                         "log_prob_form": "epsilon", "layer_norm": "before_activation"},
    "elu_residual": {"activation": "elu", "log_std_form": "clamp", "log_prob_form": "exact",
                     "alpha_form": "alpha", "layer_norm": "after_activation", "residual": True,
                     "weight_decay": 0.02},
    "tanh_dropout": {"activation": "tanh", "log_std_form": "tanh_affine", "alpha_form": "log_alpha",
                     "log_prob_form": "exact", "layer_norm": "before_activation", "dropout": 0.25},
    "environment_delayed": {"activation": "relu", "log_std_form": "tanh_affine",
                            "log_prob_form": "epsilon", "alpha_form": "alpha",
                            "action_units": "environment", "policy_delay": 2},
    "environment_exact": {"activation": "tanh", "log_std_form": "clamp", "log_prob_form": "exact",
                          "alpha_form": "log_alpha", "action_units": "environment",
                          "target_policy": True, "policy_value": "first"},
    "clipped_one_critic": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
                           "alpha_form": "alpha", "action_units": "environment",
                           "distribution": "clipped_gaussian", "num_critics": 1,
                           "target_policy": True},
    "clipped_analytic": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
                         "alpha_form": "log_alpha", "distribution": "clipped_gaussian",
                         "entropy": "analytic", "policy_value": "first", "target_policy": True,
                         "critic_updates": 2},
    "three_critics": {"activation": "elu", "log_std_form": "clamp", "log_prob_form": "exact",
                      "alpha_form": "log_alpha", "num_critics": 3},
    # log_std_form: what is exact for a log_std that no bound reaches
    "gsde_layer_norm": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
                        "alpha_form": "log_alpha", "layer_norm": "before_activation",
                        "distribution": "gsde", "weight_decay": 0.02},
    "gsde_environment": {"activation": "tanh", "log_std_form": "clamp", "log_prob_form": "epsilon",
                         "alpha_form": "alpha", "action_units": "environment",
                         "distribution": "gsde", "sde_learn_features": False,
                         "target_policy": True},
    "mean_minus_std": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
                       "alpha_form": "alpha", "num_critics": 4, "target_beta": 0.7},
    "projected_weights": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
                          "alpha_form": "log_alpha", "layer_norm": "before_activation",
                          "weight_decay": 0.02, "weight_projection": True},
    "adam": {"activation": "relu", "log_std_form": "clamp", "log_prob_form": "exact",
             "alpha_form": "log_alpha", "weight_decay": 0.02, "adam_actor": (0.5, 0.99, 1e-3),
             "adam_critic": (0.8, 0.9, 1e-4), "adam_temperature": (0.0, 0.95, 1e-2)},
    # the policy every third, the targets, its own among them, every second update
    "periods": {"activation": "relu", "log_std_form": "tanh_affine", "log_std_range": (-5.0, 2.0),
                "log_prob_form": "epsilon", "alpha_form": "alpha", "automatic": False,
                "action_units": "environment", "num_critics": 3, "policy_value": "mean",
                "reward_scale": 2.5, "n_step": 3, "max_gradient_norm": 0.5, "policy_delay": 3,
                "target_period": 2, "target_policy": True, "updates": 7},
    # a range of log_std whose both ends clamp, hard targets, rounds of two and two updates
    "rounds": {"activation": "tanh", "log_std_form": "clamp", "log_std_range": (-0.05, 0.05),
               "log_prob_form": "exact", "alpha_form": "log_alpha", "automatic": False,
               "distribution": "clipped_gaussian", "policy_value": "first", "target_policy": True,
               "tau": 1.0, "critic_updates": 2, "policy_updates": 2, "updates": 7},
}  # fmt: skip
DEFAULTS = {"layer_norm": "none", "residual": False, "weight_decay": 0.0, "dropout": 0.0,
            "action_units": "normalised", "distribution": "squashed_gaussian", "num_critics": 2,
            "entropy": "sampled", "policy_value": "minimum", "target_policy": False,
            "policy_delay": 1, "critic_updates": 0, "sde_learn_features": True,
            "automatic": True, "reward_scale": 1.0}  # fmt: skip
HIDDEN = (16, 16, 12)
# what every file says beside its settings
NUMBERS = {"discount": DISCOUNT, "tau": TAU, "learning_rate": LEARNING_RATE,
           "updates": UPDATES, "hidden_dims": HIDDEN}  # fmt: skip
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}


class Mlp(nn.Module):
    """Linear, dropout by a mask, LayerNorm and activation in either order, a skip where widths agree."""

    def __init__(self, settings, inputs, outputs, drops):
        super().__init__()
        self.settings, self.drops = settings, drops
        widths = (inputs, *HIDDEN)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        norm = settings["layer_norm"] != "none"
        self.layer_norm = nn.ModuleList(nn.LayerNorm(b) for b in HIDDEN) if norm else None
        self.output = nn.Linear(HIDDEN[-1], outputs)
        self.activation = ACTIVATIONS[settings["activation"]]()

    def features(self, x, keep=None):
        for i, linear in enumerate(self.hidden):
            h = linear(x)
            if self.drops and keep is not None:
                h = h * keep[i] / (1.0 - self.settings["dropout"])
            if self.settings["layer_norm"] == "before_activation":
                h = self.layer_norm[i](h)
            h = self.activation(h)
            if self.settings["layer_norm"] == "after_activation":
                h = self.layer_norm[i](h)
            x = h + x if self.settings["residual"] and h.shape == x.shape else h
        return x

    def forward(self, x, keep=None):
        return self.output(self.features(x, keep))

    def arrays(self, values):
        """Name -> array of every parameter, under the names of the project's files."""
        return {name.replace("hidden.", "hidden_").replace("layer_norm.", "layer_norm_"): value
                for (name, _), value in zip(self.named_parameters(), values)}  # fmt: skip


class Actor(Mlp):
    """Means and log standard deviations, [B, 2A]; with gSDE the latter are functions of the features and log_std."""

    def __init__(self, settings):
        self.gsde = settings["distribution"] == "gsde"
        super().__init__(settings, OBSERVATION, ACTION if self.gsde else 2 * ACTION, drops=False)
        if self.gsde:
            self.log_std = nn.Parameter(0.4 * torch.randn(HIDDEN[-1], ACTION) - 1.0)

    def forward(self, x):
        if not self.gsde:
            return super().forward(x)
        features = self.features(x)
        noisy = features if self.settings["sde_learn_features"] else features.detach()
        variance = torch.mm(noisy**2, torch.exp(self.log_std) ** 2)
        return torch.cat([self.output(features), torch.log(torch.sqrt(variance + 1e-6))], -1)


def random_inputs(generator, settings):
    """Batch and noise of one case, float32 values in float64."""

    def normal(*shape):
        return torch.tensor(generator.standard_normal(shape), dtype=torch.float32).double()

    inputs = {
        "observation": normal(BATCH, OBSERVATION),
        "action": torch.tanh(normal(BATCH, ACTION)).float().double(),
        "reward": normal(BATCH),
        "next_observation": normal(BATCH, OBSERVATION),
        "bootstrap": torch.tensor(generator.random(BATCH) > 0.2).double(),  # n-step: below
        "noise.next_action": normal(BATCH, ACTION),
        "noise.action": normal(BATCH, ACTION),
    }
    if "n_step" in settings:  # spans of 1 to n rewards: discount^(length - 1)
        lengths = torch.tensor(generator.integers(settings["n_step"], size=BATCH))
        inputs["bootstrap"] = (inputs["bootstrap"] * DISCOUNT**lengths).float().double()
    if settings["dropout"] > 0:
        for use in ("target", "critic", "actor"):
            kept = generator.random((settings["num_critics"], BATCH * sum(HIDDEN))) >= settings["dropout"]
            inputs[f"keep.{use}"] = torch.tensor(kept).double()
    return inputs


def masks(inputs, use, critic):
    """One mask per hidden layer, [BATCH, width]: layer after layer in the stored row."""
    if f"keep.{use}" not in inputs:
        return None
    row, result, begin = inputs[f"keep.{use}"][critic], [], 0
    for width in HIDDEN:
        result.append(row[begin : begin + BATCH * width].view(BATCH, width))
        begin += BATCH * width
    return result


def bounds(settings):
    """Scale and bias between actions in [-1, 1] and what the losses measure."""
    if settings["action_units"] == "normalised":
        return torch.ones(ACTION).double(), torch.zeros(ACTION).double()
    return torch.tensor(ACTION_SCALE).double(), torch.tensor(ACTION_BIAS).double()


def sample(settings, head, noise):
    """Measured action and log-probability of the policy whose head is [B, 2A]."""
    mean, raw = head.chunk(2, dim=-1)
    scale, bias = bounds(settings)
    if settings["log_std_form"] == "clamp":
        log_std = raw.clamp(*settings.get("log_std_range", (-20.0, 2.0)))
    else:
        low, high = settings.get("log_std_range", (-10.0, 2.0))
        log_std = low + (high - low) / 2.0 * (1.0 + torch.tanh(raw))
    u = mean + log_std.exp() * noise
    normal = torch.distributions.Normal(mean, log_std.exp())
    density = normal.log_prob(u)
    if settings["distribution"] == "clipped_gaussian":
        analytic = settings["entropy"] == "analytic"
        log_prob = -normal.entropy() if analytic else density
        return torch.clamp(u, bias - scale, bias + scale), log_prob.sum(-1)
    if settings["log_prob_form"] == "exact":
        # log(1 - tanh(u)^2) as PyTorch's own transform has it
        slope = torch.distributions.transforms.TanhTransform().log_abs_det_jacobian(u, torch.tanh(u))
        slope = slope + torch.log(scale)
    else:
        slope = torch.log(scale * torch.relu(1.0 - torch.tanh(u) ** 2) + 1e-6)
    return torch.tanh(u) * scale + bias, (density - slope).sum(-1)


class Learner:
    def __init__(self, settings):
        self.settings, self.num_updates = settings, 0
        self.tau = settings.get("tau", TAU)
        self.actor = Actor(settings)
        count = settings["num_critics"]
        self.critics = [Mlp(settings, OBSERVATION + ACTION, 1, True) for _ in range(count)]
        self.targets = [Mlp(settings, OBSERVATION + ACTION, 1, True) for _ in range(count)]
        self.project()
        self.target_actor = Actor(settings)
        self.target_actor.load_state_dict(self.actor.state_dict())
        for target, critic in zip(self.targets, self.critics):
            target.load_state_dict(critic.state_dict())
        self.log_alpha = torch.tensor(math.log(0.3), dtype=torch.float32).double()
        self.log_alpha.requires_grad_(True)
        decay, parameters = settings["weight_decay"], [p for c in self.critics for p in c.parameters()]
        self.critic_adam = adamw(settings, "critic", parameters, LEARNING_RATE, decay)
        self.actor_adam = adamw(settings, "actor", list(self.actor.parameters()), LEARNING_RATE, decay)
        self.alpha_adam = adamw(settings, "temperature", [self.log_alpha], LEARNING_RATE, 0.0)

    @torch.no_grad()
    def project(self):
        if "weight_projection" not in self.settings:
            return
        for linear in (linear for critic in self.critics for linear in critic.hidden):
            linear.weight.copy_(nn.functional.normalize(linear.weight, dim=1))

    def q(self, networks, observation, action, inputs, use):
        x = torch.cat([observation, action], -1)
        return torch.stack([n(x, masks(inputs, use, e))[:, 0] for e, n in enumerate(networks)])

    def critic_loss(self, inputs):
        with torch.no_grad():
            head = self.actor(inputs["next_observation"])
            action, log_prob = sample(self.settings, head, inputs["noise.next_action"])
            if self.settings["target_policy"]:
                head = self.target_actor(inputs["next_observation"])
                action, _ = sample(self.settings, head, inputs["noise.next_action"])
            q = self.q(self.targets, inputs["next_observation"], action, inputs, "target")
            beta = self.settings.get("target_beta")
            q = q.amin(0) if beta is None else q.mean(0) - beta * q.std(0, correction=0)
            soft = q - self.log_alpha.exp() * log_prob
            reward = self.settings["reward_scale"] * inputs["reward"]
            target = reward + DISCOUNT * inputs["bootstrap"] * soft
        scale, bias = bounds(self.settings)
        taken = inputs["action"] * scale + bias
        q = self.q(self.critics, inputs["observation"], taken, inputs, "critic")
        return sum(nn.functional.mse_loss(one, target) for one in q)

    def actor_loss(self, inputs):
        head = self.actor(inputs["observation"])
        action, log_prob = sample(self.settings, head, inputs["noise.action"])
        q = self.q(self.critics, inputs["observation"], action, inputs, "actor")
        q = {"first": q[0], "mean": q.mean(0), "minimum": q.amin(0)}[self.settings["policy_value"]]
        return (self.log_alpha.detach().exp() * log_prob - q).mean(), log_prob.detach()

    def alpha_loss(self, log_prob):
        alpha_form = self.settings["alpha_form"] == "alpha"
        factor = self.log_alpha.exp() if alpha_form else self.log_alpha
        return -(factor * (log_prob - ACTION)).mean()

    def update(self, inputs):
        """One update in the order critic, actor, temperature, targets; returns what it computed: every
        gradient, also of what has no turn."""
        self.num_updates += 1
        is_critic, is_policy, is_target = turn(self.settings, self.num_updates)
        out = {}
        critic_loss = self.critic_loss(inputs)
        self.critic_adam.zero_grad()
        critic_loss.backward()
        for e, critic in enumerate(self.critics):
            out |= prefixed(f"gradient.critic_{e}", critic, [p.grad for p in critic.parameters()])
        if is_critic:
            clip_gradient(self.settings, [p for critic in self.critics for p in critic.parameters()])
            self.critic_adam.step()
            self.project()
        actor_loss, log_prob = self.actor_loss(inputs)
        self.actor_adam.zero_grad()
        actor_loss.backward()
        gradients = [p.grad for p in self.actor.parameters()]
        out |= prefixed("gradient.actor", self.actor, gradients)
        alpha_loss = self.alpha_loss(log_prob)
        self.alpha_adam.zero_grad()
        alpha_loss.backward()
        out["gradient.log_alpha"] = self.log_alpha.grad.clone()
        if is_policy:
            clip_gradient(self.settings, self.actor.parameters())
            self.actor_adam.step()
            if self.settings["automatic"]:
                self.alpha_adam.step()
        if is_target:
            with torch.no_grad():
                for target, network in zip([*self.targets, self.target_actor], [*self.critics, self.actor]):
                    for t, p in zip(target.parameters(), network.parameters()):
                        t.lerp_(p, self.tau)
        losses = {"critic_loss": critic_loss, "actor_loss": actor_loss, "alpha_loss": alpha_loss}
        return out | losses

    def parameters(self, prefix):
        networks = {"actor": self.actor}
        if self.settings["target_policy"]:
            networks["target_actor"] = self.target_actor
        networks |= {f"critic_{e}": c for e, c in enumerate(self.critics)}
        networks |= {f"target_critic_{e}": t for e, t in enumerate(self.targets)}
        out = {f"{prefix}.log_alpha": self.log_alpha}
        for name, network in networks.items():
            out |= prefixed(f"{prefix}.{name}", network, network.parameters())
        return out


def prefixed(prefix, network, values):
    copies = [v.detach().clone() for v in values]
    return {f"{prefix}.{name}": value for name, value in network.arrays(copies).items()}


def make_case(number, settings):
    torch.manual_seed(number)
    inputs = random_inputs(np.random.default_rng(number), settings)
    torch.set_default_dtype(torch.float32)
    return learn(Learner(settings), inputs)


def learn(learner, inputs):
    """What every file holds: inputs, the start, the first update's losses and gradients, and the end."""
    for network in (learner.actor, learner.target_actor, *learner.critics, *learner.targets):
        network.double()  # float32 values, float64 arithmetic
    arrays = inputs | {k: v.detach().clone() for k, v in learner.parameters("start").items()}
    arrays |= {k: v.detach().clone() for k, v in learner.update(inputs).items()}
    for _ in range(learner.settings.get("updates", UPDATES) - 1):
        learner.update(inputs)
    return arrays | learner.parameters("end")


def main():
    return write_or_check("sac", CASES, DEFAULTS, make_case, NUMBERS)


if __name__ == "__main__":
    sys.exit(main())
