"""`anthill train` and `evaluate` end to end: the run folder, its files, stopping, and bad input."""

import csv
import json
import pathlib
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from anthill_command import BIN, assert_fails, run

SMOKE = pathlib.Path("configs/smoke.toml")
COLUMNS = {  # of docs/metrics.md
    match.group(1): re.findall(r"^\| `(\w+)` \|", match.group(2), re.M)
    for match in re.finditer(r"^## (\S+\.csv)\n(.*?)(?=^## |\Z)", pathlib.Path("docs/metrics.md").read_text(), re.M | re.S)
}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train") / "run"
    result = run("train", SMOKE, "--run", folder)
    assert result.returncode == 0, result.stderr
    return folder, result.stderr


def test_run_folder_explains_itself(smoke):
    folder, _ = smoke
    assert (folder / "config.toml").read_bytes() == SMOKE.read_bytes()
    again = run("config", folder / "resolved.toml")
    assert again.returncode == 0
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["name"] == "smoke"
    assert provenance["libraries"]["mujoco"] == "3.17.0"
    assert len(provenance["executable"]["sha256"]) == len(provenance["model_xml"]["sha256"]) == 64
    assert provenance["arguments"][1:] == [str(SMOKE), "--run", str(folder)]
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "finished" and status["env_steps"] == 2000
    assert list(folder.glob("events.out.tfevents.*"))


@pytest.mark.parametrize("name", ["train.csv", "episodes.csv", "eval.csv"])
def test_every_column_is_in_the_glossary(smoke, name):
    with open(smoke[0] / name, newline="") as file:
        header = next(csv.reader(file))
    terms = [column for column in header if column.startswith("episode_reward")]
    assert header == COLUMNS[name] + terms
    assert bool(terms) == (name == "episodes.csv")


def test_reward_terms_add_up_to_the_return(smoke):
    episodes = rows(smoke[0] / "episodes.csv")
    assert episodes
    for row in episodes:
        terms = [float(value) for column, value in row.items() if column.startswith("episode_reward")]
        assert sum(terms) == pytest.approx(float(row["episode_return"]), abs=1e-6)


def test_counts_are_exact(smoke):
    train, evaluations, episodes = (rows(smoke[0] / f"{n}.csv") for n in ("train", "eval", "episodes"))
    assert [int(r["env_steps"]) for r in evaluations] == [0, 1000, 2000]
    # 104 is the first multiple of 8 environments in the second period of 100
    assert int(train[0]["env_steps"]) == 104 and int(train[-1]["env_steps"]) == 2000
    assert train[-1]["gradient_updates"] == "750" and train[-1]["replay_ratio"] == "0.5"
    status = json.loads((smoke[0] / "status.json").read_text())
    assert status["gradient_updates"] == 750  # 0.5 * (2000 - 500), drained
    lengths = sum(int(r["episode_length"]) for r in episodes)
    assert 2000 - 8 * 100 < lengths <= 2000


def test_progress_is_plain_lines_without_a_terminal(smoke):
    lines = smoke[1].splitlines()
    assert "warning" not in smoke[1] and rows(smoke[0] / "train.csv")[-1]["sim_warnings"] == "0"
    assert any("2,000/2,000" in line for line in lines) and "\r" not in smoke[1] and "\x1b" not in smoke[1]


def test_the_same_seed_gives_the_same_files(smoke, tmp_path):
    result = run("train", SMOKE, "--run", tmp_path / "again", "--set", "sim.num_threads=3", "--set", "evaluation.period=0")
    assert result.returncode == 0, result.stderr
    assert rows(tmp_path / "again" / "eval.csv") == []
    first, again = (f.joinpath("policy.safetensors").read_bytes() for f in (smoke[0], tmp_path / "again"))
    assert first == again
    clock = {"wall_time_s", "env_steps_per_s", "updates_per_s", "memory_mib"}
    for name in ("train.csv", "episodes.csv"):
        for a, b in zip(rows(smoke[0] / name), rows(tmp_path / "again" / name), strict=True):
            assert {k: v for k, v in a.items() if k not in clock} == {k: v for k, v in b.items() if k not in clock}


def test_evaluate_repeats_the_last_evaluation(smoke):
    result = run("evaluate", smoke[0], "--episodes", 2, "--json")
    assert result.returncode == 0, result.stderr
    answer, last = json.loads(result.stdout), rows(smoke[0] / "eval.csv")[-1]
    assert answer["return_mean"] == float(last["return_mean"]) and answer["num_episodes"] == 2
    text = run("evaluate", smoke[0], "--episodes", 3, "--stochastic", "--seed", 5).stdout
    assert text.count("episode ") == 3 and "stochastic policy, 3 episodes" in text


