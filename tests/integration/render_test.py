"""anthill render: pictures of real runs, through OSMesa where MuJoCo draws."""

import csv
import ctypes
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from anthill_command import BIN, assert_fails, libraries, run

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


osmesa = pytest.mark.skipif(not has_osmesa(), reason="libOSMesa is not installed (Debian: libosmesa6): MuJoCo cannot draw")


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


def read_overlay(frame, scale=1):
    """The words of the overlay, letter by letter from their squares, as (text, colour) lines."""
    known, lines = glyphs(), []
    for line in range(30):
        y, text, color = (4 + 10 * line) * scale, "", None
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


def test_pendulum_overlay_is_legible_and_true(pendulum, tmp_path):
    said = render(pendulum, tmp_path / "frames", "--stochastic", "--values", tmp_path / "values.csv")
    assert "40 frames" in said.stderr and "2-D" in said.stderr
    frames, values = frames_of(tmp_path / "frames"), table(tmp_path / "values.csv")
    assert len(frames) == len(values) == 40
    for step in (0, 7, 39):
        lines, row = read_overlay(frames[step]), values[step]
        assert [text for text, _ in lines[:3]] == ["Pendulum-v1", "episode 0 seed 10000000", f"step {step}/40"]
        total = sum(v["reward"] for v in values[: step + 1])
        for label, value in [
            ("return", total), ("reward", row["reward"]), ("Q", row["q_mean"]), ("soft value", row["soft_value"]),
            ("hard value", row["hard_value"]), ("Q - soft value", row["q_mean"] - row["soft_value"]),
        ]:
            assert number_in(lines, label) == pytest.approx(value, rel=0.01, abs=0.006), label
        assert number_in(lines, "alpha") > 0
        colors = {text.split("  ")[0]: color for text, color in lines}
        assert (colors["Q"], colors["soft value"], colors["hard value"]) == (ORANGE, BLUE, GREEN)
    # the curves grow to the right
    chart = [np.argwhere((frame[200:] == ORANGE).all(axis=-1))[:, 1].max() for frame in frames]
    assert chart == sorted(chart) and chart[-1] > 300 and chart[3] < 90


def test_the_same_episode_gives_the_same_frames(pendulum, tmp_path):
    for name in ("a", "b"):
        render(pendulum, tmp_path / name, "--seed", 5, "--steps", 8, "--every", 2)
    a, b = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "ab")
    assert a == b and len(a) == 4 and len(set(a)) == 4
    render(pendulum, tmp_path / "c", "--seed", 6, "--steps", 1)
    assert next((tmp_path / "c").iterdir()).read_bytes() != a[0]
    # one of several is the same as alone
    render(pendulum, tmp_path / "grid", "--seed", 4, "--episodes", 2, "--steps", 1, "--plain")
    render(pendulum, tmp_path / "alone", "--seed", 5, "--steps", 1, "--plain")
    grid, alone = frames_of(tmp_path / "grid")[0], frames_of(tmp_path / "alone")[0]
    assert grid.shape == (240, 640, 3) and (grid[:, 320:] == alone).all()


def test_episodes_are_those_of_evaluate(pendulum, tmp_path):
    for flags in ([], ["--stochastic"]):
        wanted = json.loads(run("evaluate", pendulum, "--episodes", 5, "--json", *flags).stdout)["returns"]
        for choose, value in (("best", max(wanted)), ("worst", min(wanted)), ("median", sorted(wanted)[2])):
            still, values = tmp_path / "still.png", tmp_path / "values.csv"
            render(pendulum, still, "--among", 5, "--choose", choose, "--at", 0, "--values", values, "--overwrite", *flags)
            rows = table(values)
            assert sum(row["reward"] for row in rows) == pytest.approx(value, rel=1e-9)
            assert rows[0]["episode"] == wanted.index(value) and rows[0]["seed"] == 10_000_000 + wanted.index(value)


