"""SAC in PyTorch, in one file as CleanRL's are, on environments that anthill steps.

    python examples/sac_pytorch.py --env Pendulum-v1 --steps 20000
    python examples/sac_pytorch.py --env Ant-v5 --num-envs 64 --num-threads 8 --replay-ratio 0.25

Haarnoja et al. (2018), with the settings that configs/pendulum_sac.toml has for Pendulum. What differs from CleanRL's
file: many environments, of which each step inserts all transitions, and updates by replay ratio.
"""

import argparse

import gymnasium
import numpy as np
import torch
from torch import nn

import anthill


def mlp(inputs, outputs, width):
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


class Actor(nn.Module):
    def __init__(self, space, inputs, width):
        super().__init__()
        self.net = mlp(inputs, 2 * space.shape[0], width)
        self.register_buffer("scale", torch.tensor((space.high - space.low) / 2))
        self.register_buffer("bias", torch.tensor((space.high + space.low) / 2))

    def forward(self, observation):
        """A sampled action in environment units, and its log-probability."""
        mean, log_std = self.net(observation).chunk(2, dim=-1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
        u = normal.rsample()
        log_prob = normal.log_prob(u) - 2 * (np.log(2) - u - nn.functional.softplus(-2 * u))
        return torch.tanh(u) * self.scale + self.bias, log_prob.sum(-1)


class Replay:
    """Time-ordered rows of whole vector steps."""

    def __init__(self, capacity, observation_dim, action_dim):
        self.observation, self.next_observation = (np.empty((capacity, observation_dim), np.float32) for _ in range(2))
        self.action = np.empty((capacity, action_dim), np.float32)
        self.reward, self.terminated = (np.empty(capacity, np.float32) for _ in range(2))
        self.size = self.place = 0

    def insert(self, observation, action, reward, next_observation, terminated):
        rows = (self.place + np.arange(len(reward))) % len(self.reward)
        self.observation[rows], self.next_observation[rows] = observation, next_observation
        self.action[rows], self.reward[rows], self.terminated[rows] = action, reward, terminated
        self.place = (self.place + len(rows)) % len(self.reward)
        self.size = min(self.size + len(rows), len(self.reward))

    def sample(self, rng, batch_size):
        rows = rng.integers(self.size, size=batch_size)
        arrays = (self.observation, self.action, self.reward, self.next_observation, self.terminated)
        return [torch.from_numpy(array[rows]) for array in arrays]


class Learner:
    def __init__(self, envs, options):
        inputs, outputs = envs.single_observation_space.shape[0], envs.single_action_space.shape[0]
        self.options = options
        self.actor = Actor(envs.single_action_space, inputs, options.width)
        self.critics, self.targets = (
            nn.ModuleList(mlp(inputs + outputs, 1, options.width) for _ in range(2)) for _ in range(2)
        )
        self.targets.load_state_dict(self.critics.state_dict())
        self.log_alpha = torch.zeros((), requires_grad=True)
        self.target_entropy = -outputs
        rate = options.learning_rate
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), rate)
        self.critic_adam = torch.optim.Adam(self.critics.parameters(), rate)
        self.alpha_adam = torch.optim.Adam([self.log_alpha], rate)

    def q(self, critics, observation, action):
        x = torch.cat([observation, action], -1)
        return torch.stack([critic(x)[:, 0] for critic in critics])

    def update(self, observation, action, reward, next_observation, terminated):
        alpha = self.log_alpha.exp().detach()
        with torch.no_grad():
            next_action, next_log_prob = self.actor(next_observation)
            next_value = self.q(self.targets, next_observation, next_action).amin(0) - alpha * next_log_prob
            target = reward + self.options.discount * (1 - terminated) * next_value
        critic_loss = (self.q(self.critics, observation, action) - target).square().mean(1).sum()
        step(self.critic_adam, critic_loss)
        new_action, log_prob = self.actor(observation)
        step(self.actor_adam, (alpha * log_prob - self.q(self.critics, observation, new_action).amin(0)).mean())
        step(self.alpha_adam, -(self.log_alpha * (log_prob.detach() + self.target_entropy)).mean())
        with torch.no_grad():
            for target, critic in zip(self.targets.parameters(), self.critics.parameters()):
                target.lerp_(critic, self.options.tau)


def step(adam, loss):
    adam.zero_grad()
    loss.backward()
    adam.step()


def train(options):
    """Returns of all episodes that ended, in order."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    envs = anthill.make_vec(options.env, options.num_envs, options.num_threads)
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    learner = Learner(envs, options)
    replay = Replay(100_000, envs.single_observation_space.shape[0], envs.single_action_space.shape[0])
    envs.action_space.seed(options.seed)
    observation, _ = envs.reset(seed=options.seed)
    returns, num_steps, num_updates = [], 0, 0
    while num_steps < options.steps:
        if num_steps < options.learning_starts:
            action = envs.action_space.sample()
        else:
            with torch.no_grad():
                action = learner.actor(torch.as_tensor(observation, dtype=torch.float32))[0].numpy()
        following, reward, terminated, _, infos = envs.step(action)
        # the true successors, not the first observations of new episodes
        replay.insert(observation, action, reward, envs.unwrapped.next_observation, terminated)
        observation = following  # a view: valid until the step after the next
        num_steps += options.num_envs
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
            print(f"env step {num_steps}, {len(returns)} episodes: return {np.mean(returns[-10:]):.1f} (last 10)")
        while num_updates < options.replay_ratio * (num_steps - options.learning_starts):
            learner.update(*replay.sample(rng, options.batch_size))
            num_updates += 1
    envs.close()
    return returns


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--num-threads", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20_000, help="env steps, over all environments")
    parser.add_argument("--learning-starts", type=int, default=1000)
    parser.add_argument("--replay-ratio", type=float, default=1.0, help="updates per env step")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--discount", type=float, default=0.99)
    parser.add_argument("--tau", type=float, default=0.005)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    train(parse())
