"""Every command in the documents' code blocks exists with the options that it is given. commands_run_test.py runs them."""

import functools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from anthill_command import BIN

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "DESIGN.md"))])
OWN_SCRIPTS = {"scripts/train": "train", "scripts/anthill": ""}


def commands():
    """(page, command line) of every ```sh block, continuation lines joined, comments left out."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    found.append((page.relative_to(ROOT).as_posix(), words))
    return found


COMMANDS = commands()


def options_of(words):
    return [word.split("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]


@functools.cache
def help_of(*command):
    result = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, f"{command}: {result.stderr}"
    return result.stdout


def run_by(words):
    """The command that explains the options, and the words behind it: `anthill train` for scripts/train."""
    first = words[0]
    if first in OWN_SCRIPTS:
        rest = [OWN_SCRIPTS[first], *words[1:]] if OWN_SCRIPTS[first] else words[1:]
        depth = 2 if rest[0] in ("bench", "sweep") and len(rest) > 1 and not rest[1].startswith("-") else 1
        head = rest[:depth] if not rest[0].startswith("-") else []
        return (str(BIN / "anthill"), *head), rest[len(head):]  # fmt: skip
    if first.split("/")[-1] == "python":
        depth = 3 if words[1] == "-m" else 2
        if words[1:3] == ["-m", "analysis"]:
            depth = 4
        return (sys.executable, *words[1:depth]), words[depth:]
    return None, words[1:]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_a_command_exists_with_its_options(page, words):
    command, rest = run_by(words)
    if command is not None:
        known = help_of(*command)
        for option in options_of(rest):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known), f"{page}: {words[0]}: no option {option}"
    elif words[0].startswith(("scripts/", ".ci/")):
        assert os.access(ROOT / words[0], os.X_OK), f"{page}: {words[0]}"
        text = (ROOT / words[0]).read_text()
        passed_on = words[0] == "scripts/test"  # to CTest
        for option in options_of(rest):
            if passed_on or option in text:
                continue
            assert option in help_of(str(ROOT / words[0])), f"{page}: {words[0]}: no option {option}"
    else:
        assert words[0] in {"pip", "cd", "git", "sbatch", "ssh", "tensorboard", "rsync"}, f"{page}: what is {words[0]}?"
    settings = [after for option, after in zip(words, words[1:]) if option == "--set"]
    reference = tomllib.loads((ROOT / "configs/reference.toml").read_text())
    for setting in settings:
        section = reference
        for part in setting.split("=")[0].split("."):
            assert part in section, f"{page}: --set {setting}: no such key"
            section = section[part]
    for word in rest:
        if re.match(r"(configs|docs/results|examples)/[\w./]+$", word):
            assert (ROOT / word).exists(), f"{page}: {word}"


def settings_blocks():
    """(page, text) of every ```toml block of the algorithms' pages: another program's settings as a file."""
    pages = sorted((ROOT / "docs/algorithms").glob("*.md"))
    return [(page.name, text) for page in pages for text in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.M | re.S)]


@pytest.mark.parametrize(("page", "text"), settings_blocks(), ids=lambda value: value if value.endswith(".md") else "")
def test_settings_of_another_program_are_accepted(page, text, tmp_path):
    (tmp_path / "settings.toml").write_text(text)
    result = subprocess.run(
        [str(BIN / "anthill"), "config", str(tmp_path / "settings.toml")], capture_output=True, text=True, timeout=100
    )
    assert result.returncode == 0 and result.stderr == "", f"{page}: {result.stderr}"


def test_the_rule_itself():
    assert len(settings_blocks()) > 8
    assert any(page == "docs/index.md" for page, _ in COMMANDS) and len(COMMANDS) > 40
    with pytest.raises(AssertionError, match="no option --epsiodes"):
        test_a_command_exists_with_its_options("x", ["scripts/anthill", "evaluate", "runs/x", "--epsiodes", "3"])
    with pytest.raises(AssertionError, match="no such key"):
        test_a_command_exists_with_its_options("x", ["scripts/train", "configs/smoke.toml", "--set", "sim.nobody=1"])
