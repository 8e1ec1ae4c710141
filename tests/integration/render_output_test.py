"""anthill render: videos and files, signals, and what is refused."""

import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from anthill_command import BIN, assert_fails, libraries, run
from render_pictures import SIZE, ant, frames_of, pendulum, render, table, train

__all__ = ["ant", "pendulum"]  # fixtures


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_of_a_video(pendulum, tmp_path, number):
    environment = fake_ffmpeg(tmp_path / "bin")
    command = [BIN / "anthill", "render", pendulum, "-o", tmp_path / "v.mp4", "--width", "1500", "--height", "1500"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not list(tmp_path.glob(".*v.mp4")) and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, number)  # as Ctrl-C, also to what shares its group
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and said.count("\n") == 1, said
    assert said.startswith("anthill: stopped by a signal after ") and "nothing is written" in said
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_signal_keeps_the_frames(pendulum, tmp_path):
    command = [BIN / "anthill", "render", pendulum, "-o", tmp_path / "v", "--width", "1500", "--height", "1500"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("v/*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and f"{len(list(tmp_path.glob('v/*')))} frames; they are in '{tmp_path}/v'" in said


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
    (tmp_path / "folder.mp4").mkdir()
    assert_fails(run("render", pendulum, "-o", tmp_path / "folder.mp4"), 2, "folder.mp4", "is a folder")
    # a value that other programs know is no mistake
    still = run("render", pendulum, "-o", tmp_path / "still.png", "--at", 3, env={**os.environ, "MUJOCO_GL": "glfw"})
    assert still.returncode == 0, still.stderr
    assert_fails(run("render", pendulum, "-o", tmp_path / "x", "--checkpoint", "77"), 2, "has no such checkpoint")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes").touch()
    assert_fails(run("render", pendulum, "-o", tmp_path / "full"), 2, "exists", "--overwrite")
    assert_fails(run("render", pendulum, "-o", tmp_path / "full/notes/x"), 2, "full/notes/x")
    assert not (tmp_path / "x").exists()
    for name in ("clip.MP4", "clip.avi", "still.png"):
        assert_fails(run("render", pendulum, "-o", tmp_path / name), 2, f"no video ends in .{name.split('.')[1]}", ".mp4")
    for option in ("--steps", "--every"):
        assert_fails(run("render", pendulum, "-o", tmp_path / "x.png", "--at", 1, option, 3), 2, "--at", option)
    assert_fails(run("render", pendulum, "-o", tmp_path / "x", "--episodes", 4, "--among", 3), 2, "--among 3", "--episodes shows 4")


def test_the_values_file_is_an_output_too(pendulum, tmp_path):
    values, still = tmp_path / "deep/v.csv", tmp_path / "other/x.png"
    render(pendulum, still, "--at", 0, "--values", values)
    assert len(table(values)) == 40 and still.is_file()
    before = values.read_bytes()
    arguments = ["render", pendulum, "--at", 0, *SIZE]
    assert_fails(run(*arguments, "-o", tmp_path / "new.png", "--values", values), 2, "v.csv' exists", "--values", "--overwrite")
    same = tmp_path / "deep/../new.png"
    assert_fails(run(*arguments, "-o", tmp_path / "new.png", "--values", same, "--overwrite"), 2, "-o names the same file")
    assert_fails(run(*arguments, "-o", tmp_path / "new.png", "--values", values / "v.csv"), 2, "no writable folder", "--values")
    assert_fails(run(*arguments, "-o", tmp_path / "new.png", "--values", tmp_path / "deep", "--overwrite"), 2, "is a folder")
    assert not (tmp_path / "new.png").exists() and values.read_bytes() == before
    # in the folder of the frames
    render(pendulum, tmp_path / "frames", "--steps", 1, "--values", tmp_path / "frames/v.csv")
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == ["frame-000000.png", "v.csv"]


def test_only_sac_has_a_stochastic_policy(tmp_path):
    folder = train(
        tmp_path / "run", "configs/cartpole_dqn.toml", "training.total_env_steps=1100", "evaluation.period=0",
        "log.tensorboard=false",
    )
    for words in (["evaluate", folder], ["render", folder, "-o", tmp_path / "x"]):
        assert_fails(run(*words, "--stochastic"), 2, "--stochastic", "dqn is deterministic")
