"""Any columns of runs' tables as Markdown: at given env steps, or their range over a stretch of a run."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from analysis.arms import Arm, Collection
from analysis.columns import BIAS_R
from analysis.curves import probe_rows
from analysis.measures import probe_verdicts
from analysis.report import commits_of, number
from analysis.runs import Run

TABLES = {"train": "train", "eval": "evaluations", "episodes": "episodes", "overestimation": "overestimation"}


def table_of(run: Run, name: str) -> pd.DataFrame:
    """The file NAME.csv of a run; of overestimation.csv the on-policy rows. ValueError: no such file."""
    if name not in TABLES:
        raise ValueError(f"'{name}': columns are written FILE.COLUMN, FILE one of {', '.join(TABLES)}")
    return probe_rows(run) if name == "overestimation" else getattr(run, TABLES[name])


def series_of(run: Run, text: str) -> pd.Series | None:
    """A column by env step; None when the run has no such numbers. `text` is FILE.COLUMN, or A/B of two of the same file."""
    if "/" in text:
        parts = text.split("/", 1)
        if len({part.partition(".")[0] for part in parts}) > 1:
            raise ValueError(f"'{text}': both sides must be of one file")
        above, below = (series_of(run, part) for part in parts)
        return None if above is None or below is None else above / below
    name, _, column = text.partition(".")
    table = table_of(run, name)
    if column not in numeric_columns(table):
        return None
    return pd.Series(table[column].to_numpy(), index=table.env_steps)


def numeric_columns(table: pd.DataFrame) -> list[str]:
    return [column for column in table.columns if pd.api.types.is_numeric_dtype(table[column])]


def refuse_unknown(runs: list[Run], text: str) -> None:
    """ValueError, with what there is, when no run has the column."""
    if any(series_of(run, text) is not None for run in runs):
        return
    for part in text.split("/", 1):
        name, _, column = part.partition(".")
        if all(series_of(run, part) is None for run in runs):
            known = ", ".join(numeric_columns(table_of(runs[0], name))) or "no row"
            raise ValueError(f"{runs[0].path}: {name}.csv has no numbers called '{column}'; it has {known}")
    raise ValueError(f"'{text}': no run has both columns")


def cell_at(run: Run, text: str, step: int) -> str:
    """The last row at or before `step`, with its own interval where the file has one and its env step where that is another.

    "-" before the first, and for a run without the column.
    """
    series = series_of(run, text)
    series = None if series is None else series[series.index <= step]
    if series is None or not len(series):
        return "-"
    shown = number(float(series.iloc[-1]))
    name, _, column = text.partition(".")
    table = table_of(run, name) if "/" not in text else ()
    if f"{column}_low" in table and f"{column}_high" in table:
        row = table[table.env_steps <= step].iloc[-1]
        shown += f" [{number(row[f'{column}_low'])}, {number(row[f'{column}_high'])}]"
    return shown if series.index[-1] == step else f"{shown} ({series.index[-1]:,.0f})"


def range_cell(run: Run, text: str, begin: int, end: float) -> str:
    """lowest (at env step) to highest (at env step) over [begin, end]; "-" without a number there."""
    series = series_of(run, text)
    if series is None:
        return "-"
    series = series[(series.index >= begin) & (series.index <= end)].dropna()
    if not len(series):
        return "-"
    places = (int(series.argmin()), int(series.argmax()))
    return " to ".join(f"{number(float(series.iloc[k]))} ({series.index[k]:,.0f})" for k in places)


def markdown_table(
    collection: Collection, columns: list[str], steps: list[int] | None = None, every: int | None = None,
    begin: int | None = None, end: float = np.inf,
) -> str:
    """A row per env step and run. `begin`: a row per run instead, with each column's range from there up to `end`.

    Env steps: `steps`, or every multiple of `every` that a run has reached, or the oldest run's last. ValueError: a column
    that no run has, or a step that none has reached.
    """
    runs = [(arm, run) for arm in collection.arms for run in arm.runs]
    oldest = max(run.last_step for _, run in runs)
    if steps is None:
        steps = list(range(every, oldest + 1, every)) if every else [oldest]
    late = [step for step in [*steps, begin or 0, every or 0] if step > oldest]
    if late:
        raise ValueError(f"env step {late[0]}: no run came so far; the oldest stands at {oldest}")
    for text in columns:
        refuse_unknown([run for _, run in runs], text)
    header = ["arm", "seed", *columns]
    if begin is None:
        header.insert(0, "env steps")
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for step in steps if begin is None else [None]:
        for arm, run in runs:
            seed = "-" if run.seed is None else str(run.seed)
            if step is None:
                cells = [arm.name, seed, *(range_cell(run, text, begin, end) for text in columns)]
            else:
                cells = [f"{step:,}", arm.name, seed, *(cell_at(run, text, step) for text in columns)]
            lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    if f"overestimation.{BIAS_R.column}" in columns:
        for arm, run in runs:
            lines.append(f"{arm.name}, {run.path.name if run.seed is None else f'seed {run.seed}'}: {_verdicts(arm, run)}.")
    what = "The last row at or before the env step (its own, where that is another)"
    if begin is not None:
        what = "Lowest and highest value, at which env step"
    lines += [
        f"{what}. [ ]: a probe's own interval. Commit {commits_of(collection)}.",
        *(f"Note: {note}" for note in [*collection.warnings, *collection.left_out]),
    ]
    return "\n".join(lines)


def _verdicts(arm: Arm, run: Run) -> str:
    found = Counter(probe_verdicts(Arm(arm.name, [run])))
    return "probes: " + (", ".join(f"{word} in {count}" for word, count in found.items()) or "none with an interval")
