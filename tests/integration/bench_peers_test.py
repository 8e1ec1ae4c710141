"""scripts/bench_peers without the peers: its options, taking turns, and the arithmetic of its tables."""

import csv
import io
import json
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "peers"))

import compare  # noqa: E402
import report  # noqa: E402
import turns  # noqa: E402

PLACES = ["--bin", "/bin", "--python", "/peers/python"]


def series(name, wall_us, cpu_us=None, case="case"):
    chunks = [report.Chunk(10, 1e-5 * wall, 1e-5 * cpu) for wall, cpu in zip(wall_us, cpu_us or wall_us)]
    return report.Series("env", case, name, "env step", chunks)


def test_quantiles_are_those_of_the_command():
    values = [float(i) for i in range(20, 0, -1)]
    assert report.quantile(values, 0.1) == 3 and report.quantile(values, 0.5) == 11
    assert report.quantile([5.0], 0.1) == 5
    with pytest.raises(ValueError):
        report.quantile([], 0.5)


def test_ratios_are_of_the_10th_percentiles_within_a_case():
    slow_start = [400.0] * 3 + [200.0] * 18
    table = report.rows([
        series("anthill", [100.0] * 20 + [900.0], [50.0] * 21),
        series("other", slow_start, [300.0] * 21),
        series("other", [1.0, 1.0], case="without anthill"),
    ])
    anthill, other, alone = table
    assert anthill["anthill_faster"] == 1 and anthill["us"] == pytest.approx(100) and anthill["chunks"] == 21
    assert other["anthill_faster"] == pytest.approx(2) and other["anthill_less_cpu"] == pytest.approx(6)
    assert other["per_s"] == pytest.approx(5000) and other["us_median"] == pytest.approx(200)
    assert alone["anthill_faster"] == "" and alone["anthill_less_cpu"] == ""


def test_table_csv_and_markdown_hold_the_same():
    table = report.rows([series("anthill", [123.456789] * 3), series("other", [246.913578] * 3)])
    read = list(csv.DictReader(io.StringIO(report.csv_text(table))))
    assert [row["contestant"] for row in read] == ["anthill", "other"]
    assert float(read[1]["us"]) == table[1]["us"]
    lines = report.markdown(table, {"commit": "abc"}).splitlines()
    assert lines[0] == "- commit: abc"
    assert "| env | case | other | env step | 4050 | 246.9 | 246.9 | 246.9 | 3 | 2 | 2 |" in lines
    plain = report.plain_text(table).splitlines()
    assert plain[0].split() == list(report.COLUMNS) and len(plain) == 3


def test_every_part_has_anthill_and_the_others():
    found = compare.entries(compare.arguments(PLACES))
    names = {part: {entry.contestant for entry in found if entry.part == part} for part in compare.PARTS}
    assert names["env"] == {
        "anthill", "anthill_python", "mjbatch", "bare", "envpool", "gymnasium_sync", "gymnasium_async_8",
    }  # fmt: skip
    assert names["learner"] == names["train"] == {"anthill", "sb3", "sbx"}
    assert names["buffer"] == {"anthill", "sb3"}
    for part, case in {(entry.part, entry.case) for entry in found}:
        contestants = [entry.contestant for entry in found if (entry.part, entry.case) == (part, case)]
        assert contestants[0] == "anthill" and len(contestants) == len(set(contestants)) > 1


def test_only_and_parts_choose():
    args = compare.arguments([*PLACES, "--parts", "learner", "--only", "sbx", "--threads", "2", "--observation-dims", "27"])
    found = compare.entries(args)
    assert [(entry.contestant, entry.num_cores) for entry in found] == [("anthill", 2), ("sbx", 2)]
    assert found[0].command[1:] == "bench learner --serve --threads 2 --observation-dim 27".split()


