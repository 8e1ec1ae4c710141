"""anthill sweep on this machine: expanding, running, stopping, resuming, collecting."""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from anthill_command import BIN, assert_fails, libraries
from resumed_runs import assert_same_run
from sweep_runs import (BASE, checkpoint_steps, expect, run_folders, status_of, sweep, tables,
                        write_sweep)

GRID = 'seeds = [0, 1]\n[grid]\n"training.replay_ratio" = [0.1, 0.2]\n'
# a second or more, a checkpoint every few milliseconds: long enough to be stopped behind one
LONG_STEPS = 80000
LONG = BASE.replace("total_env_steps = 2000", f"total_env_steps = {LONG_STEPS}") \
    .replace("period = 1000", "period = 20000")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """GRID, run with --jobs 2: (folder, what it said)."""
    folder = tmp_path_factory.mktemp("finished")
    result = expect(sweep("run", write_sweep(folder, GRID), "-o", folder / "out", "--jobs", 2))
    return folder / "out", result.stderr


def test_expand_prints_points_with_estimates(tmp_path):
    file = write_sweep(tmp_path, GRID)
    lines = expect(sweep("expand", file)).stdout.splitlines()
    assert lines[0].split() == ["index", "id", "env", "steps", "time", "MiB", "settings"]
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]
    assert "training.replay_ratio=0.1" in lines[1] and " 2000 " in lines[1]
    assert lines[3].startswith("2 points x 2 seeds = 4 runs")
    assert not (tmp_path / "out").exists()


def test_the_command_loads_neither_libtorch_nor_mujoco():
    names = " ".join(libraries(BIN / "anthill-sweep"))
    assert "libstdc++" in names
    assert not re.search("torch|c10|mujoco|cuda", names), names


def test_wrong_input_is_one_line(tmp_path):
    file = write_sweep(tmp_path, '[grid]\n"agent.tua" = [1]\n')
    assert_fails(sweep("run", file, "-o", tmp_path / "out"), 2, f"{file}:3:1", "did you mean 'tau'?")
    assert not (tmp_path / "out").exists()
    assert_fails(sweep("status", tmp_path), 2, "is no sweep's folder")
    assert_fails(sweep("resume", tmp_path), 2, "--failed", "--unfinished")


def test_one_and_two_jobs_write_the_same(finished, tmp_path):
    folder, said = finished
    file = write_sweep(tmp_path, GRID)
    expect(sweep("run", file, "-o", tmp_path / "out", "--jobs", 1))
    assert len(run_folders(folder)) == 4
    assert tables(folder) == tables(tmp_path / "out")
    assert "4 finished, 0 failed, 0 not finished" in said


def test_the_same_command_again_does_nothing(finished):
    folder, _ = finished
    before = {path: os.stat(path).st_mtime_ns for path in folder.rglob("*")}
    expect(sweep("run", folder.parent / "sweep.toml", "-o", folder))
    assert {path: os.stat(path).st_mtime_ns for path in folder.rglob("*")} == before


def test_an_edited_sweep_keeps_what_is_done(finished, tmp_path):
    folder, _ = finished
    names = set(run_folders(folder))
    # another order, another axis that holds the old value, and one more seed: the same ids, the same folders
    file = write_sweep(tmp_path, 'seeds = [1, 0]\n[grid]\n"agent.tau" = [0.005]\n"training.replay_ratio" = [0.2, 0.1]\n')
    result = expect(sweep("run", file, "-o", folder))
    assert "4 finished" in result.stderr and "begins" not in result.stderr
    assert set(run_folders(folder)) == names


def test_status_and_collect(finished, tmp_path):
    folder, _ = finished
    assert "4 runs: 4 finished" in expect(sweep("status", folder)).stdout
    out = tmp_path / "all.csv"
    expect(sweep("collect", folder, "-o", out))
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == sum(len(one["eval.csv"]) for one in tables(folder).values())
    assert {row["training.replay_ratio"] for row in rows} == {"0.1", "0.2"}
    assert {row["seed"] for row in rows} == {"0", "1"} and {row["progress"] for row in rows} == {"finished"}
    assert all(float(row["return_mean"]) < 0 for row in rows)
    assert_fails(sweep("collect", folder, "--table", "nothing"), 2, "choose train")


