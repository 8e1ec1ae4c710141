"""Runs to be rendered, and how their pictures are read; shared by the tests of anthill render."""

import csv
import ctypes
import os
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from anthill_command import run

ROOT = Path(__file__).resolve().parents[2]
SIZE = ["--width", 320, "--height", 240]
GREY, WHITE, ORANGE, BLUE, GREEN = (170, 175, 185), (235, 235, 235), (230, 159, 0), (86, 180, 233), (0, 190, 130)


def has_osmesa():
    for name in ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"):
        try:
            return bool(ctypes.CDLL(name))
        except OSError:
            pass
    return False


# CI asks for all tests
osmesa = pytest.mark.skipif(
    not has_osmesa() and "ANTHILL_TEST_ALL" not in os.environ,
    reason="libOSMesa is not installed (Debian: libosmesa6): MuJoCo cannot draw",
)


def train(folder, config, *settings):
    arguments = [word for setting in settings for word in ("--set", setting)]
    result = run("train", config, "--run", folder, *arguments)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def ant(tmp_path_factory):
    return train(
        tmp_path_factory.mktemp("ant") / "run", "configs/smoke.toml", "training.total_env_steps=800",
        "evaluation.period=0", "checkpoint.period=200", "log.tensorboard=false",
    )


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory):
    return train(
        tmp_path_factory.mktemp("pendulum") / "run", "configs/pendulum_sac.toml", "training.total_env_steps=1200",
        "training.batch_size=32", "evaluation.period=0", "sim.max_episode_steps=40", "log.tensorboard=false",
    )


def render(run_folder, output, *arguments, **options):
    result = run("render", run_folder, "-o", output, *SIZE, *arguments, **options)
    assert result.returncode == 0, result.stderr
    return result


def frames_of(folder):
    return [(matplotlib.image.imread(path)[..., :3] * 255).round().astype(int) for path in sorted(Path(folder).iterdir())]


def table(path):
    with open(path, newline="") as file:
        return [{key: float(cell) if cell else None for key, cell in row.items()} for row in csv.DictReader(file)]


def glyphs():
    text = (ROOT / "sim/render_font.cpp").read_text()
    rows = re.findall(r"\{(0x\w\w(?:, 0x\w\w){7})\}", text)
    assert len(rows) == 95
    return {
        tuple(int(cell, 16) for cell in row.split(", ")): chr(32 + place) for place, row in enumerate(rows)
    }


def read_overlay(frame, scale=1, top=4):
    """The words of the overlay, letter by letter from their squares, as (text, colour) lines."""
    known, lines = glyphs(), []
    for line in range(30):
        y, text, color = (top + 10 * line) * scale, "", None
        if y + 8 * scale > frame.shape[0]:
            break
        for column in range(50):
            x = (4 + 6 * column) * scale
            squares = frame[y : y + 8 * scale : scale, x : x + 5 * scale : scale]
            bits = None
            for candidate in (WHITE, GREY, ORANGE, BLUE, GREEN):
                found = (squares == candidate).all(axis=-1)
                if found.any():
                    bits, color = found, candidate
                    break
            rows = (0,) * 8 if bits is None else tuple(int(sum(1 << (4 - i) for i in range(5) if row[i])) for row in bits)
            text += known.get(rows, "\0")
        text = text.split("\0")[0].rstrip()
        if not text:
            break
        lines.append((text, color))
    return lines


def number_in(lines, label):
    text = next(text for text, _ in lines if text.startswith(label + " "))
    return float(text[len(label):])
