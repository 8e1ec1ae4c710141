"""The table of any columns at any env steps, from files with known content."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from synthetic_runs import make_run

from analysis.arms import read_collection
from analysis.values import markdown_table


@pytest.fixture()
def runs(tmp_path):
    for seed in range(2):
        folder = make_run(tmp_path / "arm" / f"seed-{seed}", seed)
        train = pd.read_csv(folder / "train.csv")
        train["alpha"] = train.env_steps / 1000 + seed
        train.to_csv(folder / "train.csv", index=False)
        probes = pd.read_csv(folder / "overestimation.csv")
        probes["bias_reward"] = probes.env_steps / 2500
        probes.loc[probes.states != "on_policy", "bias_reward"] = -1
        probes["bias_reward_low"], probes["bias_reward_high"] = probes.bias_reward - 1.5, probes.bias_reward + 0.5
        probes.to_csv(folder / "overestimation.csv", index=False)
    return read_collection([f"arm={tmp_path}/arm"])


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]


def test_the_last_row_at_or_before_a_step_with_its_interval(runs):
    found = rows(markdown_table(runs, ["train.alpha", "overestimation.bias_reward"], [2_400, 7_550]))
    assert found == [
        ["2,400", "arm", "0", "2.40", "-"],
        ["2,400", "arm", "1", "3.40", "-"],
        ["7,550", "arm", "0", "7.50 (7,500)", "3.00 [1.50, 3.50] (7,500)"],
        ["7,550", "arm", "1", "8.50 (7,500)", "3.00 [1.50, 3.50] (7,500)"],
    ]


def test_a_grid_of_steps_and_the_last_step(runs):
    assert [row[0] for row in rows(markdown_table(runs, ["train.alpha"], every=4_000))] == ["4,000"] * 2 + ["8,000"] * 2
    assert [row[3] for row in rows(markdown_table(runs, ["train.alpha"]))] == ["10.0", "11.0"]


def test_ranges_say_where(runs):
    found = rows(markdown_table(runs, ["train.alpha", "train.alpha/train.alpha"], begin=3_000, end=5_000))
    assert found[0] == ["arm", "0", "3.00 (3,000) to 5.00 (5,000)", "1.00 (3,000) to 1.00 (3,000)"]
    assert found[1][2] == "4.00 (3,000) to 6.00 (5,000)"


def test_a_range_over_rows_of_one_env_step(tmp_path):
    folder = make_run(tmp_path / "run")
    several = {"env_steps": [100, 100, 100, 200, 200], "episode_return": [1.0, 5.0, -3.0, 9.0, 2.0], "episode_length": 50}
    pd.DataFrame(several).to_csv(folder / "episodes.csv", index=False)
    found = rows(markdown_table(read_collection([str(folder)]), ["episodes.episode_return"], begin=0))
    assert found[0][2] == "-3.00 (100) to 9.00 (200)"


def test_verdicts_are_counted_per_run(runs):
    text = markdown_table(runs, ["overestimation.bias_reward"])
    assert "arm, seed 1: probes: no bias shown in 1, overestimates in 3." in text


def test_a_run_without_the_column_has_a_dash(tmp_path):
    make_run(tmp_path / "seed-0", 0, probe=False)
    make_run(tmp_path / "seed-1", 1)
    found = rows(markdown_table(read_collection([f"arm={tmp_path}"]), ["overestimation.spearman"]))
    assert [row[3] for row in found] == ["-", "0.300"]
    with pytest.raises(ValueError, match="env step 20000: no run came so far"):
        markdown_table(read_collection([f"arm={tmp_path}"]), ["train.alpha"], every=20_000)


@pytest.mark.parametrize(("columns", "steps", "message"), [
    ("alpha", None, "columns are written FILE.COLUMN, FILE one of train, eval, episodes, overestimation"),
    ("train.nothing", None, r"train.csv has no numbers called 'nothing'; it has env_steps"),
    ("overestimation.states", None, "has no numbers called 'states'"),
    ("train.alpha/eval.return_mean", None, "both sides must be of one file"),
    ("eval.nothing", [5_000], "eval.csv has no numbers called"),
    ("train.alpha", [20_000], "env step 20000: no run came so far; the oldest stands at 10000"),
])  # fmt: skip
def test_what_is_not_there_is_named(runs, columns, steps, message):
    with pytest.raises(ValueError, match=message):
        markdown_table(runs, [columns], steps)


@pytest.mark.parametrize(("options", "code", "words"), [
    (["--at", "2400,7550"], 0, "| 7,550 | run | 0 |"),
    (["--range", "3000:5000"], 0, "(3,000) to "),
    (["--range", "3000"], 0, "(10,000)"),
    (["--range", ":5000"], 2, "':5000': write FROM or FROM:TO"),
    (["--range", "9000:2000"], 2, "FROM at most TO"),
    (["--at", "5000,"], 2, "'' is no env step"),
    (["--at", "5000", "--every", "10"], 2, "not allowed with"),
    (["--at", "20000"], 1, "env step 20000: no run came so far"),
])  # fmt: skip
def test_the_command_line(tmp_path, options, code, words):
    run = make_run(tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "values", f"run={run}", "--columns", "train.env_steps", *options],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True,
    )
    assert done.returncode == code and words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
