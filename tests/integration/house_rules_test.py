"""The house rules of DESIGN.md and CONTRIBUTING.md that a program can check."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("sim", "buffers", "algos", "configs", "apps", "python", "tests")
MAX_LINES = {".py": 350}  # every other source: 300

# each dependency's headers, and the rooms that may include them
DEPENDENCIES = {
    r"mujoco/|box2d/": {"sim", "tests"},
    r"thrust/|cub/|cuda/std|nvtx": {"buffers", "tests"},
    r"cuda_runtime": {"buffers", "tests"},
    r"torch/|ATen/|c10/": {"algos", "tests"},
    r"toml\+\+/|toml\.hpp": {"configs", "tests"},
    r"nlohmann/": {"algos", "apps", "tests"},
    r"openssl/": {"algos"},
    r"boost/": {"tests"},
    r"CLI/": {"apps"},
    r"nanobind/|Python\.h": {"python"},
    r"png\.h|zlib\.h": {"sim"},
    r"(GL|EGL|GLES\d?|KHR)/": set(),  # graphics libraries are looked for at run time
}
# standard-library-only headers that every room may share: the error type and its wording
SHARED = r"sim/(errors|nearest_name)\.hpp"
# what a room may include of the other rooms
DOWNWARD = {
    "sim": r"sim/",
    "buffers": rf"buffers/|sim/transition\.hpp|{SHARED}",
    "algos": r"algos/|buffers/|sim/",
    "configs": rf"configs/|(sim|buffers|algos)/(\w+/)?\w+_config\.hpp|{SHARED}",
    "apps": r"apps/|configs/|algos/|buffers/|sim/|generated/",
    # on the roof, but linked with these two alone
    "python": r"python/|configs/|sim/",
    "tests": r"tests/|apps/|configs/|algos/|buffers/|sim/|generated/",
}


def project_files() -> list[Path]:
    """Every file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


FILES = project_files()
SOURCES = [file for file in FILES if file.suffix in {".cpp", ".hpp", ".cu", ".cuh"}]
PYTHON = [file for file in FILES if file.suffix == ".py"]


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def is_text(file: Path) -> bool:
    return b"\0" not in file.read_bytes()[:4096]


def shell_scripts() -> list[Path]:
    return [file for file in FILES if is_text(file)
            and file.read_text(errors="replace").startswith("#!/usr/bin/env bash")]


def breaches(name: str, text: str) -> list[str]:
    """The includes of one source file that its room may not have."""
    room = name.split("/")[0]
    found = []
    for bracket, header in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.M):
        where = f"{name}: {bracket}{header}"
        for pattern, rooms in DEPENDENCIES.items():
            if re.match(pattern, header) and room not in rooms and not (
                    # algos/ may hold kernels of its own
                    pattern == "cuda_runtime" and name.startswith("algos/")
                    and (name.endswith(".cu") or "_cuda" in name)):
                found.append(f"{where} does not belong in {room}/")
        if bracket == '"' and room in DOWNWARD and not re.match(DOWNWARD[room], header):
            found.append(f"{where} points up, or is not relative to the root")
        if header == "png.h" and not name.startswith("sim/render_"):
            found.append(f"{where} belongs in sim/render_*")
        if header.startswith("sim/render_") and not name.startswith(("sim/render_", "apps/render", "tests/")):
            found.append(f"{where}: only anthill render draws")
        if name.endswith(".cu") and re.match(r"torch/|ATen/|c10/|algos/tensor", header):
            found.append(f"{where}: no LibTorch under nvcc")
    return found


def test_includes_stay_in_their_rooms() -> None:
    assert SOURCES
    assert [line for file in SOURCES for line in breaches(relative(file), file.read_text())] == []


