"""Runs the built commands; shared by the integration tests."""

import os
import pathlib
import subprocess

import numpy as np

BIN = pathlib.Path(os.environ["ANTHILL_BIN_DIR"])


def run(*arguments, **options):
    """`anthill ARGUMENTS` with its output captured as text."""
    command = [str(BIN / "anthill"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def libraries(program):
    """The names of the shared libraries that `program` loads, a set: ldd's addresses are left out, hexadecimal
    digits spell names such as c10."""
    lines = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {pathlib.Path(line.split()[0]).name for line in lines}


def assert_fails(result, code, *words):
    """The command ended with `code` and one line on stderr that holds all the words."""
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("anthill: ") and result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert str(word) in result.stderr, result.stderr


def rollout(folder, env, num_envs, seed, actions=None, steps=None, settings=(), threads=1):
    """Runs `anthill rollout`; returns its arrays as a dict and what it said on stderr."""
    output = pathlib.Path(folder) / "rollout.npz"
    output.unlink(missing_ok=True)
    arguments = ["rollout", "--env", env, "--num-envs", num_envs, "--seed", seed]
    arguments += ["--num-threads", threads, "--output", output]
    if actions is not None:
        np.save(pathlib.Path(folder) / "actions.npy", actions)
        arguments += ["--actions", pathlib.Path(folder) / "actions.npy"]
    if steps is not None:
        arguments += ["--steps", steps]
    for setting in settings:
        arguments += ["--set", setting]
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    with np.load(output) as archive:
        return {name: archive[name] for name in archive.files}, result.stderr
