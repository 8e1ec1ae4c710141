"""The examples run for a few steps where their libraries are installed (PyTorch, Stable-Baselines3)."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from anthill_command import run

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anthill/peers/bin/python"


@functools.cache
def python_with(module):
    """A Python that can import `module`: this one, or that of scripts/bench_peers."""
    for python in (sys.executable, str(PEERS)):
        if Path(python).exists():
            found = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
            if found.returncode == 0:
                return python
    pytest.skip(f"no Python here can import {module}; scripts/bench_peers --install-only installs one that can")


def run_example(module, name, *arguments):
    result = subprocess.run(
        [python_with(module), ROOT / "examples" / name, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_sac_in_pytorch():
    arguments = ["--num-envs", 4, "--num-threads", 2, "--steps", 1000, "--learning-starts", 900, "--batch-size", 16]
    output = run_example("torch", "sac_pytorch.py", *arguments)
    assert "env step 800, 4 episodes: return -" in output


def test_sac_in_pytorch_learns_from_float64_observations():
    arguments = ["--env", "InvertedPendulum-v5", "--steps", 300, "--learning-starts", 200, "--batch-size", 16]
    assert "episodes: return" in run_example("torch", "sac_pytorch.py", *arguments)


def test_stable_baselines3():
    arguments = ["--num-envs", 2, "--num-threads", 2, "--steps", 500, "--learning-starts", 450, "--episodes", 2]
    output = run_example("stable_baselines3", "stable_baselines3_sac.py", *arguments)
    assert "after 500 env steps: return -" in output


def test_learning_curves_of_stable_baselines3():
    script = ROOT / "scripts/peers/learning_curve.py"
    words = ["--env", "Pendulum-v1", "--env-steps", "400", "--learning-starts", "300", "--period", "200", "--episodes", "2"]
    for algorithm in ("sac", "td3"):
        command = [python_with("stable_baselines3"), str(script), "sb3", algorithm, *words]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        rows = [line.split(",") for line in result.stdout.splitlines()]
        assert rows[0] == ["env_steps", "return_mean", "return_std"] and [row[0] for row in rows[1:]] == ["200", "400"]
        assert all(-2000 < float(row[1]) < 0 for row in rows[1:])


STAND_IN = """
class TD3:
    def __init__(self, observations, actions, limit, policy_noise, noise_clip): self.limit, self.updates = limit, 0
    def select_action(self, observation): return [self.limit]
    def train(self, replay, batch): self.updates += 1; assert len(replay.rows) == 100 + self.updates
"""
REPLAY = """
class ReplayBuffer:
    def __init__(self, observations, actions): self.rows = []
    def add(self, *row): self.rows.append(row); assert row[4] == 0.0
"""


def test_the_loop_around_the_authors_td3(tmp_path):
    """With a stand-in that counts: an update a step from learning_starts on, time limits never terminal."""
    script = [python_with("torch"), str(ROOT / "scripts/peers/authors_td3.py"), str(tmp_path)]
    words = ["--env", "Pendulum-v1", "--env-steps", "400", "--learning-starts", "100", "--period", "200", "--episodes", "2"]
    refused = subprocess.run([*script, *words], capture_output=True, text=True, timeout=300)
    assert refused.returncode == 2 and "has no TD3.py; give a checkout" in refused.stderr
    (tmp_path / "TD3.py").write_text(STAND_IN)
    (tmp_path / "utils.py").write_text(REPLAY)
    result = subprocess.run([*script, *words], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == ["env_steps", "200", "400"]


DDPG = ("agent.algorithm=ddpg", "agent.preset=sb3", "actor.output=linear")


def train_briefly(folder, config, *settings):
    arguments = ["--set", "training.total_env_steps=300", "--set", "training.learning_starts=100",
                 "--set", "training.random_steps=100", "--set", "evaluation.period=300", "--set", "log.period=300"]  # fmt: skip
    for setting in settings:
        arguments += ["--set", setting]
    trained = run("train", f"configs/{config}.toml", "--run", folder, *arguments)
    assert trained.returncode == 0, trained.stderr


@pytest.mark.parametrize(("config", "settings"), [
    ("pendulum_sac", ()), ("pendulum_sac", ("actor.layer_norm=true", "actor.residual=true", "actor.activation=elu")),
    ("pendulum_sac", ("actor.layer_norm=true", "actor.layer_norm_placement=after_activation", "actor.unit_features=true")),
    ("pendulum_sac", ("actor.distribution=clipped_gaussian",)),
    ("pendulum_sac", ("actor.distribution=clipped_gaussian", "agent.action_units=environment")),
    ("pendulum_sac", ("actor.distribution=gsde", "actor.unit_features=true")),
    ("pendulum_td3", ()), ("pendulum_td3", DDPG), ("pendulum_td3", (*DDPG, "agent.action_units=environment")),
], ids=str)  # fmt: skip
def test_a_policy_in_pytorch(tmp_path, config, settings):
    python_with("torch")
    train_briefly(tmp_path / "run", config, *settings)
    output = run_example("torch", "load_policy_pytorch.py", tmp_path / "run", "--episodes", 2)
    assert output.startswith("return -") and float(output.rsplit(" ", 1)[1]) < 1e-5
    assert np.isfinite(float(output.split()[1]))


def fails(folder, *arguments):
    """The one line on stderr of an example that ends with code 1."""
    command = [python_with("torch"), *arguments, folder, "--episodes", "1"]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_another_policy_is_no_success(tmp_path):
    python_with("torch")
    train_briefly(tmp_path / "run", "cartpole_dqn")
    assert "dqn has no actor; give a run of sac, td3 or ddpg" in fails(tmp_path / "run", ROOT / "examples/load_policy_pytorch.py")
    assert "resolved.toml" in fails(tmp_path, ROOT / "examples/load_policy_pytorch.py")
    # a forward pass that is not the run's
    train_briefly(tmp_path / "sac", "pendulum_sac")
    wrong = (
        "import sys, runpy, torch; torch.nn.ReLU = torch.nn.Tanh; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    assert "this is another policy" in fails(tmp_path / "sac", "-c", wrong, ROOT / "examples/load_policy_pytorch.py")
