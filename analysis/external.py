"""Other people's logs as runs: TensorBoard events and CSV files of CleanRL and Stable-Baselines3, or any CSV.

What a log is, is seen from its files; which column is which, from COLUMN_MAPS and `--columns ours=theirs`. Losses are
as the other library defines them, which is seldom as docs/metrics.md does.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arms import Arm
from analysis.runs import LEARNER_COLUMNS, Run, read_table

TRAIN_COLUMNS = (*LEARNER_COLUMNS, "q_gap", "replay_ratio", "wall_time_s")
EVALUATION_COLUMNS = ("return_mean", "length_mean")
EPISODE_COLUMNS = ("episode_return", "episode_length")
OURS = ("env_steps", *TRAIN_COLUMNS, *EVALUATION_COLUMNS, *EPISODE_COLUMNS)
# theirs -> ours; where several are present the first wins
COLUMN_MAPS = {
    "CleanRL": {
        "global_step": "env_steps",
        "charts/episodic_return": "episode_return",
        "charts/episodic_length": "episode_length",
        "eval/episodic_return": "return_mean",
        "losses/qf1_values": "q_mean",
        "losses/qf_loss": "critic_loss",
        "losses/actor_loss": "actor_loss",
        "losses/alpha": "alpha",
    },
    "Stable-Baselines3": {
        "time/total_timesteps": "env_steps",
        "eval/mean_reward": "return_mean",
        "eval/mean_ep_length": "length_mean",
        "rollout/ep_rew_mean": "episode_return",
        "rollout/ep_len_mean": "episode_length",
        "train/critic_loss": "critic_loss",
        "train/actor_loss": "actor_loss",
        "train/ent_coef": "alpha",
        "time/time_elapsed": "wall_time_s",
    },
}


def read_map(pairs: list[str]) -> dict[str, str]:
    """["q_mean=losses/qf1_values"] as {"losses/qf1_values": "q_mean"}. ValueError for a name that is not ours."""
    theirs_to_ours = {}
    for pair in pairs:
        ours, _, theirs = pair.partition("=")
        if not theirs or ours not in OURS:
            raise ValueError(f"--columns {pair}: write OURS=THEIRS, where OURS is one of {', '.join(OURS)}")
        theirs_to_ours[theirs] = ours
    return theirs_to_ours


def read_external_arms(inputs: list[str], columns: list[str]) -> list[Arm]:
    """One arm per NAME of NAME=PATH; its paths are its seeds, numbered from 0 in the order given."""
    theirs_to_ours = read_map(columns)
    paths: dict[str, list[Path]] = {}
    for text in inputs:
        name, _, path = text.partition("=")
        if not path or not name.strip():
            raise ValueError(f"--external {text}: write NAME=PATH")
        paths.setdefault(name.strip(), []).append(Path(path))
    arms = []
    for name, places in paths.items():
        runs = [read_external(place, theirs_to_ours) for place in places]
        for seed, run in enumerate(runs):
            run.config = {"run": {"seed": seed}}
        arms.append(Arm(name, runs, external=True))
    return arms


def read_external(path: Path, theirs_to_ours: dict[str, str] | None = None) -> Run:
    """A file or folder as a Run. ValueError: nothing known there, or no column that can be drawn."""
    files = _files(path)
    extra = theirs_to_ours or {}
    frames, sources = [], []
    for file in files:
        source, columns = _read_file(file)
        known = COLUMN_MAPS.get(source, {column: column for column in OURS})
        found = {theirs: ours for theirs, ours in {**known, **extra}.items() if theirs in columns}
        frames.append({ours: columns[theirs] for theirs, ours in found.items()})
        sources.append((file, source, columns))
    merged: dict[str, pd.Series] = {}
    for frame in frames:
        for ours, series in frame.items():
            if ours != "env_steps":
                merged.setdefault(ours, series)
    if not merged:
        file, source, columns = sources[0]
        raise ValueError(
            f"{file} ({source}): no known column among {', '.join(list(columns)[:12])}; map them, e.g. --columns "
            f"episode_return={next(iter(columns), 'reward')}"
        )
    return Run(
        path=path, train=_table(merged, TRAIN_COLUMNS), episodes=_episodes(merged),
        evaluations=_table(merged, EVALUATION_COLUMNS), provenance={}, source=sources[0][1],
        status={"state": "external"},
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ValueError(f"{path}: no such file or folder")
    patterns = ("*tfevents*", "progress.csv", "*monitor.csv", "evaluations.npz")
    found = [file for pattern in patterns for file in sorted(path.rglob(pattern))]
    if any(file.name == "progress.csv" for file in found):  # the same scalars twice
        found = [file for file in found if "tfevents" not in file.name]
    if not found:
        raise ValueError(f"{path}: no log here ({', '.join(patterns)}); name a CSV file itself")
    return found


def _read_file(file: Path) -> tuple[str, dict[str, pd.Series]]:
    """(library, {column: values indexed by env step}); the events' step is the env step in both libraries."""
    if "tfevents" in file.name:
        columns = _read_events(file)
    elif file.name == "evaluations.npz":
        data = np.load(file)
        steps = data["timesteps"]
        return "Stable-Baselines3", {
            "eval/mean_reward": pd.Series(data["results"].mean(axis=1), index=steps),
            "eval/mean_ep_length": pd.Series(data["ep_lengths"].mean(axis=1), index=steps),
        }
    elif file.name.endswith("monitor.csv"):
        return _read_monitor(file)
    else:
        columns = _read_csv(file)
    known = [name for name, names in COLUMN_MAPS.items() if any(key in columns for key in names if "/" in key)]
    return (known[0] if known else "other CSV"), columns


