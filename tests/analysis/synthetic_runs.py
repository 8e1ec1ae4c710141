"""Run folders for tests, as anthill writes them but made in milliseconds.

    python tests/analysis/synthetic_runs.py FOLDER     writes a sweep of three arms x 3 seeds, one run still going

Numbers follow the study's pattern: without LayerNorm at replay ratio 8 Q runs away from its Monte-Carlo value. They
are made up and prove nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = """[run]
name = ""
seed = {seed}
device = "auto"

[sim]
env = "{env}"
num_envs = 1
num_threads = 0
max_episode_steps = 0

[buffer]
capacity = 50000

[training]
total_env_steps = {total}
replay_ratio = {replay_ratio:.1f}
batch_size = 256

[critic]
hidden_dims = [256, 256]
layer_norm = {layer_norm}
"""


def make_run(
    folder: Path, seed: int = 0, *, replay_ratio: float = 1, layer_norm: bool = False, env: str = "Ant-v4",
    steps: int = 10_000, total: int = 10_000, commit: str = COMMIT, mujoco: str = "3.17.0", state: str = "finished",
    probe: bool = True, diverge_at: int | None = None,
) -> Path:
    """Writes one run folder; `diverge_at` puts inf into the learner's columns from that env step on."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng([seed, int(10 * replay_ratio), layer_norm])
    blow_up = 0.05 * replay_ratio * (1 + 0.3 * seed) * (0.15 if layer_norm else 1)
    train = _train(generator, steps, replay_ratio, blow_up)
    if diverge_at is not None:
        late = train.env_steps >= diverge_at
        train.loc[late, ["q_mean", "critic_loss"]] = np.inf
        train = train[train.env_steps <= diverge_at + 200]
        steps, state = int(train.env_steps.max()), "diverged"
    train.to_csv(folder / "train.csv", index=False)
    _episodes(generator, steps, train).to_csv(folder / "episodes.csv", index=False)
    _evaluations(generator, steps, blow_up).to_csv(folder / "eval.csv", index=False)
    if probe and steps >= 2500:
        _probes(generator, steps, blow_up).to_csv(folder / "overestimation.csv", index=False)
    config = CONFIG.format(
        seed=seed, env=env, total=total, replay_ratio=replay_ratio, layer_norm=str(layer_norm).lower()
    )
    (folder / "resolved.toml").write_text(config)
    (folder / "status.json").write_text(json.dumps({"state": state, "reason": "", "env_steps": steps}))
    provenance = {
        "anthill_version": "0.1.0",
        "source": {"git_commit": commit, "git_dirty": False},
        "libraries": {"mujoco": mujoco, "libtorch": "2.11.0"},
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
    return folder


def _train(generator, steps: int, replay_ratio: float, blow_up: float) -> pd.DataFrame:
    env_steps = np.arange(100, steps + 1, 100)
    growth = np.where(env_steps <= 1000, np.nan, np.exp(blow_up * env_steps / 1000))  # no update before 1,000
    noise = np.exp(0.2 * generator.standard_normal(len(env_steps)))
    return pd.DataFrame({
        "env_steps": env_steps,
        "gradient_updates": np.maximum(0, replay_ratio * (env_steps - 1000)),
        "wall_time_s": env_steps / 20,
        "replay_ratio": np.where(env_steps > 1000, replay_ratio, 0.0),
        "critic_loss": growth * noise,
        "actor_loss": -20 * growth,
        "alpha": 0.05 * growth * noise**0.2,
        "entropy": np.where(env_steps <= 1000, np.nan, -4 + 0.2 * generator.standard_normal(len(env_steps))),
        "target_entropy": np.where(env_steps <= 1000, np.nan, -4.0),
        "q_mean": 20 * growth * noise**0.1,
        "q_gap": 0.2 * growth * noise,
        "target_mean": 20 * growth,
        "critic_parameter_norm": 30 + env_steps / 1000,
        "effective_rank": 120 / growth,
        "dormant_share": np.clip(0.02 * growth, 0, 1),
        "sim_warnings": 0,
    })


def _episodes(generator, steps: int, train: pd.DataFrame) -> pd.DataFrame:
    lengths = []
    while sum(lengths) < steps:
        lengths.append(int(generator.integers(30, 600)))
    env_steps = np.cumsum(lengths)[:-1]
    length = np.array(lengths[:-1])
    columns = {
        "env_steps": env_steps, "env": 0, "episode": np.arange(len(length)),
        "episode_return": 0.5 * length + generator.standard_normal(len(length)), "episode_length": length,
    }
    latest = np.searchsorted(train.env_steps, env_steps, side="right") - 1  # the latest row of train.csv
    for name in ("q_mean", "alpha", "entropy", "critic_loss", "actor_loss"):
        columns[name] = np.where(latest < 0, np.nan, train[name].to_numpy()[latest])
    return pd.DataFrame(columns)


def _evaluations(generator, steps: int, blow_up: float) -> pd.DataFrame:
    env_steps = np.arange(0, steps + 1, 1000)
    return pd.DataFrame({
        "env_steps": env_steps, "num_episodes": 5,
        "return_mean": 900 - 60 * blow_up * env_steps / 100 + 30 * generator.standard_normal(len(env_steps)),
        "deterministic": 1,
    })


def _probes(generator, steps: int, blow_up: float) -> pd.DataFrame:
    rows = []
    for step in range(2500, steps + 1, 2500):
        for kind, factor in (("on_policy", 1.0), ("reset", 0.8), ("buffer_action", 1.6), ("buffer_policy", 1.3)):
            soft = 30 + generator.standard_normal()
            bias = factor * 60 * blow_up * step / 1000 + generator.standard_normal()
            rows.append({
                "env_steps": step, "states": kind, "num_states": 64, "num_rollouts": 2, "q_mean": soft + bias,
                "soft_return": soft, "hard_return": soft + 15, "bias_mean": bias, "bias_reward": 0.01 * bias,
                "bias_reward_low": 0.01 * bias - 0.02, "bias_reward_high": 0.01 * bias + 0.02,
                "redq_bias": bias / 40, "crossq_bias": bias - 2, "droq_bias": bias - 20,
                "undiscounted_bias": bias - 400, "episode_bias": bias - 380, "spearman": 0.3, "bias_positive": 0.9,
            })
    return pd.DataFrame(rows)


ARMS = (("rr1", 1, False), ("rr8", 8, False), ("rr8-layer_norm", 8, True))


def make_sweep(folder: Path, num_seeds: int = 3, steps: int = 10_000) -> Path:
    """Three arms; the last seed of the last arm is still running and its train.csv ends in half a line."""
    for name, replay_ratio, layer_norm in ARMS:
        for seed in range(num_seeds):
            last = name == ARMS[-1][0] and seed == num_seeds - 1
            run = make_run(
                folder / name / f"seed-{seed}", seed, replay_ratio=replay_ratio, layer_norm=layer_norm,
                steps=int(0.8 * steps) if last else steps, total=steps, state="running" if last else "finished",
            )
            if last:
                with (run / "train.csv").open("a") as file:
                    file.write("8100,5")
    return folder


if __name__ == "__main__":
    print(make_sweep(Path(sys.argv[1])))
