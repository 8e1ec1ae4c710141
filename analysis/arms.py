"""Groups runs into arms: runs whose resolved configurations are equal except for the seed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.runs import Run, find_run_folders, natural_key, read_run

# what may differ within an arm: seeds, names, the machine, and what does not change training (how long, how often
# something is written, evaluated, probed or saved)
NOT_AN_ARM = (
    "run.", "log.", "evaluation.", "overestimation.", "probe.", "checkpoint.", "learner.num_threads",
    "sim.num_threads", "sim.pin_threads", "buffer.device_system", "buffer.store_state", "training.total_env_steps",
)

LONGEST_NAME = 48  # characters; an arm that differs in more is called by its folder


@dataclass
class Arm:
    """Runs of one configuration, by seed."""

    name: str
    runs: list[Run]
    external: bool = False
    settings: str = ""  # those in which it differs from the other arms

    @property
    def seeds(self) -> list:
        return [run.seed for run in self.runs]


@dataclass
class Collection:
    """What a report is about: arms, what was left out, and what the reader must be told."""

    arms: list[Arm]
    left_out: list[str] = field(default_factory=list)  # one line per folder that could not be used
    warnings: list[str] = field(default_factory=list)  # what was allowed by a flag, and other marks

    @property
    def runs(self) -> list[Run]:
        return [run for arm in self.arms for run in arm.runs]

    @property
    def own_runs(self) -> list[Run]:
        return [run for arm in self.arms if not arm.external for run in arm.runs]


def flatten(config: dict, prefix: str = "") -> dict:
    """{"critic.layer_norm": True, ...}"""
    flat = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def identity(run: Run) -> dict:
    """The settings that two runs of one arm must share."""
    return {k: v for k, v in flatten(run.config).items() if not k.startswith(NOT_AN_ARM)}


def _text(value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(_text(v) for v in value) if isinstance(value, list) else str(value)


def short_names(keys: list[str]) -> dict[str, str]:
    """Each key's last word, or as many as tell it from the others: critic.layer_norm, actor.layer_norm."""
    names = {}
    for key in keys:
        parts = key.split(".")
        length = next(
            n for n in range(1, len(parts) + 1)
            if sum(other.split(".")[-n:] == parts[-n:] for other in keys) == 1
        )
        names[key] = ".".join(parts[-length:])
    return names


def name_arms(identities: list[dict]) -> list[str]:
    """Names made of the settings in which the arms differ: "replay_ratio 8, layer_norm on"."""
    keys = sorted({key for one in identities for key in one})
    differing = [k for k in keys if len({json.dumps(one.get(k)) for one in identities}) > 1]
    # training's settings first: they are what a study sweeps most
    differing.sort(key=lambda key: (not key.startswith(("sim.env", "training.")), key))
    short = short_names(differing)
    return [
        ", ".join(f"{short[k]} {_text(one[k])}" for k in differing if k in one) for one in identities
    ]


def read_collection(
    inputs: list[str], *, mixed_environments: bool = False, mixed_versions: bool = False
) -> Collection:
    """Reads runs and sweeps, each PATH or NAME=PATH (the runs of that path are one arm with that name).

    Arms are in the order of the inputs, those of one input in the order of their names.

    Folders that hold no row yet are left out and listed. ValueError: nothing left, one seed twice in an arm, a named
    arm of several configurations, or environments or versions that differ without the flag that allows it.
    """
    named: dict[str, list[Run]] = {}
    runs, left_out, seen = [], [], set()
    place = {}  # of a run's folder: the input that it came with
    for index, text in enumerate(inputs):
        name, path = split_input(text)
        for folder in find_run_folders(path):
            if folder.resolve() in seen:
                continue
            seen.add(folder.resolve())
            place[folder] = index
            run = _read_or_list(folder, left_out)
            if run is not None:
                (named.setdefault(name, []) if name else runs).append(run)
    if not runs and not named:
        raise ValueError("no run with data: " + "; ".join(left_out))
    arms = _group(runs) + [_named_arm(name, members, mixed_versions) for name, members in named.items()]
    _refuse_equal(arms)
    arms.sort(key=lambda arm: (min(place[run.path] for run in arm.runs), natural_key(Path(arm.name))))
    collection = Collection(arms, left_out)
    check_alike(collection, mixed_environments, mixed_versions)
    return collection


def split_input(text: str) -> tuple[str | None, str]:
    """NAME=PATH or PATH; a folder whose name holds '=' is taken as a path when it exists."""
    if "=" not in text or Path(text).exists():
        return None, text
    name, path = text.split("=", 1)
    if not name.strip():
        raise ValueError(f"'{text}': an arm's name is empty; write NAME=PATH")
    return name.strip(), path


def _read_or_list(folder: Path, left_out: list[str]) -> Run | None:
    """The run, or None and a line in left_out when it has not started."""
    empty = [
        name for name in ("train.csv", "episodes.csv", "eval.csv")
        if not (folder / name).is_file() or b"\n" not in (folder / name).read_bytes()
    ]
    if empty:
        left_out.append(f"{folder}: empty, {empty[0]} has no line yet")
        return None
    run = read_run(folder)
    if run.last_step == 0 and not len(run.evaluations):
        left_out.append(f"{folder}: empty, its tables have no row yet")
        return None
    return run