def test_the_analysis_reads_the_folder(finished):
    folder, _ = finished
    code = ("import sys; from analysis.arms import read_collection; c = read_collection([sys.argv[1]]);"
            "print(sorted((arm.name, arm.seeds) for arm in c.arms), c.left_out)")
    result = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert result.stdout.strip() == "[('replay_ratio 0.1', [0, 1]), ('replay_ratio 0.2', [0, 1])] []", result.stderr


def test_a_frozen_point_is_what_its_name_says(finished, tmp_path):
    out = tmp_path / "out"
    file = write_sweep(tmp_path, '[grid]\n"agent.tau" = [0.1]\n[set]\n"training.total_env_steps" = 300\n')
    expect(sweep("run", file, "-o", out))
    point = next(out.glob("*/point.toml"))
    point.write_text(point.read_text().replace("tau = 0.1", "tau = 0.2"))
    assert_fails(sweep("run", file, "-o", out), 2, "point.toml", "has been changed")


def test_a_changed_model_is_no_longer_its_point(tmp_path):
    """The model, and what it includes, are part of a point: a run neither begins nor goes on with others."""
    out, body = tmp_path / "out", tmp_path / "body.xml"
    base = BASE.replace('env = "Pendulum-v1"', 'env = "mjcf"') + """
[sim.mjcf]
model = "robot.xml"
observation = ["qpos", "qvel"]
"""
    (tmp_path / "robot.xml").write_text('<mujoco><include file="body.xml"/><actuator><motor joint="hinge" ctrlrange="-1 1"/></actuator></mujoco>')
    text = ('<mujoco><worldbody><body><joint name="hinge" type="hinge" axis="0 1 0"/>'
            '<geom type="capsule" size=".05 .3" mass="{}"/></body></worldbody></mujoco>')
    body.write_text(text.format(1))
    file = write_sweep(tmp_path, '[set]\n"training.total_env_steps" = 300\n[grid]\n"agent.tau" = [0.1]\n', base)
    expect(sweep("run", file, "-o", out))
    body.write_text(text.format(2))
    (run_folder,) = run_folders(out).values()
    shutil.rmtree(run_folder)
    result = sweep("resume", out, "--unfinished")
    assert result.returncode == 1 and "model file that it names has been changed" in result.stderr, result.stderr
    assert not run_folder.exists()
    # the sweep file again: another point; the old one is said to be left out
    expect(sweep("run", file, "-o", out))
    assert len(run_folders(out)) == 1
    assert "1 point that is no longer in the sweep file" in expect(sweep("status", out)).stderr
    body.write_text(text.format(1))
    expect(sweep("run", file, "-o", out))
    assert len(run_folders(out)) == 2


