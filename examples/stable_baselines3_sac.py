"""Stable-Baselines3 on environments that anthill steps, through a small VecEnv.

    python examples/stable_baselines3_sac.py --env Pendulum-v1 --steps 20000
"""

import argparse

import numpy as np
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

import anthill


class AnthillVecEnv(VecEnv):
    """anthill's environments as Stable-Baselines3 wants them: infos as a list, the last observation of an episode in
    infos[i]["terminal_observation"], and arrays of its own."""

    def __init__(self, env, num_envs=1, num_threads=0, **options):
        self.envs = anthill.make_vec(env, num_envs, num_threads, copy=True, **options)
        super().__init__(num_envs, self.envs.single_observation_space, self.envs.single_action_space)
        self.render_mode = None

    def reset(self):
        given = any(seed is not None for seed in self._seeds)
        observations, _ = self.envs.reset(seed=list(self._seeds) if given else None)
        self._reset_seeds()
        return observations

    def step_async(self, actions):
        self.envs.step_async(actions)

    def step_wait(self):
        observations, rewards, terminated, truncated, infos = self.envs.step_wait()
        listed = [{"TimeLimit.truncated": bool(cut and not end)} for cut, end in zip(truncated, terminated)]
        for lane in np.flatnonzero(terminated | truncated):
            listed[lane]["terminal_observation"] = infos["final_obs"][lane]
        return observations, rewards.astype(np.float32), terminated | truncated, listed

    def close(self):
        self.envs.close()

    def get_attr(self, attr_name, indices=None):
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name, value, indices=None):
        raise AttributeError(f"{attr_name}: the environments are one object in C++; make new ones with other options")

    def env_method(self, method_name, *args, indices=None, **kwargs):
        raise AttributeError(f"{method_name}: the environments are one object in C++, without methods of their own")

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * len(list(self._get_indices(indices)))


def train(options):
    """Mean return of `--episodes` episodes of the trained, deterministic policy."""
    envs = VecMonitor(AnthillVecEnv(options.env, options.num_envs, options.num_threads))
    envs.seed(options.seed)
    model = SAC(
        "MlpPolicy", envs, seed=options.seed, learning_rate=1e-3, learning_starts=options.learning_starts,
        train_freq=1, gradient_steps=-1, policy_kwargs={"net_arch": [64, 64]}, device="cpu", verbose=0,
    )  # fmt: skip
    model.learn(options.steps)
    evaluation = VecMonitor(AnthillVecEnv(options.env, min(options.episodes, 10)))
    evaluation.seed(10_000)
    mean, std = evaluate_policy(model, evaluation, n_eval_episodes=options.episodes)
    print(f"{options.env} after {model.num_timesteps} env steps: return {mean:.1f} +- {std:.1f}")
    return mean


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--num-threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20_000, help="env steps, over all environments")
    parser.add_argument("--learning-starts", type=int, default=1000)
    parser.add_argument("--episodes", type=int, default=20, help="of the evaluation at the end")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    train(parse())
