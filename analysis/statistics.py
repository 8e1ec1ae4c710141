"""Statistics over runs, as Agarwal et al. 2021 (arXiv:2108.13264, "rliable") and SciPy define them.

A *stratum* is a task; its array holds one value (or one row of values) per run along axis 0. Resampling draws runs
with replacement within each stratum. Every interval is reproducible: the generator's seed is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A number over `n` runs with its interval; low and high are None where n gives none (a single run)."""

    value: float
    low: float | None
    high: float | None
    n: int


def interquartile_mean(values, axis: int = 0) -> np.ndarray:
    """Mean of what remains after cutting floor(n/4) values at each end: scipy.stats.trim_mean(values, .25).

    n = 3 cuts nothing, 4 keeps the middle 2, 5 the middle 3, 10 the middle 6.
    """
    ordered = np.sort(np.asarray(values, float), axis=axis)
    n = ordered.shape[axis]
    if n == 0:
        raise ValueError("interquartile mean of no values")
    cut = int(0.25 * n)
    return np.take(ordered, range(cut, n - cut), axis=axis).mean(axis=axis)


def resample(strata: Sequence[np.ndarray], count: int, seed: int) -> np.ndarray:
    """[count, runs of all strata, ...]: `count` draws with replacement, each within its stratum."""
    generator = np.random.default_rng(seed)
    parts = []
    for stratum in strata:
        stratum = np.asarray(stratum, float)
        parts.append(stratum[generator.integers(0, len(stratum), (count, len(stratum)))])
    return np.concatenate(parts, axis=1)


def percentile_interval(draws: np.ndarray, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
    """The percentile bootstrap's interval along axis 0."""
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail], axis=0)
    return low, high


def stratified_bootstrap(
    strata: Sequence[np.ndarray],
    statistic: Callable[..., np.ndarray] = interquartile_mean,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Stratified percentile bootstrap of statistic(values, axis=...) over all runs: (low, high).

    ValueError when no stratum has two runs: one run says nothing about the spread over runs.
    """
    if max((len(stratum) for stratum in strata), default=0) < 2:
        raise ValueError("a bootstrap over runs needs at least two runs of a task")
    return percentile_interval(statistic(resample(strata, resamples, seed), axis=1), confidence)


def estimate(values, statistic: Callable[..., np.ndarray] = interquartile_mean) -> Estimate | None:
    """A statistic over runs of one task with its bootstrap interval; None of no values.

    Values that are not finite give the value as the statistic has it (a median stands among infinities, a mean does
    not), and no interval.
    """
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None
    value = float(statistic(values, axis=0))
    if len(values) < 2 or not np.isfinite(values).all():
        return Estimate(value, None, None, len(values))
    low, high = stratified_bootstrap([values], statistic)
    return Estimate(value, float(low), float(high), len(values))


def median(values, axis: int = 0) -> np.ndarray:
    """np.median that keeps infinities."""
    with np.errstate(invalid="ignore"):
        return np.median(np.asarray(values, float), axis=axis)


def probability_of_improvement(x, y) -> float:
    """P(X > Y) over all pairs of runs, a tie counting 1/2: Mann-Whitney's U of x divided by |x| |y|."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) == 0 or len(y) == 0:
        raise ValueError("P(X > Y) needs a run on each side")
    return float(_superiority(x[None], y[None])[0])


def _superiority(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[draws] P(X > Y) of x [draws, n] and y [draws, m]."""
    above = (x[:, :, None] > y[:, None, :]).mean(axis=(1, 2))
    return above + 0.5 * (x[:, :, None] == y[:, None, :]).mean(axis=(1, 2))


def improvement(
    x: Sequence[np.ndarray], y: Sequence[np.ndarray], resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """P(X > Y), averaged over tasks, runs of both sides resampled within each task.

    `x[k]` and `y[k]` are the runs of task k. n is the smaller side's runs per task.
    """
    if len(x) != len(y):
        raise ValueError(f"P(X > Y) over {len(x)} tasks on one side and {len(y)} on the other")
    value = float(np.mean([probability_of_improvement(a, b) for a, b in zip(x, y)]))
    n = min(len(side) for side in [*x, *y])
    if n < 2:
        return Estimate(value, None, None, n)
    draws = [
        _superiority(resample([a], resamples, seed + 2 * k), resample([b], resamples, seed + 2 * k + 1))
        for k, (a, b) in enumerate(zip(x, y))
    ]
    low, high = percentile_interval(np.mean(draws, axis=0))
    return Estimate(value, float(low), float(high), n)


def performance_profile(values, thresholds, axis: int = 0) -> np.ndarray:
    """Fraction of runs whose score is above (strictly) each threshold: rliable's run-score distribution."""
    values = np.moveaxis(np.asarray(values, float), axis, -1)
    return (values[..., None, :] > np.asarray(thresholds, float)[:, None]).mean(axis=-1)


def profile_band(values, thresholds, resamples: int = RESAMPLES, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise bootstrap band of a performance profile of one task."""
    return stratified_bootstrap(
        [np.asarray(values, float)],
        lambda draws, axis: performance_profile(draws, thresholds, axis),
        resamples=resamples,
        seed=seed,
    )


def wilson_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a fraction (Wilson 1927, without continuity correction)."""
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"Wilson's interval of {successes} of {trials}")
    from scipy.stats import norm

    z = norm.ppf(0.5 + confidence / 2)
    fraction, scale = successes / trials, 1 + z * z / trials
    centre = (fraction + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(fraction * (1 - fraction) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def pair_up(x: dict, y: dict) -> tuple[list, np.ndarray, np.ndarray]:
    """(keys, x values, y values) of the seeds that both have, in order, neither being NaN."""
    keys = sorted(key for key in x if key in y and not (np.isnan(x[key]) or np.isnan(y[key])))
    return keys, np.array([x[k] for k in keys], float), np.array([y[k] for k in keys], float)


def paired_difference(
    x: dict, y: dict, statistic: Callable[..., np.ndarray] = interquartile_mean
) -> Estimate | None:
    """A statistic over common seeds of x - y, seeds resampled as pairs; None without a common seed."""
    keys, left, right = pair_up(x, y)
    with np.errstate(invalid="ignore"):  # inf - inf
        return estimate(left - right, statistic) if keys else None


def paired_ratio(x: dict, y: dict) -> Estimate | None:
    """Median over common seeds of x / y, seeds resampled as pairs; None without a pair whose sides are positive."""
    keys, left, right = pair_up(x, y)
    positive = (left > 0) & (right > 0) if keys else np.zeros(0, bool)
    if not positive.any():
        return None
    with np.errstate(invalid="ignore"):
        return estimate(left[positive] / right[positive], median)
