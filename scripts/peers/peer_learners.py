"""SAC of Stable-Baselines3 and SBX: updates, batches of the replay buffer, or whole training, on request.

usage: peer_learners.py sb3|sbx learner|buffer|train [options]
"""

from __future__ import annotations

import argparse
import time

import gymnasium
import numpy as np
from serve import answer, next_request, serve

UPDATES_PER_CALL = 8  # spares SBX most of its dispatch in Python; makes no difference to SB3


class Stub(gymnasium.Env):
    """Only shapes: for measuring the learner alone."""

    def __init__(self, observation_dim: int, action_dim: int):
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (observation_dim,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (action_dim,), np.float32)


def make_sac(library: str, env, device: str = "cpu", **settings):
    """SAC as published: two hidden layers of 256, batches of 256. SBX runs where its JAX does."""
    if library == "sb3":
        from stable_baselines3 import SAC

        settings["device"] = device
    else:
        from sbx import SAC
    return SAC("MlpPolicy", env, batch_size=256, policy_kwargs={"net_arch": [256, 256]}, seed=0, **settings)


def fill(buffer) -> None:
    """Every row of an SB3 replay buffer with noise."""
    generator = np.random.default_rng(0)
    for array in (buffer.observations, buffer.next_observations, buffer.actions, buffer.rewards):
        for begin in range(0, len(array), 10_000):  # in pieces: float64 noise of everything would not fit
            part = array[begin : begin + 10_000]
            part[...] = generator.uniform(-1, 1, part.shape)
    buffer.pos, buffer.full = 0, True


def waiter(library: str, model):
    """A function that waits for work that is still queued."""
    if library == "sb3":
        import torch

        return torch.cuda.synchronize if model.device.type == "cuda" else lambda: None
    import jax

    return lambda: jax.block_until_ready((model.policy.qf_state.params, model.policy.actor_state.params))


def learner(args) -> None:
    from stable_baselines3.common.logger import Logger

    model = make_sac(args.library, Stub(args.observation_dim, args.action_dim), args.device, buffer_size=10_000)
    fill(model.replay_buffer)
    model.set_logger(Logger(None, []))

    def work() -> float:
        model.train(gradient_steps=UPDATES_PER_CALL, batch_size=256)
        return UPDATES_PER_CALL

    serve(work, waiter(args.library, model))


def buffer(args) -> None:
    from stable_baselines3.common.buffers import ReplayBuffer

    stub = Stub(args.observation_dim, args.action_dim)
    memory = ReplayBuffer(args.capacity, stub.observation_space, stub.action_space, device="cpu")
    fill(memory)

    def work() -> float:
        for _ in range(100):
            memory.sample(256)
        return 100

    serve(work)


def train(args) -> None:
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Chunks(BaseCallback):
        """Counts transitions from the first update on; ends the run with the last request."""

        def __init__(self):
            super().__init__()
            self.begin, self.seconds, self.units = None, 0.0, 0.0

        def _on_step(self) -> bool:
            if self.num_timesteps <= args.learning_starts + args.num_envs:
                return True
            if self.begin is not None:
                self.units += args.num_envs
                if time.perf_counter() - self.begin < self.seconds:
                    return True
                finish()
                answer(self.units, time.perf_counter() - self.begin)
            seconds = next_request()
            self.begin, self.seconds, self.units = time.perf_counter(), seconds or 0.0, 0.0
            return seconds is not None

    envs = make_vec_env(args.env, n_envs=args.num_envs, seed=0)
    model = make_sac(args.library, envs, buffer_size=1_000_000, learning_starts=args.learning_starts,
                     train_freq=1, gradient_steps=round(args.replay_ratio * args.num_envs))
    finish = waiter(args.library, model)
    model.learn(total_timesteps=10**12, callback=Chunks(), log_interval=10**9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=["sb3", "sbx"])
    parser.add_argument("part", choices=["learner", "buffer", "train"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="of sb3's learner")
    parser.add_argument("--observation-dim", type=int, default=27)
    parser.add_argument("--action-dim", type=int, default=8)
    parser.add_argument("--capacity", type=int, default=1_000_000)
    parser.add_argument("--env", default="Ant-v4")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--replay-ratio", type=float, default=1.0)
    parser.add_argument("--learning-starts", type=int, default=1000)
    args = parser.parse_args()
    import torch

    torch.set_num_threads(args.threads)
    {"learner": learner, "buffer": buffer, "train": train}[args.part](args)


if __name__ == "__main__":
    main()
