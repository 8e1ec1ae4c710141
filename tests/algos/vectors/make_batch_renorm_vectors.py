"""SAC with batch renormalisation in the critics, from PyTorch's batch_norm, for
tests/algos/batch_renorm_vectors_test.cpp.

    python tests/algos/vectors/make_batch_renorm_vectors.py           # writes batch_renorm_<case>.safetensors
    python tests/algos/vectors/make_batch_renorm_vectors.py --check   # makes them again and compares

As make_sac_vectors.py, whose learner it is but for the critics. Running statistics start far from the batch's, so
that some of r and d are clipped and some are not.
"""

import sys

import make_sac_vectors as sac
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from vector_files import write_or_check

# so many rows, and tanh, that no unit is linear in all rows: the loss does not depend on its bias, and what Adam makes
# of a gradient that is nothing but rounding cannot be compared
sac.BATCH = 32
EPS, MAX_R, MAX_D, MOMENTUM = 1e-3, 3.0, 5.0, 0.9

CASES = {
    "targets": {"activation": "tanh", "log_std_form": "clamp", "log_prob_form": "exact",
                "alpha_form": "log_alpha", "tau": 0.05, "warmup": 0},
    "joint": {"activation": "elu", "log_std_form": "clamp", "log_prob_form": "exact",
              "alpha_form": "log_alpha", "tau": 1.0, "warmup": 0, "num_critics": 3,
              "weight_decay": 0.02},
    "joint_warmup": {"activation": "relu", "log_std_form": "tanh_affine", "log_prob_form": "epsilon",
                     "alpha_form": "alpha", "tau": 1.0, "warmup": 2},
}  # fmt: skip


class BatchRenorm(nn.Module):
    """Ioffe, 2017, algorithm 1; the running statistics take the batch's biased variance, as Flax's do."""

    def __init__(self, width, warmup):
        super().__init__()
        self.warmup, self.num_batches, self.latest = warmup, 0, None
        self.weight = nn.Parameter(1.0 + 0.3 * torch.randn(width))
        self.bias = nn.Parameter(0.3 * torch.randn(width))
        self.register_buffer("mean", 0.5 * torch.randn(width))
        self.register_buffer("variance", torch.exp(1.5 * torch.randn(width) - 2.0))

    def forward(self, x, training):
        if not training:
            return functional.batch_norm(x, self.mean, self.variance, self.weight, self.bias, False, 0.0, EPS)
        own = functional.batch_norm(x, None, None, None, None, True, 0.0, EPS)
        with torch.no_grad():
            mean, variance = x.mean(0), x.var(0, unbiased=False)
            std, running_std = torch.sqrt(variance + EPS), torch.sqrt(self.variance + EPS)
            r = torch.clamp(std / running_std, 1 / MAX_R, MAX_R)
            d = torch.clamp((mean - self.mean) / running_std, -MAX_D, MAX_D)
            self.latest = mean, variance
        if self.num_batches >= self.warmup:
            own = own * r + d
        return self.weight * own + self.bias

    def remember(self):
        """Once for a batch: after the loss, which may be taken without learning from it."""
        for running, batch in zip((self.mean, self.variance), self.latest):
            running.copy_(MOMENTUM * running + (1 - MOMENTUM) * batch)
        self.num_batches += 1


class Critic(nn.Module):
    """CrossQ's: a norm of the input, then Linear, activation and norm for every hidden layer."""

    def __init__(self, settings):
        super().__init__()
        widths = (sac.OBSERVATION + sac.ACTION, *sac.HIDDEN)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.output = nn.Linear(sac.HIDDEN[-1], 1)
        self.norm = nn.ModuleList(BatchRenorm(width, settings["warmup"]) for width in widths)
        self.activation = sac.ACTIVATIONS[settings["activation"]]()

    def forward(self, x, training):
        x = self.norm[0](x, training)
        for linear, norm in zip(self.hidden, self.norm[1:]):
            x = norm(self.activation(linear(x)), training)
        return self.output(x)[:, 0]

    def arrays(self, values):
        names = [name for name, _ in self.named_parameters()]
        return {name.replace("hidden.", "hidden_").replace("norm.", "batch_renorm_"): value
                for name, value in zip(names, values)}  # fmt: skip

    def statistics(self):
        return {f"batch_renorm_{i}.{kind}": getattr(norm, kind).clone()
                for i, norm in enumerate(self.norm) for kind in ("mean", "variance")}  # fmt: skip


class Learner(sac.Learner):
    def __init__(self, settings):
        super().__init__(settings)
        self.critics = [Critic(settings) for _ in self.critics]
        self.targets = [Critic(settings) for _ in self.targets]
        parameters = [p for c in self.critics for p in c.parameters()]
        decay = settings["weight_decay"]
        self.critic_adam = torch.optim.AdamW(parameters, lr=sac.LEARNING_RATE, weight_decay=decay)

    def q(self, networks, observation, action, inputs, use):
        x = torch.cat([observation, action], -1)
        return torch.stack([network(x, training=use == "critic") for network in networks])

    def critic_loss(self, inputs):
        """Without target networks both halves are one batch, and the next values' gradient is stopped."""
        if self.tau < 1.0:
            return super().critic_loss(inputs)
        with torch.no_grad():
            head = self.actor(inputs["next_observation"])
            next_action, log_prob = sac.sample(self.settings, head, inputs["noise.next_action"])
        observations = torch.cat([inputs["observation"], inputs["next_observation"]])
        actions = torch.cat([inputs["action"], next_action])
        q, next_q = self.q(self.critics, observations, actions, inputs, "critic").chunk(2, dim=1)
        soft = next_q.detach().amin(0) - self.log_alpha.exp().detach() * log_prob
        target = inputs["reward"] + sac.DISCOUNT * inputs["bootstrap"] * soft
        return sum(nn.functional.mse_loss(one, target) for one in q)

    def actor_loss(self, inputs):
        """The policy climbs critics that have remembered the batch they learned from."""
        with torch.no_grad():
            for critic in self.critics:
                for norm in critic.norm:
                    norm.remember()
        return super().actor_loss(inputs)

    def update(self, inputs):
        out = super().update(inputs)
        with torch.no_grad():
            for target, critic in zip(self.targets, self.critics):
                for t, s in zip(target.buffers(), critic.buffers()):
                    t.lerp_(s, self.tau)
        return out

    def parameters(self, prefix):
        out = super().parameters(prefix)
        for name, networks in (("critic", self.critics), ("target_critic", self.targets)):
            for e, network in enumerate(networks):
                out |= {f"{prefix}.{name}_{e}.{key}": value for key, value in network.statistics().items()}
        return out


def make_case(number, settings):
    torch.manual_seed(100 + number)
    inputs = sac.random_inputs(np.random.default_rng(100 + number), settings)
    return sac.learn(Learner(settings), inputs)


if __name__ == "__main__":
    defaults = sac.DEFAULTS | {"momentum": MOMENTUM}
    numbers = {key: value for key, value in sac.NUMBERS.items() if key != "tau"}
    sys.exit(write_or_check("batch_renorm", CASES, defaults, make_case, numbers))
