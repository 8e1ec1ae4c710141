"""How well programs learn one task, from a CSV of evaluations (docs/systems.md): a panel per algorithm, a line per run.

python -m analysis.programs_figure docs/results/half_cheetah_50k.csv --figure docs/figures/half_cheetah_50k.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from scipy.stats import mannwhitneyu

from analysis.drawing import STYLE, look, plt, thousands

COLUMNS = ("algorithm", "program", "settings", "seed", "env_steps", "return_mean")


def read_evaluations(path: Path) -> pd.DataFrame:
    """The CSV with COLUMNS; raises ValueError when one is missing."""
    table = pd.read_csv(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing or table.empty:
        raise ValueError(f"{path}: has no {', '.join(missing) or 'rows'}; columns: {', '.join(COLUMNS)}")
    return table


def summary(table: pd.DataFrame) -> str:
    """Of each algorithm's runs at their last env step: n, mean, standard deviation, and p against its first row.

    p is Mann-Whitney's, two-sided, exact where no values are equal.
    """
    lines = []
    for algorithm, runs in table.groupby("algorithm", sort=False):
        ends = runs[runs["env_steps"] == runs.groupby(["program", "settings"])["env_steps"].transform("max")]
        groups = {key: rows["return_mean"] for key, rows in ends.groupby(["program", "settings"], sort=False)}
        first = next(iter(groups.values()))
        for (program, settings), values in groups.items():
            spread = f"{values.std():,.0f}" if len(values) > 1 else "-"
            p = "-" if values is first else f"{mannwhitneyu(first, values).pvalue:.2f}"
            lines.append(f"| {algorithm} | {program} | {settings} | {len(values)} | {values.mean():,.0f} | {spread} | {p} |")
    return "\n".join(["| algorithm | program | settings | n | mean | sd | p against its first row |", "|---" * 7 + "|", *lines])


def draw(table: pd.DataFrame, title: str, output: Path) -> None:
    """Thin lines are runs; the marker at the end is the mean of a program's runs there."""
    algorithms = list(dict.fromkeys(table["algorithm"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(algorithms), figsize=(4.6 * len(algorithms), 4.4), squeeze=False, sharey=True,
                                    layout="constrained")  # fmt: skip
        for axis, algorithm in zip(axes.flat, algorithms):
            of_algorithm = table[table["algorithm"] == algorithm]
            for i, ((program, settings), runs) in enumerate(of_algorithm.groupby(["program", "settings"], sort=False)):
                style, seeds = look(i), runs.groupby("seed")
                for _, run in seeds:
                    axis.plot(run["env_steps"], run["return_mean"], lw=0.9, alpha=0.7, color=style.colour,
                              linestyle=style.dashes)  # fmt: skip
                last = runs["env_steps"].max()
                ends = runs[runs["env_steps"] == last]["return_mean"]
                axis.plot([last], [ends.mean()], style.marker, color=style.colour, ms=6, clip_on=False,
                          label=f"{program}, {settings} (n = {len(ends)}, mean {ends.mean():,.0f})")  # fmt: skip
            axis.set_title(algorithm.upper())
            axis.set_xlabel("env steps")
            axis.xaxis.set_major_formatter(thousands)
            axis.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)
        axes[0, 0].set_ylabel("mean return of ten deterministic episodes")
        figure.suptitle(f"{title}: every line is one run, markers are means of runs at the end", fontsize=8)
        figure.savefig(output, dpi=150)
        plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.programs_figure", description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, metavar="CSV", help=f"with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--figure", type=Path, required=True, metavar="FILE", help=".png, .pdf or .svg")
    parser.add_argument("--title", default="HalfCheetah-v4")
    options = parser.parse_args(arguments)
    try:
        table = read_evaluations(options.table)
        draw(table, options.title, options.figure)
    except (OSError, ValueError) as error:
        print(f"analysis.programs_figure: {error}", file=sys.stderr)
        return 2
    print(summary(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
