#!/usr/bin/env python3
"""How well Stable-Baselines3 or SBX learns a task: a CSV row per evaluation on stdout, to lie beside eval.csv.

For the Python that scripts/bench_peers --install-only makes:

    ~/.cache/anthill/peers/bin/python scripts/peers/learning_curve.py sb3 sac --env HalfCheetah-v4 --seed 0 \\
      --env-steps 50000 --learning-starts 1000

Defaults are the library's own but for TD3: its authors' settings (256-256, learning rate 3e-4, noise .1).
"""

import argparse
import os

import gymnasium
import numpy as np


def evaluate(model, env_id: str, num_episodes: int) -> list[float]:
    """Undiscounted returns of deterministic episodes from seeds 10,000,000, ..., as anthill's for run.seed = 0."""
    returns = []
    env = gymnasium.make(env_id)
    for episode in range(num_episodes):
        observation, _ = env.reset(seed=10_000_000 + episode)
        total, over = 0.0, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(model.predict(observation, deterministic=True)[0])
            total, over = total + reward, terminated or truncated
        returns.append(total)
    return returns


def make_model(args: argparse.Namespace):
    """On one thread."""
    if args.library == "sb3":
        import torch
        from stable_baselines3 import SAC, TD3

        torch.set_num_threads(1)
    else:
        os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
        from sbx import SAC, TD3
    from stable_baselines3.common.noise import NormalActionNoise

    settings = {"seed": args.seed, "learning_starts": args.learning_starts, "device": "cpu"}
    if args.algorithm == "sac":
        return SAC("MlpPolicy", args.env, **settings)
    num_actions = gymnasium.make(args.env).action_space.shape[0]
    noise = NormalActionNoise(np.zeros(num_actions), 0.1 * np.ones(num_actions))
    return TD3("MlpPolicy", args.env, learning_rate=3e-4, action_noise=noise, policy_kwargs={"net_arch": [256, 256]}, **settings)


def print_evaluations(args: argparse.Namespace) -> None:
    from stable_baselines3.common.callbacks import BaseCallback

    class Evaluations(BaseCallback):
        def _on_step(self) -> bool:
            if self.num_timesteps % args.period == 0:
                returns = evaluate(self.model, args.env, args.episodes)
                print(f"{self.num_timesteps},{np.mean(returns):.6g},{np.std(returns, ddof=1):.6g}", flush=True)
            return True

    print("env_steps,return_mean,return_std", flush=True)
    make_model(args).learn(args.env_steps, callback=Evaluations(), log_interval=10**9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("library", choices=["sb3", "sbx"])
    parser.add_argument("algorithm", choices=["sac", "td3"])
    parser.add_argument("--env", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--env-steps", type=int, default=50_000)
    parser.add_argument("--learning-starts", type=int, default=10_000)
    parser.add_argument("--period", type=int, default=5_000, help="env steps between evaluations")
    parser.add_argument("--episodes", type=int, default=10, help="of an evaluation")
    args = parser.parse_args()
    if args.period < 1 or args.episodes < 2 or args.env_steps < 1:
        parser.error("--period and --env-steps must be at least 1, --episodes at least 2")
    print_evaluations(args)


if __name__ == "__main__":
    main()
