"""A run folder as data frames."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

# what marks a folder as a run's, and what a sweep's sub-folders are searched for
MARKS = ("train.csv", "resolved.toml")
# a run counts as diverged when a learner column is not finite, or a mean Q is larger than this
DIVERGED_ABOVE = 1e6
LEARNER_COLUMNS = ("critic_loss", "actor_loss", "alpha", "entropy", "q_mean", "target_mean")


@dataclass(repr=False)
class Run:
    """One run folder. Columns are defined in docs/metrics.md."""

    path: Path
    train: pd.DataFrame
    episodes: pd.DataFrame
    evaluations: pd.DataFrame
    provenance: dict
    overestimation: pd.DataFrame = field(default_factory=pd.DataFrame)
    config: dict = field(default_factory=dict)  # resolved.toml
    status: dict = field(default_factory=dict)
    source: str = "anthill"  # another library's name for a log read by analysis.external

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {self.env}, seed {self.seed}, {self.state}, {self.last_step:,} env steps)"

    @property
    def commit(self) -> str:
        """Git commit of the code that made the run, '+' when its tree had changes."""
        source = self.provenance.get("source", {})
        return source.get("git_commit", "unknown")[:10] + ("+" if source.get("git_dirty") else "")

    @property
    def env(self) -> str:
        return self.config.get("sim", {}).get("env", "unknown")

    @property
    def num_envs(self) -> int:
        return int(self.config.get("sim", {}).get("num_envs", 1))

    @property
    def seed(self) -> int | None:
        return self.config.get("run", {}).get("seed")

    @property
    def last_step(self) -> int:
        """The largest env_steps of its tables; 0 before the first row."""
        tables = (self.train, self.episodes, self.evaluations)
        return max((int(table.env_steps.max()) for table in tables if len(table)), default=0)

    @property
    def state(self) -> str:
        """As status.json says, or provenance.json of a kept run; else "finished" where that has an end time."""
        for source in (self.status, self.provenance):
            if "state" in source:
                return source["state"]
        return "finished" if "end_time_utc" in self.provenance else "unknown"

    def divergence(self, limit: float = DIVERGED_ABOVE, until: float = np.inf) -> str | None:
        """Why the run counts as diverged up to the env step `until`, with the env step; None when it does not."""
        train, nan_cells = self.train[self.train.env_steps <= until], self.train.attrs.get("nan_cells", ())
        found = [(step, column) for step, column in nan_cells if column in LEARNER_COLUMNS and step <= until]
        for column in LEARNER_COLUMNS:
            if column in train:
                infinite = train.env_steps[np.isinf(train[column])]
                found += [(step, column) for step in infinite[:1]]
        large = train.env_steps[train.q_mean.abs() > limit] if "q_mean" in train else []
        if found and not (len(large) and large.iloc[0] < min(found)[0]):
            return "{1} is not finite at env step {0:.0f}".format(*min(found))
        if len(large):
            return f"|q_mean| above {limit:g} at env step {large.iloc[0]:.0f}"
        over = self.state == "diverged" and until >= self.last_step
        return self.status.get("reason", "status.json says so") if over else None


def read_table(path: Path, required: tuple[str, ...] = ("env_steps",)) -> pd.DataFrame:
    """A CSV of a run folder; a last line that is still being written is left out.

    An empty cell and `nan` both become NaN; the cells where the file says `nan` are listed, as (env_steps, column),
    in `attrs["nan_cells"]`. ValueError says which file, line and column is wrong.
    """
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not text at byte {error.start}; is the file damaged?") from None
    complete = text[: text.rfind("\n") + 1]
    if not complete.strip():
        raise ValueError(f"{path}: no complete line; has the run started?")
    lines = complete.splitlines()
    width = lines[0].count(",")
    for number, line in enumerate(lines, 1):
        if line.count(",") != width:
            raise ValueError(
                f"{path}: line {number} has {line.count(',') + 1} cells, the header {width + 1}; is the file damaged?"
            )
    raw = pd.read_csv(StringIO(complete), dtype=str, keep_default_na=False)
    missing = [column for column in required if column not in raw.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(missing)} is missing (it has {', '.join(raw.columns)}); "
            "another version of anthill, or another library's log? See docs/analysis.md"
        )
    return _numbers(raw, path)


def _numbers(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    table, nan_cells = {}, set()
    for column in raw.columns:
        cells = raw[column].str.strip()
        values = pd.to_numeric(cells, errors="coerce").astype(float)
        named = cells.str.lower().isin(["nan", "-nan"])
        words = values.isna() & (cells != "") & ~named
        numeric_so_far = words.sum() <= len(cells) / 2
        if words.any() and numeric_so_far:
            row = int(words.to_numpy().argmax())
            raise ValueError(f"{path}: line {row + 2}: '{cells[row][:40]}' in column {column} is no number")
        if words.any():
            table[column] = raw[column]  # a column of words, such as a kind of states
            continue
        table[column] = values
        if "env_steps" in raw.columns:
            nan_cells |= {(float(step), column) for step in raw.env_steps[named]}
    frame = pd.DataFrame(table)
    frame.attrs["nan_cells"] = sorted(nan_cells)
    return frame


def read_json(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); is the file damaged?") from None


def read_config(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML ({error}); is the file damaged?") from None


def read_status(folder: Path, strict: bool) -> dict:
    """status.json; of a damaged one, unless `strict`, that it is: the run may go on all the same."""
    try:
        return read_json(folder / "status.json")
    except ValueError:
        if strict:
            raise
        return {"state": "running", "trouble": "status.json cannot be read"}


def read_run(folder: str | Path, *, strict: bool = True) -> Run:
    """Reads the tables of a run folder, and what it has of configuration, provenance and status.

    ValueError says which file is missing or wrong. overestimation.csv may be absent: the run was not probed. Without
    `strict` a damaged status.json is no error.
    """
    folder = Path(folder)
    missing = [n for n in ("train.csv", "episodes.csv", "eval.csv") if not (folder / n).is_file()]
    if missing:
        raise ValueError(f"{folder}: not a run folder, {missing[0]} is missing")
    probe = folder / "overestimation.csv"
    return Run(
        path=folder,
        train=read_table(folder / "train.csv"),
        episodes=read_table(folder / "episodes.csv", ("env_steps", "episode_return")),
        evaluations=read_table(folder / "eval.csv", ("env_steps", "return_mean")),
        provenance=read_json(folder / "provenance.json"),
        overestimation=read_table(probe) if probe.is_file() and b"\n" in probe.read_bytes() else pd.DataFrame(),
        config=read_config(folder / "resolved.toml"),
        status=read_status(folder, strict),
    )


def natural_key(path: Path) -> list:
    """Sorts seed-10 after seed-9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]


def find_run_folders(folder: str | Path, depth: int = 4) -> list[Path]:
    """A run folder itself, or those below a sweep's folder (SWEEP/POINT/seed-3 and the like), in natural order.

    Does not look inside run folders, nor more than `depth` levels down. ValueError when there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    found, level = [], [folder]
    for _ in range(depth + 1):
        inside = []
        for place in level:
            if any((place / mark).is_file() for mark in MARKS):
                found.append(place)
            else:
                inside += [p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")]
        level = inside
    if not found:
        raise ValueError(f"{folder}: no run folder here or up to {depth} levels below ({', '.join(MARKS)})")
    return sorted(found, key=natural_key)
