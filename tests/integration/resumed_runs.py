"""Starting, killing and comparing runs; shared by the tests of resume."""

import csv
import hashlib
import json
import pathlib
import signal
import subprocess
import time

from anthill_command import BIN, run

SMOKE = pathlib.Path("configs/smoke.toml")
CLOCK = {"wall_time_s", "env_steps_per_s", "updates_per_s", "memory_mib", "seconds"}
FAST = ["checkpoint.period=200", "actor.hidden_dims=[16]", "critic.hidden_dims=[16]", "training.batch_size=16",
        "evaluation.period=700"]


def options(settings):
    return [word for setting in settings for word in ("--set", setting)]


def train(folder, *settings, flags=("--resume",), **more):
    return run("train", SMOKE, "--run", folder, *flags, *options(settings), **more)


def rows_without_clock(path):
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k not in CLOCK} for row in csv.DictReader(file)]


def newest(folder):
    name = (folder / "checkpoints/LATEST").read_text().strip()
    return folder / "checkpoints" / name


def arrays(checkpoint):
    """Bytes of every array of a checkpoint but the clocks', and of the rows of its ring."""
    data = (checkpoint / "state.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    result = {}
    for name, entry in header.items():
        if name.startswith("recorder.") and ("wall_time" in name or "bytes" in name or "events" in name):
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        result[name] = data[begin:end]
    replay = json.loads((checkpoint / "manifest.json").read_text())["replay"]
    rows = b"".join((checkpoint / segment["name"]).read_bytes() for segment in replay["segments"])
    held = (replay["end_step"] - replay["first_step"]) * replay["step_bytes"]
    result["rows"] = rows[len(rows) - held :] if held else b""
    return result


def assert_same_run(folder, reference):
    assert (folder / "policy.safetensors").read_bytes() == (reference / "policy.safetensors").read_bytes()
    for name in ("train.csv", "episodes.csv", "eval.csv"):
        assert rows_without_clock(folder / name) == rows_without_clock(reference / name), name
    mine, theirs = arrays(newest(folder)), arrays(newest(reference))
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []


def kill_at(folder, env_steps, *settings, number=signal.SIGKILL):
    """Starts (or goes on with) a run and ends it once its status has come to `env_steps`."""
    command = [BIN / "anthill", "train", SMOKE, "--run", folder, "--resume", *options(settings)]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 120
    while process.poll() is None and time.time() < deadline:
        try:
            checkpoint = newest(folder).name
            if int(checkpoint.split("-")[1]) >= env_steps:
                break
        except OSError:
            pass
        time.sleep(0.001)
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def verifies(checkpoint):
    """Whether every file of a checkpoint is what its manifest says; needs nothing of anthill."""
    manifest = (checkpoint / "manifest.json").read_bytes()
    if (checkpoint / "manifest.sha256").read_text() != hashlib.sha256(manifest).hexdigest() + "  manifest.json\n":
        return False
    entries = json.loads(manifest)
    files = [entries["state"], entries["config"], *entries["replay"]["segments"]]
    return all(hashlib.sha256((checkpoint / file["name"]).read_bytes()).hexdigest() == file["sha256"] for file in files)