def _read_events(file: Path) -> dict[str, pd.Series]:
    """Scalars of a TensorBoard file; an event that is still being written is left out."""
    import logging

    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    from tensorboard.util import tensor_util

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    points: dict[str, dict[int, float]] = {}
    for event in LegacyEventFileLoader(str(file)).Load():
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                points.setdefault(value.tag, {})[event.step] = value.simple_value
            elif kind == "tensor" and value.metadata.plugin_data.plugin_name in ("scalars", ""):
                array = tensor_util.make_ndarray(value.tensor)
                if array.size == 1 and array.dtype.kind == "f":
                    points.setdefault(value.tag, {})[event.step] = float(array.reshape(()))
    if not points:
        raise ValueError(f"{file}: no scalar in it; has the run started?")
    return {tag: pd.Series(values, dtype=float).sort_index() for tag, values in points.items()}


def _read_monitor(file: Path) -> tuple[str, dict[str, pd.Series]]:
    """Stable-Baselines3's monitor.csv: a line of JSON, then r, l, t for each episode."""
    lines = file.read_text().splitlines(keepends=True)
    if not lines or not lines[0].startswith("#"):
        raise ValueError(f"{file}: not a monitor file, its first line is no '#{{...}}'")
    try:
        json.loads(lines[0][1:])
    except ValueError:
        raise ValueError(f"{file}: not a monitor file, its first line is no JSON after '#'") from None
    from io import StringIO

    whole = "".join(line for line in lines[1:] if line.endswith("\n"))
    table = pd.read_csv(StringIO(whole)) if whole else pd.DataFrame()
    if not {"r", "l"} <= {*table.columns} or not len(table):
        raise ValueError(f"{file}: no episode with r and l in it yet")
    steps = table.l.cumsum()
    return "Stable-Baselines3", {
        "rollout/ep_rew_mean": pd.Series(table.r.to_numpy(float), index=steps),
        "rollout/ep_len_mean": pd.Series(table.l.to_numpy(float), index=steps),
    }


def _read_csv(file: Path) -> dict[str, pd.Series]:
    table = read_table(file, required=())
    names = ("env_steps", "global_step", "time/total_timesteps", "total_timesteps", "step", "Step")
    step = next((name for name in names if name in table), None)
    if step is None:
        raise ValueError(f"{file}: no column of env steps ({', '.join(names)}) among {', '.join(table.columns)}")
    numeric = table[table[step].notna()].select_dtypes("number")
    return {
        column: numeric[column].set_axis(numeric[step]).dropna() for column in numeric.columns if column != step
    }


def _table(merged: dict[str, pd.Series], wanted: tuple[str, ...]) -> pd.DataFrame:
    parts = {name: merged[name][~merged[name].index.duplicated(keep="last")] for name in wanted if name in merged}
    if not parts:
        return pd.DataFrame({"env_steps": pd.Series(dtype=float)})
    table = pd.DataFrame(parts).sort_index()
    return table.rename_axis("env_steps").reset_index().astype(float)


def _episodes(merged: dict[str, pd.Series]) -> pd.DataFrame:
    """Training returns. Without lengths, an entry counts from the entry before."""
    table = _table(merged, EPISODE_COLUMNS)
    if "episode_return" not in table:
        return pd.DataFrame({"env_steps": pd.Series(dtype=float)})
    if "episode_length" not in table:
        table["episode_length"] = table.env_steps.diff().fillna(table.env_steps)
    return table.dropna()
