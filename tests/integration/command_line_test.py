"""The front command and what all subcommands share: help, versions, exit codes."""

import re
import shutil
import subprocess

import pytest
from anthill_command import BIN, assert_fails, run

SUBCOMMANDS = dict(
    re.findall(r"^  (\w+) +(\w.*)$", run("--help").stdout.split("Subcommands:")[1].split("\n\n")[0], re.M)
)
BUILT = [name for name, summary in SUBCOMMANDS.items() if not summary.endswith("(not built)")]


def exit_codes(text):
    return text[text.index("Exit codes:") :].strip()


def test_help_lists_what_there_is():
    result = run("--help")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout == run("help").stdout == run("-h").stdout
    assert {"config", "rollout"} <= set(BUILT)
    executables = {path.name for path in BIN.glob("anthill-*")}
    assert executables == {f"anthill-{name}" for name in BUILT}


def test_exit_codes_are_documented():
    documented = dict(re.findall(r"^  (\d+) +(.+)$", exit_codes(run("--help").stdout), re.M))
    assert list(documented) == ["0", "1", "2", "3", "4", "130"]


@pytest.mark.parametrize("name", BUILT)
def test_help_of_a_subcommand(name):
    result = run(name, "--help")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout == run("help", name).stdout
    assert SUBCOMMANDS[name] in result.stdout
    assert f"Usage: anthill {name}" in result.stdout
    lines = exit_codes(run("--help").stdout).splitlines()
    # what a signal leaves behind is said where a command saves it
    whole = name in ("train", "sweep", "probe")
    assert exit_codes(result.stdout).splitlines() == (lines if whole else lines[:4])


def test_versions_agree():
    version = run("--version")
    assert version.returncode == 0 and re.fullmatch(r"anthill \d+\.\d+\.\d+\n", version.stdout)
    for name in BUILT:
        assert run(name, "--version").stdout == version.stdout


@pytest.mark.parametrize("name", BUILT)
def test_unknown_options_are_refused(name):
    assert_fails(run(name, "--no-such-option"), 2, f"anthill {name}", "--help")


def test_unknown_subcommands():
    for word in ("rolout", "Rollout", "rollouts", "orllout"):
        assert_fails(run(word), 2, word, "did you mean 'rollout'")
    assert_fails(run("help", "rolout"), 2, "did you mean 'rollout'")
    result = run("dance")
    assert_fails(result, 2, "dance", "--help")
    assert "did you mean" not in result.stderr
    for word in ("../anthill-rollout", "", "-x", "rollout/"):
        assert_fails(run(word), 2)
    assert_fails(run(), 2, "--help")


def test_subcommands_are_found_beside_the_executable(tmp_path):
    # a copy finds only what lies beside it, a link finds its target's neighbours
    copy = tmp_path / "anthill"
    shutil.copy2(BIN / "anthill", copy)
    result = subprocess.run([copy, "rollout", "--help"], capture_output=True, text=True)
    assert_fails(result, 1, tmp_path / "anthill-rollout")
    assert "rollout" in subprocess.run([copy, "--help"], capture_output=True, text=True).stdout
    link = tmp_path / "link"
    link.symlink_to(BIN / "anthill")
    result = subprocess.run([link, "rollout", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0


def test_arguments_and_exit_code_pass_through(tmp_path):
    shutil.copy2(BIN / "anthill", tmp_path / "anthill")
    script = tmp_path / "anthill-rollout"
    script.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\nexit 4\n')
    script.chmod(0o755)
    result = subprocess.run(
        [tmp_path / "anthill", "rollout", "a b", "", "--x=$y"], capture_output=True, text=True
    )
    assert result.returncode == 4 and result.stdout == "<a b>\n<>\n<--x=$y>\n"
