#!/usr/bin/env python3
"""How well TD3's authors' program learns a task: a CSV row per evaluation on stdout, as learning_curve.py prints them.

    ~/.cache/anthill/peers/bin/python scripts/peers/authors_td3.py FOLDER --env HalfCheetah-v4 --seed 0 --env-steps 50000

FOLDER holds TD3.py and utils.py of github.com/sfujim/TD3. Their learner and buffer with their main.py's settings, on one
thread, under Gymnasium's reset and step; a time limit bootstraps, as there.
"""

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
from learning_curve import evaluate


class Greedy:
    """Their policy with Stable-Baselines3's call."""

    def __init__(self, policy):
        self.policy = policy

    def predict(self, observation, deterministic):
        return self.policy.select_action(np.array(observation)), None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="with the authors' TD3.py and utils.py")
    parser.add_argument("--env", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--env-steps", type=int, required=True)
    parser.add_argument("--learning-starts", type=int, default=25_000, help="random actions and no update before")
    parser.add_argument("--period", type=int, default=5_000)
    parser.add_argument("--episodes", type=int, default=10)
    args = parser.parse_args()
    if args.period < 1 or args.episodes < 2 or args.env_steps < 1:
        parser.error("--period and --env-steps must be at least 1, --episodes at least 2")
    if not (Path(args.folder) / "TD3.py").is_file():
        parser.error(f"{args.folder} has no TD3.py; give a checkout of github.com/sfujim/TD3")
    sys.path.insert(0, args.folder)
    import TD3
    import torch  # here: the project's own environment has no Python torch that loads, and --help works without
    import utils

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    env = gymnasium.make(args.env)
    env.action_space.seed(args.seed)
    num_observations, num_actions = env.observation_space.shape[0], env.action_space.shape[0]
    limit = float(env.action_space.high[0])
    policy = TD3.TD3(num_observations, num_actions, limit, policy_noise=0.2 * limit, noise_clip=0.5 * limit)
    replay = utils.ReplayBuffer(num_observations, num_actions)
    print("env_steps,return_mean,return_std", flush=True)
    observation, _ = env.reset(seed=args.seed)
    for step in range(args.env_steps):
        if step < args.learning_starts:
            action = env.action_space.sample()
        else:
            noise = np.random.normal(0.0, 0.1 * limit, size=num_actions)
            action = (policy.select_action(np.array(observation)) + noise).clip(-limit, limit)
        following, reward, terminated, truncated, _ = env.step(action)
        replay.add(observation, action, following, reward, float(terminated))
        observation = following
        if step >= args.learning_starts:
            policy.train(replay, 256)
        if terminated or truncated:
            observation, _ = env.reset()
        if (step + 1) % args.period == 0:
            returns = evaluate(Greedy(policy), args.env, args.episodes)
            print(f"{step + 1},{np.mean(returns):.6g},{np.std(returns, ddof=1):.6g}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
