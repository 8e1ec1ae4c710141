"""What a policy that has learned nothing gets: zero action, random action, random-init policy.

`python -m analysis baselines ENV... --anthill-train BINARY` measures them anew and writes baselines.csv, which is
committed. Zero and uniform random actions are rolled out in Gymnasium, whose trajectories are anthill's from the same
seed; the random-init policy is the evaluation at env step 0 of anthill's own networks, for each preset.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import types
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arms import Collection, flatten
from analysis.runs import read_config

TABLE = Path(__file__).with_name("baselines.csv")
REFERENCE = Path(__file__).resolve().parents[1] / "configs" / "reference.toml"
COLUMNS = ["env", "baseline", "return_mean", "return_std", "num_episodes", "how"]


@dataclass(frozen=True)
class Baseline:
    """A horizontal line of the returns' figure."""

    name: str
    mean: float
    source: str


def default_task(config: dict) -> bool:
    """Whether a run's task has no option changed: the table holds default options alone.

    A setting that the reference does not know (an older or newer version) counts as changed.
    """
    ours = flatten(config.get("sim", {}))
    reference = flatten(read_config(REFERENCE).get("sim", {}))
    skip = ("env", "num_envs", "num_threads", "pin_threads")
    return all(reference.get(key) == value for key, value in ours.items() if key not in skip)


def known_baselines(collection: Collection, table: Path = TABLE) -> tuple[list[Baseline], list[str]]:
    """The baselines of the collection's task, and notes about what could not be drawn.

    The random-init policy is taken from the runs' own evaluations at env step 0 where they have one.
    """
    runs = collection.own_runs
    if not runs or len({run.env for run in runs}) > 1:
        return [], ["Baselines: none, the runs are not of one task"]
    found, notes = [], []
    if not default_task(runs[0].config):
        notes.append("Zero and random action are not drawn: the table holds tasks with default options alone")
    else:
        rows = pd.read_csv(table)
        for row in rows[rows.env == runs[0].env].itertuples():
            found.append(Baseline(row.baseline, row.return_mean, f"{row.num_episodes} episodes, {row.how}"))
        if not found:
            notes.append(f"Baselines: {runs[0].env} is not in {table.name}; python -m analysis baselines adds it")
    own = [
        float(run.evaluations.return_mean.iloc[0]) for run in runs
        if len(run.evaluations) and run.evaluations.env_steps.iloc[0] == 0
    ]
    if own:
        found = [b for b in found if not b.name.startswith("random-init")]
        found.append(Baseline(
            "random-init policy", float(np.mean(own)), f"mean of these runs' evaluations at env step 0, n = {len(own)}"
        ))
    else:
        found = [b for b in found if not b.name.startswith("random-init") or b.name.endswith(_preset(runs[0]))]
    return found, notes


def _preset(run) -> str:
    return run.config.get("agent", {}).get("preset", "sb3")


def roll_out(env_id: str, num_episodes: int, random: bool) -> list[float]:
    """Returns of episodes with seeds 0, 1, ... and zero or uniform random actions."""
    import gymnasium

    # Box2D's tasks import pygame, which only draws
    sys.modules.setdefault("pygame", types.ModuleType("pygame"))
    if not hasattr(sys.modules["pygame"], "gfxdraw"):
        sys.modules["pygame"].gfxdraw = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # v4 is deprecated
        env = gymnasium.make(env_id)
    returns = []
    for seed in range(num_episodes):
        generator = np.random.default_rng(seed)
        env.reset(seed=seed)
        total, over = 0.0, False
        while not over:
            space = env.action_space
            action = np.zeros(space.shape, space.dtype)
            if random:
                action = generator.uniform(space.low, space.high).astype(space.dtype)
            _, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            over = terminated or truncated
        returns.append(total)
    env.close()
    return returns


def random_init(env_id: str, preset: str, train: str, num_seeds: int, num_episodes: int) -> list[float]:
    """Mean deterministic return at env step 0 of freshly made policies, one per seed."""
    means = []
    for seed in range(num_seeds):
        with tempfile.TemporaryDirectory() as folder:
            settings = {
                "run.seed": seed, "agent.preset": f'"{preset}"',
                "training.total_env_steps": 1, "training.random_steps": 1, "training.learning_starts": 1, "evaluation.num_episodes": num_episodes, "buffer.capacity": 1000,
                "log.tensorboard": "false",
            }
            config = Path(folder) / "baseline.toml"
            config.write_text(f'[sim]\nenv = "{env_id}"\n')
            sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
            done = subprocess.run(
                [train, str(config), "--run", f"{folder}/run", *sets], capture_output=True, text=True
            )
            if done.returncode:
                raise ValueError(f"{train} failed for {env_id}: {done.stderr.strip().splitlines()[-1]}")
            means.append(float(pd.read_csv(f"{folder}/run/eval.csv").return_mean.iloc[0]))
    return means


def measure(envs: list[str], train: str, num_episodes: int, num_seeds: int) -> pd.DataFrame:
    """The rows of baselines.csv for these tasks."""
    rows = []
    for env in envs:
        for name, random in (("zero action", False), ("random action", True)):
            returns = roll_out(env, num_episodes, random)
            rows.append([env, name, np.mean(returns), np.std(returns), num_episodes, "seeds from 0"])
        for preset in ("jaxrl", "sb3"):
            means = random_init(env, preset, train, num_seeds, 5)
            rows.append([
                env, f"random-init policy, {preset}", np.mean(means), np.std(means), 5 * num_seeds,
                f"{num_seeds} seeds x 5 episodes; the deviation is over seeds",
            ])
    return pd.DataFrame(rows, columns=COLUMNS)


def update_table(envs: list[str], train: str, num_episodes: int = 100, num_seeds: int = 20, table: Path = TABLE) -> pd.DataFrame:
    """Measures these tasks and replaces their rows in the table."""
    new = measure(envs, train, num_episodes, num_seeds)
    old = pd.read_csv(table) if table.is_file() else pd.DataFrame(columns=COLUMNS)
    kept = old[~old.env.isin(envs)]
    new = (pd.concat([kept, new]) if len(kept) else new).sort_values("env", kind="stable")
    new.to_csv(table, index=False, float_format="%.6g")
    return new
