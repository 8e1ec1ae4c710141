"""What the C++ side writes, read by the programs that users read it with."""

import csv
import json
import math
import os
import pathlib
import struct
import subprocess

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

WRITER = pathlib.Path(os.environ["ANTHILL_BIN_DIR"]).parent / "tests" / "write_run_log"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    subprocess.run([WRITER, path], check=True)
    return path


@pytest.fixture(scope="module")
def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return accumulator


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_tags(events):
    assert set(events.Tags()["scalars"]) == {
        "train/q_mean",
        "train/alpha",
        "train/critic_loss",
        "episode/episode_return",
        "eval/return_mean",
        "eval/num_episodes",
        "overestimation/reset/bias_reward",
    }


@pytest.mark.parametrize(
    "file, tag",
    [
        ("train.csv", "train/q_mean"),
        ("train.csv", "train/alpha"),
        ("train.csv", "train/critic_loss"),
        ("episodes.csv", "episode/episode_return"),
        ("eval.csv", "eval/return_mean"),
    ],
)
def test_tensorboard_holds_the_csv_values(folder, events, file, tag):
    column = tag.split("/")[1]
    cells = [(int(row["env_steps"]), row[column]) for row in rows(folder / file) if row[column]]
    scalars = events.Scalars(tag)
    assert [scalar.step for scalar in scalars] == [step for step, _ in cells]
    expected = np.array([float(cell) for _, cell in cells], dtype=np.float32)
    np.testing.assert_array_equal([scalar.value for scalar in scalars], expected)
    times = [scalar.wall_time for scalar in scalars]
    assert times == sorted(times) and times[0] > 1.7e9


def test_values_that_are_not_finite(folder):
    last = rows(folder / "train.csv")[-1]
    assert math.isinf(float(last["q_mean"])) and math.isnan(float(last["critic_loss"]))
    assert last["alpha"] == ""


def test_csv_numbers_are_exact(folder):
    read = [float(row["alpha"]) for row in rows(folder / "train.csv")[:300]]
    assert read == [1.0 / (3.0 * i) for i in range(1, 301)]


def test_probes_name_their_states(folder, events):
    (row,) = rows(folder / "overestimation.csv")
    assert row["states"] == "reset" and row["bias_reward"] == "0.25" and row["bias_low"] == ""
    assert [event.value for event in events.Scalars("overestimation/reset/bias_reward")] == [0.25]
    (state,) = rows(folder / "overestimation_states.csv")
    assert state["states"] == "reset" and state["q_mean"] == "1.5"


def test_safetensors_layout(folder):
    data = (folder / "policy.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__") == {"env": "Ant-v5"}
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype="<f4")
        assert entry["dtype"] == "F32"
        arrays[name] = values.reshape(entry["shape"])
    np.testing.assert_array_equal(
        arrays["actor.weight"], np.array([[1.5, -2, 3e-40], [4, 5, 6]], dtype=np.float32)
    )
    assert arrays["log_alpha"].shape == () and arrays["log_alpha"] == np.float32(-0.25)
