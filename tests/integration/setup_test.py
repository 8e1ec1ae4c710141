"""scripts/setup: each failure is one line that says what to do, and a second run does nothing.

Every run sees a PATH of links to harmless tools and of stand-ins for those that would install.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("awk basename bash cat cut date df dirname env flock grep id mkdir nproc readlink rm sed "
         "sha256sum sort tail tr uname wc").split()
# a Python that makes the smallest .venv, whose pip obeys $PIP_SAYS
PYTHON = """#!/usr/bin/env bash
case "$*" in
  -V) echo 'Python 3.11.2' ;;
  *'-m venv --clear'*)
    mkdir -p "${@: -1}/bin" || exit 1
    echo "command = $0 $*" >"${@: -1}/pyvenv.cfg"
    cat "$0" >"${@: -1}/bin/python" && chmod +x "${@: -1}/bin/python" ;;
  *'-m pip install'*)
    echo "pip $*" >>"$CALLS"
    [ -z "$PIP_SAYS" ] || { echo "$PIP_SAYS"; exit 1; } ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with only what scripts/setup reads, and bin/ for its PATH."""
    top = tmp_path / "anthill with a space"
    (top / "scripts").mkdir(parents=True)
    for name in ("setup", "common.sh", "requirements.txt"):
        shutil.copy(ROOT / "scripts" / name, top / "scripts" / name)
    (tmp_path / "bin").mkdir()
    for tool in (*TOOLS, "chmod"):
        path = shutil.which(tool)
        assert path, f"{tool} is not on PATH"
        (tmp_path / "bin" / tool).symlink_to(path)
    stand_in(top, "g++", "echo 12")
    stand_in(top, "python3", PYTHON)
    stand_in(top, "dpkg-query", "echo installed")
    stand_in(top, "apt-get", "exit 100")
    stand_in(top, "nvidia-smi", "exit 1")
    stand_in(top, "id", "case $1 in -u) echo 1000 ;; *) echo somebody ;; esac")
    return top


def stand_in(top: Path, name: str, text: str) -> None:
    tool = top.parent / "bin" / name
    tool.unlink(missing_ok=True)
    tool.write_text(text if text.startswith("#!") else f"#!/usr/bin/env bash\n{text}\n")
    tool.chmod(0o755)


def setup(top: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Exit status and what a user sees, line by line."""
    tools = top.parent / "bin"
    result = subprocess.run(
        [top / "scripts/setup", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, cwd=top.parent,
        env={"PATH": str(tools), "PYTHON": str(tools / "python3"), "PIP_SAYS": "",
             "CALLS": str(top.parent / "calls"), "TMPDIR": str(top.parent), **environment})
    assert result.stdout == ""
    return result.returncode, result.stderr.splitlines()


def fails(top: Path, *words: str, progress: int = 0, **environment: str) -> None:
    """Setup fails, and after `progress` lines one line holds all `words`."""
    status, lines = setup(top, **environment)
    assert status == 1
    assert len(lines) == progress + 1, lines
    for word in words:
        assert word in lines[-1]
    assert not (top / ".venv/anthill-setup").exists()


def calls(top: Path) -> list[str]:
    log = top.parent / "calls"
    return log.read_text().splitlines() if log.exists() else []


def test_a_second_run_does_nothing(checkout: Path) -> None:
    status, lines = setup(checkout)
    assert status == 0, lines
    assert lines[-1].startswith("setup: ready after")
    assert len(calls(checkout)) == 1
    stand_in(checkout, "g++", "exit 1")  # nor does it look at anything again
    assert setup(checkout) == (0, [])
    assert len(calls(checkout)) == 1


def test_changed_pins_install_again(checkout: Path) -> None:
    setup(checkout)
    pins = checkout / "scripts/requirements.txt"
    pins.write_text(pins.read_text().replace("numpy==", "numpy==9."))
    status, lines = setup(checkout)
    assert status == 0, lines
    assert len(calls(checkout)) == 2
    assert "numpy==9." in (checkout / ".venv/wanted.txt").read_text()


def test_a_moved_checkout_makes_its_venv_anew(checkout: Path) -> None:
    setup(checkout)
    moved = checkout.rename(checkout.parent / "elsewhere")
    status, lines = setup(moved)
    assert status == 0, lines
    assert f"making {moved}/.venv" in lines[0]
    assert setup(moved) == (0, [])


def test_without_a_driver_no_gpu_wheels(checkout: Path) -> None:
    setup(checkout)
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has an NVIDIA driver")
    wanted = (checkout / ".venv/wanted.txt").read_text()
    assert "nvidia-cuda-runtime==" in wanted
    assert "nvidia-cudnn" not in wanted


def test_gpu_wheels_serve_both_kinds_of_machine(checkout: Path) -> None:
    assert setup(checkout, "--gpu")[0] == 0
    assert "nvidia-cudnn" in (checkout / ".venv/wanted.txt").read_text()
    assert setup(checkout) == (0, [])


def test_own_installations_skip_their_wheels(checkout: Path) -> None:
    status, lines = setup(checkout, "--gpu", TORCH_ROOT="/a", MUJOCO_ROOT="/b",
                          THRUST_INCLUDE_DIR="/c")
    assert status == 0, lines
    wanted = (checkout / ".venv/wanted.txt").read_text()
    assert "gymnasium==" in wanted
    for name in ("torch==", "mujoco==", "nvidia-"):
        assert name not in wanted


def test_no_compiler(checkout: Path) -> None:
    (checkout.parent / "bin/g++").unlink()
    fails(checkout, "g++ is not on PATH", "install g++ 12")


def test_old_compiler(checkout: Path) -> None:
    stand_in(checkout, "g++", "echo 9.4.0")
    fails(checkout, "g++ 9.4.0 is too old", "install g++ 12")


def test_old_python(checkout: Path) -> None:
    stand_in(checkout, "python3", "exit 1")
    fails(checkout, "is not Python 3.11", "PYTHON=")


def test_missing_packages_without_root(checkout: Path) -> None:
    stand_in(checkout, "dpkg-query", 'case "$*" in *cli11*) exit 1 ;; *) echo installed ;; esac')
    fails(checkout, "run: sudo apt-get install libcli11-dev")


def test_failing_apt_get(checkout: Path) -> None:
    stand_in(checkout, "dpkg-query", "exit 1")
    stand_in(checkout, "id", "echo 0")
    fails(checkout, "could not install g++", "check network", "setup.log", progress=1)


@pytest.mark.parametrize(("says", "words"), [
    ("WARNING: Retrying after connection broken by 'NewConnectionError'\n"
     "ERROR: No matching distribution found for torch==2.11.0", ("check network", "setup.log")),
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
     ("disk full", "make room")),
    ("ERROR: No matching distribution found for numpy==2.4.6",
     ("no wheel of 'numpy==2.4.6'", "set PYTHON")),
    ("ERROR: something else", ("something else", "setup.log")),
])
def test_failing_pip(checkout: Path, says: str, words: tuple[str, ...]) -> None:
    fails(checkout, *words, progress=2, PIP_SAYS=says)
    assert setup(checkout)[0] == 0  # the next run goes on from there


def test_nearly_full_disk(checkout: Path) -> None:
    stand_in(checkout, "df", "echo 'x'; echo '/dev/x 9 9 1048576 90% /'")
    fails(checkout, "1 GiB free", "make room")


def test_unwritable_venv(checkout: Path) -> None:
    (checkout / ".venv").write_text("a file where the folder goes")
    fails(checkout, "could not make", ".venv", "remove it or make it writable", progress=1)


def test_unwritable_checkout(checkout: Path) -> None:
    (checkout / "build").write_text("a file where the folder goes")
    fails(checkout, "cannot write", "make")


def test_unknown_argument(checkout: Path) -> None:
    assert setup(checkout, "--fast")[0] == 1
    assert os.listdir(checkout) == ["scripts"]
