"""The README's figure: 256 Ants learning, and the replay-ratio study's three arms.

python -m analysis.first_figure --headline RUN --rr1 RUN --rr8 RUN --rr8-layer-norm RUN -o FILE.png
prints the study's ratios as well. Colours: Okabe & Ito's palette, safe for colour-blind readers; line styles
repeat the distinction for print.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

from analysis.runs import Run, read_run

ARMS = {  # label, colour, line style
    "rr1": ("replay ratio 1", "#0072B2", "--"),
    "rr8": ("replay ratio 8", "#D55E00", "-"),
    "rr8_layer_norm": ("replay ratio 8 + LayerNorm", "#009E73", "-."),
}
PANELS = (  # column, title, logarithmic
    ("q_mean", "mean batch Q", False),
    ("alpha", "temperature alpha", True),
    ("critic_loss", "critic loss", True),
)


def last_mean(train: pd.DataFrame, column: str, window: float = 500) -> float:
    """Mean of a column over the last `window` env steps (median for the critic loss, which has spikes)."""
    rows = train[train.env_steps > train.env_steps.max() - window][column].dropna()
    return float(rows.median() if column == "critic_loss" else rows.mean())


def arms_table(rr8: Run, layer_norm: Run) -> pd.DataFrame:
    """What replay ratio 8 shows without and with LayerNorm over the last 500 env steps, and the ratio."""
    columns = ["q_mean", "critic_loss", "alpha", "q_gap", "entropy"]
    table = pd.DataFrame(
        {
            "replay ratio 8": [last_mean(rr8.train, c) for c in columns],
            "with LayerNorm": [last_mean(layer_norm.train, c) for c in columns],
        },
        index=columns,
    )
    table["ratio"] = table["replay ratio 8"] / table["with LayerNorm"]
    return table


def draw_headline(axis, run: Run) -> None:
    evaluations = run.evaluations
    axis.plot(evaluations.env_steps, evaluations.return_mean, color="#0072B2", marker="o", ms=3)
    axis.fill_between(
        evaluations.env_steps, evaluations.return_min, evaluations.return_max, color="#0072B2", alpha=0.2
    )
    episodes = int(evaluations.num_episodes.iloc[-1])
    axis.axhline(evaluations.return_mean.iloc[0], color="0.4", linestyle=":", label="untrained policy")
    axis.legend(fontsize=7, loc="upper left")
    axis.set_title(f"256 Ants, replay ratio 1/4\nevaluation: mean, min-max of {episodes} episodes", fontsize=9)
    axis.set_ylabel("return")


def draw_arm_panel(axis, arms: dict[str, Run], column: str, title: str, logarithmic: bool) -> None:
    for key, run in arms.items():
        label, colour, style = ARMS[key]
        rows = run.train[["env_steps", column]].dropna()
        axis.plot(rows.env_steps, rows[column], color=colour, linestyle=style, label=label, lw=1.3)
    if logarithmic:
        axis.set_yscale("log")
    axis.set_title(f"{title}\nmean of each 100 env steps, one seed", fontsize=9)


def first_figure(headline: Run, arms: dict[str, Run], output: Path) -> None:
    """Writes the figure; the file's ending decides the format."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.3), constrained_layout=True)
    draw_headline(axes[0], headline)
    for axis, panel in zip(axes[1:], PANELS):
        draw_arm_panel(axis, arms, *panel)
    axes[2].legend(fontsize=7, loc="upper right")
    for axis in axes:
        axis.set_xlabel("env steps")
        axis.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x else "0")
        axis.grid(alpha=0.3)
    commits = sorted({run.commit for run in [headline, *arms.values()]})
    figure.suptitle(f"SAC on Ant-v4, n = 1 seed each, commit {', '.join(commits)}", fontsize=9)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--headline", required=True)
    for key in ARMS:
        parser.add_argument("--" + key.replace("_", "-"), required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = vars(parser.parse_args())
    arms = {key: read_run(arguments[key]) for key in ARMS}
    first_figure(read_run(arguments["headline"]), arms, arguments["output"])
    print(arms_table(arms["rr8"], arms["rr8_layer_norm"]).to_string(float_format="%.4g"))
    last = arms["rr1"].train.iloc[-1]
    print(f"replay ratio 1 at {last.env_steps:.0f}: q_mean {last.q_mean:.3g}, alpha {last.alpha:.3g}")


if __name__ == "__main__":
    main()
