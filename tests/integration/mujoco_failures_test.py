"""What a wrong installation or model does: one line, and the exit code of `anthill --help`."""

import os
import pathlib

import pytest
from anthill_command import BIN, assert_fails, run

OTHER_VERSION = BIN.parent / "tests/libother_mujoco_version.so"
EXAMPLE = pathlib.Path("configs/mjcf_example.toml")


def rollout_arguments(folder, env="Ant-v5"):
    return ["rollout", "--env", env, "--num-envs", 2, "--seed", 0, "--steps", 5, "--output", folder / "out.npz"]


def test_another_version_of_mujoco(tmp_path):
    # ASan wants to be first in the list of libraries, but works behind a library without any code
    environment = os.environ | {"LD_PRELOAD": str(OTHER_VERSION), "ASAN_OPTIONS": "verify_asan_link_order=0"}
    result = run(*rollout_arguments(tmp_path), env=environment)
    assert_fails(result, 1, "MuJoCo", "2.99.99", "3.17.0", "MUJOCO_ROOT")
    assert not (tmp_path / "out.npz").exists()
    assert run(*rollout_arguments(tmp_path)).returncode == 0


@pytest.mark.parametrize(("text", "words"), [
    (None, ["no such file"]),
    ("<mujoco>", ["MuJoCo cannot load it"]),
    ('<mujoco><asset><mesh name="m" file="gone.stl"/></asset><worldbody><geom type="mesh" mesh="m"/></worldbody>'
     "</mujoco>", ["gone.stl"]),
    ("<mujoco/>", ["no actuator"]),
], ids=["missing file", "syntax", "missing mesh", "empty"])  # fmt: skip
def test_models_that_cannot_be_used(tmp_path, text, words):
    model = tmp_path / "robot.xml"
    if text is not None:
        model.write_text(text)
    result = run(*rollout_arguments(tmp_path, "mjcf"), "--set", f"sim.mjcf.model={model}",
                 cwd=tmp_path)  # fmt: skip
    assert_fails(result, 2, model, *words)
    assert not (tmp_path / "MUJOCO_LOG.TXT").exists()


def test_the_example_finds_its_model_from_anywhere(tmp_path):
    result = run("config", EXAMPLE.resolve(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert f'model = "{EXAMPLE.resolve().parent}/models/monoped.xml"' in result.stdout


def test_the_example_rolls_out_and_trains_for_a_few_steps(tmp_path):
    if not (BIN / "anthill-train").exists():
        pytest.skip("a build without the learner")
    run_folder = tmp_path / "run"
    settings = ["training.total_env_steps=320", "training.random_steps=160", "training.learning_starts=160",
                "training.batch_size=32", "evaluation.period=160", "evaluation.num_episodes=1", "log.period=160",
                "sim.num_threads=1", "sim.max_episode_steps=50"]  # fmt: skip
    flags = [part for setting in settings for part in ("--set", setting)]
    result = run("train", EXAMPLE.resolve(), "--run", run_folder, *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "monoped.xml" in (run_folder / "provenance.json").read_text()
    again = run("evaluate", run_folder, "--episodes", 1, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
