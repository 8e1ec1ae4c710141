"""`anthill bench`: every part prints what it measured, and refuses what it does not know."""

import csv
import json
import subprocess
from pathlib import Path

import pytest
from anthill_command import BIN, assert_fails, run

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "env": ("env_steps_per_s", ["--env", "Ant-v4", "--num-envs", 4, "--contestants", "anthill"]),
    "buffer": ("batches_per_s", ["--capacity", 5000]),
    "learner": ("updates_per_s", ["--hidden-dim", 32]),
    "train": ("env_steps_per_s", ["--env", "Pendulum-v1", "--learning-starts", 50, "--batch-size", 8]),
}


@pytest.mark.parametrize("part", PARTS)
def test_bench_prints_one_object(part):
    key, small = PARTS[part]
    result = run("bench", part, "--json", "--seconds", 0.2, *small)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["part"] == part
    measured = answer["contestants"][0] if part == "env" else answer
    assert measured[key] > 0
    words = "env steps/s" if part == "env" else key
    assert words in run("bench", part, "--seconds", 0.2, *small).stdout


@pytest.mark.parametrize("part", PARTS)
def test_bench_serves_chunks_on_request(part):
    result = subprocess.run(
        [BIN / "anthill", "bench", part, "--serve", "--seconds", "0.1", *map(str, PARTS[part][1])],
        input="0.01\n0.02\n", capture_output=True, text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    chunks = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(chunks) == 2 and chunks[1]["wall_s"] >= 0.02
    assert all(chunk["units"] > 0 and chunk["cpu_s"] > 0 for chunk in chunks)


def test_bench_env_compares_with_the_bare_loop(tmp_path):
    table = tmp_path / "env.csv"
    result = run("bench", "env", "--env", "Ant-v5", "--num-envs", "2,3", "--threads", "1,2",
                 "--seconds", 0.1, "--csv", table)
    assert result.returncode == 0, result.stderr
    with open(table, newline="") as file:
        measured = list(csv.DictReader(file))
    cells = [(row["contestant"], row["num_envs"], row["num_threads"]) for row in measured]
    assert cells == [
        (name, width, threads)
        for width in "23"
        for name, threads in [("anthill", "1"), ("anthill", "2"), ("bare", "1"), ("mjbatch", "1"), ("mjbatch", "2")]
    ]
    for row in measured:
        assert float(row["us_per_env_step"]) > 0 and row["contestant"] in result.stdout
        assert float(row["cpu_over_bare"]) > 0 and row["instructions_over_bare"] == ""
    assert run("bench", "env", "--seconds", 0.1, "--csv", tmp_path / "no" / "x.csv").returncode == 1


def test_bench_env_without_mujoco_has_nothing_to_compare_with():
    answer = json.loads(run("bench", "env", "--env", "Pendulum-v1", "--seconds", 0.1, "--json").stdout)
    assert [row["contestant"] for row in answer["contestants"]] == ["anthill"]
    assert answer["contestants"][0]["cpu_over_bare"] is None
    assert_fails(run("bench", "env", "--env", "Pendulum-v1", "--contestants", "bare"), 2, "Pendulum-v1")


def test_bench_agents_compares_files():
    files = [f"{ROOT}/configs/{name}.toml" for name in ("pendulum_td3", "cartpole_dqn", "d_ddpg", "ant_rr8_batch_renorm")]
    answer = json.loads(run("bench", "agents", "--seconds", 0.2, "--json", *files).stdout)
    rows = answer["contestants"]
    assert [row["config"] for row in rows] == ["pendulum_td3", "cartpole_dqn", "d_ddpg", "ant_rr8_batch_renorm"]
    assert [row["batch_size"] for row in rows] == [256, 64, 128, 256]
    assert rows[0]["over_first"] == 1 and all(row["updates_per_s"] > 0 for row in rows)
    table = run("bench", "agents", "--seconds", 0.1, *files[:2]).stdout
    assert "over_first" in table and "cartpole_dqn" in table
    assert_fails(run("bench", "agents", "no/such.toml"), 2, "no/such.toml")
    assert_fails(run("bench", "agents"), 2, "CONFIG")


def test_bench_learner_compares_learners():
    sweep = ("--hidden-dim", "8,16", "--depth", "1,2", "--members", "1,3", "--layer-norm", "off,on", "--batch-size", 16)
    answer = json.loads(run("bench", "learner", "--seconds", 0.1, "--json", *sweep).stdout)
    rows = answer["contestants"]
    cells = [(r["depth"], r["hidden_dim"], r["members"], r["layer_norm"]) for r in rows]
    assert cells == [(d, h, m, n) for d in (1, 2) for h in (8, 16) for m in (1, 3) for n in (False, True)]
    assert rows[0]["over_first"] == 1 and answer["gemm_gflop_per_s"] > 0
    for row in rows:
        assert row["updates_per_s"] > 0 and 0 < row["share_of_gemm"] < 1 and 0 < row["sampling_share"] < 1
        assert row["ms_per_update"] == pytest.approx(1e3 / row["updates_per_s"])
    norms = ("--layer-norm", "off,on", "--batch-renorm", "targets,joint", "--hidden-dim", 8)
    table = run("bench", "learner", "--seconds", 0.1, *norms).stdout
    assert "share_of_gemm" in table and "true" in table and "targets" in table and "joint" in table
    assert_fails(run("bench", "learner", "--serve", "--layer-norm", "off,on"), 2, "--serve")
    assert_fails(run("bench", "learner", "--layer-norm", "maybe"), 2, "--layer-norm")


def test_bench_refuses_options_of_other_parts():
    assert_fails(run("bench", "env", "--capacity", 10), 2, "--capacity")
    assert_fails(run("bench", "buffer", "--hidden-dim", 32), 2, "--hidden-dim")
    assert_fails(run("bench", "learner", "--num-envs", 2), 2, "--num-envs")
    assert_fails(run("bench", "env", "--serve"), 2, "--serve")
    assert_fails(run("bench"), 2)
