"""anthill sweep --stack: several runs in one process, each with the folder and the numbers that it has alone."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from anthill_command import BIN, run
from resumed_runs import rows_without_clock
from sweep_runs import BASE, checkpoint_steps, expect, run_folders, snapshot, status_of, sweep, tables, write_sweep

# two structures; within each, runs differ in seed and learning rate
GRID = 'seeds = [0, 1]\n[grid]\n"training.replay_ratio" = [0.1, 0.2]\n"critic.learning_rate" = [3e-4, 1e-3]\n'
# a second or more, a checkpoint every few milliseconds: long enough to be stopped behind one
LONG = BASE.replace("total_env_steps = 2000", "total_env_steps = 40000").replace("period = 1000", "period = 20000")
# entropy that no policy has: alpha grows by a factor e per update, until it is infinite
WILD = '''
"temperature.learning_rate" = 1.0
"temperature.target_entropy_scale" = -1.0
"temperature.initial_alpha" = 1e6
'''
PAIR = 'seeds = [0, 1]\n[set]\n"training.total_env_steps" = 300\n'


def stacks(folder):
    """The folders of all stacks."""
    return sorted((folder / ".stacks").glob("*"))


def begun(result):
    """What was started: "stack ID (2 runs)" or "POINT/seed-3"."""
    return [line.removeprefix("anthill: ").removesuffix(" begins") for line in result.stderr.splitlines()
            if line.endswith(" begins")]


def start(file, out, *words):
    return subprocess.Popen(list(map(str, [BIN / "anthill", "sweep", "run", file, "-o", out, *words])),
                            stderr=subprocess.PIPE, text=True)


def wait_checkpoint(run_folder, process, beyond=0):
    """Until the newest checkpoint is of more env steps."""
    deadline = time.time() + 120
    while (steps := checkpoint_steps(run_folder)) <= beyond:
        assert time.time() < deadline and process.poll() is None, "it took no checkpoint"
        time.sleep(0.005)
    return steps


def only_stack(out, process):
    """The run folder of the one stack, once it is there."""
    deadline = time.time() + 120
    while not stacks(out):
        assert time.time() < deadline and process.poll() is None, "no stack was made"
        time.sleep(0.005)
    return stacks(out)[0] / "run"


def status_with(out, words):
    """What status prints, once it has these words: a process counts as running for seconds after its last sign."""
    deadline = time.time() + 100
    while words not in (said := expect(sweep("status", out)).stdout):
        assert time.time() < deadline, said
        time.sleep(0.2)
    return said


def policies(folder):
    return {name: (path / "policy.safetensors").read_bytes() for name, path in run_folders(folder).items()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """GRID, each run in a process of its own."""
    folder = tmp_path_factory.mktemp("alone")
    expect(sweep("run", write_sweep(folder, GRID), "-o", folder / "out", "--jobs", 2))
    return folder / "out"


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """GRID in stacks of at most three: (folder, result)."""
    folder = tmp_path_factory.mktemp("stacked")
    result = expect(sweep("run", write_sweep(folder, GRID), "-o", folder / "out", "--jobs", 2, "--stack", 3))
    return folder / "out", result


def test_stacked_runs_write_what_they_write_alone(alone, stacked):
    out, result = stacked
    # four runs of a structure, at most three in a process: two and two
    assert len(stacks(out)) == 4
    assert sorted(begun(result)) == [f"stack {path.name} (2 runs)" for path in stacks(out)]
    assert "8 finished, 0 failed, 0 not finished" in result.stderr
    assert len(run_folders(out)) == 8 and tables(out) == tables(alone)
    assert policies(out) == policies(alone)
    for path in run_folders(out).values():
        assert json.loads((path.parent / f"{path.name}.json").read_text())["exit_code"] == 0
        assert not (path / "checkpoints").exists()
    assert list(out.glob(".stacks/*/run/checkpoints/LATEST"))


def test_the_readers_see_the_runs_and_not_the_stacks(alone, stacked, tmp_path):
    out, _ = stacked
    rows = []
    for place in (alone, out):
        file = tmp_path / f"{place.parent.name}.csv"
        assert "8 of 8 runs" in expect(sweep("collect", place, "-o", file)).stderr
        rows.append(rows_without_clock(file))
    assert rows[0] == rows[1] and len(rows[0]) == 24
    status = expect(sweep("status", out, "--all")).stdout
    assert "8 runs: 8 finished" in status
    for path in stacks(out):
        assert status.count(f"(stack {path.name})") == 2
    watched = expect(run("watch", out, "--once")).stdout
    assert ".stacks" not in watched


@pytest.mark.parametrize("words", [(), ("--stack", 2), ("--stack", 8)])
def test_the_same_command_again_does_nothing(stacked, words):
    out, _ = stacked
    before = {path: os.stat(path).st_mtime_ns for path in out.rglob("*")}
    result = expect(sweep("run", out.parent / "sweep.toml", "-o", out, *words))
    assert "8 finished" in result.stderr and begun(result) == []
    assert {path: os.stat(path).st_mtime_ns for path in out.rglob("*")} == before


def test_a_stack_goes_on_as_a_whole(tmp_path):
    text = 'seeds = [0, 1]\n[grid]\n"agent.tau" = [0.005, 0.01]\n'
    file, out = write_sweep(tmp_path, text, LONG), tmp_path / "out"
    process = start(file, out, "--stack", 4)
    stack = only_stack(out, process)
    # no memory, a power cut: the process of all four is gone
    reached = wait_checkpoint(stack, process, 1000)
    os.kill(status_of(stack)["pid"], signal.SIGKILL)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 1 and "killed by signal 9" in said, said
    assert status_with(out, "4 failed").count("killed by signal 9") == 4
    # without --stack, or with another number: the stack that has begun
    process = start(file, out, "--stack", 2)
    wait_checkpoint(stack, process, reached + 1000)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 3 and f"stack {stack.parent.name} (4 runs) begins" in said, said
    assert {status_of(path)["state"] for path in run_folders(out).values()} == {"stopped"}
    lines = [line for line in expect(sweep("status", out)).stdout.splitlines() if line.startswith("stopped")]
    assert len(lines) == 4 and all(" 0 / 40000" not in line and "/ 40000 env steps" in line for line in lines), lines
    result = expect(sweep("resume", out, "--unfinished"))
    assert begun(result) == [f"stack {stack.parent.name} (4 runs)"] and len(stacks(out)) == 1
    assert "4 finished" in expect(sweep("status", out)).stdout
    expect(sweep("run", file, "-o", tmp_path / "straight", "--jobs", 2))
    assert tables(out) == tables(tmp_path / "straight") and policies(out) == policies(tmp_path / "straight")


def test_a_stack_killed_before_its_first_checkpoint_begins_anew(tmp_path):
    none = LONG.replace("[checkpoint]\nperiod = 500", "[checkpoint]\nperiod = 0")
    file, out = write_sweep(tmp_path, "seeds = [0, 1]\n", none), tmp_path / "out"
    assert "period = 0" in none
    process = start(file, out, "--stack", 2)
    stack = only_stack(out, process)
    deadline = time.time() + 100
    while status_of(stack).get("state") != "running":
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.005)
    os.kill(status_of(stack)["pid"], signal.SIGKILL)
    assert process.wait(timeout=100) == 1
    process.stderr.close()
    status_with(out, "2 failed")
    assert begun(expect(sweep("run", file, "-o", out))) == [f"stack {stack.parent.name} (2 runs)"]
    expect(sweep("run", file, "-o", tmp_path / "straight", "--jobs", 2))
    assert tables(out) == tables(tmp_path / "straight")


def test_a_run_that_began_alone_goes_on_alone(tmp_path):
    out = tmp_path / "out"
    file = write_sweep(tmp_path, "seeds = [0]\n", LONG)
    process = start(file, out)
    deadline = time.time() + 100
    while not run_folders(out):
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.005)
    [first] = run_folders(out).values()
    wait_checkpoint(first, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=100) == 3
    process.stderr.close()
    result = expect(sweep("run", write_sweep(tmp_path, "seeds = [0, 1, 2]\n", LONG), "-o", out, "--stack", 8))
    assert begun(result) == [f"{first.parent.name}/seed-0", f"stack {stacks(out)[0].name} (2 runs)"]
    assert "resumed_from" in json.loads((first / "provenance.json").read_text())
    expect(sweep("run", file, "-o", tmp_path / "straight", "--jobs", 2))
    assert tables(out) == tables(tmp_path / "straight")


def test_two_commands_that_group_otherwise(tmp_path):
    file, out = write_sweep(tmp_path, "seeds = [0, 1, 2]\n", LONG), tmp_path / "out"
    first = start(file, out)
    deadline = time.time() + 100
    while not run_folders(out):
        assert time.time() < deadline and first.poll() is None
        time.sleep(0.005)
    # it sleeps with seeds 1 and 2 still in its list, while another command makes a stack of them
    first.send_signal(signal.SIGSTOP)
    second = start(file, out, "--stack", 8)
    stack = only_stack(out, second)
    wait_checkpoint(stack, second)
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=100) == 3
    second.stderr.close()
    first.send_signal(signal.SIGCONT)
    said = first.communicate(timeout=100)[1]
    assert first.returncode == 0 and said.count(" begins") == 2, said
    assert f"stack {stack.parent.name} (2 runs) begins" in said and "3 finished" in said
    expect(sweep("run", file, "-o", tmp_path / "straight", "--jobs", 2))
    assert tables(out) == tables(tmp_path / "straight")


def test_points_that_come_later_make_stacks_of_their_own(tmp_path):
    text = 'seeds = [0, 1]\n[grid]\n"agent.discount" = [0.9, 0.95]\n'
    out = tmp_path / "out"
    expect(sweep("run", write_sweep(tmp_path, text), "-o", out, "--stack", 8))
    before, old = snapshot(out), stacks(out)
    assert len(old) == 1
    # another order, a value more and a seed more: five runs are new
    file = write_sweep(tmp_path, text.replace("[0, 1]", "[2, 0, 1]").replace("[0.9, 0.95]", "[0.99, 0.95, 0.9]"))
    result = expect(sweep("run", file, "-o", out, "--stack", 8))
    [new] = set(stacks(out)) - set(old)
    assert begun(result) == [f"stack {new.name} (5 runs)"]
    after = snapshot(out)
    assert {path: after[path] for path in before} == before
    expect(sweep("run", file, "-o", tmp_path / "alone", "--jobs", 2))
    assert tables(out) == tables(tmp_path / "alone")


def test_a_diverging_run_is_one_that_failed(tmp_path):
    text = "seeds = [0, 1]\n[[include]]" + WILD
    file, out = write_sweep(tmp_path, text), tmp_path / "out"
    result = expect(sweep("run", file, "-o", out, "--stack", 4), 1)
    assert "2 finished, 2 failed, 0 not finished" in result.stderr and len(begun(result)) == 1
    status = expect(sweep("status", out)).stdout
    failed = [line for line in status.splitlines() if line.startswith("failed")]
    assert len(failed) == 2, status
    assert all("initial_alpha" in line and "the learner diverged" in line for line in failed), status
    # it would diverge again: left as it is
    before = snapshot(out)
    for words in (("run", file, "-o", out), ("resume", out, "--failed")):
        result = expect(sweep(*words), 1)
        assert begun(result) == [] and result.stderr.count("has diverged in its stack") == 2, result.stderr
    assert snapshot(out) == before
    expect(sweep("run", file, "-o", tmp_path / "alone", "--jobs", 2), 1)
    mine, theirs = tables_of_finished(out), tables_of_finished(tmp_path / "alone")
    assert len(mine) == 2 and mine == theirs


def tables_of_finished(folder):
    return {name: found for name, found in tables(folder).items()
            if status_of(run_folders(folder)[name])["state"] == "finished"}


def test_what_no_stack_can_do_is_trained_alone(tmp_path):
    text = PAIR + '[[include]]\n"training.solved_return" = 1e9\n'
    result = expect(sweep("run", write_sweep(tmp_path, text), "-o", tmp_path / "out", "--stack", 4))
    assert "2 runs in no stack: training.solved_return: a stack of members ends together" in result.stderr
    assert sorted(name.split(" ")[0].split("/")[-1] for name in begun(result)) == ["seed-0", "seed-1", "stack"]
    assert "4 finished" in result.stderr


def test_a_run_taken_away_from_a_stack_that_has_ended(tmp_path):
    file, out = write_sweep(tmp_path, PAIR), tmp_path / "out"
    expect(sweep("run", file, "-o", out, "--stack", 2))
    [kept, lost] = run_folders(out).values()
    shutil.rmtree(lost)
    before = {path: data for path, data in snapshot(out).items() if str(kept) in path}
    result = expect(sweep("run", file, "-o", out), 1)
    assert "has ended, but not" in result.stderr and "seed-1; to train it again, move it and" in result.stderr
    assert "1 finished, 1 failed" in result.stderr
    shutil.rmtree(stacks(out)[0])
    assert begun(expect(sweep("run", file, "-o", out))) == [f"{lost.parent.name}/seed-1"]
    assert {path: data for path, data in snapshot(out).items() if str(kept) in path} == before


def test_a_sweep_may_be_moved(tmp_path):
    file = write_sweep(tmp_path, "seeds = [0, 1]\n", LONG)
    process = start(file, tmp_path / "out", "--stack", 2)
    wait_checkpoint(only_stack(tmp_path / "out", process), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=100) == 3
    process.stderr.close()
    (tmp_path / "out").rename(tmp_path / "moved")
    assert "2 finished" in expect(sweep("resume", tmp_path / "moved", "--unfinished")).stderr
    assert not (tmp_path / "out").exists() and len(run_folders(tmp_path / "moved")) == 2


def test_a_damaged_file_of_members_is_one_line(tmp_path):
    file, out = write_sweep(tmp_path, PAIR), tmp_path / "out"
    expect(sweep("run", file, "-o", out, "--stack", 2))
    members = stacks(out)[0] / "members.toml"
    members.write_text(members.read_text().replace("seed-1", "deep/seed-1"))
    result = expect(sweep("status", out), 2)
    assert "members.toml' is damaged" in result.stderr and result.stderr.count("\n") == 1


def test_the_plan_of_a_submission(tmp_path):
    file = write_sweep(tmp_path, GRID)
    for words, array in ((("--stack", 3), "--array=0-3"), (("--stack", 4), "--array=0-1"),
                         (("--stack", 3, "--pack", 2), "--array=0-1"), ((), "--array=0-7")):
        said = expect(sweep("submit", file, "-o", tmp_path / "out", "--dry-run", *words)).stdout
        assert f" {array} " in said.splitlines()[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("launch", "stack"), [("exec", 1), ("exec", 2), ("wait", 1), ("wait", 2)])
def test_without_scontrol_a_task_saves_and_ends_with_3(tmp_path, launch, stack):
    """A container, for instance: nothing of Slurm is on PATH."""
    fake = tmp_path / "bin" / "sbatch"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 7\n")
    fake.chmod(0o755)
    out = tmp_path / "out"
    file = write_sweep(tmp_path, "seeds = [0, 1]\n", LONG)
    expect(sweep("submit", file, "-o", out, "--pack", 2, "--stack", stack, env=os.environ | {"PATH": str(fake.parent)}))
    words = ["/usr/bin/env"] if launch == "wait" else []
    env = {"PATH": "/nowhere", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "7"}
    script = ["/bin/bash", pathlib.Path("scripts/slurm_task").resolve(), BIN / "anthill", out / ".jobs/0001", launch]
    process = subprocess.Popen(list(map(str, script + words)), env=env, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    deadline = time.time() + 100
    pattern, number = ("*/seed-*", 2) if stack == 1 else (".stacks/*/run", 1)
    while sum(checkpoint_steps(path) > 0 for path in out.glob(pattern)) < number:
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGUSR1)
    said = process.communicate(timeout=100)[0]
    assert process.returncode == 3, said
    assert said.count("no scontrol here: anthill sweep resume") == 1 and "--unfinished goes on" in said
    assert "2 stopped" in expect(sweep("status", out)).stdout
    assert "2 finished" in expect(sweep("resume", out, "--unfinished", "--jobs", 2)).stderr
