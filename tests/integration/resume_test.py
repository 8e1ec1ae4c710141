"""`anthill train` killed and resumed: the files and the last checkpoint equal an uninterrupted run's."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from anthill_command import BIN, assert_fails, run

SMOKE = pathlib.Path("configs/smoke.toml")
CLOCK = {"wall_time_s", "env_steps_per_s", "updates_per_s", "memory_mib", "seconds"}
FAST = ["checkpoint.period=200", "actor.hidden_dims=[16]", "critic.hidden_dims=[16]", "training.batch_size=16",
        "evaluation.period=700"]
LUNAR = ["sim.env=\"LunarLanderContinuous-v3\"", *FAST]


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


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    made = {}

    def reference(*settings):
        if settings not in made:
            made[settings] = tmp_path_factory.mktemp("whole") / "run"
            result = train(made[settings], *settings)
            assert result.returncode == 0, result.stderr
        return made[settings]

    return reference


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("overlap", ["true", "false"])
def test_killed_runs_end_as_if_nothing_had_happened(tmp_path, references, threads, overlap):
    settings = [*FAST, f"training.overlap={overlap}"]
    reference = references(*settings)
    mine = [*settings, f"sim.num_threads={threads}"]
    for env_steps in (0, 600, 1400):
        kill_at(tmp_path / "run", env_steps, *mine)
    result = train(tmp_path / "run", *mine)
    assert result.returncode == 0 and "resuming from step-" in result.stderr, result.stderr
    assert_same_run(tmp_path / "run", reference)


def test_lunar_lander(tmp_path, references):
    for env_steps in (400, 1200):
        kill_at(tmp_path / "run", env_steps, *LUNAR)
    assert train(tmp_path / "run", *LUNAR).returncode == 0
    assert_same_run(tmp_path / "run", references(*LUNAR))


def test_stopped_runs_go_on(tmp_path, references):
    settings = [*FAST, "training.overlap=true"]
    for number, env_steps in ((signal.SIGTERM, 400), (signal.SIGINT, 1200)):
        assert kill_at(tmp_path / "run", env_steps, *settings, number=number) == 3
    assert train(tmp_path / "run", *settings).returncode == 0
    assert_same_run(tmp_path / "run", references(*settings))
    provenance = json.loads((tmp_path / "run/provenance.json").read_text())
    assert len(provenance["earlier"]) == 2 and provenance["resumed_from"].startswith("step-")


def test_a_run_that_lasts_longer_is_the_longer_run(tmp_path, references):
    settings = [*FAST, "training.overlap=true"]
    assert train(tmp_path / "run", *settings, "training.total_env_steps=1000").returncode == 0
    again = train(tmp_path / "run", *settings, "training.total_env_steps=1000")
    assert again.returncode == 0 and "finished already" in again.stderr
    longer = train(tmp_path / "run", *settings)
    assert longer.returncode == 0 and "training.total_env_steps (was 1000, now 2000)" in longer.stderr
    assert_same_run(tmp_path / "run", references(*settings))


def test_resume_only_under_the_same_settings(tmp_path, references):
    folder = tmp_path / "run"
    shutil.copytree(references(*FAST, "training.overlap=true"), folder)
    result = train(folder, *FAST, "training.overlap=true", "agent.tau=0.01", "sim.num_envs=4")
    assert_fails(result, 2, "agent.tau (was 0.005, now 0.01)", "sim.num_envs (was 8, now 4)")


def test_fresh_needs_an_empty_folder_or_overwrite(tmp_path, references):
    folder = tmp_path / "run"
    shutil.copytree(references(*FAST, "training.overlap=true"), folder)
    (folder / "notes.txt").write_text("mine")
    before = (folder / "train.csv").read_bytes()
    assert_fails(train(folder, *FAST, flags=()), 2, "--resume", "--fresh --overwrite")
    assert_fails(train(folder, *FAST, flags=("--fresh",)), 2, "--fresh --overwrite")
    assert_fails(train(folder, *FAST, flags=("--overwrite",)), 2, "--fresh")
    assert_fails(train(folder, *FAST, flags=("--fresh", "--resume")), 2, "--resume")
    assert (folder / "train.csv").read_bytes() == before
    # wrong settings are found before anything is removed
    assert_fails(train(folder, "sim.env=\"Ant-v9\"", flags=("--fresh", "--overwrite")), 2, "Ant-v9")
    assert (folder / "train.csv").read_bytes() == before
    short = train(folder, *FAST, "training.total_env_steps=600", flags=("--fresh", "--overwrite"))
    assert short.returncode == 0, short.stderr
    assert rows_without_clock(folder / "train.csv")[-1]["env_steps"] == "600"
    assert (folder / "notes.txt").read_text() == "mine"


def test_batch_jobs_resume_by_themselves(tmp_path):
    environment = {**os.environ, "SLURM_JOB_ID": "17"}
    settings = [*FAST, "training.total_env_steps=600"]
    assert train(tmp_path / "run", *settings, flags=(), env=environment).returncode == 0
    again = train(tmp_path / "run", *settings, flags=(), env=environment)
    assert again.returncode == 0 and "finished already" in again.stderr


def test_archived_checkpoints_are_kept(tmp_path):
    settings = [*FAST, "training.total_env_steps=1200", "checkpoint.archive_period=400"]
    assert train(tmp_path / "run", *settings).returncode == 0
    names = sorted(path.name for path in (tmp_path / "run/checkpoints/archive").iterdir())
    assert [int(name.split("-")[1]) for name in names] == [0, 400, 800, 1200]
    assert len(list((tmp_path / "run/checkpoints").glob("step-*"))) == 2
    for name in names:
        check = subprocess.run(["sha256sum", "-c", "manifest.sha256"], capture_output=True,
                               cwd=tmp_path / "run/checkpoints/archive" / name)
        assert check.returncode == 0
