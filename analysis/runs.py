"""A run folder as data frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd


@dataclass
class Run:
    """One run folder. Columns are defined in docs/metrics.md."""

    path: Path
    train: pd.DataFrame
    episodes: pd.DataFrame
    evaluations: pd.DataFrame
    provenance: dict

    @property
    def commit(self) -> str:
        """Git commit of the code that made the run, '+' when its tree had changes."""
        source = self.provenance.get("source", {})
        return source.get("git_commit", "unknown")[:10] + ("+" if source.get("git_dirty") else "")


def read_table(path: Path) -> pd.DataFrame:
    """A CSV of a run folder; a last line that is still being written is left out."""
    text = path.read_text()
    complete = text[: text.rfind("\n") + 1]
    if not complete:
        raise ValueError(f"{path}: no complete line; has the run started?")
    return pd.read_csv(StringIO(complete))


def read_run(folder: str | Path) -> Run:
    """Reads train.csv, episodes.csv, eval.csv and provenance.json. ValueError says which file is missing."""
    folder = Path(folder)
    missing = [n for n in ("train.csv", "episodes.csv", "eval.csv") if not (folder / n).is_file()]
    if missing:
        raise ValueError(f"{folder}: not a run folder, {missing[0]} is missing")
    provenance = folder / "provenance.json"
    return Run(
        path=folder,
        train=read_table(folder / "train.csv"),
        episodes=read_table(folder / "episodes.csv"),
        evaluations=read_table(folder / "eval.csv"),
        provenance=json.loads(provenance.read_text()) if provenance.is_file() else {},
    )
