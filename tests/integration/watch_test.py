"""anthill watch: on runs that go on, are over, have crashed, have not begun, or are half written."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
from datetime import datetime, timezone

import pytest
from anthill_command import BIN, assert_fails, run

ROWS = "env_steps,gradient_updates,wall_time_s,replay_ratio,critic_loss,actor_loss,alpha,entropy,q_mean,sim_warnings,memory_mib\n"
PLAIN = {**{k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_CTYPE", "NO_COLOR")}, "LANG": "C", "TERM": "xterm"}


def stamp(age_s=0):
    return datetime.fromtimestamp(time.time() - age_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_status(folder, state="running", env_steps=6000, age_s=0, **changes):
    status = {
        "state": state, "reason": "", "env_steps": env_steps, "gradient_updates": 5000, "total_env_steps": 10_000,
        "pid": os.getpid(), "host": socket.gethostname(), "updated_at": stamp(age_s), "wall_time_s": 120.0, **changes,
    }
    text = json.dumps(status)
    (folder / "status.json.tmp").write_text(text)
    os.replace(folder / "status.json.tmp", folder / "status.json")
    os.utime(folder / "status.json", (time.time() - age_s,) * 2)


def make_run(folder, **status):
    """A run that stands at 6,000 of 10,000 env steps, 100 of them in 2 seconds."""
    folder.mkdir(parents=True)
    rows = [f"{s},{max(0, s - 1000)},{s / 50},1,{s / 1000},{-s / 100},0.2,-4,{s / 10},0,199\n" for s in range(100, 6001, 100)]
    (folder / "train.csv").write_text(ROWS + "".join(rows))
    (folder / "eval.csv").write_text("env_steps,return_mean,invalid_episodes\n0,970,0\n2000,-48,0\n4000,962.4,0\n")
    (folder / "episodes.csv").write_text("env_steps,env,episode_return\n1000,0,10\n2000,0,30\n")
    (folder / "overestimation.csv").write_text(
        "env_steps,states,bias_reward,bias_reward_low,bias_reward_high,q_mean,soft_return,implausible_share,invalid_states\n"
        "2500,on_policy,-0.01,-0.03,0.01,20,21,0,0\n2500,reset,7,6,8,700,1,0,0\n"
        "5000,on_policy,0.139,0.101,0.18,34.1,20.2,0,0\n5000,reset,9,8,10,900,1,0,0\n"
    )
    write_status(folder, **status)
    return folder


def watch(*arguments, **environment):
    result = run("watch", *arguments, env={**PLAIN, **environment})
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80 and "\x1b" not in result.stdout
    return result.stdout


def row(text, label):
    """The cells of a line that begins with `label`."""
    line = next(line for line in text.splitlines() if line.startswith(label))
    return line[len(label):].split()


def test_a_running_run(tmp_path):
    text = watch(make_run(tmp_path / "run"))
    assert re.search(rf"^running  on {re.escape(socket.gethostname())}, process {os.getpid()}  heartbeat \d+s ago", text, re.M)
    # 50 env steps/s for the 4,000 that are left
    assert "6,000/10,000  60% env steps  ETA 1m20s" in text and "############........" in text
    assert row(text, "eval return")[0] == "962" and "-48.0 to 970" in text
    assert row(text, "train return")[0] == "30.0"
    assert row(text, "mean batch Q")[0] == "600"
    assert row(text, "bias B_r")[0] == "0.139"  # on-policy states alone
    assert row(text, "alpha")[0] == "0.2" and row(text, "entropy")[0] == "-4"
    assert "! the critic overestimates: Q 34.1, soft value 20.2, B_r 95 % [0.101, 0.18]" in text


def test_rates_are_of_the_run_s_own_clock(tmp_path):
    folder = make_run(tmp_path / "run", env_steps=6500, gradient_updates=5500, wall_time_s=130.0)
    # the latest row that is 10 s old says 6,000 at 120 s; status.json 6,500 at 130 s
    assert row(watch(folder), "50.0 env steps/s") == ["50.0", "updates/s", "5,500", "updates", "replay", "ratio", "1", "199", "MiB"]


def test_sparklines_follow_their_values(tmp_path):
    folder = make_run(tmp_path / "run")
    ascii_text, blocks = watch(folder), watch(folder, LC_ALL="C.UTF-8")
    assert ascii_text.isascii()
    line = next(line for line in blocks.splitlines() if line.startswith("mean batch Q"))
    heights = ["▁▂▃▄▅▆▇█".index(c) for c in line if c in "▁▂▃▄▅▆▇█"]
    assert len(heights) > 25 and heights == sorted(heights) and (heights[0], heights[-1]) == (0, 7)
    assert watch(folder, "--ascii", LC_ALL="C.UTF-8").isascii()


def test_a_half_written_line_waits(tmp_path):
    folder = make_run(tmp_path / "run")
    with (folder / "train.csv").open("a") as file:
        file.write("6100,5100,122,1,6,-6,0.2,-4,99999")
    assert row(watch(folder), "mean batch Q")[0] == "600"


@pytest.mark.parametrize(("status", "words"), [
    ({"age_s": 300, "host": "elsewhere"}, ["crashed", "no heartbeat for 5m", "from elsewhere: crashed or killed"]),
    ({"age_s": 300}, ["silent", "no heartbeat for 5m", "but its process lives"]),
    ({"age_s": 30}, ["silent", "no heartbeat for 3"]),
    ({"age_s": 8, "pid": 2**22 + 1}, ["crashed", "no heartbeat for "]),  # above Linux's largest process id
    ({"age_s": 8, "pid": 2**22 + 1, "host": "elsewhere"}, ["running  on elsewhere"]),
    ({"state": "finished", "env_steps": 10_000, "age_s": 9999}, ["finished", "100%"]),
    ({"state": "stopped", "reason": "SIGTERM"}, ["stopped", "! SIGTERM"]),
    ({"state": "diverged"}, ["diverged", "! numbers are not finite; read post_mortem/diagnosis.md"]),
    ({"state": "failed", "reason": "no space\x1b[31m left"}, ["failed", "! no space?[31m left"]),
    ({"state": "starting", "env_steps": 0}, ["starting"]),
])
def test_states(tmp_path, status, words):
    text = watch(make_run(tmp_path / "run", **status))
    for word in words:
        assert word in text
    if status.get("state", "running") != "running":
        assert "ETA" not in text


def test_a_run_that_has_not_begun(tmp_path):
    (tmp_path / "run").mkdir()
    text = watch(tmp_path / "run")
    assert "waiting" in text and "no evaluation yet" in text and "not probed" in text
    (tmp_path / "run/status.json").touch()  # claimed, no word written
    assert "starting" in watch(tmp_path / "run")


def test_what_is_damaged_is_said(tmp_path):
    folder = make_run(tmp_path / "run")
    with (folder / "train.csv").open("a") as file:
        file.write("6100,3\n6200,5200,124,1,nan,-6,0.2,-4,inf,3,199\n")
    (folder / "status.json").write_text('{"state": "runn')
    text = watch(folder)
    assert "! train.csv: line 62 has 2 cells, the header 11" in text
    assert "! status.json cannot be read; is the file damaged?" in text and text.splitlines()[1].startswith("running")
    assert "6,200 env steps" in text  # as train.csv says
    assert "! q_mean was not finite" in text and "! critic_loss was not finite" in text
    assert "! the simulator failed in 3 transitions" in text


def test_kept_results_without_a_status(tmp_path):
    folder = make_run(tmp_path / "run")
    (folder / "status.json").unlink()
    text = watch(folder)
    assert "finished" in text and "6,000 env steps" in text


def test_all_runs_below_a_folder(tmp_path):
    for seed in (0, 2, 10):
        make_run(tmp_path / f"sweep/rr8-norm/seed-{seed}", state="finished", env_steps=10_000)
    make_run(tmp_path / "sweep/rr1/seed-0")
    make_run(tmp_path / "sweep/rr1/seed-1", age_s=500, host="elsewhere")
    (tmp_path / "sweep/rr1/seed-2").mkdir()
    text = watch(tmp_path / "sweep/")
    lines = text.splitlines()
    assert "6 runs: 1 waiting, 1 crashed, 1 running, 3 finished  ETA 1m20s" in lines[0]
    assert lines[1].split() == ["run", "state", "done", "ETA", "return", "Q", "B_r", "alpha"]
    assert [line.split()[:2] for line in lines[2:]] == [
        ["rr1/seed-0", "running"], ["rr1/seed-1", "crashed"], ["rr1/seed-2", "waiting"],
        ["rr8-norm/seed-0", "finished"], ["rr8-norm/seed-2", "finished"], ["rr8-norm/seed-10", "finished"],
    ]
    running = lines[2].split()
    assert running[2:5] == ["60%", "1m20s", "962"] and running[-4:] == ["600", "0.139", "0.2", "!"]


def test_all_runs_of_a_sweep_count_before_they_begin(tmp_path):
    points = [{"folder": f"{number}bc0123456ff-tau-0.{number}"} for number in (1, 2)]
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/points.json").write_text(json.dumps({"points": points, "seeds": [0, 5]}))
    make_run(tmp_path / "sweep/1bc0123456ff-tau-0.1/seed-0", state="finished", env_steps=10_000)
    lines = watch(tmp_path / "sweep").splitlines()
    assert "4 runs: 3 waiting, 1 finished" in lines[0]
    assert [line.split()[:2] for line in lines[2:]] == [
        ["tau-0.1/seed-0", "finished"], ["tau-0.1/seed-5", "waiting"], ["tau-0.2/seed-0", "waiting"], ["tau-0.2/seed-5", "waiting"]]
    # it does not end behind the first of them, and sees the next
    terminal = Terminal(tmp_path / "sweep")
    terminal.wait_for("3 waiting, 1 finished")
    make_run(tmp_path / "sweep/1bc0123456ff-tau-0.1/seed-5")
    terminal.wait_for("2 waiting, 1 running, 1 finished")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.close() == 0


def test_a_folder_called_like_a_seed_is_no_run_by_its_name(tmp_path):
    (tmp_path / "probes/seed-1/all").mkdir(parents=True)
    (tmp_path / "probes/seed-1/all/overestimation.csv").write_text("env_steps\n")
    assert_fails(run("watch", tmp_path / "probes", env=PLAIN), 2, "no run here")


def test_an_early_good_end_is_no_warning(tmp_path):
    text = watch(make_run(tmp_path / "run", state="finished", reason="solved: mean return 475 of the last training episodes"))
    assert "\nsolved: mean return 475" in text and "! solved" not in text


def test_large_numbers_and_long_warnings_are_whole(tmp_path):
    path = "/scratch/" + 90 * "x" + "/run/train.csv"
    reason = f"no space left on the device for {path}: the run cannot go on; make room for it and resume it with --resume"
    folder = make_run(tmp_path / "run", state="failed", reason=reason)
    rows = [f"{s},{s},{s / 50},1,{1.18e13 if s == 300 else 1.23e7},-6,0.2,-4,{-1.23e7 if s == 300 else 1.18e13},0,199\n"
            for s in range(100, 6001, 100)]
    (folder / "train.csv").write_text(ROWS + "".join(rows))
    lines = watch(folder).splitlines()
    assert next(line for line in lines if line.startswith("critic loss")).endswith("1.23e+07 to 1.18e+13 log")
    assert next(line for line in lines if line.startswith("mean batch Q")).endswith("-1.23e+07 to 1.18e+13")
    begin = next(i for i, line in enumerate(lines) if line.startswith("! no space"))
    end = next(i for i, line in enumerate(lines) if i > begin and line.startswith("! "))
    assert all(line.startswith("  ") for line in lines[begin + 1 : end]) and end > begin + 2
    text = " ".join(line[2:] for line in lines[begin:end])
    assert text.replace(" ", "") == reason.replace(" ", "")


def test_a_log_that_is_ahead_of_the_status_counts(tmp_path):
    folder = make_run(tmp_path / "run", state="failed", env_steps=0, gradient_updates=0, total_env_steps=0, wall_time_s=0)
    text = watch(folder)
    assert "6,000 env steps" in text and "5,000 updates" in text and "after 2m00s" in text


def test_bad_input_is_one_line(tmp_path):
    assert_fails(run("watch", tmp_path / "none"), 2, tmp_path / "none", "no such folder")
    (tmp_path / "file").touch()
    assert_fails(run("watch", tmp_path / "file"), 2, "is a file")
    (tmp_path / "other/inside").mkdir(parents=True)
    assert_fails(run("watch", tmp_path / "other"), 2, "no run here", "anthill train")
    assert_fails(run("watch", tmp_path, "--period", "0"), 2, "--period")
    assert_fails(run("watch"), 2, "path")


class Terminal:
    """anthill watch on a pseudo-terminal of 80 x 24, and what it has written so far."""

    def __init__(self, folder, **environment):
        self.master, slave = pty.openpty()
        environment = {**PLAIN, **environment}
        self.process = subprocess.Popen(
            ["bash", "-c", 'stty cols 80 rows 24; exec "$0" watch "$1" --period 0.1', BIN / "anthill", folder],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )
        os.close(slave)
        self.text = ""

    def wait_for(self, word, seconds=60):
        end = time.monotonic() + seconds
        begin = len(self.text)
        while word not in self.text[begin:]:
            assert time.monotonic() < end, f"no {word!r} in {self.text[-2000:]!r}"
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                self.text += os.read(self.master, 65536).decode()
            except OSError:  # the other side is closed
                assert word in self.text[begin:], self.text[-2000:]
                return

    def close(self):
        code = self.process.wait(60)
        os.close(self.master)
        return code


def test_live_it_follows_and_ends_with_the_run(tmp_path):
    folder = make_run(tmp_path / "run")
    terminal = Terminal(folder)
    terminal.wait_for("Ctrl-C ends watching")
    assert "\x1b[32mrunning\x1b[0m" in terminal.text
    # half a line, then its rest
    with (folder / "train.csv").open("a") as file:
        file.write("6100,5100,122,1,6,-6,0.2,-4,77")
        file.flush()
        terminal.wait_for("Ctrl-C ends watching")
        file.write("7,0,199\n")
    terminal.wait_for("777")
    # a resume cuts the file: the rows before it are what there is
    (folder / "train.csv").write_text(ROWS + "100,0,2,0,1,-1,0.2,-4,55.5,0,199\n")
    terminal.wait_for("55.5")
    write_status(folder, state="finished", env_steps=10_000)
    terminal.wait_for("100%")
    assert terminal.close() == 0
    # drawn in place: up by as many lines as were drawn
    screens = re.split(r"\x1b\[(\d+)A\r", terminal.text)
    assert len(screens) > 4
    for before, lines_up in zip(screens[0::2], screens[1::2]):
        assert before.count("\n") == int(lines_up)


def test_live_without_colour_until_ctrl_c(tmp_path):
    terminal = Terminal(make_run(tmp_path / "run"), NO_COLOR="1")
    terminal.wait_for("Ctrl-C ends watching")
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.close() == 0
    assert re.search(r"\x1b\[[\d;]*m", terminal.text) is None


def test_more_runs_than_lines(tmp_path):
    for seed in range(40):
        make_run(tmp_path / f"sweep/seed-{seed}", **({"age_s": 500, "host": "elsewhere"} if seed == 39 else {}))
    terminal = Terminal(tmp_path / "sweep")
    terminal.wait_for("more: ")
    first = terminal.text.split("\x1b[J")[0].splitlines()
    assert len(first) <= 23 and "crashed" in first[2]
    assert re.search(r"and \d+ more: \d+ running", terminal.text)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.close() == 0
