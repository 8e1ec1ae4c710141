"""The report and compare from end to end, on synthetic sweeps, through the command line."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from external_test import CLEANRL, write_events
from synthetic_runs import make_run, make_sweep

from analysis import baselines
from analysis.arms import read_collection
from analysis.columns import diagnostics
from analysis.compare import comparison
from analysis.comparisons import paired
from analysis.drawing import MAX_ARMS, look, plt
from analysis.figures import Context
from analysis.report import number, write_report

ROOT = Path(__file__).resolve().parents[2]
FIGURES = (
    "returns", "q_and_value", "bias", "learner", "diagnostics", "diverged", "scores", "improvement", "paired", "by_episode",
    "by_env_steps",
)


def analysis(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "analysis", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>|data:[^\"]+", "", html, flags=re.S)))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return make_sweep(tmp_path_factory.mktemp("sweep") / "sweep")


@pytest.fixture(scope="module")
def report(sweep, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "out"
    done = analysis("report", sweep, "-o", folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.strip() == str(folder / "report.html")
    return folder


def test_every_figure_is_written_and_none_is_blank(report):
    for name in FIGURES:
        pixels = matplotlib.image.imread(report / f"{name}.png")[..., :3]
        assert pixels.shape[1] > 700 and pixels.std() > 0.02, name
        assert (report / f"{name}.pdf").read_bytes().startswith(b"%PDF"), name
    assert {file.stem for file in report.glob("*.png")} == set(FIGURES)


def test_the_page_is_self_contained(report):
    html = (report / "report.html").read_text()
    assert html.count("data:image/svg+xml;base64,") == len(FIGURES)
    assert not re.search(r"(src|href)=\"(?!data:)", html) and "http" not in re.sub(r"data:[^\"]+", "", html)


def test_the_first_screen_tells_the_answer(report):
    text = text_of((report / "report.html").read_text())
    first = text[: text.index("Read this first")]
    assert re.search(r"replay_ratio 8, layer_norm off : overestimates , B_r = 2\.\d+ \[1\.\d+, 2\.\d+\]", first)
    assert "of its 9 probes up to here 9 overestimate" in first  # three seeds, at 2,500, 5,000 and 7,500
    for word in ("soft Monte- Carlo value", "mean batch Q", "evaluation return", "alpha", "commit 0123456789"):
        assert word in first, word
    # one run stands at 8,000, so tables read there
    assert "tables read env steps (7200, 8000]" in first
    assert "1 of 9 runs are still running" in text


def test_whatever_train_csv_holds_is_drawn():
    first = pd.DataFrame({"env_steps": [1, 2], "alpha": [1, 2], "norm": [1.0, 100.0], "empty": [np.nan, np.nan]})
    second = pd.DataFrame({"env_steps": [1, 2], "share": [0.0, 1.0]})
    assert [(p.column, p.log) for p in diagnostics([first, second])] == [("norm", True), ("share", False)]


def test_one_seed_has_no_band_and_says_so(tmp_path):
    make_run(tmp_path / "a", 0)
    output = write_report(read_collection([str(tmp_path)]), tmp_path / "out", formats=())
    text = text_of(output.read_text())
    assert "a single seed, so no band and no interval over seeds: a" in text
    assert "Paired seeds" not in text and "Mann-Whitney" not in text
    # the return's cell is a number alone
    value = number(read_collection([str(tmp_path)]).runs[0].evaluations.return_mean.iloc[-1])
    assert re.search(rf"{value} (?!\[)", text)


def test_runs_without_probe_and_with_infinity(tmp_path):
    for seed in range(3):
        make_run(tmp_path / f"a/seed-{seed}", seed, probe=False)
        make_run(tmp_path / f"b/seed-{seed}", seed, replay_ratio=8, probe=False, diverge_at=6000 if seed else None)
    output = write_report(read_collection([str(tmp_path)]), tmp_path / "out", formats=())
    text = text_of(output.read_text())
    assert "bias not probed" in text and "have no overestimation.csv" in text
    assert "2 of 3 [0.21, 0.94]" in text and "∞" in text
    assert "critic_loss is not finite at env step 6000" in text
    assert "which says nothing about other seeds" not in text


def test_a_column_that_some_runs_lack_is_named(tmp_path):
    make_run(tmp_path / "a", 0)
    folder = make_run(tmp_path / "b", 1)
    pd.read_csv(folder / "train.csv").drop(columns="q_gap").to_csv(folder / "train.csv", index=False)
    text = text_of(write_report(read_collection([str(tmp_path)]), tmp_path / "out", formats=()).read_text())
    assert "column q_gap is missing in 1 of 2 runs" in text


def test_a_run_that_has_just_begun(tmp_path):
    folder = make_run(tmp_path / "a", 0, steps=100, state="running")
    (folder / "episodes.csv").write_text("env_steps,env,episode,episode_return,episode_length\n")
    (folder / "overestimation.csv").write_text("env_steps,stat")  # being written
    text = text_of(write_report(read_collection([str(tmp_path)]), tmp_path / "out", formats=()).read_text())
    assert "1 of 1 runs are still running" in text and "no training episode has ended" in text


def test_mixed_versions_are_marked(tmp_path):
    make_run(tmp_path / "a", 0)
    make_run(tmp_path / "b", 1, commit="f" * 40)
    refused = analysis("report", tmp_path, "-o", tmp_path / "out")
    assert refused.returncode == 1 and refused.stdout == ""
    assert refused.stderr.count("\n") == 1 and "--mixed-versions" in refused.stderr
    allowed = analysis("report", tmp_path, "-o", tmp_path / "out", "--mixed-versions", "--formats", "")
    assert allowed.returncode == 0, allowed.stderr
    html = (tmp_path / "out/report.html").read_text()
    assert '<div class="warning">MIXED VERSIONS' in html and "0123456789, ffffffffff" in html


def test_external_logs_lie_beside_own_runs(tmp_path, sweep):
    write_events(tmp_path / "cleanrl", CLEANRL)
    done = analysis("report", f"{sweep}/rr1", "--external", f"CleanRL SAC={tmp_path}/cleanrl", "-o", tmp_path / "out",
                    "--formats", "png")
    assert done.returncode == 0, done.stderr
    text = text_of((tmp_path / "out/report.html").read_text())
    assert "CleanRL SAC" in text and "external" in text
    alone = analysis("report", "--external", f"x={tmp_path}/cleanrl", "-o", tmp_path / "alone", "--formats", "")
    assert alone.returncode == 0, alone.stderr


@pytest.mark.parametrize(("arguments", "message"), [
    (["report", "-o", "out"], "nothing to read"),
    (["report", "no/such/folder", "-o", "out"], "no/such/folder: no such folder"),
    (["compare", "no/such", "no/such"], "no such folder"),
    (["report", "docs/results/first_figure/rr8", "-o", "out", "--formats", "bmp"], "'bmp' is none of png, pdf, svg"),
])
def test_bad_input_is_one_line(arguments, message):
    done = analysis(*arguments)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr


def test_at_a_step_that_nobody_reached(sweep, tmp_path):
    with pytest.raises(ValueError, match="no run has reached --at 99999; the oldest stands at env step 10000"):
        write_report(read_collection([str(sweep)]), tmp_path / "out", step=99_999)


def test_compare_prints_a_table(sweep):
    done = analysis("compare", f"{sweep}/rr8", f"LN={sweep}/rr8-layer_norm")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "A: rr8" and lines[1] == "B: LN"
    table = {line.split("  ")[0]: line for line in lines}
    assert re.search(r"x \d+\.\d \[.*\] +3$", table["temperature, return / nat"])
    assert "P(return of A > return of B) = 0 [0, 0]" in lines
    assert max(map(len, lines)) <= 130


def test_compare_prints_every_seed(sweep):
    lines = analysis("compare", f"{sweep}/rr8", f"LN={sweep}/rr8-layer_norm", "--seeds", "--at", 8_000).stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith("temperature  ")]
    assert [row[1] for row in rows] == ["0", "1", "2"]
    for row in rows:
        a, b, difference, ratio = map(float, row[2:])
        assert difference == pytest.approx(a - b, rel=0.02) and ratio == pytest.approx(a / b, rel=0.02)


def test_ratios_beyond_the_axis_are_written_on_it(tmp_path):
    for arm, diverges in (("plain", None), ("norm", 5000)):
        for seed in range(3):
            make_run(tmp_path / arm / f"seed-{seed}", seed, diverge_at=diverges if seed < 2 else None)
    texts = {}

    class Pictures:
        def figure(self, name, heading, caption, count, draw, **_):
            figure, axes = plt.subplots(1, count, squeeze=False)
            draw(figure, axes.flat)
            texts.update({axis.get_title(): [text.get_text() for text in axis.texts] for axis in axes.flat})
            plt.close(figure)

    collection = read_collection([f"plain={tmp_path}/plain", f"norm={tmp_path}/norm"])
    paired(Context(collection, Pictures(), 10_000))
    assert texts["mean batch Q: ratio"] == ["2 × ∞"] and texts["evaluation return: difference"] == []
    text = comparison(collection, seeds=True)
    assert "2 of 3 diverged" in text and re.search(r"mean batch Q +0 +\d\S* +∞ +-∞ +0$", text, re.M)
    paired(Context(read_collection([f"norm={tmp_path}/norm", f"plain={tmp_path}/plain"]), Pictures(), 10_000))
    assert texts["mean batch Q: ratio"] == ["2 × 0"]


def test_table_has_a_column_per_arm_and_pair(sweep):
    done = analysis("table", f"plain={sweep}/rr8", f"LN={sweep}/rr8-layer_norm", "--at", 8_000)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in done.stdout.splitlines() if line[0:1] == "|"]
    assert rows[0] == ["at 8,000 env steps", "plain (n = 3)", "LN (n = 3)", "LN against plain"]
    assert {len(row) for row in rows} == {4}
    values = {row[0]: row[1:] for row in rows[2:]}
    # the same estimates as compare's, and all definitions of bias
    compared = analysis("compare", f"{sweep}/rr8", f"{sweep}/rr8-layer_norm", "--at", 8_000).stdout
    assert all(cell in compared for cell in values["temperature [return / nat]"][:2])
    assert values["temperature [return / nat]"][2].startswith("x 0.")
    assert "correct: Q - soft value [return]" in values and any(name.startswith("DroQ") for name in values)


def test_table_at_a_step_that_nobody_reached(sweep):
    done = analysis("table", sweep, "--at", 99_999)
    assert done.returncode == 1 and "--at 99999: no run came so far; the common env step is 8000" in done.stderr


def test_compare_takes_two_arms(sweep):
    with pytest.raises(ValueError, match="compare takes two arms, these are 3"):
        comparison(read_collection([str(sweep)]))


def test_every_arm_looks_different():
    looks = [(look(index).colour, look(index).dashes) for index in range(MAX_ARMS)]
    assert len(set(looks)) == MAX_ARMS
    # printed without colour, neighbours still differ
    assert all(a[1] != b[1] for a, b in zip(looks, looks[1:]))


def test_too_many_arms_are_refused(tmp_path):
    for index in range(MAX_ARMS + 1):
        make_run(tmp_path / str(index), replay_ratio=index + 1, steps=200)
    with pytest.raises(ValueError, match=f"{MAX_ARMS + 1} arms, but {MAX_ARMS} can be told apart"):
        write_report(read_collection([str(tmp_path)]), tmp_path / "out", formats=())


@pytest.mark.parametrize(("value", "text"), [
    (0, "0"), (-4, "-4.00"), (0.08171, "0.0817"), (33, "33.0"), (579.6, "580"), (12345.6, "12346"), (1e-5, "1.00e-05"),
    (float("inf"), "∞"), (np.float64("-inf"), "-∞"), (float("nan"), "–"),
])
def test_numbers_are_written_as_people_do(value, text):
    assert number(value) == text


def test_baselines_belong_to_default_tasks(tmp_path):
    make_run(tmp_path / "a")
    found, _ = baselines.known_baselines(read_collection([str(tmp_path)]))
    names = [baseline.name for baseline in found]
    assert names == ["zero action", "random action", "random-init policy"]
    assert found[0].mean == pytest.approx(1000, abs=10)  # an Ant that stands still
    config = (tmp_path / "a/resolved.toml").read_text()
    (tmp_path / "a/resolved.toml").write_text(config.replace("max_episode_steps = 0", "max_episode_steps = 100"))
    found, notes = baselines.known_baselines(read_collection([str(tmp_path)]))
    assert [baseline.name for baseline in found] == ["random-init policy"] and "default options" in notes[0]


def test_the_baselines_table_is_reproduced():
    """The cheapest task; the others are the same loop."""
    table = pd.read_csv(baselines.TABLE)
    row = table[(table.env == "InvertedPendulum-v5") & (table.baseline == "zero action")].iloc[0]
    returns = baselines.roll_out("InvertedPendulum-v5", int(row.num_episodes), random=False)
    assert np.mean(returns) == pytest.approx(row.return_mean, rel=1e-5)
    assert np.std(returns) == pytest.approx(row.return_std, rel=1e-5)
