"""Figures that compare arms at one env step: scores, performance profile, P(X > Y), paired seeds, divergence."""

from __future__ import annotations

import itertools

import numpy as np

from analysis.arms import Arm
from analysis.drawing import plain_log, scale_axis, thousands, wrapped
from analysis.figures import Context, draw_interval
from analysis.measures import BIAS, MEASURES, RETURN, Measure, divergence_of, statistic_of, values_at
from analysis.statistics import (
    Estimate, improvement, paired_difference, paired_ratio, performance_profile, profile_band,
)

ALL_PAIRS = 4  # with more arms, each is compared with the first alone
PAIRED = (RETURN, BIAS, *(m for m in MEASURES if m.spread == "ratio"))


def finite(arm: Arm, measure: Measure, step: int) -> np.ndarray:
    """The arm's values at this step that are numbers; a diverged run's infinite Q is one too."""
    values = np.array(list(values_at(arm, measure, step).values()), float)
    return values[~np.isnan(values)]


def pairs_of(arms: list[Arm]) -> list[tuple[int, int]]:
    """(later, earlier) indices: every pair of up to four arms, otherwise each arm with the first."""
    if len(arms) <= ALL_PAIRS:
        return [(j, i) for i, j in itertools.combinations(range(len(arms)), 2)]
    return [(j, 0) for j in range(1, len(arms))]


def spread_of(arms: list[Arm], measure: Measure, step: int) -> str:
    """How these arms are compared: by ratio only where the measure says so and all values are positive."""
    if measure.spread == "ratio" and all((finite(arm, measure, step) > 0).all() for arm in arms):
        return "ratio"
    return "difference"


def compare_pair(x: Arm, y: Arm, measure: Measure, step: int, spread: str) -> Estimate | None:
    """Paired difference or ratio of x to y over common seeds: of differences, statistic_of both arms."""
    left, right = values_at(x, measure, step), values_at(y, measure, step)
    if spread == "ratio":
        return paired_ratio(left, right)
    return paired_difference(left, right, statistic_of([x, y], measure.panel, step))


def scores(context: Context) -> None:
    """Each arm's return at the tables' step, and its performance profile."""
    arms, step = context.collection.arms, context.step
    data = [finite(arm, RETURN, step) for arm in arms]
    if not any(len(d) for d in data):
        context.notes.append("Scores, performance profile, P(X > Y): no run has an evaluation up to the tables' step")
        return
    everything = np.concatenate([d for d in data if len(d)])
    margin = max(0.05 * np.ptp(everything), 1e-6 + 0.02 * np.abs(everything).max())
    thresholds = np.linspace(everything.min() - margin, everything.max() + margin, 201)

    def draw(_, axes):
        for index, (values, style, label) in enumerate(zip(data, context.looks, context.labels)):
            draw_interval(axes[0], index, list(values), style)
            if not len(values):
                continue
            axes[1].step(
                thresholds, performance_profile(values, thresholds), where="mid", color=style.colour,
                linestyle=style.dashes, label=label,
            )
            if len(values) > 1:
                axes[1].fill_between(
                    thresholds, *profile_band(values, thresholds), color=style.colour, alpha=0.15, lw=0, step="mid"
                )
        axes[0].set_xticks(range(len(arms)), [wrapped(arm.name) for arm in arms])
        axes[0].set_xlim(-0.6, len(arms) - 0.4)
        axes[0].grid(axis="x", visible=False)
        axes[0].set_title(f"evaluation return at {thousands(step)} env steps")
        axes[0].set_ylabel("return")
        axes[1].set_title("performance profile")
        axes[1].set_xlabel("return")
        axes[1].set_ylabel("fraction of runs above it")
        axes[1].set_ylim(-0.03, 1.03)

    context.album.figure(
        "scores", "Scores and performance profile",
        f"A run's score is the mean of its evaluations in the last tenth before env step {step}. Left: large marker, "
        "interquartile mean; bar, its bootstrap interval; dots, seeds. Right: fraction of runs whose score is strictly "
        "above the value.",
        2, draw, statistics=context.foot(
            "marker: interquartile mean over seeds", "bar, band: 95 % stratified bootstrap over seeds; dots: seeds"
        ),
        size=(4.6, 3.1),
    )


