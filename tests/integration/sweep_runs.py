"""Small sweeps and how to compare their folders; shared by the tests of sweeps."""

import hashlib
import json
import pathlib

from anthill_command import run
from resumed_runs import newest, rows_without_clock

# seconds a run: small networks, few updates
BASE = """
[sim]
env = "Pendulum-v1"
num_envs = 4
[buffer]
capacity = 4000
[training]
total_env_steps = 2000
random_steps = 200
learning_starts = 200
replay_ratio = 0.1
batch_size = 8
overlap = false
[actor]
hidden_dims = [8]
[critic]
hidden_dims = [8]
[evaluation]
period = 1000
num_episodes = 1
[checkpoint]
period = 500
[log]
period = 500
tensorboard = false
"""
TABLES = ("train.csv", "episodes.csv", "eval.csv")


def write_sweep(folder, text, base=BASE, name="sweep.toml"):
    """The sweep file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.toml").write_text(base)
    file = folder / name
    file.write_text('base = "base.toml"\n' + text)
    return file


def sweep(*arguments, **options):
    return run("sweep", *arguments, **options)


def expect(result, code=0):
    assert result.returncode == code, f"{result.returncode}\n{result.stdout}\n{result.stderr}"
    return result


def run_folders(folder):
    """"POINT/seed-3" -> path"""
    return {f"{path.parent.name}/{path.name}": path for path in sorted(pathlib.Path(folder).glob("*/seed-*"))
            if path.is_dir()}


def tables(folder):
    """All tables of all runs, without the clocks' columns."""
    return {name: {table: rows_without_clock(path / table) for table in TABLES}
            for name, path in run_folders(folder).items()}


def status_of(path):
    try:
        return json.loads((pathlib.Path(path) / "status.json").read_text())
    except (OSError, ValueError):
        return {}


def checkpoint_steps(path):
    """Env steps of a run's newest checkpoint; 0: none."""
    try:
        return int(newest(path).name.split("-")[1])
    except OSError:
        return 0


def snapshot(folder):
    """Every file of every run with its bytes and time."""
    return {str(file): (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).hexdigest())
            for path in run_folders(folder).values() for file in sorted(path.rglob("*")) if file.is_file()}
