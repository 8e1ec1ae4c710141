"""`pip install .` from the checkout: the package is complete, and works away from checkout and build."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEP = """
import sys
import anthill, numpy
assert anthill.__file__.startswith(sys.argv[1]), anthill.__file__
envs = anthill.make_vec("Ant-v5", 3, 1)
observation, _ = envs.reset(seed=0)
envs.step(envs.action_space.sample())
assert observation.shape == (3, 105) and numpy.isfinite(observation).all()
assert anthill.read_run(sys.argv[2]).train.env_steps.is_monotonic_increasing
print(anthill.__version__)
"""


def pip(*arguments):
    environment = os.environ | {"CMAKE_BUILD_PARALLEL_LEVEL": os.environ.get("ANTHILL_JOBS", "2"),
                                "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}  # fmt: skip
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_pip_install(tmp_path):
    # no network: what the build needs is in the checkout's environment, and ccache knows most of it
    build = ROOT / "build/wheel-test"
    result = pip("--target", tmp_path / "site", "--config-settings", f"build-dir={build}", ".")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    shutil.rmtree(build)  # nothing of it is used any more
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    run = ROOT / "docs/results/first_figure/rr1"
    stepped = subprocess.run(
        [sys.executable, "-c", STEP, tmp_path / "site", run], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (stepped.returncode, stepped.stdout, stepped.stderr) == (0, "0.1.0\n", "")
