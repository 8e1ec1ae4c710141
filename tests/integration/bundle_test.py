"""scripts/bundle: what it makes runs from another folder, with no path of this checkout, beside LibTorch's libraries alone."""

import os
import pathlib
import subprocess
import sys

import pytest
from anthill_command import BIN

TORCH_LIB = next(pathlib.Path(".venv/lib").resolve().glob("python3*/site-packages/torch/lib"))
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TORCH_LIB": str(TORCH_LIB)}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere") / "anthill"
    made = subprocess.run(["scripts/bundle", "--from", BIN.parent, folder], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    again = subprocess.run(["scripts/bundle", "--from", BIN.parent, folder], capture_output=True, text=True)
    assert again.returncode == 1 and "exists; choose another folder" in again.stderr
    return folder


def run(command, folder, environment=None):
    environment = environment or ENVIRONMENT
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_it_is_small_and_whole(bundle):
    assert sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) <= 64 << 20
    checkout = str(pathlib.Path.cwd())
    for file in [*bundle.glob("bin/anthill*"), *bundle.glob("tests/*")]:
        dynamic = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True).stdout
        assert checkout not in dynamic, file
    assert (bundle / "bin/assets/ant.xml").exists() and (bundle / "configs/ant_sac.toml").exists()
    version = (bundle / "VERSION").read_text()
    assert version.startswith("anthill ") and "needs LibTorch 2.11.0 and GLIBC_2." in version
    # the comparison that check.sh makes on a GPU names the commit of the bundle
    told = run([sys.executable, "-B", "-c", "import compare; print(compare.commit())"], bundle / "scripts/peers")
    assert f"commit {told.stdout.strip()}" in version and len(told.stdout) > 5, told.stderr
    assert (bundle / "scripts/peers/compiled_sac.py").exists()
    assert (bundle / "licenses/mujoco").exists() and (bundle / "licenses/anthill").exists()


def test_it_trains_from_anywhere(bundle, tmp_path):
    moved = tmp_path / "moved"
    bundle.rename(moved)
    try:
        libraries = run(["ldd", moved / "bin/anthill-train"], tmp_path, {**ENVIRONMENT, "LD_LIBRARY_PATH": str(TORCH_LIB)})
        assert "not found" not in libraries.stdout, libraries.stdout
        assert f"libmujoco.so.3.17.0 => {moved}/bin/../lib" in libraries.stdout, libraries.stdout
        trained = run([moved / "anthill", "train", moved / "configs/smoke.toml", "--run", "run"], tmp_path)
        assert trained.returncode == 0, trained.stderr
        assert f"{moved}/bin/assets" in (tmp_path / "run/provenance.json").read_text()
    finally:
        moved.rename(bundle)


def test_check_writes_one_file(bundle, tmp_path):
    checked = run([bundle / "check.sh", "--seconds", "0.2", "result.txt"], tmp_path)
    text = (tmp_path / "result.txt").read_text()
    assert checked.returncode == 0 and "RESULT: passed" in text, text + checked.stderr
    for part in ("training", "members", "evaluation", "cpu.learner", "cpu.members", "cpu.buffer", "cpu.env", "train"):
        assert f"== {part}: passed" in text, text
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]


def test_what_is_missing_is_said(bundle, tmp_path):
    refused = run([bundle / "anthill", "--version"], tmp_path, {**ENVIRONMENT, "TORCH_LIB": "/nowhere"})
    assert refused.returncode == 2 and "set TORCH_LIB" in refused.stderr
    broken = run([bundle / "check.sh", "--seconds", "0.01", "result.txt"], tmp_path)
    assert broken.returncode == 1 and "RESULT: FAILED" in (tmp_path / "result.txt").read_text()
