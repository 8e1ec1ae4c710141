"""Copies what is worth committing of a run folder: its tables and settings, without this machine's paths.

python -m analysis.keep_run RUN docs/results/STUDY/NAME
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path

TABLES = ("train.csv", "episodes.csv", "eval.csv", "resolved.toml")


def keep_run(run: Path, target: Path) -> None:
    """Replaces `target` by the run's tables, resolved.toml and a provenance.json whose paths are file names.

    overestimation.csv comes along where the run was probed; the state in status.json becomes provenance's `state`.
    """
    provenance = _file_names(json.loads((run / "provenance.json").read_text()))
    if (run / "status.json").is_file():  # the rest of it names the machine
        provenance["state"] = json.loads((run / "status.json").read_text())["state"]
    target.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        shutil.copyfile(run / name, target / name)
    # the origin of a value is "PATH:LINE:COLUMN"
    settings = (target / "resolved.toml").read_text()
    (target / "resolved.toml").write_text(re.sub(r"(?m)(^|# )(# )?/\S*/(?=[^/\s]+\.toml\b)", r"\1\2", settings))
    if (run / "overestimation.csv").is_file():
        shutil.copyfile(run / "overestimation.csv", target / "overestimation.csv")
    (target / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")


def _file_names(value):
    """Absolute paths become file names, also those of the processes that a resumed run had before."""
    if isinstance(value, dict):
        return {key: _file_names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_file_names(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    keep_run(arguments.run, arguments.target)


if __name__ == "__main__":
    main()
