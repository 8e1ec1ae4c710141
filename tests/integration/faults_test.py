"""What a run survives, and what it refuses: the rows of docs/faults.md."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from anthill_command import BIN, assert_fails, run
from resumed_runs import FAST, SMOKE, assert_same_run, kill_at, newest, options, train, verifies

ENDLESS = [*FAST, "training.total_env_steps=100000000", "log.progress_period_s=0.2"]


def start(folder, *settings, flags=("--resume",), **more):
    command = [BIN / "anthill", "train", SMOKE, "--run", folder, *flags, *options(settings)]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True, **more)


def wait_for(condition, process, seconds=60):
    deadline = time.time() + seconds
    while not condition():
        assert process.poll() is None and time.time() < deadline, process.stderr.read()
        time.sleep(0.01)


def run_state(folder):
    status = folder / "status.json"
    text = status.read_text() if status.exists() else ""  # it is made empty
    return json.loads(text)["state"] if text else ""


def end(process, number=signal.SIGTERM):
    begin = time.time()
    process.send_signal(number)
    stderr = process.communicate(timeout=60)[1]
    assert time.time() - begin < 20
    return stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    result = train(folder, *FAST)
    assert result.returncode == 0, result.stderr
    return folder


def copy_of(run_folder, tmp_path):
    """The same run, stopped at 1,000 env steps, that may be damaged."""
    folder = tmp_path / "run"
    assert train(folder, *FAST, "training.total_env_steps=1000").returncode == 0
    return folder


# signals


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2"])
def test_signals_save_and_exit_during_saves(tmp_path, whole, name):
    # a checkpoint after every vector step: one is always being written
    often = [*FAST, "checkpoint.period=8"]
    assert kill_at(tmp_path / "run", 600, *often, number=signal.Signals[name]) == 3
    assert verifies(newest(tmp_path / "run"))
    assert train(tmp_path / "run", *FAST).returncode == 0
    assert_same_run(tmp_path / "run", whole)


# the first evaluation and the first probe, which come before the first step, last for minutes
EVALUATION = ["sim.max_episode_steps=1000", "evaluation.num_episodes=2000"]
PROBE = ["evaluation.period=0", "overestimation.period=8", "overestimation.num_states=2000"]


@pytest.mark.parametrize(
    "moment, settings", [("owner.json", EVALUATION), ("checkpoints/LATEST", EVALUATION), ("checkpoints/LATEST", PROBE)]
)
def test_a_signal_before_the_first_step_or_in_an_evaluation_or_a_probe(tmp_path, moment, settings):
    process = start(tmp_path / "run", *ENDLESS, *settings)
    place = tmp_path / "run" / moment
    wait_for(place.exists, process)
    stderr = end(process)
    assert process.returncode == 3 and "stopped by SIGTERM" in stderr, stderr
    assert verifies(newest(tmp_path / "run"))
    assert json.loads((tmp_path / "run/status.json").read_text())["env_steps"] == 0


def test_checkpoints_by_the_clock(tmp_path):
    process = start(tmp_path / "run", *ENDLESS, "checkpoint.period=0", "checkpoint.period_s=0.2")
    latest, seen = tmp_path / "run/checkpoints/LATEST", set()

    def three_were_saved():
        if latest.exists():
            seen.add(latest.read_text())
        return len(seen) >= 3

    wait_for(three_were_saved, process)
    end(process)
    assert process.returncode == 3


def test_a_vanished_reader_of_the_log_does_not_end_a_run(tmp_path):
    process = start(tmp_path / "run", *FAST, "log.progress_period_s=0.01")
    process.stderr.close()
    assert process.wait(120) == 0
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "finished"


# two processes


def test_one_writer_per_folder(tmp_path):
    folder = tmp_path / "run"
    first = start(folder, *ENDLESS)
    wait_for(lambda: (folder / "checkpoints/LATEST").exists(), first)
    assert_fails(train(folder, *ENDLESS), 2, f"process {first.pid}", "--force-unlock")
    first.kill()
    first.communicate()
    second = start(folder, *ENDLESS)  # its owner is gone
    wait_for(lambda: json.loads((folder / "owner.json").read_text())["pid"] == second.pid, second)
    end(second)
    assert second.returncode == 3 and not (folder / "owner.json").exists()


@pytest.mark.parametrize("age, taken", [(0, False), (59 * 60, True), (-59 * 60, True)])
def test_an_owner_on_another_machine(tmp_path, age, taken):
    folder = tmp_path / "run"
    folder.mkdir()
    owner = {"host": "elsewhere", "pid": 1, "process_start": "1", "machine": "another", "job": "7", "since": "then"}
    (folder / "owner.json").write_text(json.dumps(owner))
    os.utime(folder / "owner.json", (time.time() - age,) * 2)  # in the future: the clock stepped back
    short = [*FAST, "training.total_env_steps=600"]
    result = train(folder, *short)
    if taken:
        assert result.returncode == 0, result.stderr
    else:
        assert_fails(result, 2, "process 1 on elsewhere (job 7)", "--force-unlock")
        assert train(folder, *short, flags=("--force-unlock",)).returncode == 0


def test_a_process_whose_folder_was_taken_writes_no_more(tmp_path):
    folder = tmp_path / "run"
    process = start(folder, *ENDLESS)
    wait_for(lambda: run_state(folder) == "running", process)
    (folder / "owner.json").write_text("{}")
    assert_lost(process)
    assert run_state(folder) == "running"


def assert_lost(process):
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and "another process has taken the run folder" in stderr, stderr


# as many rows and checkpoints as there can be
LONG = [*FAST, "training.total_env_steps=4000", "checkpoint.period=80", "log.period=40"]


@pytest.fixture(scope="module")
def long_whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long") / "run"
    assert train(folder, *LONG).returncode == 0
    return folder


@pytest.mark.parametrize("stopped", [False, True])
def test_a_folder_taken_by_force_holds_the_rows_of_one_run(tmp_path, long_whole, stopped):
    folder = tmp_path / "run"
    first = start(folder, *LONG)
    latest = folder / "checkpoints/LATEST"
    wait_for(lambda: latest.exists() and latest.read_text() > "step-000000000600", first)
    if stopped:  # it cannot notice before the other one has ended
        first.send_signal(signal.SIGSTOP)
    second = train(folder, *LONG, flags=("--resume", "--force-unlock"))
    first.send_signal(signal.SIGCONT)
    assert_lost(first)
    assert second.returncode == 0 and f"from process {first.pid} on" in second.stderr, second.stderr
    assert_same_run(folder, long_whole)
    assert json.loads((folder / "status.json").read_text())["state"] == "finished"
    assert list((folder / "checkpoints").glob("*.tmp")) == []


# files


def test_a_damaged_checkpoint_is_replaced_by_the_one_before(tmp_path, whole):
    folder = copy_of(whole, tmp_path)
    last = newest(folder)
    data = bytearray((last / "state.safetensors").read_bytes())
    data[len(data) // 2] ^= 4
    (last / "state.safetensors").write_bytes(data)
    inspected = run("inspect", folder)
    assert inspected.returncode == 1 and f"{last.name}  DAMAGED" in inspected.stdout
    result = train(folder, *FAST)
    assert result.returncode == 0 and f"warning: damaged checkpoint {last.name}" in result.stderr
    assert (last.parent / (last.name + ".damaged")).exists()
    assert_same_run(folder, whole)


def test_nothing_to_resume_from_is_said(tmp_path, whole):
    folder = copy_of(whole, tmp_path)
    for checkpoint in (folder / "checkpoints").glob("step-*"):
        (checkpoint / "manifest.json").write_text("{}")
    result = train(folder, *FAST)
    assert result.returncode == 2 and "none of 2 checkpoints verifies" in result.stderr


def test_lost_rows_of_a_log_are_said(tmp_path, whole):
    folder = copy_of(whole, tmp_path)
    (folder / "train.csv").write_text("env_steps\n")
    result = train(folder, *FAST)
    assert result.returncode == 2 and "train.csv' lacks rows" in result.stderr, result.stderr


def rewrite_manifest(checkpoint, old, new):
    text = (checkpoint / "manifest.json").read_text()
    assert old in text
    text = text.replace(old, new)
    (checkpoint / "manifest.json").write_text(text)
    (checkpoint / "manifest.sha256").write_text(hashlib.sha256(text.encode()).hexdigest() + "  manifest.json\n")


def test_other_versions_are_refused_and_other_devices_are_not(tmp_path, whole):
    folder = copy_of(whole, tmp_path)
    rewrite_manifest(newest(folder), '"device": "cpu"', '"device": "cuda"')
    result = train(folder, *FAST)
    assert result.returncode == 0 and "was saved on cuda" in result.stderr, result.stderr
    assert_same_run(folder, whole)  # nothing of it was rounded elsewhere
    rewrite_manifest(newest(folder), "MuJoCo 3.17.0", "MuJoCo 3.16.0")
    result = train(folder, *FAST, "training.total_env_steps=3000")
    assert result.returncode == 2 and "MuJoCo 3.16.0" in result.stderr and "MuJoCo 3.17.0" in result.stderr
    rewrite_manifest(newest(folder), '"version": 1', '"version": 2')
    assert_fails(train(folder, *FAST), 2, "format version 2", "reads version 1")


def in_a_small_file_system(tmp_path, script):
    """Runs a bash script in a name space of its own, with 6 MiB of tmpfs at $DISK."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = f"timeout -k 20 90 {BIN / 'anthill'} train {SMOKE} --run {disk}/run --resume "
    command += " ".join(f"--set '{setting}'" for setting in ENDLESS)
    program = f"set -eu; mount -t tmpfs -o size=6m tmpfs {disk}; DISK={disk}; ERR={tmp_path}/stderr\n"
    program += f"{command} 2>$ERR & RUN=$!\n"
    program += "until_said() { for i in $(seq 300); do grep -q \"$1\" $ERR && return; sleep 0.1; done; cat $ERR; exit 9; }\n"
    program += "until_saved() { for i in $(seq 300); do [ -e $DISK/run/checkpoints/LATEST ] && return; sleep 0.1; done; exit 8; }\n"
    result = subprocess.run(["unshare", "-rm", "bash", "-c", program + script], capture_output=True, text=True, timeout=120)
    return result, (tmp_path / "stderr").read_text()


