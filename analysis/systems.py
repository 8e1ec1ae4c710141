"""The marks of the reference systems from run folders: one CSV row per run (docs/systems.md).

    .venv/bin/python -m analysis.systems RUN... > docs/results/systems.csv
"""

import csv
import json
import pathlib
import sys

import pandas as pd

COLUMNS = ["file", "seed", "state", "env_steps", "measure", "value", "at_env_steps", "wall_time_s",
           "reason", "commit", "command"]  # fmt: skip


def settings_of(run):
    """The keys of resolved.toml that are needed here, as text."""
    wanted = {"run.seed", "training.total_env_steps", "training.solved_return", "evaluation.period"}
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


def measures(run, settings):
    """(measure, value, env steps) of what the run's mark can be read from."""
    result = []
    if settings["training.solved_return"] != "inf":
        episodes = pd.read_csv(run / "episodes.csv")
        last = episodes.tail(100)
        result.append(("mean return of the last 100 training episodes",
                       last["episode_return"].mean(), last["env_steps"].max()))  # fmt: skip
    if settings["evaluation.period"] == "0":
        train = pd.read_csv(run / "train.csv")
        best = train.loc[train["reward_mean"].idxmax()]
        result.append(("best reward per step of an iteration", best["reward_mean"], best["env_steps"]))
        last = train.tail(20)
        result.append(("reward per step, last 20 iterations", last["reward_mean"].mean(),
                       last["env_steps"].max()))  # fmt: skip
        return result
    evaluations = pd.read_csv(run / "eval.csv")
    best = evaluations.loc[evaluations["return_mean"].idxmax()]
    result.append(("best evaluation", best["return_mean"], best["env_steps"]))
    last = evaluations.iloc[-1]
    result.append(("last evaluation", last["return_mean"], last["env_steps"]))
    return result


def rows(run):
    """All rows of one run folder."""
    settings = settings_of(run)
    provenance = json.loads((run / "provenance.json").read_text())
    status = json.loads((run / "status.json").read_text())
    arguments = list(provenance["arguments"])
    file = next((a for a in arguments if a.endswith(".toml")), "")
    overrides = [a for i, a in enumerate(arguments) if a == "--set" or arguments[i - 1] == "--set"]
    source = provenance["source"]
    commit = str(source["git_commit"])[:12] + ("+" if source["git_dirty"] else "")
    for measure, value, at in measures(run, settings):
        yield {"file": pathlib.Path(file).name, "seed": settings["run.seed"],
               "state": status["state"], "env_steps": status["env_steps"], "measure": measure,
               "value": f"{value:.6g}", "at_env_steps": int(at),
               "wall_time_s": round(provenance["wall_time_s"] or 0), "reason": status["reason"] or "",
               "commit": commit,
               "command": " ".join(["scripts/train", f"configs/{pathlib.Path(file).name}", *overrides])}  # fmt: skip


def main(arguments):
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for run in sorted(arguments):
        writer.writerows(rows(pathlib.Path(run)))


if __name__ == "__main__":
    main(sys.argv[1:])
