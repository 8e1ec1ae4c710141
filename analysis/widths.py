"""Runs with different numbers of environments on one grid of evaluations, as Markdown and as a figure.

With N environments and T transitions no episode lasts longer than T / N steps, so returns of training episodes are of those
that ended early; evaluations are of whole episodes, whatever N.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arms import Arm, Collection
from analysis.compare import cell
from analysis.curves import probe_rows
from analysis.drawing import STYLE, look, plt, thousands
from analysis.measures import probe_interval
from analysis.report import commits_of
from analysis.runs import Run


def grid_returns(run: Run, every: int) -> pd.Series:
    """Mean evaluation return by t = every, 2 every, ...: of the evaluations that were due in (t - every, t].

    With N environments an evaluation that is due at step s happens up to N - 1 steps later; it counts for s. The one before
    the first step is left out. ValueError: nothing was evaluated.
    """
    period = int(run.config.get("evaluation", {}).get("period", 0))
    rows = run.evaluations[run.evaluations.env_steps > 0] if len(run.evaluations) else run.evaluations
    if period == 0 or not len(rows):
        raise ValueError(f"{run.path}: has no evaluations; set evaluation.period")
    due = rows.env_steps // period * period
    return rows.return_mean.groupby(-(-due // every) * every).mean()


def training_episodes(run: Run, since: int) -> tuple[float, float]:
    """Mean return and mean length of the episodes that ended after env step `since`; nan where none did."""
    late = run.episodes[run.episodes.env_steps > since]
    return late.episode_return.mean(), late.episode_length.mean()


def markdown_table(collection: Collection, every: int) -> str:
    """A row per arm: returns on the grid, training episodes of the last interval, the last probe. Means over seeds."""
    returns = [_mean([grid_returns(run, every) for run in arm.runs]) for arm in collection.arms]
    grid = [int(step) for step in sorted(set().union(*(series.index for series in returns)))]
    end = grid[-1]
    header = ["", "environments", *(f"{step:,}" for step in grid), "training return", "training length", "Q", "B_r [95 %]"]
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for arm, series in zip(collection.arms, returns):
        late = np.mean([training_episodes(run, end - every) for run in arm.runs], axis=0)
        probes = [probe_rows(run) for run in arm.runs]
        q = np.mean([rows.q_mean.iloc[-1] for rows in probes]) if all(len(rows) for rows in probes) else np.nan
        widths = sorted({run.num_envs for run in arm.runs})
        cells = [
            f"{arm.name} (n = {len(arm.runs)})", ", ".join(map(str, widths)),
            *(f"{series[step]:.0f}" if step in series else "-" for step in grid),
            *("-" if np.isnan(value) else f"{value:.0f}" for value in late),
            "-" if np.isnan(q) else f"{q:.4g}",
            cell(probe_interval(arm, max(run.last_step for run in arm.runs))),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Mean return of the evaluations due in the {every:,} env steps up to the one named; training episodes that ended in the "
        f"last {every:,}; Q and B_r (reward per step) of the last probe. Commit {commits_of(collection)}.",
        *(f"Note: {note}" for note in [*collection.warnings, *collection.left_out]),
    ]
    return "\n".join(lines)


def draw(collection: Collection, every: int, output: Path) -> None:
    """Evaluation returns on the grid, and Q of every probe."""
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
        for index, arm in enumerate(collection.arms):
            style = look(index)
            line = {"color": style.colour, "linestyle": style.dashes, "marker": style.marker, "markersize": 3.2}
            series = _mean([grid_returns(run, every) for run in arm.runs])
            left.plot(series.index, series, label=f"{arm.name} (n = {len(arm.runs)})", **line)
            q = _probed(arm)
            right.plot(q.index, q, **line)
        left.set(title="evaluation return", ylabel="return")
        right.set(title="Q of on-policy states", ylabel="return")
        if right.dataLim.ymax > 1000:  # values that explode beside values that do not
            right.set_yscale("symlog", linthresh=100)
        for axis in (left, right):
            axis.xaxis.set_major_formatter(thousands)
            axis.set_xlabel("env steps (transitions of all environments)")
        figure.legend(loc="outside lower center", ncols=3)
        note = f"evaluations: means over {every:,} env steps; means over seeds, no band; commit {commits_of(collection)}"
        figure.suptitle(note, fontsize=7)
        figure.savefig(output, dpi=150)
        plt.close(figure)


def _probed(arm: Arm) -> pd.Series:
    """Q of an arm's probes; those of several seeds are averaged where all have one."""
    return _mean([probe_rows(run).set_index("env_steps").q_mean for run in arm.runs if len(probe_rows(run))])


def _mean(series: list[pd.Series]) -> pd.Series:
    return pd.concat(series, axis=1).dropna().mean(axis=1) if series else pd.Series(dtype=float)
