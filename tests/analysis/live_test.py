"""The live picture: of runs that go on, are over, are half written or have not begun."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from synthetic_runs import make_run

from analysis.live import band_of, live, picture, title_of
from analysis.runs import read_run

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "analysis", "live", *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )


def wait_until(condition, seconds=120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_bands_are_min_mean_and_max():
    band = band_of(pd.Series([1, 10, 11, 20, 20]), pd.Series([5.0, 7, np.nan, 1, 2]), 10)
    assert band.to_dict("index") == {10: {"min": 5, "mean": 6, "max": 7}, 20: {"min": 1, "mean": 1.5, "max": 2}}


def test_the_picture_shows_the_run(tmp_path):
    folder = make_run(tmp_path / "run", steps=5000, state="running")
    evaluations = pd.read_csv(folder / "eval.csv")
    evaluations.assign(return_min=evaluations.return_mean - 300, return_max=evaluations.return_mean + 300).to_csv(
        folder / "eval.csv", index=False)
    with (folder / "train.csv").open("a") as file:
        file.write("5100,41")  # being written
    assert live(folder, None, 1, once=True) == folder / "live.png"
    pixels = matplotlib.image.imread(folder / "live.png")[..., :3]
    height, width = pixels.shape[:2]
    assert (width, height) == (975, 975)
    thirds = np.array_split(pixels, [int(height * 0.42), int(height * 0.7)])
    assert all(third.std() > 0.02 for third in thirds)
    # the band from min to max is tinted: light blue between the lines
    tint = np.abs(pixels - np.array([0xD1, 0xE3, 0xEF]) / 255).max(axis=-1) < 0.03
    assert tint[: int(height * 0.42)].mean() > 0.05
    assert title_of(read_run(folder)) == f"{tmp_path.name}/run · Ant-v4 · seed 0 · running · 5,000 env steps"
    assert not list(folder.glob(".live*"))


def test_a_killed_run_is_told_by_its_heartbeat(tmp_path):
    folder = make_run(tmp_path / "run", steps=1000, state="running")
    with subprocess.Popen(["true"]) as process:
        pass
    here, gone = {"host": socket.gethostname(), "pid": os.getpid()}, {"host": socket.gethostname(), "pid": process.pid}
    elsewhere = {"host": "another", "pid": os.getpid()}
    for age, who, said in (
        (0, here, "running · 1,000 env steps"),
        (7200, here, "running · 1,000 env steps · no heartbeat for 720"),  # suspended
        (2, gone, "running · 1,000 env steps"),
        (30, gone, "crashed · 1,000 env steps · no heartbeat for 3"),
        (30, elsewhere, "running · 1,000 env steps · no heartbeat for 3"),
        (7200, elsewhere, "crashed · 1,000 env steps · no heartbeat for 720"),
        (7200, {}, "crashed · 1,000 env steps · no heartbeat for 720"),
    ):
        then = datetime.fromtimestamp(time.time() - age, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {"state": "running", "env_steps": 1000, "updated_at": then, **who}
        (folder / "status.json").write_text(json.dumps(status))
        os.utime(folder / "status.json", (time.time() - age, time.time() - age))
        title = title_of(read_run(folder))
        assert said in title and ("no heartbeat" in title) == ("no heartbeat" in said), title
    # a clock that is behind, and what no process has
    for who in (elsewhere, {"host": socket.gethostname(), "pid": 10**12}, {"host": socket.gethostname(), "pid": "7"}):
        then = datetime.fromtimestamp(time.time() - 50, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        (folder / "status.json").write_text(json.dumps({"state": "running", "env_steps": 1000, "updated_at": then, **who}))
        assert " running " in title_of(read_run(folder)) and "no heartbeat" not in title_of(read_run(folder))
    (folder / "status.json").write_text(json.dumps(status))
    os.utime(folder / "status.json", (0, 0))
    # nothing to wait for
    page = live(folder, tmp_path / "page.html", 1, once=False).read_text()
    assert "no heartbeat for" in page and "refresh" not in page


def test_a_diverged_run_and_one_without_updates_are_drawn(tmp_path):
    for name, options in (("a", {"diverge_at": 3000}), ("b", {"steps": 500})):
        assert picture(read_run(make_run(tmp_path / name, **options))).startswith(b"\x89PNG")


def test_a_log_that_is_ahead_of_the_status_counts(tmp_path):
    folder = make_run(tmp_path / "arm/seed-3", steps=5000, state="failed")
    (folder / "status.json").write_text(json.dumps({"state": "failed", "reason": "refused", "env_steps": 0, "total_env_steps": 0}))
    assert title_of(read_run(folder)) == "arm/seed-3 · Ant-v4 · seed 0 · failed · 5,000 env steps"


def test_a_damaged_status_is_said_in_the_title(tmp_path):
    folder = make_run(tmp_path / "run", steps=5000, state="running")
    (folder / "status.json").write_text('{"state": "runn')
    page = live(folder, tmp_path / "page.html", 1, once=True).read_text()
    assert "running · 5,000 env steps · status.json cannot be read" in page and "refresh" in page


def test_it_is_drawn_again_until_the_run_is_over(tmp_path):
    folder, page = make_run(tmp_path / "run", steps=3000, state="running"), tmp_path / "page.html"
    process = start(folder, "-o", page, "--period", "0.2")
    wait_until(page.exists)
    first = page.read_text()
    assert 'http-equiv="refresh" content="1"' in first and "running · 3,000 env steps" in first
    table = pd.read_csv(folder / "train.csv")
    pd.concat([table, table.tail(1).assign(env_steps=3100)]).to_csv(folder / "train.csv", index=False)
    (folder / "status.json").write_text(json.dumps({"state": "finished", "env_steps": 3100, "total_env_steps": 3100}))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, f"{page}\n", "")
    last = page.read_text()
    assert "refresh" not in last and "finished · 3,100 of 3,100 env steps" in last
    assert re.search(r'src="data:image/png;base64,[\w+/=]{1000,}"', last) and last != first


def test_a_run_that_has_not_begun_is_waited_for(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    process = start(folder, "--period", "0.2")
    assert "waiting" in process.stderr.readline()
    done = make_run(tmp_path / "other")
    for file in ("eval.csv", "episodes.csv", "status.json", "resolved.toml", "train.csv"):
        (done / file).rename(folder / file)
    assert process.wait(timeout=120) == 0 and (folder / "live.png").is_file()


@pytest.mark.parametrize(("arguments", "message"), [
    (["no/such/run"], "no/such/run: no such folder"),
    (["docs"], "docs: not a run folder"),
    (["docs/results/first_figure/rr8", "-o", "x.bmp"], "ends in neither .png nor .html"),
    (["docs/results/first_figure/rr8", "-o", "no/folder/x.png"], "no/folder is no folder"),
    (["docs/results/first_figure/rr8", "--period", "0"], "must be above 0"),
])
def test_bad_input_is_one_line(arguments, message):
    process = start(*arguments, "--once")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and out == "" and err.count("\n") == 1 and message in err


def test_a_damaged_run_ends_it_with_file_and_line(tmp_path):
    folder = make_run(tmp_path / "run", steps=500, state="running")
    with (folder / "train.csv").open("a") as file:
        file.write("600,5\n")
    process = start(folder)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "train.csv: line 7 has 2 cells" in err and err.count("\n") == 1
