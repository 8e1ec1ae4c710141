"""The compiled SAC that scripts/bench_peers measures on a GPU makes the update that plain PyTorch makes."""

import subprocess

from examples_test import ROOT, python_with

# the same update from torch.distributions, two critics of their own and unfused optimisers
PROGRAM = """
import argparse, copy, sys
import torch
from torch import distributions, nn
from compiled_sac import Learner

args = argparse.Namespace(device="cpu", observation_dim=3, action_dim=2, batch_size=16, width=8, capacity=100)
mine = Learner(args)
actor = copy.deepcopy(mine.actor)
log_alpha = nn.Parameter(mine.log_alpha.detach().clone())


def single(stack, e):
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    for i in (0, 2, 4):
        network[i].weight.data = stack[i].weight[e].detach().T.clone()
        network[i].bias.data = stack[i].bias[e, 0].detach().clone()
    return network


critics = [single(mine.critics, e) for e in range(2)]
targets = [single(mine.targets, e) for e in range(2)]
for network in targets:
    network.requires_grad_(False)
adams = [torch.optim.Adam(p, lr=3e-4) for p in ([*critics[0].parameters(), *critics[1].parameters()], actor.parameters(), [log_alpha])]


def policy(observation, noise):
    mean, log_std = actor(observation).chunk(2, -1)
    normal = distributions.Normal(mean, log_std.clamp(-20, 2).exp())
    squashed = distributions.TransformedDistribution(normal, distributions.TanhTransform(cache_size=1))
    action = squashed.transforms[0](mean + normal.scale * noise)
    return action, squashed.log_prob(action).sum(-1)


def lowest(networks, observation, action):
    x = torch.cat([observation, action], -1)
    return torch.minimum(networks[0](x), networks[1](x))[:, 0]


for _ in range(3):
    batch, next_noise, noise = mine.draw()
    alpha = log_alpha.detach().exp()
    with torch.no_grad():
        action, log_prob = policy(batch["next_observation"], next_noise)
        y = batch["reward"][:, 0] + 0.99 * (lowest(targets, batch["next_observation"], action) - alpha * log_prob)
    x = torch.cat([batch["observation"], batch["action"]], -1)
    losses = [sum(nn.functional.mse_loss(network(x)[:, 0], y) for network in critics)]
    adams[0].zero_grad(); losses[0].backward(); adams[0].step()
    action, log_prob = policy(batch["observation"], noise)
    adams[1].zero_grad()
    (alpha * log_prob - lowest(critics, batch["observation"], action)).mean().backward()
    adams[1].step()
    adams[2].zero_grad()
    (-log_alpha.exp() * (log_prob.detach() + -2).mean()).backward()
    adams[2].step()
    for network, target in zip(critics, targets):
        for p, t in zip(network.parameters(), target.parameters()):
            t.data.mul_(0.995).add_(0.005 * p.data)
    mine.learn(batch, next_noise, noise)

for e in range(2):
    for i in (0, 2, 4):
        for stack, networks in ((mine.critics, critics), (mine.targets, targets)):
            torch.testing.assert_close(stack[i].weight[e].T, networks[e][i].weight, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(stack[i].bias[e, 0], networks[e][i].bias, rtol=1e-4, atol=1e-6)
for p, q in zip(mine.actor.parameters(), actor.parameters()):
    torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)
torch.testing.assert_close(mine.log_alpha, log_alpha)
assert abs(float(mine.log_alpha)) > 1e-4
print("same")
"""


def test_an_update_is_that_of_plain_pytorch():
    command = [python_with("torch"), "-c", PROGRAM]
    result = subprocess.run(command, cwd=ROOT / "scripts/peers", capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and "same" in result.stdout, result.stderr


def test_it_answers_requests():
    command = [python_with("torch"), "compiled_sac.py", "--eager", "--width", "16", "--batch-size", "8"]
    result = subprocess.run(command, cwd=ROOT / "scripts/peers", input="0.1\n0.1\n", capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and result.stdout.count('"units"') == 2, result.stderr