STOP = f"""
kill -TERM $RUN; wait $RUN && code=0 || code=$?
{BIN / 'anthill'} inspect $DISK/run
exit $code
"""


def test_a_disk_that_fills_up_while_saving(tmp_path):
    result, stderr = in_a_small_file_system(tmp_path, """until_saved
head -c 6M /dev/zero >$DISK/filler || true
truncate -s -40K $DISK/filler  # room for the beginning of a checkpoint
until_said 'no checkpoint at.*No space left.*training goes on'
[ -z "$(ls -d $DISK/run/checkpoints/*.tmp)" ] || exit 7
""" + f"{BIN / 'anthill'} inspect $DISK/run\n" + "rm $DISK/filler\nsleep 1\n" + STOP)
    assert result.returncode == 3, result.stdout + result.stderr + stderr
    assert "DAMAGED" not in result.stdout and "stopped by SIGTERM; everything is written" in stderr


def test_a_file_system_that_becomes_read_only(tmp_path):
    result, stderr = in_a_small_file_system(tmp_path, """until_saved
mount --bind $DISK $DISK; mount -o remount,ro,bind $DISK
until_said 'Read-only file system.*training goes on'
umount $DISK
""" + STOP)
    assert result.returncode == 3, result.stdout + result.stderr + stderr
    assert "DAMAGED" not in result.stdout


