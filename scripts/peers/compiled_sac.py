"""SAC's learner as fast PyTorch has it, after LeanRL's recipe (https://github.com/meta-pytorch/LeanRL): critics stacked
into one batched product, the update compiled by torch.compile, and on a GPU captured into a CUDA graph.

usage: compiled_sac.py [--device cpu|cuda] [--threads N] [options]    answers requests as serve.py says
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import torch
from serve import serve
from torch import nn

UPDATES_PER_CALL = 8
LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0


class StackedLinear(nn.Module):
    """`count` layers side by side: [count, B, in] to [count, B, out]; PyTorch's initial distribution."""

    def __init__(self, count: int, num_in: int, num_out: int):
        super().__init__()
        bound = 1 / math.sqrt(num_in)
        self.weight = nn.Parameter(torch.empty(count, num_in, num_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, 1, num_out).uniform_(-bound, bound))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


def critics(num_in: int, width: int) -> nn.Module:
    """Two critics of one stack: [2, B, observation + action] to [2, B, 1]."""
    return nn.Sequential(StackedLinear(2, num_in, width), nn.ReLU(), StackedLinear(2, width, width), nn.ReLU(),
                         StackedLinear(2, width, 1))


def actor(num_in: int, num_actions: int, width: int) -> nn.Module:
    """[B, observation] to [B, 2 * action]: means and log standard deviations."""
    return nn.Sequential(nn.Linear(num_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                         nn.Linear(width, 2 * num_actions))


def sample(head: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squashed Gaussian (appendix C of 1812.05905): actions [B, A] and their log-probabilities [B]."""
    mean, log_std = head.chunk(2, -1)
    log_std = log_std.clamp(LOG_STD_MIN, LOG_STD_MAX)
    raw = mean + log_std.exp() * noise
    log_prob = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
    log_prob = log_prob - 2 * (math.log(2) - raw - nn.functional.softplus(-2 * raw))
    return raw.tanh(), log_prob.sum(-1)


class Learner:
    """Networks, optimisers, a full replay buffer of noise on the device, and one update."""

    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(0)
        self.args, self.device = args, torch.device(args.device)
        with self.device:
            self.actor = actor(args.observation_dim, args.action_dim, args.width)
            self.critics = critics(args.observation_dim + args.action_dim, args.width)
            self.targets = critics(args.observation_dim + args.action_dim, args.width)
            self.log_alpha = nn.Parameter(torch.zeros(()))
            self.rows = {name: torch.rand(args.capacity, dim) * 2 - 1 for name, dim in
                         [("observation", args.observation_dim), ("action", args.action_dim), ("reward", 1),
                          ("next_observation", args.observation_dim)]}
            self.rows["bootstrap"] = torch.ones(args.capacity, 1)
        self.targets.load_state_dict(self.critics.state_dict())
        # a captured step counts on the device
        options = {"lr": 3e-4, "fused": True, "capturable": self.device.type == "cuda"}
        self.critic_adam = torch.optim.Adam(self.critics.parameters(), **options)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), **options)
        self.alpha_adam = torch.optim.Adam([self.log_alpha], **options)

    def q(self, network: nn.Module, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """[2, B]"""
        x = torch.cat([observation, action], -1)
        return network(x.expand(2, *x.shape)).squeeze(-1)

    def critic_loss(self, batch: dict[str, torch.Tensor], noise: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            action, log_prob = sample(self.actor(batch["next_observation"]), noise)
            value = self.q(self.targets, batch["next_observation"], action).amin(0) - self.log_alpha.exp() * log_prob
            target = batch["reward"][:, 0] + 0.99 * batch["bootstrap"][:, 0] * value
        return (self.q(self.critics, batch["observation"], batch["action"]) - target).square().mean(-1).sum()

    def actor_loss(self, batch: dict[str, torch.Tensor], noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        action, log_prob = sample(self.actor(batch["observation"]), noise)
        value = self.q(self.critics, batch["observation"], action).amin(0)
        return (self.log_alpha.detach().exp() * log_prob - value).mean(), log_prob.detach()

    def draw(self) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
        """A batch, and the noise of both actions."""
        places = torch.randint(self.args.capacity, (self.args.batch_size,), device=self.device)
        noise = torch.randn(2, self.args.batch_size, self.args.action_dim, device=self.device)
        return {name: rows[places] for name, rows in self.rows.items()}, noise[0], noise[1]

    def update(self) -> None:
        self.learn(*self.draw())

    def learn(self, batch: dict[str, torch.Tensor], next_noise: torch.Tensor, noise: torch.Tensor) -> None:
        """One update on a batch: critics, actor, temperature, targets."""
        self.critic_adam.zero_grad()
        self.critic_loss(batch, next_noise).backward()
        self.critic_adam.step()
        self.actor_adam.zero_grad()
        self.critics.requires_grad_(False)
        loss, log_prob = self.actor_loss(batch, noise)
        loss.backward()
        self.critics.requires_grad_(True)
        self.actor_adam.step()
        self.alpha_adam.zero_grad()
        (-self.log_alpha.exp() * (log_prob.mean() - self.args.action_dim)).backward()
        self.alpha_adam.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.targets.parameters()), list(self.critics.parameters()), 0.005)


def captured(update: Callable[[], None]) -> Callable[[], None]:
    """`update` as one launch of a CUDA graph, after the warm-up that capture demands."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            update()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        update()
    return graph.replay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--observation-dim", type=int, default=27)
    parser.add_argument("--action-dim", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--width", type=int, default=256, help="of both hidden layers")
    parser.add_argument("--capacity", type=int, default=10_000)
    parser.add_argument("--eager", action="store_true", help="neither compiled nor captured")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    learner = Learner(args)
    update = learner.update if args.eager else torch.compile(learner.update)
    on_gpu = args.device == "cuda"
    if on_gpu and not args.eager:
        update = captured(update)

    def work() -> float:
        for _ in range(UPDATES_PER_CALL):
            update()
        return UPDATES_PER_CALL

    serve(work, torch.cuda.synchronize if on_gpu else lambda: None)


if __name__ == "__main__":
    main()
