"""Off-line probes beside each other as a Markdown table: which part of an agent is to blame for its bias."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.arms import split_input
from analysis.runs import read_table

FILE = "overestimation.csv"
REQUIRED = (
    "env_steps", "run", "states", "num_states", "q_mean", "soft_return", "bias_reward", "bias_reward_low", "bias_reward_high",
    "spearman",
)  # fmt: skip


def markdown_table(probes: list[str], step: int | None = None) -> str:
    """A row per env step, kind of states and run of every folder that `anthill probe` wrote; `NAME=PATH` names one.

    With `step` only the rows of that env step. ValueError says which folder cannot be read, or that there are none.
    """
    tables = []
    for given in probes:
        name, text = split_input(given)
        path = Path(text)
        file = path / FILE
        if not file.is_file():
            raise ValueError(f"{path}: has no {FILE}; is it what `anthill probe --output` wrote?")
        table = read_table(file, REQUIRED)
        if not len(table):
            raise ValueError(f"{file}: has no row; did `anthill probe` find a checkpoint and end?")
        several, name = table.run.nunique() > 1, name or path.name
        tables.append(table.assign(probe=[f"{name}, {run}" if several else name for run in table.run], file=len(tables)))
    rows = pd.concat(tables).sort_values(["states", "env_steps", "file"], kind="stable")
    if step is not None:
        known = sorted({int(value) for value in rows.env_steps})
        rows = rows[rows.env_steps == step]
        if not len(rows):
            raise ValueError(f"--at {step}: no such checkpoint was probed; there are {', '.join(map(str, known))}")
    lines = [
        "| states | env steps | probe | Q | soft value | B_r [95 %] | Spearman |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows.itertuples():
        interval = f"{row.bias_reward:.3g} [{row.bias_reward_low:.3g}, {row.bias_reward_high:.3g}]"
        lines.append(
            f"| {row.states} | {row.env_steps:,.0f} | {row.probe} | {row.q_mean:.4g} | {row.soft_return:.4g} | "
            f"{interval} | {row.spearman:.2f} |"
        )
    counts = sorted({int(count) for count in rows.num_states})
    lines += ["", f"B_r in reward per step; 95 % bootstrap over the episodes of {' or '.join(map(str, counts))} states of one run."]
    return "\n".join(lines)

