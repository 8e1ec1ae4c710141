"""One number per run: what a table says at an env step, and the intervals over an arm's seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arms import Arm, Collection
from analysis.columns import BIAS_R, HARD, PROBED_Q, SOFT, Panel
from analysis.curves import probe_rows
from analysis.runs import DIVERGED_ABOVE, Run
from analysis.statistics import Estimate, estimate, interquartile_mean, median, wilson_interval

NO_INTERVAL = "not shown (no interval)"
WINDOW = 0.1  # a value "at env step t" is over (0.9 t, t]


@dataclass(frozen=True)
class Measure:
    """A row of a table. `spread` is how two arms are compared: by difference or by ratio."""

    key: str
    panel: Panel
    spread: str = "difference"


RETURN = Measure("return", Panel("return_mean", "evaluation return", "return", table="evaluations"))
BIAS = Measure("B_r", BIAS_R)
MEASURES = (
    RETURN,
    BIAS,
    Measure("Q (probe)", PROBED_Q),
    Measure("soft value", SOFT),
    Measure("hard value", HARD),
    Measure("Q (batch)", Panel("q_mean", "mean batch Q", "return"), "ratio"),
    Measure("alpha", Panel("alpha", "temperature", "return / nat"), "ratio"),
    Measure("entropy", Panel("entropy", "entropy", "nat")),
    Measure("critic loss", Panel("critic_loss", "critic loss", "return²", median=True), "ratio"),
    Measure("|Q1 - Q2|", Panel("q_gap", "disagreement", "return"), "ratio"),
    Measure("replay ratio", Panel("replay_ratio", "replay ratio achieved", "updates / transition")),
)


def common_step(collection: Collection) -> tuple[int, list[str]]:
    """The env step at which arms are compared: the largest that every run has reached, and notes.

    Runs that diverged are not waited for, nor unfinished runs younger than half of the oldest, which a note names.
    """
    runs = [run for run in collection.runs if run.divergence() is None] or collection.runs
    oldest = max(run.last_step for run in runs)
    young = [run for run in runs if run.last_step < oldest / 2 and run.state not in ("finished", "external")]
    notes = [
        f"{run.path}: at env step {run.last_step}, younger than half of the oldest run: in the curves, not in the "
        "tables" for run in young
    ]
    return min(run.last_step for run in runs if run not in young), notes


def reaches(run: Run, step: int) -> bool:
    """Whether a run counts in tables at this step: it came so far, or it diverged on the way."""
    return run.last_step >= step or run.divergence(until=step) is not None


def _table(run: Run, panel: Panel) -> pd.DataFrame:
    return probe_rows(run) if panel.table == "overestimation" else getattr(run, panel.table)


def value_at(run: Run, measure: Measure, step: int, limit: float = DIVERGED_ABOVE) -> float:
    """The measure over the window that ends at `step`; NaN when the run has none.

    Returns and probes: mean of the rows in the window, else the last row before it. Learner columns: mean (median of
    the critic loss). A run that diverged before `step` counts with its last evaluation, and with inf for Q, alpha and
    the losses. A probe that is not finite makes the window so: no older one stands in for it.
    """
    panel = measure.panel
    table = _table(run, panel)
    if panel.column not in table:
        return np.nan
    rows = table[table.env_steps <= step][["env_steps", panel.column]]
    if panel.table == "train" and run.divergence(limit, step) and panel.column not in ("replay_ratio", "entropy"):
        bad = not np.isfinite(rows[panel.column].tail(1)).all() or run.last_step < step
        if bad or rows[panel.column].abs().max() > limit:
            return np.inf
    rows = rows.dropna() if panel.table == "overestimation" else rows.replace([np.inf, -np.inf], np.nan).dropna()
    if not len(rows):
        return np.nan
    window = rows[rows.env_steps > step * (1 - WINDOW)][panel.column]
    window = window if len(window) else rows[panel.column].tail(1)
    if not np.isfinite(window).all():
        return float(window[~np.isfinite(window)].iloc[-1])
    if measure.key == "replay ratio":
        return float(window.iloc[-1])
    return float(window.median() if panel.median else window.mean())


def values_at(arm: Arm, measure: Measure, step: int) -> dict:
    """{seed (or the run's path, for logs without one): value} of the runs that count at this step."""
    return {
        (run.seed if run.seed is not None else str(run.path)): value_at(run, measure, step)
        for run in arm.runs if reaches(run, step)
    }


def statistic_of(arms: list[Arm], panel: Panel, step: float = np.inf) -> Callable[..., np.ndarray]:
    """What stands for a panel's values over these arms' runs: the interquartile mean, as everywhere.

    The median for what the learner logs and a probe measures once a run of theirs has diverged by `step`: a mean would
    be that run's. Returns keep their scale.
    """
    scales = panel.table in ("train", "overestimation")
    return median if scales and any(run.divergence(until=step) for arm in arms for run in arm.runs) else interquartile_mean


def arm_estimate(arm: Arm, measure: Measure, step: int) -> Estimate | None:
    """statistic_of over the arm's runs with its bootstrap interval."""
    values = list(values_at(arm, measure, step).values())
    finite = np.isfinite([value for value in values if value == value]).all()
    return estimate(values, statistic_of([arm], measure.panel, step) if finite else median)


def probe_interval(arm: Arm, step: int) -> Estimate | None:
    """B_r of an arm. With one seed: the last probe's own interval, over the episodes of its rollouts."""
    own = arm_estimate(arm, BIAS, step)
    if own is None or own.n > 1:
        return own
    run = next(run for run in arm.runs if reaches(run, step) and not np.isnan(value_at(run, BIAS, step)))
    rows = probe_rows(run)
    rows = rows[rows.env_steps <= step]
    low, high = BIAS_R.column + "_low", BIAS_R.column + "_high"
    if low not in rows or high not in rows:
        return own
    last = rows.iloc[-1]
    if np.isnan(last[low]) or np.isnan(last[high]):  # of one episode, or of a bias that is not finite
        return own
    return Estimate(float(last[BIAS_R.column]), float(last[low]), float(last[high]), 1)


def probe_verdicts(arm: Arm, step: float = np.inf) -> list[str]:
    """The verdict of every on-policy probe of the arm's runs up to `step`, each by its own interval over episodes.

    A probe that has none is left out, unless its bias is infinite.
    """
    low, high = BIAS_R.column + "_low", BIAS_R.column + "_high"
    found = []
    for run in arm.runs:
        rows = probe_rows(run)
        if low in rows and high in rows:
            rows = rows[rows.env_steps <= step]
            found += [verdict(Estimate(*values, 1)) for values in zip(rows[BIAS_R.column], rows[low], rows[high])]
    return [word for word in found if word != NO_INTERVAL]


@dataclass(frozen=True)
class Divergence:
    """How many of an arm's runs diverged, and log10 |Q| over all of them, diverged ones included."""

    diverged: int
    n: int
    low: float
    high: float
    median_log10_q: float
    iqm_log10_q: float
    reasons: list[str]


def divergence_of(arm: Arm, limit: float = DIVERGED_ABOVE, step: float = np.inf) -> Divergence:
    """Up to `step`: fraction diverged with Wilson's interval, and median and IQM of log10 of the largest |q_mean| of each run."""
    reasons = [(run, run.divergence(limit, step)) for run in arm.runs]
    bad = [f"{run.path}: {reason}" for run, reason in reasons if reason]
    largest = []
    for run, reason in reasons:
        q = run.train.q_mean[run.train.env_steps <= step].abs() if "q_mean" in run.train else pd.Series(dtype=float)
        if reason and "not finite" in reason:
            largest.append(np.inf)
        elif q.notna().any():
            largest.append(np.log10(max(q.max(), 1e-12)))
    low, high = wilson_interval(len(bad), len(arm.runs))
    return Divergence(
        len(bad), len(arm.runs), low, high,
        float(median(largest)) if largest else np.nan,
        float(interquartile_mean(largest)) if largest else np.nan,
        bad,
    )


def verdict(bias: Estimate | None) -> str:
    """What the bias says, in a word or two."""
    if bias is None:
        return "not probed"
    if np.isinf(bias.value):
        return "overestimates" if bias.value > 0 else "underestimates"
    if bias.low is None or bias.high is None or np.isnan([bias.low, bias.high]).any():
        return NO_INTERVAL
    if bias.low > 0:
        return "overestimates"
    if bias.high < 0:
        return "underestimates"
    return "no bias shown"