@pytest.mark.parametrize(("name", "include", "allowed"), [
    ("sim/ant.cpp", "<mujoco/mujoco.h>", True),
    ("algos/agents/sac.cpp", "<mujoco/mujoco.h>", False),
    ("buffers/ring.cu", "<thrust/for_each.h>", True),
    ("buffers/ring.cu", "<ATen/ATen.h>", False),
    ("algos/networks/kernels.cu", "<cuda_runtime.h>", True),
    ("algos/networks/kernels.cu", '"algos/tensor.hpp"', False),
    ("sim/ant.cpp", '"buffers/staging.hpp"', False),
    ("buffers/staging.cpp", '"sim/transition.hpp"', True),
    ("buffers/staging.cpp", '"sim/env.hpp"', False),
    ("configs/fields.cpp", '"algos/agents/agent_config.hpp"', True),
    ("configs/fields.cpp", '"algos/agents/agent.hpp"', False),
    ("apps/train.cpp", '"configs/experiment.hpp"', True),
    ("apps/train.cpp", '"experiment.hpp"', False),
    ("apps/bench.cpp", "<ATen/Parallel.h>", False),
    ("apps/bench.cpp", "<nlohmann/json.hpp>", True),
    ("configs/fields.cpp", "<nlohmann/json.hpp>", False),
    ("apps/train.cpp", "<openssl/evp.h>", False),
    ("algos/training/trainer.cpp", "<CLI/CLI.hpp>", False),
    ("python/module.cpp", "<nanobind/nanobind.h>", True),
    ("sim/vector_env.cpp", "<nanobind/nanobind.h>", False),
    ("python/module.cpp", '"sim/vector_env.hpp"', True),
    ("python/module.cpp", '"algos/agents/agent.hpp"', False),
    ("python/module.cpp", "<mujoco/mujoco.h>", False),
    ("sim/render_image.cpp", "<png.h>", True),
    ("sim/ant.cpp", "<png.h>", False),
    ("apps/render.cpp", "<png.h>", False),
    ("sim/render_context.cpp", "<EGL/egl.h>", False),
    ("apps/render.cpp", '"sim/render_scene.hpp"', True),
    ("apps/train.cpp", '"sim/render_scene.hpp"', False),
    ("sim/vector_env.cpp", '"sim/render_scene.hpp"', False),
])
def test_the_include_rule_itself(name: str, include: str, allowed: bool) -> None:
    assert (breaches(name, f"#include {include}\n") == []) == allowed


def test_every_source_is_in_a_room() -> None:
    places = (*ROOMS, "scripts/cmake")
    assert [relative(file) for file in SOURCES if not relative(file).startswith(places)] == []


def test_sources_are_formatted() -> None:
    formatter = ROOT / ".venv/bin/clang-format"
    assert formatter.exists(), f"{formatter} is missing; run scripts/setup"
    result = subprocess.run([formatter, "--dry-run", "--Werror", *SOURCES],
                            cwd=ROOT, capture_output=True, text=True)
    unformatted = sorted(set(re.findall(r"([^\s:]+):\d+:\d+: error", result.stderr)))
    assert (result.returncode, unformatted) == (0, []), \
        "run .venv/bin/clang-format -i on these files"


def test_files_are_short() -> None:
    long = {relative(file): lines for file in [*SOURCES, *PYTHON]
            if (lines := len(file.read_text().splitlines())) > MAX_LINES.get(file.suffix, 300)}
    assert long == {}, "split what is longer than 300 lines (350 in Python)"


def test_no_forbidden_words() -> None:
    # spelled in pieces, so that this file passes its own test
    unfinished = r"\b(?:" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK", "TEMPO" "RARY"))
    workplace = r"/wo" r"rk/|/ro" r"ot/"
    hosts = r"(?:py" r"pi\.org|python" r"hosted\.org|deb\.deb" r"ian\.org|down" r"load\.pytorch)"
    forbidden = re.compile(rf"{unfinished})\b|{workplace}|{hosts}")
    found = [f"{relative(file)}:{number}: {line.strip()[:80]}"
             for file in FILES if is_text(file)
             for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
             if forbidden.search(line)]
    assert found == []