def test_a_gpu_has_peers_of_its_own():
    args = compare.arguments([*PLACES, "--parts", "learner", "--device", "cuda", "--observation-dims", "105"])
    found = {entry.contestant: entry.command[1:] for entry in compare.entries(args)}
    assert list(found) == ["anthill", "compiled", "sb3"]
    assert found["anthill"] == "bench learner --serve --device cuda --observation-dim 105 --graph-block 8".split()
    assert all(command[-4:] == "--device cuda --observation-dim 105".split() for name, command in found.items() if name != "anthill")


@pytest.mark.parametrize("words, culprit", [
    (["--device", "cuda"], "--parts learner"),
    (["--parts", "learners"], "learners"),
    (["--only", "envpol"], "envpol"),
    (["--parts", "buffer", "--only", "envpool"], "envpool"),
    (["--threads", "1,x"], "x"),
    (["--rounds", "0"], "0"),
    (["--seconds", "-1"], "-1"),
    (["--frames", "3"], "--frames"),
])
def test_wrong_options_are_refused_in_one_line(words, culprit):
    result = subprocess.run([TOP / "scripts" / "bench_peers", *words], capture_output=True, text=True)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith("bench_peers: ") and result.stderr.count("\n") == 1
    assert culprit in result.stderr and "--help" in result.stderr


def test_a_dry_run_prints_the_commands(tmp_path):
    command = [TOP / "scripts" / "bench_peers", "--venv", tmp_path / "none", "--parts", "buffer", "--dry-run"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0 and not (tmp_path / "none").exists()
    assert len(result.stdout.splitlines()) == 4
    assert f"{tmp_path}/none/bin/python" in result.stdout and "bench buffer --serve" in result.stdout


FAKE = """
import json, sys, time
name, units, log = sys.argv[1], float(sys.argv[2]), sys.argv[3]
for line in sys.stdin:
    open(log, "a").write(name)
    end = time.process_time() + float(line)
    while time.process_time() < end:
        pass
    print(json.dumps({"units": units, "wall_s": 1.0}), flush=True)
"""


def test_contestants_take_turns(tmp_path):
    log = tmp_path / "log"
    contestants = [
        turns.Contestant(report.Series("env", "case", name, "env step"),
                         [sys.executable, "-c", FAKE, letter, str(units), str(log)], 1)
        for name, letter, units in [("anthill", "a", 4), ("other", "b", 1)]
    ]
    turns.measure_in_turn(contestants, 3, 0.02, pause_s=0)
    for contestant in contestants:
        contestant.close()
        assert contestant.process.returncode == 0
    assert log.read_text() == "abababab"  # the first round warms up
    table = report.rows([contestant.series for contestant in contestants])
    assert table[1]["anthill_faster"] == 4 and table[1]["chunks"] == 3
    assert all(chunk.cpu_s >= 0.018 for contestant in contestants for chunk in contestant.series.chunks)


def test_a_contestant_that_fails_is_named():
    contestant = turns.Contestant(report.Series("env", "case", "broken", "env step"), [sys.executable, "-c", "raise SystemExit(3)"], 1)
    with pytest.raises(turns.ContestantFailed, match="broken.*exit status 3"):
        contestant.chunk(0.1)


def test_requests_and_answers_fit_together():
    work = "import serve; serve.serve(lambda: 2.0)"
    result = subprocess.run([sys.executable, "-c", work], cwd=TOP / "scripts" / "peers", input="0.01\n0.02\n",
                            capture_output=True, text=True)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.returncode, len(answers)) == (0, 2)
    assert answers[1]["units"] >= 2 and answers[1]["wall_s"] >= 0.02


def test_the_pins_are_exact():
    lines = (TOP / "scripts/peers_requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    ours = dict(line.split("  #")[0].split("==") for line in (TOP / "scripts/requirements.txt").read_text().splitlines()
                if line and not line.startswith("#"))
    for name in ("gymnasium", "mujoco", "numpy", "torch"):
        assert pins[name] == ours[name], f"{name}: the comparison needs the same version"
