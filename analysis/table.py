"""Arms beside each other as a Markdown table, for a report: measures at an env step, and the definitions of bias."""

from __future__ import annotations

from analysis.arms import Collection
from analysis.columns import VARIANTS
from analysis.compare import cell
from analysis.comparisons import compare_pair, spread_of
from analysis.measures import MEASURES, Measure, arm_estimate, common_step, probe_interval, reaches, values_at
from analysis.report import commits_of, missing_columns

ROWS = (*MEASURES, *(Measure(panel.column, panel) for panel in VARIANTS))


def markdown_table(collection: Collection, step: int | None = None) -> str:
    """One column per arm, and one per later arm for its pairing with the arm before; a row per measure.

    ValueError when no run came to `step` (default: the largest that all runs have reached).
    """
    arms = collection.arms
    common, notes = common_step(collection)
    step = common if step is None else step
    if not any(reaches(run, step) for arm in arms for run in arm.runs):
        raise ValueError(f"--at {step}: no run came so far; the common env step is {common}")
    pairs = [(k + 1, k) for k in range(len(arms) - 1)]
    names = [f"{arm.name} (n = {sum(reaches(run, step) for run in arm.runs)})" for arm in arms]
    header = [f"at {step:,} env steps", *names, *(f"{arms[j].name} against {arms[i].name}" for j, i in pairs)]
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for measure in ROWS:
        values = [probe_interval(arm, step) if measure.key == "B_r" else arm_estimate(arm, measure, step) for arm in arms]
        if all(value is None for value in values):
            continue
        cells = [f"{measure.panel.title} [{measure.panel.unit}]".replace("|", "\\|"), *map(cell, values)]
        for j, i in pairs:
            if not values_at(arms[j], measure, step) or not values_at(arms[i], measure, step):
                cells.append("-")
                continue
            spread = spread_of([arms[j], arms[i]], measure, step)
            found = compare_pair(arms[j], arms[i], measure, step, spread)
            cells.append(("x " if spread == "ratio" and found else "") + cell(found))
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Over the last tenth before that env step. Interquartile mean over seeds [95 % stratified bootstrap]; x: median of "
        f"paired ratios, else interquartile mean of paired differences; where a run diverged, medians of all but returns. Commit {commits_of(collection)}.",
        *(f"Note: {note}" for note in [*notes, *collection.warnings, *collection.left_out, *missing_columns(collection)]),
    ]
    return "\n".join(lines)
