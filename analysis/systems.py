"""The marks of the reference systems from run folders: a CSV row per run, and a figure (docs/systems.md).

python -m analysis.systems RUN... [--figure FILE.png] > docs/results/systems.csv
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.drawing import COLOURS, DASHES, STYLE, plt, thousands

COLUMNS = ["file", "settings", "seed", "state", "env_steps", "measure", "mark", "reached_at", "best", "best_at", "last",
           "wall_time_s", "reason", "commit", "command"]  # fmt: skip
# what a run must reach, by its configuration file; the sources are in each file's header
MARKS = {
    "b_lunar_lander.toml": 200.0, "b_mountain_car.toml": 90.0,
    "c_dqn.toml": 0.98, "c_ddpg.toml": 0.98, "c_sac_m1.toml": 0.98, "c_sac_m2.toml": 0.98, "c_sac_m3.toml": 0.98,
    "d_ddpg.toml": -370.0, "d_td3.toml": -370.0, "d_sac.toml": -370.0,
    "e_half_cheetah.toml": 8593.0 - 1016.0, "cartpole_dqn.toml": 475.0,
    "pendulum_sac.toml": -180.0, "pendulum_td3.toml": -180.0, "inverted_pendulum_sac.toml": 900.0,
    "half_cheetah_td3.toml": 3352.0,
}  # fmt: skip
# what system C's task gives without learning (docs/systems.md measures it)
BASELINES = {"no force": 0.88, "random": 0.74}
# overrides that make no other experiment
OF_THE_MACHINE = ("run.", "learner.", "sim.num_threads", "training.total_env_steps")
SOLVED_EPISODES = 100
OF_TRAINING = f"mean return of the last {SOLVED_EPISODES} training episodes"
OF_ITERATION = "reward per step of an iteration (last: mean of 20)"
OF_EVALUATION = "mean deterministic return of an evaluation"
Y_LABELS = {OF_TRAINING: f"mean of {SOLVED_EPISODES} returns", OF_ITERATION: "reward per step", OF_EVALUATION: "evaluation return"}


@dataclass
class Curve:
    """What a run's mark is read from, over env steps; `last`: its value at the end; `drawn`: the figure's curve."""

    measure: str
    values: pd.Series
    last: float
    drawn: pd.Series


def settings_of(run: Path) -> dict[str, str]:
    """The keys of resolved.toml that are needed here, as text."""
    wanted = {"run.seed", "training.solved_return", "evaluation.period"}
    found, section = {}, ""
    for line in (run / "resolved.toml").read_text().splitlines():
        line = line.split("  #")[0].strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, value = (part.strip() for part in line.split("=", 1))
            if f"{section}.{key}" in wanted:
                found[f"{section}.{key}"] = value
    return found


def curve_of(run: Path, settings: dict[str, str]) -> Curve:
    """Training returns where the run stops by them, rewards per step where nothing is evaluated, else evaluations."""
    if settings["training.solved_return"] != "inf":
        values = pd.read_csv(run / "episodes.csv").set_index("env_steps")["episode_return"]
        means = values.rolling(SOLVED_EPISODES).mean().dropna()
        drawn = values.rolling(SOLVED_EPISODES, min_periods=1).mean()  # the first ones are of fewer episodes
        return Curve(OF_TRAINING, means, _end(means, 1), drawn)
    if settings["evaluation.period"] == "0":
        values = pd.read_csv(run / "train.csv").set_index("env_steps")["reward_mean"]
        return Curve(OF_ITERATION, values, _end(values, 20), values)
    values = pd.read_csv(run / "eval.csv").set_index("env_steps")["return_mean"]
    return Curve(OF_EVALUATION, values, _end(values, 1), values)


def _end(values: pd.Series, number: int) -> float:
    return float(values.tail(number).mean())


@dataclass
class SystemRun:
    """One run folder, read."""

    file: str
    row: dict[str, object]
    curve: Curve

    @property
    def arm(self) -> tuple[str, object]:
        """The file, and what was set beside it."""
        return self.file, self.row["settings"]


def read_system_run(run: Path) -> SystemRun:
    """Raises ValueError when `run` is no run folder, or a young one."""
    try:
        settings = settings_of(run)
        provenance = json.loads((run / "provenance.json").read_text())
        status = json.loads((run / "status.json").read_text())
        curve = curve_of(run, settings)
    except (OSError, KeyError, json.JSONDecodeError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{run}: not a run folder with results ({error})") from error
    arguments = list(provenance["arguments"])
    file = Path(next((a for a in arguments if a.endswith(".toml")), "")).name
    overrides = [a for i, a in enumerate(arguments) if a == "--set" or arguments[i - 1] == "--set"]
    source, mark = provenance["source"], MARKS.get(file)
    reached = curve.values[curve.values >= mark] if mark is not None else curve.values[:0]
    beside = " ".join(setting for setting in overrides[1::2] if not setting.startswith(OF_THE_MACHINE))
    row = {
        "file": file, "settings": beside, "seed": settings["run.seed"], "state": status["state"], "env_steps": status["env_steps"],
        "measure": curve.measure, "mark": "" if mark is None else f"{mark:g}",
        "reached_at": int(reached.index[0]) if len(reached) else "",
        "best": f"{curve.values.max():.6g}", "best_at": int(curve.values.idxmax()) if len(curve.values) else "",
        "last": f"{curve.last:.6g}", "wall_time_s": round(provenance["wall_time_s"] or 0),
        "reason": status["reason"] or "", "commit": str(source["git_commit"])[:12] + ("+" if source["git_dirty"] else ""),
        "command": " ".join(["scripts/train", f"configs/{file}", *overrides]),
    }  # fmt: skip
    return SystemRun(file, row, curve)


def draw(runs: list[SystemRun], output: Path) -> None:
    """One panel per file and settings: every seed's curve, the mark, and system C's baselines."""
    arms = list(dict.fromkeys(run.arm for run in runs))
    width = min(4, len(arms))
    height = -(-len(arms) // width)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            height, width, figsize=(3.1 * width, 2.4 * height + 0.3), squeeze=False, layout="constrained"
        )
        for axis in axes.flat[len(arms):]:
            axis.set_visible(False)
        for axis, arm in zip(axes.flat, arms):
            members = [run for run in runs if run.arm == arm]
            file, settings = arm
            for i, run in enumerate(members):
                axis.plot(
                    run.curve.drawn.index, run.curve.drawn, lw=1, color=COLOURS[i % len(COLOURS)],
                    linestyle=DASHES[i % len(DASHES)], label=f"seed {run.row['seed']}",
                )  # fmt: skip
            if file in MARKS:
                axis.axhline(MARKS[file], color="0.3", lw=0.8, linestyle=(0, (4, 2)), label="mark")
            for (name, value), style in zip(BASELINES.items() if file.startswith("c_") else (), (":", (0, (1, 3)))):
                axis.axhline(value, color="0.6", lw=0.8, linestyle=style, label=name)
            beside = "\n" + textwrap.shorten(settings, 44, placeholder=" ...")
            axis.set_title(f"{file.removesuffix('.toml')} (n = {len(members)}){beside.rstrip()}", fontsize=8)
            axis.set_ylabel(Y_LABELS[members[0].curve.measure], fontsize=7)
            axis.xaxis.set_major_formatter(thousands)
            axis.legend(fontsize=6, loc="best", framealpha=0.8)
        commits = sorted({str(run.row["commit"]) for run in runs})
        named = ", ".join(commits) if len(commits) <= 6 else f"each run's own, {len(commits)} in all: see the table"
        figure.supxlabel(f"env steps; every curve is one run; commit: {named}", fontsize=7)
        figure.savefig(output, dpi=130)
        plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m analysis.systems", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", type=Path, help="run folders of the files in configs/")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="also draw the curves: .png, .pdf or .svg")
    options = parser.parse_args(arguments)
    try:
        runs = [read_system_run(run) for run in sorted(options.runs)]
        if options.figure:
            draw(runs, options.figure)
    except (ValueError, OSError) as error:
        print(f"analysis.systems: {error}", file=sys.stderr)
        return 2
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(run.row for run in runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