@osmesa
def test_the_ant_is_drawn_and_moves(ant, tmp_path):
    said = render(ant, tmp_path / "a", "--gl", "osmesa", "--steps", 16, "--every", 5, "--plain")
    assert "4 frames" in said.stderr and "OSMesa" in said.stderr
    frames = frames_of(tmp_path / "a")
    for frame in frames:
        assert frame.shape == (240, 320, 3) and frame.std() > 20 and len(np.unique(frame.reshape(-1, 3), axis=0)) > 500
    for before, after in zip(frames, frames[1:]):
        changed = (np.abs(after - before).max(axis=-1) > 30).mean()
        assert 0.005 < changed < 0.9
    render(ant, tmp_path / "b", "--gl", "osmesa", "--steps", 16, "--every", 5, "--plain")
    for first, second in zip(sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir())):
        assert first.read_bytes() == second.read_bytes()


@osmesa
def test_the_ant_s_overlay_has_its_reward_terms(ant, tmp_path):
    render(ant, tmp_path / "still.png", "--at", 12, "--values", tmp_path / "v.csv", "--gl", "osmesa", "--seed", 3)
    frame = (matplotlib.image.imread(tmp_path / "still.png")[..., :3] * 255).round().astype(int)
    lines, row = read_overlay(frame), table(tmp_path / "v.csv")[12]
    assert lines[0][0] == "Ant-v4" and lines[1][0] == "episode 0 seed 3"
    terms = [name for name in row if name not in ("episode", "seed", "step", "reward", "q_mean", "q_min", "soft_value", "hard_value")]
    assert len(terms) >= 3 and row["reward"] == pytest.approx(sum(row[name] for name in terms), abs=1e-6)
    for name in terms:
        assert number_in(lines, "  " + name.removeprefix("reward_")) == pytest.approx(row[name], rel=0.01, abs=0.006)
    # a deterministic policy: no soft value, and Q beside the hard one
    assert row["soft_value"] is None and not any(text.startswith("soft value") for text, _ in lines)
    assert number_in(lines, "Q - hard value") == pytest.approx(row["q_mean"] - row["hard_value"], rel=0.01, abs=0.006)


@osmesa
def test_checkpoints_have_their_own_policies(ant, tmp_path):
    def first_action_value(*arguments):
        render(ant, tmp_path / "x.png", "--at", 0, "--gl", "osmesa", "--values", tmp_path / "v.csv", "--overwrite", *arguments)
        return table(tmp_path / "v.csv")[0]["q_mean"]

    steps = sorted({int(path.name.split("-")[1]) for path in (ant / "checkpoints").glob("step-*")})
    assert len(steps) >= 2
    values = [first_action_value("--checkpoint", step) for step in steps]
    assert len(set(values)) == len(values)
    assert first_action_value("--checkpoint", "latest") == values[-1]
    assert_fails(
        run("render", ant, "-o", tmp_path / "y", "--checkpoint", 123), 2, "--checkpoint 123", f"it has env steps {steps[0]}"
    )


@pytest.mark.parametrize(("config", "settings"), [
    ("configs/cartpole_dqn.toml", []),
    ("configs/pendulum_sac.toml", ['sim.env="MountainCarContinuous-v0"']),
    ("configs/pendulum_sac.toml", ['sim.env="LunarLanderContinuous-v3"']),
])
def test_the_other_tasks(tmp_path, config, settings):
    folder = train(
        tmp_path / "run", config, *settings, "training.total_env_steps=1100", "training.batch_size=16",
        "evaluation.period=0", "sim.max_episode_steps=60", "log.tensorboard=false",
    )
    said = render(folder, tmp_path / "frames", "--episodes", 2, "--every", 4)
    assert "2-D" in said.stderr
    frames = frames_of(tmp_path / "frames")
    assert len(frames) > 1 and frames[0].shape == (240, 640, 3) and all(frame.std() > 10 for frame in frames)
    assert (frames[0] != frames[1]).any()
    assert any(text.startswith("hard value") for text, _ in read_overlay(frames[0]))