def improvements(context: Context) -> list[tuple[str, Estimate]]:
    """P(X > Y) of evaluation returns for each pair of arms, as a figure and as rows."""
    arms, step = context.collection.arms, context.step
    rows = []
    for x, y in pairs_of(arms):
        left, right = finite(arms[x], RETURN, step), finite(arms[y], RETURN, step)
        if len(left) and len(right):
            rows.append((arms[x].name, arms[y].name, improvement([left], [right])))
    if not rows:
        return []

    def draw(_, axes):
        axis = axes[0]
        for place, (_, _, found) in enumerate(reversed(rows)):
            if found.low is not None:
                axis.hlines(place, found.low, found.high, color="#0072B2", lw=5, alpha=0.35)
            axis.plot([found.value], [place], marker="|", ms=13, mew=2.5, color="#0072B2", ls="none")
        axis.axvline(0.5, color="0.3", lw=0.8, linestyle=(0, (4, 2)))
        axis.set_yticks(range(len(rows)), [f"{wrapped(x, 44, 2)}\n>  {wrapped(y, 44, 2)}" for x, y, _ in reversed(rows)])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xlabel("P(X > Y)")
        axis.set_title(f"probability of a higher return at {thousands(step)} env steps")
        axis.grid(axis="y", visible=False)

    context.album.figure(
        "improvement", "P(X > Y)",
        "Probability that a run of X has a higher return than a run of Y, over all pairs of runs, a tie counting one "
        "half (Mann-Whitney). At the dashed line neither is better. Where all runs of X lie above all of Y the bootstrap "
        "has no width, however few they are: chance alone separates 3 from 3 runs so once in 20 times, 5 from 5 once "
        "in 252.",
        1, draw, statistics=context.foot("mark: P(X > Y) over all pairs of runs", "bar: 95 % stratified bootstrap over seeds"),
        size=(7.6, 0.9 + 0.5 * len(rows)), legend=False,
    )
    return [(f"{x} > {y}", found) for x, y, found in rows]


def paired(context: Context) -> list[tuple[str, str, Estimate]]:
    """Differences and ratios of common seeds, as a figure and as rows (pair, measure, estimate)."""
    arms, step = context.collection.arms, context.step
    pairs = pairs_of(arms)
    spread = {measure: spread_of(arms, measure, step) for measure in PAIRED}
    table = {
        (measure, pair): compare_pair(arms[pair[0]], arms[pair[1]], measure, step, spread[measure])
        for measure in PAIRED for pair in pairs
    }
    measures = [m for m in PAIRED if any(table[m, pair] is not None for pair in pairs)]
    if not measures:
        if pairs:
            context.notes.append("Paired differences: no two arms have a value for the same seed")
        return []
    # letters: arms' names are too long beside six axes
    letters = {pair: chr(ord("a") + i) if i < 26 else str(i) for i, pair in enumerate(pairs)}

    def draw(_, axes):
        for axis, measure in zip(axes, measures):
            _draw_pairs(context, axis, measure, spread[measure], pairs, table)
            axis.set_xticks(range(len(pairs)), [letters[pair] for pair in pairs])
            axis.set_xlim(-0.6, len(pairs) - 0.4)
            axis.grid(axis="x", visible=False)

    meaning = "; ".join(f"{letters[j, i]}: {arms[j].name} against {arms[i].name}" for j, i in pairs)
    context.album.figure(
        "paired", "Paired seeds",
        f"The same seed in two arms, at env step {step}: interquartile mean of differences (median where a run diverged), or "
        f"median of ratios where all values are positive (1: no difference). Dots: seeds. {meaning}.",
        len(measures), draw, legend=False,
        statistics=f"{meaning} · n = common seeds · dots: seeds, k × ∞, k × 0: so many beyond the axis; marker: IQM of differences "
                   "(median where a run diverged), median of ratios, none where that is ∞ or 0; bar: 95 % bootstrap over pairs (one "
                   "pair: none)",
        size=(2.9, 2.4),
    )
    return [
        (f"{arms[j].name} against {arms[i].name}", f"{m.panel.title}, {spread[m]}", table[m, (j, i)])
        for j, i in pairs for m in measures if table[m, (j, i)] is not None
    ]