def test_every_test_file_is_registered() -> None:
    """CMake's glob takes tests/<room>/*_test.cpp; pytest files are named in a tests.cmake."""
    cmake = (ROOT / "tests/CMakeLists.txt").read_text()
    cmake_lists = [cmake, *(file.read_text() for file in FILES if file.name == "tests.cmake")]
    rooms = re.findall(r"anthill_room_tests\((\w+)", cmake)
    orphans = []
    for file in FILES:
        parts = relative(file).split("/")
        if parts[0] != "tests":
            continue
        if file.name.endswith("_test.cpp") and not (len(parts) == 3 and parts[1] in rooms):
            orphans.append(relative(file))
        if file.name.endswith("_test.py") and not any(
                re.search(rf"\b{re.escape(file.name)}\b", text) for text in cmake_lists):
            orphans.append(relative(file))
        if file.suffix == ".cpp" and "BOOST_TEST_MODULE" in file.read_text() and not \
                file.name.endswith("_test.cpp"):
            orphans.append(f"{relative(file)}: its name does not end in _test.cpp")
    assert orphans == []


def test_scripts_are_sound() -> None:
    scripts = shell_scripts()
    assert {"scripts/setup", "scripts/train", "scripts/test", ".ci/run"} <= {*map(relative, scripts)}
    for script in scripts:
        assert os.access(script, os.X_OK), f"chmod +x {relative(script)}"
        parsed = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
        assert (parsed.returncode, parsed.stderr) == (0, "")
    if shutil.which("shellcheck"):
        checked = subprocess.run(["shellcheck", "-x", "-P", "scripts", *scripts],
                                 cwd=ROOT, capture_output=True, text=True)
        assert (checked.returncode, checked.stdout) == (0, "")


def test_the_pins_are_exact_and_complete() -> None:
    lines = (ROOT / "scripts/requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+(  # gpu)?", pin)] == []
    names = [pin.split("==")[0].lower() for pin in pins]
    assert sorted(names) == sorted(set(names))


def readme_commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    text = "".join(blocks).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]


def test_the_readme_lists_every_experiment() -> None:
    shipped = {file.name for file in (ROOT / "configs").glob("*.toml")} - {"reference.toml"}
    table = (ROOT / "README.md").read_text().split("## Shipped experiments")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+\.toml)`", table)) == shipped


def test_the_readme_names_what_exists() -> None:
    commands = readme_commands()
    assert any(command.startswith("scripts/train ") for command in commands)
    assert any(command.startswith("scripts/test") for command in commands)
    for command in commands:
        for word in shlex.split(command, comments=True):
            if re.match(r"(scripts|configs|analysis|\.ci)/", word):
                assert (ROOT / word).exists(), f"README.md: '{command}' names {word}"


@pytest.mark.parametrize("page", ["determinism", "resume", "exit_codes", "run_folder", "faults"])
def test_every_promise_names_tests_that_exist(page: str) -> None:
    """The last column of the tables: CTest's `room.name`, a file, or a file's letter and a `case`."""
    text = (ROOT / f"docs/{page}.md").read_text().split("## Fuzzers")[0]
    cells = [line.rsplit(" | ", 1)[1] for line in text.splitlines() if line.startswith("| ")]
    letters = {letter: (ROOT / path).read_text() for letter, path in re.findall(r"`([FCR])` is\s+`(\S+)`", text)}
    found = [pair for cell in cells for pair in re.findall(r"(?:([FCR]) )?`([^`]+)`", cell)]
    assert found
    for letter, name in found:
        if letter:
            exists = re.search(rf"\b{name}\b", letters[letter])
        elif "/" in name:
            exists = (ROOT / name).exists()
        elif name.endswith(".py"):
            exists = (ROOT / "tests/integration" / name).exists()
        else:
            room, case = name.split(".")
            exists = list((ROOT / "tests" / room).glob(f"{case}_test.*"))
        assert exists, f"docs/{page}.md names {name}"
