"""Reading run folders and the README's figure, on run folders made here."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.first_figure import arms_table, first_figure
from analysis.keep_run import keep_run
from analysis.runs import read_run


def make_run(folder: Path, scale: float) -> Path:
    folder.mkdir()
    steps = np.arange(100, 2001, 100)
    table = {"env_steps": steps}
    for column in ("q_mean", "critic_loss", "alpha", "q_gap"):
        table[column] = scale * np.where(steps <= 1000, np.nan, steps / 1000.0)
    table["entropy"] = np.where(steps <= 1000, np.nan, -4.0)
    pd.DataFrame(table).to_csv(folder / "train.csv", index=False)
    pd.DataFrame({"env_steps": [5], "episode_return": [1.0]}).to_csv(folder / "episodes.csv", index=False)
    pd.DataFrame(
        {"env_steps": [0, 2000], "return_mean": [1.0, 2.0], "return_min": [0.0, 1.0],
         "return_max": [2.0, 3.0], "num_episodes": [5, 5]}
    ).to_csv(folder / "eval.csv", index=False)
    (folder / "provenance.json").write_text(json.dumps({"source": {"git_commit": "a" * 40, "git_dirty": True}}))
    return folder


def test_ratios_are_of_the_last_500_steps(tmp_path):
    plain, norm = read_run(make_run(tmp_path / "a", 10.0)), read_run(make_run(tmp_path / "b", 2.0))
    table = arms_table(plain, norm)
    assert table.loc["q_mean", "with LayerNorm"] == pytest.approx(2.0 * 1.8)
    assert table.loc["critic_loss", "ratio"] == pytest.approx(5.0)
    assert table.loc["entropy", "ratio"] == pytest.approx(1.0)


def test_figure_is_written_and_not_blank(tmp_path):
    import matplotlib.image

    runs = {key: read_run(make_run(tmp_path / key, 1.0)) for key in ("rr1", "rr8", "rr8_layer_norm")}
    output = tmp_path / "figures" / "first.png"
    first_figure(runs["rr1"], runs, output)
    pixels = matplotlib.image.imread(output)
    assert pixels.shape[1] > 1000 and pixels[..., :3].std() > 0.05


def test_a_half_written_last_line_is_left_out(tmp_path):
    folder = make_run(tmp_path / "run", 1.0)
    whole = len(read_run(folder).train)
    with (folder / "train.csv").open("a") as file:
        file.write("2100,3.")
    assert len(read_run(folder).train) == whole
    assert read_run(folder).commit == "a" * 10 + "+"


def test_a_folder_without_logs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="train.csv is missing"):
        read_run(tmp_path)
    (folder := make_run(tmp_path / "run", 1.0))
    (folder / "train.csv").write_text("")
    with pytest.raises(ValueError, match="no complete line"):
        read_run(folder)


def test_a_kept_run_reads_back_and_names_no_machine(tmp_path):
    folder = make_run(tmp_path / "run", 1.0)
    (folder / "resolved.toml").write_text(
        "# /home/someone/x.toml, every setting resolved\n[run]\nseed = 3   # /home/someone/x.toml:4:8\n")
    provenance = json.loads((folder / "provenance.json").read_text()) | {
        "executable": {"path": "/home/someone/anthill-train"},
        "model_xml": {"path": "none"},
        "arguments": ["/home/someone/anthill-train", "configs/x.toml", "--run", "/scratch/run"],
        "earlier": [{"executable": {"path": "/home/someone/old/anthill-train"}, "arguments": ["/scratch/run"]}],
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
    (folder / "status.json").write_text(json.dumps({"state": "stopped", "host": "somewhere"}))
    (folder / "overestimation.csv").write_text("env_steps,bias_reward\n1000,0.5\n")
    keep_run(folder, tmp_path / "kept")
    kept = read_run(tmp_path / "kept")
    assert kept.state == "stopped" and kept.overestimation.bias_reward.tolist() == [0.5]
    assert kept.train.equals(read_run(folder).train) and kept.commit == "a" * 10 + "+"
    settings = (tmp_path / "kept" / "resolved.toml").read_text()
    assert settings == "# x.toml, every setting resolved\n[run]\nseed = 3   # x.toml:4:8\n" and kept.seed == 3
    text = (tmp_path / "kept" / "provenance.json").read_text()
    assert "/home" not in text and "/scratch" not in text and "somewhere" not in text
