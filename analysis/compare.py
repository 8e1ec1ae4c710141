"""Two arms beside each other, as a table in the terminal."""

from __future__ import annotations

import numpy as np

from analysis.arms import Arm, Collection
from analysis.comparisons import compare_pair, finite, spread_of
from analysis.measures import (
    MEASURES, RETURN, arm_estimate, common_step, divergence_of, probe_interval, reaches, value_at, verdict,
)
from analysis.report import commits_of, missing_columns, number
from analysis.statistics import Estimate, improvement


def cell(found: Estimate | None) -> str:
    """value [low, high]; "-" for nothing."""
    if found is None:
        return "-"
    text = number(found.value).replace("–", "-")
    return text if found.low is None else f"{text} [{number(found.low)}, {number(found.high)}]"


def comparison(collection: Collection, step: int | None = None, seeds: bool = False) -> str:
    """The text that `compare` prints; with `seeds` every common seed by itself below it.

    ValueError unless there are exactly two arms.
    """
    if len(collection.arms) != 2:
        names = "; ".join(arm.name for arm in collection.arms)
        raise ValueError(f"compare takes two arms, these are {len(collection.arms)}: {names}")
    a, b = collection.arms
    until = float("inf") if step is None else step  # whose divergence counts
    common, notes = common_step(collection)
    step = common if step is None else step
    if not all(any(reaches(run, step) for run in arm.runs) for arm in (a, b)):
        raise ValueError(f"--at {step}: an arm has no run that came so far; the common env step is {common}")
    header = ["", f"A (n = {len(a.runs)})", f"B (n = {len(b.runs)})", "A against B", "pairs"]
    rows = []
    for measure in MEASURES:
        left, right = (
            probe_interval(arm, step) if measure.key == "B_r" else arm_estimate(arm, measure, step) for arm in (a, b)
        )
        if left is None and right is None:
            continue
        spread = spread_of([a, b], measure, step)
        between = compare_pair(a, b, measure, step, spread)
        sign = "x " if spread == "ratio" else ""
        rows.append([
            f"{measure.panel.title}, {measure.panel.unit}", cell(left), cell(right),
            sign + cell(between) if between else "-", str(between.n) if between else "0",
        ])
    lines = [f"A: {a.name}", f"B: {b.name}", *collection.warnings]
    lines += [f"{letter}: {verdict(probe_interval(arm, step))}" for letter, arm in (("A", a), ("B", b))]
    lines += ["", *_align([header, *rows]), ""]
    if seeds:
        lines += [*_align(seed_rows(a, b, step)), ""]
    returns = [finite(arm, RETURN, step) for arm in (a, b)]
    if all(len(values) for values in returns):
        lines.append(f"P(return of A > return of B) = {cell(improvement([returns[0]], [returns[1]]))}")
    for letter, arm in (("A", a), ("B", b)):
        if not arm.external:
            found = divergence_of(arm, step=until)
            lines.append(f"{letter}: {found.diverged} of {found.n} diverged, Wilson [{found.low:.2f}, {found.high:.2f}]")
            lines += [f"  {reason}" for reason in found.reasons]
    lines.append(
        f"At env step {step}, over the last tenth. Interquartile mean over seeds [95 % stratified bootstrap]; a single "
        "seed has none,"
    )
    lines.append("but for B_r, whose own is over episodes. 'x': median of paired ratios; else IQM of paired differences.")
    lines.append(f"Where a run diverged: medians of all but returns. Commit {commits_of(collection)}.")
    return "\n".join([*lines, *(f"note: {note}" for note in [*notes, *collection.left_out, *missing_columns(collection)])])


def seed_rows(a: Arm, b: Arm, step: int) -> list[list[str]]:
    """A row per measure and seed that both arms have: A, B, A - B, A / B. What diverged is shown as it was logged."""
    rows = [["by seed", "seed", "A", "B", "A - B", "A / B"]]
    for measure in MEASURES:
        left, right = (
            {run.seed: value_at(run, measure, step, limit=np.inf) for run in arm.runs if run.seed is not None and reaches(run, step)}
            for arm in (a, b)
        )
        for seed in sorted((seed for seed in left if seed in right), key=str):
            x, y = left[seed], right[seed]
            if x == x and y == y:
                ratio = number(x / y) if x > 0 and y > 0 else "-"
                rows.append([measure.panel.title, str(seed), *map(number, (x, y, x - y)), ratio])
    return rows


def _align(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]