def fake_ffmpeg(folder, ending=""):
    """A program in ffmpeg's place that keeps its arguments and input."""
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" >"{folder}/arguments"\ncat >"${{@: -1}}"\n{ending}\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_video_is_piped_to_ffmpeg(pendulum, tmp_path):
    environment = fake_ffmpeg(tmp_path / "bin")
    render(pendulum, tmp_path / "video.mp4", "--steps", 5, "--plain", env=environment)
    render(pendulum, tmp_path / "frames", "--steps", 5, "--plain")
    words = (tmp_path / "bin/arguments").read_text().split("\n")
    assert words[words.index("-video_size") + 1] == "320x240" and words[words.index("-framerate") + 1] == "20"
    raw = np.frombuffer((tmp_path / "video.mp4").read_bytes(), np.uint8).reshape(5, 240, 320, 3)
    assert (raw == np.array(frames_of(tmp_path / "frames"))).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "frames", "video.mp4"]


def test_a_failing_ffmpeg_leaves_nothing(pendulum, tmp_path):
    environment = fake_ffmpeg(tmp_path / "bin", "exit 3")
    assert_fails(run("render", pendulum, "-o", tmp_path / "v.mp4", "--steps", 3, *SIZE, env=environment), 1, "ffmpeg", "v.mp4")
    (tmp_path / "bin/ffmpeg").write_text("#!/bin/bash\nexit 3\n")
    assert_fails(run("render", pendulum, "-o", tmp_path / "v.mp4", *SIZE, env=environment), 1, "ffmpeg")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_without_ffmpeg_there_are_png_files(pendulum, tmp_path):
    (tmp_path / "empty").mkdir()
    said = render(pendulum, tmp_path / "v.mp4", "--steps", 2, env={**os.environ, "PATH": str(tmp_path / "empty")})
    assert "ffmpeg is not installed: PNG files" in said.stderr
    assert [path.name for path in sorted((tmp_path / "v").iterdir())] == ["frame-000000.png", "frame-000001.png"]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_a_real_video(pendulum, tmp_path):
    render(pendulum, tmp_path / "v.mp4", "--steps", 10)
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=width,height,nb_read_frames,r_frame_rate", "-of",
         "csv=p=0", tmp_path / "v.mp4"], capture_output=True, text=True, check=True)
    assert probe.stdout.strip() == "320,240,20/1,10"


def test_no_binary_is_linked_with_opengl():
    for binary in BIN.glob("anthill*"):
        assert not re.search(r"libGL|libEGL|OSMesa|libpng", " ".join(libraries(binary))), binary
        symbols = subprocess.run(["nm", "-C", binary], capture_output=True, text=True).stdout
        assert ("anthill::make_mujoco_scene" in symbols) == (binary.name == "anthill-render"), binary


def test_without_opengl_it_says_what_to_install(ant, tmp_path):
    (tmp_path / "lib").mkdir()
    for name in ("libEGL.so.1", "libOSMesa.so.8"):
        subprocess.run(["g++", "-shared", "-o", tmp_path / "lib" / name, "-x", "c++", os.devnull], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path / "lib")}
    arguments = ["render", ant, "-o", tmp_path / "x.png", "--at", 0]
    assert_fails(
        run(*arguments, env=environment), 1, "no OpenGL without a window", "EGL: eglGetProcAddress is missing",
        "OSMesa: OSMesaCreateContextExt is missing", "libosmesa6",
    )
    only = run(*arguments, "--gl", "osmesa", env=environment)
    assert_fails(only, 1, "OSMesa: ")
    assert "EGL" not in only.stderr.split("install")[0]
    assert not (tmp_path / "x.png").exists()


def test_bad_input_is_one_line(pendulum, tmp_path):
    assert_fails(run("render", tmp_path / "none", "-o", tmp_path / "x"), 2, "none")
    assert_fails(run("render", pendulum, "-o", tmp_path / "x.png", "--at", 40), 2, "--at 40", "40 steps")
    assert_fails(run("render", pendulum, "-o", tmp_path / "x", "--at", 1), 2, ".png")
    assert_fails(run("render", pendulum, "-o", tmp_path / "x", "--gl", "glx"), 2, "--gl")
    assert_fails(run("render", pendulum, "-o", tmp_path / "x", "--checkpoint", "77"), 2, "has no such checkpoint")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes").touch()
    assert_fails(run("render", pendulum, "-o", tmp_path / "full"), 2, "exists", "--overwrite")
    assert_fails(run("render", pendulum, "-o", tmp_path / "full/notes/x"), 2, "full/notes/x")
    assert not (tmp_path / "x").exists()
