"""Runs of different widths on one grid, from files with known content."""

import math

import pandas as pd
import pytest

from analysis.arms import read_collection
from analysis.runs import read_run
from analysis.widths import draw, grid_returns, markdown_table, training_episodes
from synthetic_runs import make_run


def wide_run(folder, num_envs, evaluations, episodes=((4000, -5.0, 30), (9000, 10.0, 100), (9500, 20.0, 200)), period=2500, probe=True):
    """A run of 10,240 env steps with these (env step, return) of evaluations and (env step, return, length) of episodes."""
    make_run(folder, steps=10_240, probe=probe)
    config = (folder / "resolved.toml").read_text().replace("num_envs = 1\n", f"num_envs = {num_envs}\n")
    (folder / "resolved.toml").write_text(f"{config}\n[evaluation]\nperiod = {period}\n")
    rows = pd.DataFrame(evaluations, columns=["env_steps", "return_mean"]).assign(return_std=0.0, num_episodes=5)
    rows.to_csv(folder / "eval.csv", index=False)
    rows = pd.DataFrame(episodes, columns=["env_steps", "episode_return", "episode_length"]).assign(env=0, episode=0)
    rows.to_csv(folder / "episodes.csv", index=False)
    return folder


WIDE = ((0, 900.0), (2560, 1.0), (5120, 2.0), (7680, 4.0), (10_240, 8.0))
NARROW = ((0, 900.0), (2500, 10.0), (5000, 20.0), (7500, 40.0), (10_000, 80.0))


def test_a_late_evaluation_counts_for_the_step_at_which_it_was_due(tmp_path):
    wide, narrow = (read_run(wide_run(tmp_path / name, width, rows)) for name, width, rows in (("w", 256, WIDE), ("n", 1, NARROW)))
    assert grid_returns(wide, 5000).to_dict() == {5000: 1.5, 10_000: 6.0}
    assert grid_returns(narrow, 5000).to_dict() == {5000: 15.0, 10_000: 60.0}
    assert grid_returns(wide, 10_000).to_dict() == {10_000: 3.75}  # not that before the first step
    assert grid_returns(wide, 2500).to_dict() == {2500: 1.0, 5000: 2.0, 7500: 4.0, 10_000: 8.0}
    assert training_episodes(wide, 5000) == (15.0, 150.0)
    assert all(math.isnan(value) for value in training_episodes(wide, 9500))


def test_a_row_per_arm_and_a_column_per_step_of_the_grid(tmp_path):
    wide_run(tmp_path / "w", 256, WIDE)
    wide_run(tmp_path / "n", 1, NARROW, episodes=((4000, -5.0, 30),), probe=False)
    collection = read_collection([f"wide={tmp_path / 'w'}", f"narrow={tmp_path / 'n'}"])
    lines = markdown_table(collection, 5000).splitlines()
    assert lines[0] == "|  | environments | 5,000 | 10,000 | training return | training length | Q | B_r [95 %] |"
    assert lines[2].startswith("| wide (n = 1) | 256 | 2 | 6 | 15 | 150 | ") and lines[2].count("[") == 1
    assert lines[3] == "| narrow (n = 1) | 1 | 15 | 60 | - | - | - | - |"
    draw(collection, 5000, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_a_run_without_evaluations_is_refused(tmp_path):
    folder = wide_run(tmp_path / "w", 256, WIDE, period=0)
    with pytest.raises(ValueError, match="has no evaluations; set evaluation.period"):
        grid_returns(read_run(folder), 5000)
    folder = wide_run(tmp_path / "x", 256, WIDE[:1])
    with pytest.raises(ValueError, match="has no evaluations"):
        grid_returns(read_run(folder), 5000)