def _draw_pairs(context: Context, axis, measure: Measure, spread: str, pairs, table) -> None:
    arms, ratio = context.collection.arms, spread == "ratio"
    for place, (j, i) in enumerate(pairs):
        found, style = table[measure, (j, i)], context.looks[j]
        if found is None:
            continue
        left, right = values_at(arms[j], measure, context.step), values_at(arms[i], measure, context.step)
        common = [seed for seed in left if seed in right]
        with np.errstate(all="ignore"):
            single = [np.divide(left[s], right[s]) if ratio else left[s] - right[s] for s in common]
        axis.plot([place + 0.18] * len(single), single, ".", color=style.colour, ms=5, alpha=0.6)
        # what has no place on the axis: a ratio to or of an infinite Q, or a difference to one
        for word, value, y in (("∞", np.inf, 0.97), ("0" if ratio else "-∞", 0 if ratio else -np.inf, 0.03)):
            count = sum(number == value for number in single) if ratio or value else 0
            if count:
                axis.text(place - 0.06, y, f"{count} × {word}", transform=axis.get_xaxis_transform(), ha="right",
                          va="top" if y > 0.5 else "bottom", fontsize=8, color=style.colour)
        if found.low is not None:
            axis.vlines(place, found.low, found.high, color=style.colour, lw=2)
        axis.plot([place], [found.value], marker=style.marker, color=style.colour, ms=5, ls="none")
    axis.axhline(1 if ratio else 0, color="0.3", lw=0.8)
    axis.set_title(f"{measure.panel.title}: {spread}")
    axis.set_ylabel("ratio" if ratio else measure.panel.unit)
    if ratio:
        plain_log(axis)
    else:
        scale_axis(axis, False)


def divergences(context: Context) -> list[tuple[str, object]]:
    """Fraction of diverged runs with Wilson's interval, as a figure and as rows."""
    own = [arm for arm in context.collection.arms if not arm.external]
    rows = [(arm.name, divergence_of(arm, step=context.until)) for arm in own]
    if not rows:
        return []

    def draw(_, axes):
        axis = axes[0]
        for place, ((_, found), style) in enumerate(zip(reversed(rows), reversed(context.looks[: len(rows)]))):
            axis.hlines(place, found.low, found.high, color=style.colour, lw=5, alpha=0.35)
            axis.plot([found.diverged / found.n], [place], marker=style.marker, ms=6, color=style.colour, ls="none")
        axis.set_yticks(range(len(rows)), [f"{wrapped(name, 44, 2)}: {d.diverged} of {d.n}" for name, d in reversed(rows)])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xlabel("fraction of runs")
        axis.set_title("diverged runs")
        axis.grid(axis="y", visible=False)

    sizes = sorted({found.n for _, found in rows})
    context.album.figure(
        "diverged", "Diverged runs",
        "A run counts as diverged when a learner's column is not finite, |mean batch Q| passes 1e6, or the run says "
        "so itself. Few seeds leave wide intervals: none of three still allows more than half.",
        1, draw, statistics=f"n = {' to '.join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))} seeds per arm · "
                            "marker: fraction, bar: Wilson's 95 % interval",
        size=(7.6, 0.9 + 0.35 * len(rows)), legend=False,
    )
    return rows
