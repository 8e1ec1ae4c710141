"""Curves over seeds: each run on a grid, then a statistic over seeds and its band where all seeds have a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.columns import ON_POLICY, STATES, Panel
from analysis.runs import Run
from analysis.statistics import interquartile_mean, stratified_bootstrap

WINDOWS = 100  # most windows of a curve


@dataclass
class Curve:
    """centre[x] over n runs; low and high are None for a single run. `single` are the runs' own (x, y)."""

    x: np.ndarray
    centre: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    n: int
    single: list[pd.Series]

    @property
    def empty(self) -> bool:
        return not any(len(series) for series in self.single)


def nice_width(span: float, smallest: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most WINDOWS, and is >= smallest."""
    least = max(span / WINDOWS, smallest)
    power = 10 ** math.floor(math.log10(least)) if least > 0 else 1
    return next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))


def windowed(x: pd.Series, y: pd.Series, width: float, median: bool = False) -> pd.Series:
    """Mean (or median) of y in windows (k*width, (k+1)*width], at each window's end; empty windows are left out.

    The last window is left out while x has not reached its end.
    """
    rows = pd.DataFrame({"end": np.ceil(x / width) * width, "y": y}).dropna()
    groups = rows.groupby("end").y
    values = groups.median() if median else groups.mean()
    return values[values.index <= x.max() + 1e-9] if len(x) else values


def time_weighted_returns(run: Run, width: float) -> pd.Series:
    """Training return in windows of env steps, each episode weighted by the steps that it has in the window.

    A mean over episodes overweights short falls; this one says what the return of the episode in progress was.
    """
    episodes = run.episodes
    if not len(episodes) or "episode_length" not in episodes:
        return pd.Series(dtype=float)
    end = episodes.env_steps.to_numpy(float)
    begin = end - episodes.episode_length.to_numpy(float) * run.num_envs
    # an episode in progress at the end covers the rest of its window: only whole windows count
    edges = np.arange(0, math.floor(end.max() / width) * width + width / 2, width)
    overlap = np.minimum(end[None], edges[1:, None]) - np.maximum(begin[None], edges[:-1, None])
    weight = np.maximum(overlap, 0)
    total = weight.sum(axis=1)
    known = total > 0
    with np.errstate(invalid="ignore"):
        mean = (weight * episodes.episode_return.to_numpy(float)[None]).sum(axis=1)[known] / total[known]
    return pd.Series(mean, index=edges[1:][known])


def probe_rows(run: Run, states: str = ON_POLICY) -> pd.DataFrame:
    """The rows of overestimation.csv for one kind of states; empty when there are none."""
    table = run.overestimation
    if not len(table):
        return table
    return table[table[STATES] == states] if STATES in table else table


def series_of(run: Run, panel: Panel, width: float) -> pd.Series:
    """A run's values of a panel's column by env step; empty when it has none."""
    nothing = pd.Series(dtype=float)
    if panel.table == "episodes":
        return time_weighted_returns(run, width)
    if panel.table == "overestimation":
        rows = probe_rows(run)
        return rows.set_index("env_steps")[panel.column].dropna() if panel.column in rows else nothing
    table = getattr(run, panel.table)
    if panel.column not in table:
        return nothing
    if panel.table == "evaluations":
        return table.set_index("env_steps")[panel.column].dropna()
    return windowed(table.env_steps, table[panel.column], width, panel.median)


def series_by_episode(run: Run, panel: Panel, width: float) -> pd.Series:
    """A run's column of episodes.csv by episode, counted from 1 in the order in which they ended."""
    if panel.column not in run.episodes:
        return pd.Series(dtype=float)
    number = pd.Series(np.arange(1, len(run.episodes) + 1), index=run.episodes.index)
    return windowed(number, run.episodes[panel.column], width, panel.median)


def aggregate(series: list[pd.Series], statistic: Callable[..., np.ndarray] = interquartile_mean) -> Curve:
    """A statistic over runs and its bootstrap band at each x where every run has a finite value.

    A run without any value does not count. Elsewhere (a younger seed, a diverged one) only the single runs remain.
    """
    series = [one[~one.index.duplicated(keep="last")] for one in series if len(one)]
    if not series:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, None, None, 0, [])
    table = pd.concat(series, axis=1).sort_index()
    table = table[np.isfinite(table.to_numpy(float)).all(axis=1)]
    values = table.to_numpy(float).T
    low = high = None
    if len(series) > 1 and len(table):
        low, high = stratified_bootstrap([values], statistic)
    centre = statistic(values, axis=0) if len(table) else np.zeros(0)
    return Curve(table.index.to_numpy(float), centre, low, high, len(series), series)