def test_a_last_checkpoint_that_cannot_be_written_takes_nothing_else(tmp_path):
    folder = tmp_path / "run"
    process = start(folder, *ENDLESS, "evaluation.period=0", "log.period=1000000", "sim.max_episode_steps=20")
    wait_for(lambda: (folder / "checkpoints/LATEST").exists(), process)
    (folder / "checkpoints").rename(folder / "away")
    (folder / "checkpoints").write_text("no folder")
    wait_for(lambda: json.loads((folder / "status.json").read_text())["env_steps"] > 200, process)
    assert "the last checkpoint could not be written" in end(process)
    status = json.loads((folder / "status.json").read_text())
    assert process.returncode == 1 and status["state"] == "failed"
    assert "the last checkpoint could not be written" in status["reason"]
    last_rows = (folder / "train.csv").read_text(), (folder / "episodes.csv").read_text()
    assert all(int(rows.splitlines()[-1].split(",")[0]) > 0 for rows in last_rows)
    policy = (folder / "policy.safetensors").read_bytes()
    assert f'"env_steps":"{status["env_steps"]}"'.encode() in policy


def test_a_run_folder_that_is_gone_for_a_while(tmp_path):
    folder, away = tmp_path / "run", tmp_path / "away"
    process = start(folder, *ENDLESS)
    wait_for(lambda: (folder / "checkpoints/LATEST").exists(), process)
    folder.rename(away)
    for line in process.stderr:
        if "training goes on" in line:
            break
    away.rename(folder)
    stderr = end(process)
    assert process.returncode == 3, stderr
    assert verifies(newest(folder))
    assert run("inspect", folder).returncode == 0


# numbers


def test_numbers_that_are_not_finite_end_a_run_in_the_same_log_period(tmp_path):
    folder = tmp_path / "run"
    result = train(folder, *FAST, "critic.learning_rate=1.0", "sim.ant.healthy_reward=1e19")
    assert result.returncode == 4, result.stderr
    post_mortem = folder / "post_mortem"
    assert verifies(post_mortem / "last_good")
    assert run("inspect", post_mortem / "last_good", "--arrays").returncode == 0
    page = (post_mortem / "diagnosis.md").read_text()
    assert "agent.critic" in page and "**" in page and "--resume --set log.period=1" in page
    assert (post_mortem / "batch.safetensors").stat().st_size > 1000
    # updates begin after 500 steps, rows are due every 100
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "diverged" and status["env_steps"] <= 608


def test_training_may_go_on_without_finite_numbers(tmp_path):
    folder = tmp_path / "run"
    result = train(folder, *FAST, "sim.ant.healthy_reward=1e30", 'training.on_non_finite="continue"')
    assert result.returncode == 0 and "numbers are not finite" in result.stderr, result.stderr
    assert "no checkpoint at env step" in result.stderr  # the last good one stays
    assert verifies(newest(folder)) and int(newest(folder).name.split("-")[1]) <= 600