def test_the_policy_is_readable_without_us(smoke):
    data = (smoke[0] / "policy.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    entry = header["actor.hidden_0.weight"]
    assert entry["dtype"] == "F32" and entry["shape"] == [1, 1, 64, 27]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    weight = np.frombuffer(data[begin:end], "<f4")
    assert np.isfinite(weight).all() and weight.std() > 0.01


def test_an_existing_run_is_never_overwritten(smoke):
    before = (smoke[0] / "train.csv").read_bytes()
    assert_fails(run("train", SMOKE, "--run", smoke[0]), 2, smoke[0])
    assert (smoke[0] / "train.csv").read_bytes() == before


def test_the_last_line_says_what_to_do_next(smoke):
    assert smoke[1].splitlines()[-1] == f"anthill: finished; try: anthill evaluate {smoke[0]}"


def test_config_finds_an_unknown_task(tmp_path):
    (tmp_path / "x.toml").write_text('[sim]\nenv = "Ant-v9"\n')
    assert_fails(run("config", tmp_path / "x.toml"), 2, "Ant-v9", "did you mean")


def test_default_run_folder(tmp_path):
    config = SMOKE.resolve()
    result = run("train", config, "--set", "training.total_env_steps=600", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"smoke-\d{8}-\d{6}", folder.name)
    # of two in one second, each has its own
    taken = [tmp_path / time.strftime("runs/smoke-%Y%m%d-%H%M%S", time.gmtime(time.time() + second)) for second in range(60)]
    for path in taken:
        path.mkdir(exist_ok=True)
    assert run("train", config, "--set", "training.total_env_steps=600", cwd=tmp_path).returncode == 0
    (another,) = set((tmp_path / "runs").iterdir()) - {folder, *taken}
    assert re.fullmatch(r"smoke-\d{8}-\d{6}-2", another.name)


def start(folder, *settings):
    command = [BIN / "anthill", "train", SMOKE, "--run", folder, "--set", "training.total_env_steps=100000000"]
    command += [word for setting in settings for word in ("--set", setting)]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 120
    while not (folder / "train.csv").is_file() or len((folder / "train.csv").read_text().splitlines()) < 3:
        assert process.poll() is None and time.time() < deadline, process.stderr.read()
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_cleanly(tmp_path, number):
    process = start(tmp_path / "run")
    process.send_signal(number)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 3, stderr
    assert f"stopped by {number.name}" in stderr
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert status["state"] == "stopped"
    last = rows(tmp_path / "run" / "train.csv")[-1]
    assert int(last["env_steps"]) == status["env_steps"]
    assert run("evaluate", tmp_path / "run", "--episodes", 1).returncode == 0


def test_a_diverging_learner_is_reported(tmp_path):
    result = run("train", SMOKE, "--run", tmp_path / "run", "--set", "sim.ant.healthy_reward=1e30")
    assert result.returncode == 4 and "diverged" in result.stderr
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "diverged"


@pytest.mark.parametrize(
    "settings, words",
    [
        (["sim.env=\"Ant-v9\""], ["sim.env", "Ant-v9", "Ant-v5"]),
        (["agent.algorithm=\"sax\""], ["agent.algorithm", "sax", "sac"]),
        (["sim.env=\"CartPole-v1\""], ["agent.algorithm", "sac", "2 discrete"]),
        (["sim.num_envs=0"], ["sim.num_envs"]),
        (["sim.num_envs=1000000000"], ["sim.num_envs"]),
        (["training.batch_size=100000"], ["training.batch_size", "buffer.capacity"]),
        (["training.learning_starts=5000"], ["training.learning_starts", "training.total_env_steps"]),
        (["run.device=\"cuda\""], ["run.device", "cuda"]),
        (["sim.ant.frame_skip=4"], ["sim.ant.frame_skip", "Ant-v4"]),
        (["training.replay_ratoi=1"], ["replay_ratoi", "did you mean 'replay_ratio'"]),
    ],
)
def test_wrong_settings_start_nothing(tmp_path, settings, words):
    extra = [word for setting in settings for word in ("--set", setting)]
    assert_fails(run("train", SMOKE, "--run", tmp_path / "run", *extra), 2, *words)
    assert not (tmp_path / "run").exists()


def test_more_threads_than_cores_work_and_warn(tmp_path):
    result = run("train", SMOKE, "--run", tmp_path / "run", "--set", "sim.num_threads=64", "--set", "training.total_env_steps=600")
    assert result.returncode == 0 and "sim.num_threads" in result.stderr


def test_run_folders_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert_fails(run("train", SMOKE, "--run", tmp_path / "file" / "run"), 2, tmp_path / "file")
    assert_fails(run("train", SMOKE, "--run", "/proc/anthill"), 2, "/proc/anthill")
    assert_fails(run("train", SMOKE, "--run", tmp_path / "file"), 2, tmp_path / "file")


def test_evaluate_says_what_is_wrong_with_a_folder(tmp_path, smoke):
    assert_fails(run("evaluate", tmp_path), 2, tmp_path)
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "resolved.toml").write_bytes((smoke[0] / "resolved.toml").read_bytes())
    assert_fails(run("evaluate", folder), 2, "policy.safetensors")
    (folder / "policy.safetensors").write_bytes((smoke[0] / "policy.safetensors").read_bytes()[:-5])
    assert_fails(run("evaluate", folder), 2, "policy.safetensors")
    assert_fails(run("evaluate", smoke[0], "--set", "actor.hidden_dims=[32]"), 2, "policy.safetensors")