def test_a_failing_point_harms_no_other(tmp_path):
    file = write_sweep(tmp_path, '[grid]\n"sim.env" = ["Nope-v1", "Pendulum-v1"]\n')
    expect(sweep("run", file, "-o", tmp_path / "out"), 1)
    status = expect(sweep("status", tmp_path / "out")).stdout
    assert "1 finished" in status and "1 failed" in status
    assert any(line.startswith("failed") and "Nope-v1" in line for line in status.splitlines()), status
    result = expect(sweep("resume", tmp_path / "out", "--failed"), 1)
    assert "1 failed" in result.stderr and result.stderr.count(" begins") == 1


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Three seeds of LONG."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    expect(sweep("run", write_sweep(folder, "seeds = [0, 1, 2]\n", LONG), "-o", folder / "out", "--jobs", 2))
    return folder / "out"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_runs_are_saved_and_go_on(uninterrupted, tmp_path, number):
    file, out = write_sweep(tmp_path, "seeds = [0, 1, 2]\n", LONG), tmp_path / "out"
    command = [BIN / "anthill", "sweep", "run", file, "-o", out, "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 100
    while sum(checkpoint_steps(path) > 0 for path in run_folders(out).values()) < 2:
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 3, said
    assert "go on with anthill sweep resume --unfinished " in said
    status = expect(sweep("status", out)).stdout
    assert "1 waiting, 2 stopped" in status, status
    steps = {name: status_of(path)["env_steps"] for name, path in run_folders(out).items()}
    assert all(0 < value < LONG_STEPS for value in steps.values())
    for path in run_folders(out).values():
        assert json.loads((path / "status.json").read_text())["state"] == "stopped"
    # the same command goes on with those two and begins the third: as if nothing had been
    said = expect(sweep("run", file, "-o", out, "--jobs", 2)).stderr
    assert said.count(" begins") == 3 and "3 finished" in said
    assert len(run_folders(out)) == 3
    for name, path in run_folders(out).items():
        assert_same_run(path, run_folders(uninterrupted)[name])


def test_a_run_killed_in_its_first_checkpoint_begins_anew(tmp_path):
    file, out = write_sweep(tmp_path, '[set]\n"training.total_env_steps" = 300\n'), tmp_path / "out"
    expect(sweep("run", file, "-o", out))
    [path] = run_folders(out).values()
    before = tables(out)
    # what a kill leaves behind: a state that nobody will change, and half a checkpoint
    (path / "status.json").write_text((path / "status.json").read_text().replace('"finished"', '"running"'))
    shutil.rmtree(path / "checkpoints")
    (path / "checkpoints/step-000000000000-update-000000000000.tmp").mkdir(parents=True)
    (path / "checkpoints/archive").mkdir()
    said = expect(sweep("run", file, "-o", out)).stderr
    assert " begins" in said and "1 finished" in said
    assert tables(out) == before


def test_names_reach_no_shell(tmp_path):
    name = "a b'c\"d $(touch pwned) `x` ä%a"
    file = write_sweep(tmp_path / name, f"name = {json.dumps(name, ensure_ascii=False)}\n"
                       '[set]\n"training.total_env_steps" = 300\n')
    result = expect(sweep("run", file, cwd=tmp_path))
    assert len(run_folders(tmp_path / "runs" / name)) == 1
    assert "1 finished" in result.stderr
    assert not list(pathlib.Path(tmp_path).rglob("pwned"))


def test_what_runs_elsewhere_is_not_finished(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "out")
    name, path = next(iter(run_folders(tmp_path / "out").items()))
    (path / "status.json").write_text(json.dumps(status_of(path) | {"state": "running"}))
    (path / "owner.json").write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename}))
    file = write_sweep(tmp_path, GRID)
    said = expect(sweep("run", file, "-o", tmp_path / "out"), 3).stderr
    assert f"{name} is running already; left out" in said
    assert "0 failed, 0 not finished, 1 running elsewhere; see anthill sweep status" in said


@pytest.fixture
def fake_slurm(tmp_path):
    """Commands named as Slurm's that remember what was submitted and run nothing: options for subprocess."""
    queue, folder = tmp_path / "queue", tmp_path / "bin"
    folder.mkdir()
    for name, text in {
        "sbatch": 'for word; do case $word in --chdir=*) job=${word#--chdir=} ;; --array=0-*) last=${word#--array=0-} ;; esac; done\n'
                  f'sleep 0.5; for i in $(seq 0 "$last"); do echo "77|$i|PD|$job" >>"{queue}"; done; echo 77\n',
        "squeue": f'[ ! -e "{queue}.silent" ] || exit 1; cat "{queue}" 2>/dev/null; exit 0\n',
        "scontrol": "exit 0\n",
        "scancel": f'echo "$@" >>"{queue}.cancelled"\n',
    }.items():
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    return {"env": os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}}


def test_a_queue_is_known_by_any_path_and_asked_before_anything_is_submitted(fake_slurm, tmp_path):
    file = write_sweep(tmp_path, "seeds = [0, 1]\n")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    expect(sweep("submit", file, "-o", tmp_path / "link/out", **fake_slurm))
    out = tmp_path / "real/out"
    assert "2 of those waiting are in Slurm's queue" in expect(sweep("status", out, **fake_slurm)).stdout
    assert "2 running or in the queue" in expect(sweep("submit", file, "-o", out, **fake_slurm)).stderr
    # a controller that does not answer is no empty queue
    (tmp_path / "queue.silent").touch()
    assert_fails(sweep("submit", file, "-o", out, **fake_slurm), 1, "squeue does not answer", "twice")
    assert_fails(sweep("resume", out, "--unfinished", **fake_slurm), 1, "squeue does not answer")
    assert "cancelled 1 array jobs" in expect(sweep("cancel", out, **fake_slurm)).stderr
    assert (tmp_path / "queue.cancelled").read_text() == "77\n"


