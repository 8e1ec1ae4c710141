"""anthill sweep through a real Slurm: slurmctld and two slurmd on this machine."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from anthill_command import BIN, assert_fails
from resumed_runs import assert_same_run
from slurm_cluster import PATH, Cluster, missing, submit
from sweep_runs import BASE, expect, run_folders, snapshot, status_of, sweep, tables, write_sweep

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"Slurm's packages are absent: {', '.join(missing())}")

ANT = BASE.replace('env = "Pendulum-v1"', 'env = "Ant-v4"').replace("total_env_steps = 2000", "total_env_steps = 400") \
    .replace("period = 1000", "period = 400")
TWO = 'seeds = [0, 1]\n[grid]\n"training.replay_ratio" = [0.1, 0.2]\n'
# long enough to be interrupted on a fast machine: ten seconds where 50,000 steps take one
LONG_STEPS = 500_000
LONG = BASE.replace("total_env_steps = 2000", f"total_env_steps = {LONG_STEPS}") \
    .replace("period = 500", "period = 5000").replace("period = 1000", "period = 50000")


@pytest.fixture(scope="module")
def cluster():
    os.environ["PATH"] = PATH
    one = Cluster("MaxArraySize=5")
    yield one
    one.close()


@pytest.fixture(scope="module")
def time_limit(cluster, tmp_path_factory):
    """A run that a limit of one minute stops, begun before the other tests so that they need not wait."""
    folder = tmp_path_factory.mktemp("time_limit")
    # makes more steps than fit into the ten seconds before the warning
    file = write_sweep(folder, "", LONG.replace(f"total_env_steps = {LONG_STEPS}", "total_env_steps = 2_500_000"))
    out = folder / "out"
    expect(submit(file, out, "--set-sbatch", "time=1", "--margin", "50", "--set-sbatch", "nodelist=n2"))
    return out


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """LONG without any interruption, on this machine: seeds 0 and 1."""
    folder = tmp_path_factory.mktemp("straight")
    expect(sweep("run", write_sweep(folder, "seeds = [0, 1]\n", LONG), "-o", folder / "out", "--jobs", 2))
    return folder / "out"


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[1])


def assert_straight(out, straight):
    mine, theirs = run_folders(out), run_folders(straight)
    assert set(mine) <= set(theirs)
    for name, path in mine.items():
        assert_same_run(path, theirs[name])


@pytest.fixture(scope="module")
def happy(cluster, time_limit, tmp_path_factory):
    """TWO on Ant through Slurm, two tasks at a time."""
    folder = tmp_path_factory.mktemp("happy")
    file = write_sweep(folder, TWO, ANT)
    expect(submit(file, folder / "out", "--limit", 2))
    (array, _), *_ = cluster.queue(folder / "out")
    assert "ArrayTaskThrottle=2" in cluster.slurm("scontrol", "show", "job", array)
    most = 0
    deadline = time.time() + 150
    while sum(status_of(path).get("state") == "finished" for path in run_folders(folder / "out").values()) < 4:
        most = max(most, list(cluster.queue(folder / "out").values()).count("R"))
        assert time.time() < deadline, cluster.tell(folder / "out")
        time.sleep(0.1)
    cluster.wait_finished(folder / "out", 4)
    return file, folder / "out", most


def test_an_array_runs_at_most_so_many_tasks(happy):
    assert happy[2] == 2


def test_local_and_slurm_write_the_same(happy, tmp_path):
    file, out, _ = happy
    for jobs in (1, 2):
        expect(sweep("run", file, "-o", tmp_path / str(jobs), "--jobs", jobs))
        assert tables(tmp_path / str(jobs)) == tables(out)


def test_submitting_again_changes_nothing_that_is_done(happy, cluster):
    file, out, _ = happy
    before = snapshot(out)
    result = expect(submit(file, out))
    assert "4 finished" in result.stderr and "nothing to submit" in result.stderr
    # one value more, others in another order: only the new points are run
    file.write_text(file.read_text().replace("[0.1, 0.2]", "[0.3, 0.2, 0.1]"))
    assert "submitted array job" in expect(submit(file, out)).stderr
    cluster.wait_finished(out, 6)
    after = snapshot(out)
    assert len(run_folders(out)) == 6 and {path: after[path] for path in before} == before


def test_accounting_is_not_needed(happy):
    assert subprocess.run(["sacct"], capture_output=True).returncode != 0
    # nor any program of Slurm, to know the state
    status = expect(sweep("status", happy[1], env={"PATH": "/nowhere"})).stdout
    assert "finished" in status


def test_arrays_that_are_too_long_are_cut(cluster, tmp_path):
    file = write_sweep(tmp_path, "seeds = {count = 7}\n[set]\n\"training.total_env_steps\" = 300\n")
    said = expect(submit(file, tmp_path / "out")).stderr
    assert "with 5 tasks" in said and "with 2 tasks" in said
    cluster.wait_finished(tmp_path / "out", 7)


def test_several_runs_share_a_task(cluster, tmp_path):
    file = write_sweep(tmp_path, "seeds = {count = 5}\n")
    assert "with 2 tasks" in expect(submit(file, tmp_path / "out", "--pack", 3)).stderr
    cluster.wait_finished(tmp_path / "out", 5)
    expect(sweep("run", file, "-o", tmp_path / "local"))
    assert tables(tmp_path / "out") == tables(tmp_path / "local")


def test_a_wrong_partition_leaves_nothing_behind(cluster, tmp_path):
    file = write_sweep(tmp_path, TWO)
    assert_fails(submit(file, tmp_path / "out", "--set-sbatch", "partition=none"), 1, "Slurm refused", "partition")
    assert list((tmp_path / "out" / ".jobs").iterdir()) == []
    assert_fails(submit(file, tmp_path / "out", "--set-sbatch", "array=0-3"), 2, "sets --array itself")


def test_one_failing_point_harms_no_other(cluster, tmp_path):
    file = write_sweep(tmp_path, '[grid]\n"sim.env" = ["Nope-v1", "Pendulum-v1", "CartPole-v1"]\n')
    expect(submit(file, tmp_path / "out", "--pack", 2))
    cluster.wait(lambda: not cluster.queue(tmp_path / "out"), "tasks did not end", tmp_path / "out")
    status = expect(sweep("status", tmp_path / "out")).stdout
    # CartPole's actions are discrete: SAC refuses it
    assert "1 finished, 2 failed" in status, status
    assert any("Nope-v1" in line and "unknown" in line.lower() for line in status.splitlines()), status


def test_any_name_is_quoted(cluster, tmp_path):
    name = "a b'c\"d $(touch pwned) `x` ä%a"
    file = write_sweep(tmp_path / name, f"name = {json.dumps(name, ensure_ascii=False)}\n")
    out = tmp_path / name / "out $(touch pwned)"
    dry = expect(submit(file, out, "--dry-run", "--set-sbatch", "comment=x y")).stdout
    assert "'--comment=x y'" in dry and "#!/usr/bin/env bash" in dry and not out.exists()
    # the printed line is what a shell would run: its words come back
    words = subprocess.run(["bash", "-c", f"printf '%s\\n' {dry.splitlines()[0]}"], capture_output=True, text=True).stdout
    assert f"--job-name={name}\n" in words and str(out) in words
    expect(submit(file, out, "--set-sbatch", "comment=x $(touch pwned)"))
    cluster.wait_finished(out, 1)
    assert not list(tmp_path.rglob("pwned"))


def test_one_task_is_requeued_alone(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "seeds = [0, 1]\n", LONG), out))
    cluster.wait_stepping(out, 2)
    # the task whose job number is the array's own is the last one: its number alone would mean all
    array = next(iter(cluster.queue(out)))[0]
    sibling = next(path for name, path in run_folders(out).items() if name.endswith("seed-0"))
    pid = status_of(sibling)["pid"]
    cluster.slurm("scontrol", "requeue", f"{array}_1")
    cluster.wait_finished(out, 2)
    assert status_of(sibling)["pid"] == pid
    assert "resumed_from" in json.loads((run_folders(out)[sibling.parent.name + "/seed-1"] / "provenance.json").read_text())
    assert_straight(out, straight)


def test_sigterm_saves_and_the_resumed_run_is_the_same(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "", LONG), out))
    [path] = cluster.wait_stepping(out)
    cluster.slurm("scancel", "--signal=TERM", "--batch", next(iter(cluster.queue(out)))[0])
    cluster.wait(lambda: not cluster.queue(out), "the task did not end", out)
    assert status_of(path)["state"] == "stopped" and 0 < status_of(path)["env_steps"] < LONG_STEPS
    expect(sweep("resume", out, "--unfinished"))
    cluster.wait_finished(out, 1)
    assert_straight(out, straight)


def test_srun_passes_the_warning_on(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "", LONG), out, "--launcher", "srun"))
    [path] = cluster.wait_stepping(out)
    cluster.slurm("scancel", "--signal=USR1", "--batch", next(iter(cluster.queue(out)))[0])
    cluster.wait(lambda: status_of(path)["state"] == "stopped", "it did not save", None)
    cluster.wait_finished(out, 1)
    assert json.loads((out / ".jobs/0001/task-0.json").read_text())["continuations"] == 1
    assert_straight(out, straight)


def test_a_stack_is_put_back_as_a_whole(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "seeds = [0, 1]\n", LONG), out, "--stack", 2))
    cluster.wait_stepping(out, 2)
    assert len(cluster.queue(out)) == 1
    cluster.slurm("scancel", "--signal=USR1", "--batch", next(iter(cluster.queue(out)))[0])
    cluster.wait_finished(out, 2)
    assert json.loads((out / ".jobs/0001/task-0.json").read_text())["continuations"] == 1
    # its runs have no checkpoints of their own: the tables and policies are those of the runs alone
    assert tables(out) == tables(straight)
    for name, path in run_folders(out).items():
        assert (path / "policy.safetensors").read_bytes() == (run_folders(straight)[name] / "policy.safetensors").read_bytes()


def test_a_continuation_is_bounded(cluster, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "", LONG), out, "--max-continuations", 0))
    cluster.wait_stepping(out)
    cluster.slurm("scancel", "--signal=USR1", "--batch", next(iter(cluster.queue(out)))[0])
    cluster.wait(lambda: not cluster.queue(out), "the task did not end", out)
    assert "1 failed" in (status := expect(sweep("status", out)).stdout) and "--max-continuations" in status


def test_cancel_saves_and_nothing_comes_back(cluster, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "seeds = [0, 1, 2]\n", LONG), out, "--limit", 1))
    cluster.wait_stepping(out)
    assert "2 of those waiting are in Slurm's queue" in expect(sweep("status", out)).stdout
    assert "cancelled 1 array jobs" in expect(sweep("cancel", out)).stderr
    cluster.wait(lambda: not cluster.queue(out), "tasks are left", None)
    assert "2 waiting, 1 stopped" in expect(sweep("status", out)).stdout


def test_a_killed_submitter_submits_nothing_twice(cluster, tmp_path):
    # an sbatch that kills its caller once the job is in the queue, before its number is known
    wrapper = tmp_path / "bin" / "sbatch"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\n/usr/bin/env PATH="${PATH#*:}" sbatch "$@"\nkill -9 $PPID\n')
    wrapper.chmod(0o755)
    out, file = tmp_path / "out", write_sweep(tmp_path, "seeds = [0, 1]\n", LONG)
    env = os.environ | {"PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    assert submit(file, out, env=env).returncode == -signal.SIGKILL
    assert len(cluster.queue(out)) == 2
    again = expect(submit(file, out)).stderr
    assert "2 running or in the queue" in again and "nothing to submit" in again
    expect(sweep("cancel", out))
    cluster.wait(lambda: not cluster.queue(out), "tasks are left", None)


def test_preempted_by_a_higher_partition(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "", LONG), out, "--set-sbatch", "nodelist=n1"))
    [path] = cluster.wait_stepping(out)
    urgent = cluster.slurm("sbatch", "--parsable", "-p", "urgent", "-w", "n1", "--exclusive", "-o", "/dev/null",
                           "--wrap", "sleep 1").strip()
    cluster.wait(lambda: status_of(path)["state"] == "stopped", "it was not pre-empted", None)
    cluster.wait(lambda: not cluster.slurm("squeue", "-h", "-j", urgent, "-t", "all", "-o", "%t").strip() in ("PD", "R"),
                 "the urgent job did not end", None)
    cluster.wait_finished(out, 1)
    assert_straight(out, straight)


def test_the_template_is_the_script(cluster):
    assert BIN.exists()
    template = pathlib.Path("scripts/slurm_task").read_text()
    header = pathlib.Path(BIN).parent / "generated/slurm_template.hpp"
    assert template in header.read_text()


def test_the_time_limit_saves_and_continues(cluster, time_limit):
    cluster.wait_finished(time_limit, 1)
    continued = json.loads((time_limit / ".jobs/0001/task-0.json").read_text())["continuations"]
    assert continued >= 1
    output = (time_limit / ".jobs/0001/task-0.out").read_text()
    assert output.count("the time limit comes; saved, to be continued") == continued
    [path] = run_folders(time_limit).values()
    assert len(json.loads((path / "provenance.json").read_text())["earlier"]) == continued
    expect(sweep("run", time_limit.parent / "sweep.toml", "-o", time_limit.parent / "local", "--jobs", 2))  # on one core
    assert tables(time_limit) == tables(time_limit.parent / "local")


def test_a_node_goes_down(cluster, straight, tmp_path):
    out = tmp_path / "out"
    expect(submit(write_sweep(tmp_path, "", LONG), out))
    [path] = cluster.wait_stepping(out)
    [node] = cluster.slurm("squeue", "-h", "-t", "R", "-o", "%N").split()
    # a power cut: the node's daemon, the job's keeper, the task and its run
    task = parent_of(status_of(path)["pid"])
    for pid in (int((cluster.folder / f"{node}.pid").read_text()), parent_of(task), task, status_of(path)["pid"]):
        os.kill(pid, signal.SIGKILL)
    cluster.wait(lambda: "down" in cluster.slurm("sinfo", "-h", "-N", "-n", node, "-o", "%T"), f"{node} is not down")
    # the other node goes on
    cluster.wait_finished(out, 1)
    assert_straight(out, straight)