def _group(runs: list[Run]) -> list[Arm]:
    groups: dict[str, list[Run]] = {}
    shared: dict[str, dict] = {}  # a group's settings
    for run, one in zip(runs, _comparable(runs)):
        # without resolved.toml nothing says that two folders are the same experiment
        key = json.dumps(one, sort_keys=True) if run.config else str(run.path)
        groups.setdefault(key, []).append(run)
        shared[key] = one
    members = list(groups.values())
    names = name_arms([shared[key] for key in groups])
    if len(members) == 1:
        names = [members[0][0].config.get("run", {}).get("name") or _folder_name(members[0])]
    settings = list(names) if len(members) > 1 else [""]
    for index, group in enumerate(members):
        if len(names[index]) > LONGEST_NAME or not names[index] or names.count(names[index]) > 1 or not group[0].config:
            names[index] = _folder_name(group)
    return [
        Arm(name, sorted(group, key=lambda run: (run.seed is None, run.seed)), settings=text)
        for name, group, text in zip(names, members, settings)
    ]


def _folder_name(runs: list[Run]) -> str:
    """The last folder that all of an arm's runs share: of POINT/seed-3, POINT."""
    path = runs[0].path.resolve()
    shared = len(runs) > 1 or re.fullmatch(r"seed[-_]?\d+", path.name)
    return path.parent.name if shared else path.name


def _defaults(run: Run) -> set[str]:
    """The keys behind which the run's resolved.toml says "# default"."""
    keys, section = set(), ""
    for line in (run.path / "resolved.toml").read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.endswith("# default"):
            keys.add(f"{section}.{line.split(' = ')[0]}")
    return keys


def _comparable(runs: list[Run]) -> list[dict]:
    """Their identities without what only some versions know and leave at its default: older ones did the same."""
    identities = [identity(run) for run in runs]
    known = [set(one) for one, run in zip(identities, runs) if run.config]
    partly = set().union(*known) - set.intersection(*known) if known else set()
    if not partly:
        return identities
    for run, one in zip(runs, identities):
        for key in partly & set(one) & (_defaults(run) if run.config else set()):
            del one[key]
    return identities


def _named_arm(name: str, runs: list[Run], mixed_versions: bool) -> Arm:
    identities = _comparable(runs) if mixed_versions else [identity(run) for run in runs]
    first = identities[0]
    for run, other in zip(runs[1:], identities[1:]):
        for key in sorted({*first, *other}):
            if first.get(key) != other.get(key):
                raise ValueError(
                    f"arm '{name}': {run.path} has {key} = {other.get(key)}, {runs[0].path} has {first.get(key)}; "
                    "give each configuration a name of its own"
                )
    return Arm(name, sorted(runs, key=lambda run: (run.seed is None, run.seed)))


def _refuse_equal(arms: list[Arm]) -> None:
    names = [arm.name for arm in arms]
    for arm in arms:
        if names.count(arm.name) > 1:
            raise ValueError(f"two arms are called '{arm.name}'; name them: NAME=PATH")
        by_seed: dict = {}
        for run in arm.runs:
            if run.seed is not None and run.seed in by_seed:
                raise ValueError(
                    f"seed {run.seed} twice in arm '{arm.name}': {by_seed[run.seed].path} and {run.path} are the same "
                    "run; leave one out"
                )
            by_seed[run.seed] = run


def _values(runs: list[Run], value) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(value(run), run)
    return found


def _task(run: Run) -> str:
    """The environment with all that defines it: its options and time limit."""
    sim = {k: v for k, v in flatten(run.config.get("sim", {})).items()
           if k not in ("num_envs", "num_threads", "pin_threads")}
    return json.dumps(sim, sort_keys=True)


def _version(run: Run) -> str:
    dirty = run.provenance.get("source", {}).get("git_dirty_sha256")
    mujoco = run.provenance.get("libraries", {}).get("mujoco", "unknown")
    return f"commit {run.commit}{(dirty or '')[:8]}, MuJoCo {mujoco}"


def _task_difference(a: Run, b: Run) -> str:
    left, right = flatten(a.config.get("sim", {})), flatten(b.config.get("sim", {}))
    key = next(
        k for k in ["env", *sorted({*left, *right})]
        if left.get(k) != right.get(k) and k not in ("num_envs", "num_threads", "pin_threads")
    )
    return f"{a.path} has sim.{key} = {left.get(key)}, {b.path} has {right.get(key)}"


def check_alike(collection: Collection, mixed_environments: bool, mixed_versions: bool) -> None:
    """ValueError where own runs differ in environment, version or kind of evaluation; a warning where a flag allows."""
    runs = collection.own_runs
    tasks = list(_values(runs, _task).values())
    if len(tasks) > 1:
        line = f"different environments: {_task_difference(tasks[0], tasks[1])}"
        if not mixed_environments:
            raise ValueError(f"{line}; report them apart, or allow it with --mixed-environments")
        collection.warnings.append(f"MIXED ENVIRONMENTS, returns are not comparable: {line}")
    versions = _values(runs, _version)
    if len(versions) > 1:
        (one, first), (two, second) = list(versions.items())[:2]
        line = f"different versions: {first.path} has {one}; {second.path} has {two}"
        if not mixed_versions:
            raise ValueError(f"{line}; allow it with --mixed-versions")
        collection.warnings.append(f"MIXED VERSIONS ({len(versions)} in this report): {line}")
    kinds = {
        kind for run in runs if "deterministic" in run.evaluations
        for kind in np.unique(run.evaluations.deterministic.dropna())
    }
    if len(kinds) > 1:
        raise ValueError("eval.csv of some runs is of the deterministic policy, of others of the sampled one")