def test_a_task_that_ended_before_its_runs_began_is_named(fake_slurm, tmp_path):
    out = tmp_path / "out"
    expect(sweep("submit", write_sweep(tmp_path, "seeds = [0, 1]\n"), "-o", out, "--pack", 2, **fake_slurm))
    (tmp_path / "queue").unlink()
    status = expect(sweep("status", out, **fake_slurm)).stdout
    assert status.count("its task has ended without beginning it; see " + str(out / ".jobs/0001/task-0.out")) == 2


@pytest.mark.parametrize("command", ["run", "submit"])
def test_two_at_the_same_moment_do_it_once(fake_slurm, tmp_path, command):
    file = write_sweep(tmp_path, GRID.replace("[0.1, 0.2]", "[0.1, 0.2, 0.3, 0.4]"))
    words = [BIN / "anthill", "sweep", command, file, "-o", tmp_path / "out"]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **fake_slurm) for _ in range(2)]
    said = [process.communicate(timeout=200)[1] for process in both]
    assert all(process.returncode in (0, 3) for process in both), said
    if command == "submit":
        assert len((tmp_path / "queue").read_text().splitlines()) == 8, said
    else:
        expect(sweep("run", file, "-o", tmp_path / "out"))
        assert all(status_of(path)["state"] == "finished" for path in run_folders(tmp_path / "out").values())


def test_one_folder_that_cannot_be_written_ends_no_other_run(tmp_path):
    file, out = write_sweep(tmp_path, GRID), tmp_path / "out"
    expect(sweep("run", file, "-o", out, "--set", "training.total_env_steps=300"))
    file = write_sweep(tmp_path, GRID.replace("[0, 1]", "[2, 3]"))
    first = next(iter(run_folders(out).values())).parent
    (first / "seed-2.json/full").mkdir(parents=True)
    said = expect(sweep("run", file, "-o", out, "--set", "training.total_env_steps=300"), 0).stderr
    assert f"{first.name}/seed-2: how it ended is not written down" in said and "4 finished" in said


def test_a_damaged_table_is_left_out(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "out")
    name, path = next(iter(run_folders(tmp_path / "out").items()))
    with open(path / "eval.csv", "a") as file:
        file.write("1,2\n")
    result = expect(sweep("collect", tmp_path / "out"), 1)
    assert f"{name} is left out" in result.stderr and "3 of 4 runs have eval.csv" in result.stderr
    assert len({line.split(",")[0] + line.split(",")[1] for line in result.stdout.splitlines()[1:]}) == 3


def test_a_run_that_failed_between_two_time_limits_does_not_end_its_task(fake_slurm, tmp_path):
    out = tmp_path / "out"
    base = LONG.replace(f"= {LONG_STEPS}", "= 50_000_000")
    expect(sweep("submit", write_sweep(tmp_path, "seeds = [0, 1]\n", base), "-o", out, "--pack", 2, **fake_slurm))

    def until_the_time_limit(on_the_way):
        task = subprocess.Popen([BIN / "anthill", "sweep", "task", out / ".jobs/0001", "0"], **fake_slurm)
        try:
            on_the_way()
            task.send_signal(signal.SIGUSR1)
            return task.wait(timeout=100)
        finally:
            task.kill()

    def wait_for(condition):
        deadline = time.time() + 100
        while not condition():
            assert time.time() < deadline
            time.sleep(0.01)

    def env_steps(seed):
        return status_of(next((path for path in out.glob(f"*/seed-{seed}")), out)).get("env_steps", 0)

    def kill_the_first():
        wait_for(lambda: env_steps(0) > 20_000 and env_steps(1) > 500)
        [first] = out.glob("*/seed-0")
        os.kill(status_of(first)["pid"], signal.SIGKILL)
        wait_for(lambda: "1 failed" in sweep("status", out).stdout)  # some seconds of silence

    assert until_the_time_limit(kill_the_first) == 3
    before = env_steps(1)
    assert until_the_time_limit(lambda: wait_for(lambda: env_steps(1) > before)) == 3
    status = expect(sweep("status", out)).stdout
    assert "1 stopped" in status and "1 failed" in status, status
