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


@pytest.mark.parametrize("settings", [
    (), ("actor.layer_norm=true", "actor.residual=true", "actor.activation=elu"),
    ("actor.layer_norm=true", "actor.layer_norm_placement=after_activation", "actor.unit_features=true"),
], ids=str)  # fmt: skip
def test_a_policy_in_pytorch(tmp_path, settings):
    python_with("torch")
    arguments = ["--set", "training.total_env_steps=300", "--set", "training.learning_starts=100",
                 "--set", "training.random_steps=100", "--set", "evaluation.period=300", "--set", "log.period=300"]  # fmt: skip
    for setting in settings:
        arguments += ["--set", setting]
    trained = run("train", "configs/pendulum_sac.toml", "--run", tmp_path / "run", *arguments)
    assert trained.returncode == 0, trained.stderr
    output = run_example("torch", "load_policy_pytorch.py", tmp_path / "run", "--episodes", 2)
    assert output.startswith("return -") and float(output.rsplit(" ", 1)[1]) < 1e-5
    assert np.isfinite(float(output.split()[1]))
