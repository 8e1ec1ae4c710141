"""`anthill rollout`: what its result may not depend on, and what wrong input does."""

import os
import pathlib
import signal
import subprocess
import time

import gymnasium
import numpy as np
import pytest
from anthill_command import BIN, assert_fails, libraries, rollout, run

ARRAYS = ["observation", "action", "reward", "next_observation", "terminated", "truncated", "invalid"]
TERMS = ["terms/reward_forward", "terms/reward_ctrl", "terms/reward_contact", "terms/reward_survive"]


def test_threads_do_not_change_a_byte(tmp_path):
    files = []
    for threads in (1, 2, 7):
        rollout(tmp_path, "Ant-v5", 7, 20, steps=80, threads=threads)
        files.append((tmp_path / "rollout.npz").read_bytes())
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("env_id", ["Ant-v4", "Pendulum-v1"])
def test_width_does_not_change_a_lane(tmp_path, env_id):
    wide, _ = rollout(tmp_path, env_id, 5, 30, steps=120, threads=2)
    assert list(wide) == ARRAYS + (TERMS if env_id == "Ant-v4" else [])
    for lane in range(5):
        narrow, _ = rollout(tmp_path, env_id, 1, 30 + lane, steps=120)
        for name in wide:
            assert wide[name][:, lane].tobytes() == narrow[name][:, 0].tobytes(), (name, lane)
    assert not np.array_equal(wide["observation"][:, 0], wide["observation"][:, 1])


def test_a_task_and_a_seed_are_enough(tmp_path):
    assert run("rollout", "--env", "Ant-v5", "--seed", 7, cwd=tmp_path).returncode == 0
    expected, _ = rollout(tmp_path, "Ant-v5", 1, 7, steps=1000)
    with np.load(tmp_path / "Ant-v5-seed-7.npz") as archive:
        assert list(archive.files) == list(expected)
        for name in expected:
            assert archive[name].tobytes() == expected[name].tobytes(), name


def test_a_configuration_file_says_what_is_stepped(tmp_path):
    config = pathlib.Path("configs/mjcf_example.toml").resolve()
    result = run("rollout", config, "--steps", 3, "--set", "run.seed=5", cwd=tmp_path)
    assert_fails(result, 2, "run.seed", "[sim]")
    for options, num_envs in (([], 16), (["--num-envs", 2], 2)):
        output = tmp_path / f"{num_envs}.npz"
        result = run("rollout", config, "--steps", 3, *options, "--output", output, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        with np.load(output) as archive:
            assert archive["observation"].shape == (3, num_envs, 11)
            assert "terms/reward_extra_1" in archive.files
    assert_fails(run("rollout", "none.toml", cwd=tmp_path), 2, "none.toml")
    assert_fails(run("rollout", cwd=tmp_path), 2, "--env", "configuration file")


@pytest.mark.parametrize(
    "option, setting",
    [
        (["--env", "Ant-v5"], "sim.env=Pendulum-v1"),
        (["--env", "Ant-v5", "--num-envs", 2], "sim.num_envs=3"),
        (["--env", "Ant-v5", "--num-threads", 1], "sim.num_threads=2"),
    ],
)
def test_nothing_is_said_twice(tmp_path, option, setting):
    result = run("rollout", *option, "--set", setting, cwd=tmp_path)
    assert_fails(result, 2, "--set " + setting.split("=")[0], "give one of them")
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_file_is_named(tmp_path):
    command = ["rollout", "--env", "Pendulum-v1", "--steps", 3, "--output", "out.npz"]
    assert run(*command, cwd=tmp_path).stderr == ""
    again = run(*command, "--seed", 1, cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "anthill: replacing out.npz\n")


def test_float64_actions_count_as_float32(tmp_path):
    actions = np.random.default_rng(0).uniform(-1, 1, (40, 2, 8))
    double, _ = rollout(tmp_path, "Ant-v5", 2, 5, actions)
    single, _ = rollout(tmp_path, "Ant-v5", 2, 5, actions.astype(np.float32))
    for name in ARRAYS:
        assert double[name].tobytes() == single[name].tobytes()
    first, _ = rollout(tmp_path, "Ant-v5", 2, 5, actions, steps=10)
    assert first["reward"].tobytes() == double["reward"][:10].tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_action_ends_one_episode(tmp_path, bad):
    good = np.random.default_rng(1).uniform(-1, 1, (12, 3, 8)).astype(np.float32)
    actions = good.copy()
    actions[5, 1, 3] = bad
    whole, _ = rollout(tmp_path, "Ant-v5", 3, 40, good)
    ours, messages = rollout(tmp_path, "Ant-v5", 3, 40, actions)

    assert messages.startswith("anthill: ") and messages.count("\n") == 1
    for words in ("environment 1 ", "seed 41", "step 5 "):
        assert words in messages
    assert ours["invalid"].sum() == 1 and ours["invalid"][5, 1] == 1
    for name in ARRAYS:
        for lane in (0, 2):
            assert ours[name][:, lane].tobytes() == whole[name][:, lane].tobytes()
        if name != "action":
            assert ours[name][:5, 1].tobytes() == whole[name][:5, 1].tobytes()

    # the next episode is the one that Gymnasium's generator gives
    env = gymnasium.make("Ant-v5")
    env.reset(seed=41)
    observation, _ = env.reset()
    for step in range(6, 12):
        assert ours["observation"][step, 1].tobytes() == observation.tobytes(), step
        observation = env.step(actions[step, 1])[0]
    assert np.isfinite(ours["observation"]).all()


def test_an_action_that_is_no_index_ends_one_episode(tmp_path):
    actions = np.tile(np.float32([[[0], [1], [1]]]), (9, 1, 1))
    actions[4, 1] = 0.5
    actions[6, 2] = 2
    ours, messages = rollout(tmp_path, "CartPole-v1", 3, 0, actions)
    assert messages.count("\n") == 2 and messages.count("the action is no index in [0, 1]") == 2
    assert np.argwhere(ours["invalid"]).tolist() == [[4, 1], [6, 2]]
    assert ours["action"][4, 1] == 0 and ours["action"][6, 2] == 0


def test_a_failing_simulation_ends_one_episode(tmp_path):
    with open(f"{gymnasium.__path__[0]}/envs/mujoco/assets/ant.xml") as file:
        text = file.read()
    explosive = text.replace('gear="150"', 'gear="1e15"')
    assert explosive != text
    (tmp_path / "explosive.xml").write_text(explosive)
    actions = np.zeros((9, 2, 8), np.float32)
    actions[4, 1] = 1
    settings = [f"sim.ant.xml_file={tmp_path / 'explosive.xml'}"]
    ours, messages = rollout(tmp_path, "Ant-v5", 2, 8, actions, settings=settings)
    assert messages.startswith("anthill: ") and messages.count("\n") == 1
    for words in ("environment 1 ", "seed 9", "step 4 ", "the simulation failed (", "Nan, Inf or huge value"):
        assert words in messages
    assert ours["invalid"].sum() == 1 and ours["invalid"][4, 1] == 1
    assert np.isfinite(ours["observation"]).all()


def test_warnings_are_limited(tmp_path):
    actions = np.full((20, 3, 1), np.nan, np.float32)
    ours, messages = rollout(tmp_path, "Pendulum-v1", 3, 0, actions)
    lines = messages.splitlines()
    assert len(lines) == 11 and "60 transitions" in lines[-1]
    assert ours["invalid"].all()


def write_npy(path, kind):
    good = np.zeros((4, 2, 8), np.float32)
    if kind == "missing":
        return
    if kind == "a folder":
        path.mkdir()
        return
    arrays = {
        "shape": np.zeros((4, 8), np.float32),
        "num_envs": np.zeros((4, 3, 8), np.float32),
        "action_dim": np.zeros((4, 2, 7), np.float32),
        "no steps": np.zeros((0, 2, 8), np.float32),
        "int64": good.astype(np.int64),
        "big endian": good.astype(">f4"),
        "complex": good.astype(np.complex64),
        "fortran": np.asfortranarray(np.zeros((4, 2, 8))),
    }
    np.save(path, arrays.get(kind, good))
    data = path.read_bytes()
    damaged = {
        "empty": b"",
        "text": b"0.1, 0.2\n" * 20,
        "truncated header": data[:40],
        "truncated values": data[:-5],
        "trailing bytes": data + b"12",
        "huge shape": data.replace(b"(4, 2, 8)", b"(4, 2, 99999999999999)"),
        "overflowing shape": data.replace(b"(4, 2, 8)", b"(281474976710656, 65536, 8)"),
        "negative shape": data.replace(b"(4, 2, 8)", b"(4, -2, 8)"),
        "version": data[:6] + b"\x09" + data[7:],
    }
    if kind in damaged:
        path.write_bytes(damaged[kind])


@pytest.mark.parametrize(
    "kind, word",
    [
        ("missing", "no such file"),
        ("a folder", "not a file"),
        ("shape", "(4, 8)"),
        ("num_envs", "(4, 3, 8)"),
        ("action_dim", "(4, 2, 7)"),
        ("no steps", "(0, 2, 8)"),
        ("int64", "<i8"),
        ("big endian", ">f4"),
        ("complex", "<c8"),
        ("fortran", "Fortran"),
        ("empty", "numpy.save"),
        ("text", "numpy.save"),
        ("truncated header", "truncated"),
        ("truncated values", "truncated"),
        ("trailing bytes", "damaged"),
        ("huge shape", "damaged"),
        ("overflowing shape", "damaged"),
        ("negative shape", "shape"),
        ("version", "version 9"),
    ],
)
def test_wrong_actions(tmp_path, kind, word):
    write_npy(tmp_path / "bad.npy", kind)
    output = tmp_path / "out.npz"
    result = run("rollout", "--env", "Ant-v5", "--num-envs", 2, "--seed", 0, "--actions",
                 tmp_path / "bad.npy", "--output", output)  # fmt: skip
    assert_fails(result, 2, tmp_path / "bad.npy", word)
    assert not output.exists()


def test_more_steps_than_actions(tmp_path):
    write_npy(tmp_path / "four.npy", "good")
    result = run("rollout", "--env", "Ant-v5", "--num-envs", 2, "--seed", 0, "--steps", 5, "--actions",
                 tmp_path / "four.npy", "--output", tmp_path / "out.npz")  # fmt: skip
    assert_fails(result, 2, "(4, 2, 8)", "(5, 2, 8)")


@pytest.mark.parametrize(
    "change, word",
    [
        ({"--env": "Ant-v55"}, "Ant-v5"),
        ({"--num-envs": 0}, "num_envs"),
        ({"--num-envs": 10**9}, "num_envs"),
        ({"--num-envs": "many"}, "--num-envs"),
        ({"--num-threads": -1}, "num_threads"),
        ({"--steps": 0}, "--steps"),
        ({"--seed": -1}, "--seed"),
        ({"--set": "sim.ant.healthy_reward=high"}, "sim.ant.healthy_reward"),
        ({"--set": "sim.ant.helthy_reward=1.0"}, "healthy_reward"),
        ({"--set": "sim.ant.use_contact_forces=true"}, "use_contact_forces"),
        ({"--set": "sim.ant.xml_file=no_such.xml"}, "no_such.xml"),
        ({"--unknown": 1}, "--unknown"),
    ],
    ids=lambda value: "=".join(map(str, *value.items())) if isinstance(value, dict) else "",
)
def test_wrong_options(tmp_path, change, word):
    options = {"--env": "Ant-v5", "--num-envs": 1, "--seed": 0, "--output": tmp_path / "out.npz"}
    result = run("rollout", *[part for pair in (options | change).items() for part in pair])
    assert_fails(result, 2, word)
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("output", ["no_such_folder/out.npz", "."])
def test_unwritable_output(tmp_path, output):
    result = run("rollout", "--env", "Pendulum-v1", "--num-envs", 1, "--seed", 0, "--output", output,
                 cwd=tmp_path)  # fmt: skip
    assert_fails(result, 1, output, "cannot be written")
    assert list(tmp_path.iterdir()) == []


def test_more_threads_than_cores_only_warns(tmp_path):
    threads = len(os.sched_getaffinity(0)) + 3
    _, messages = rollout(tmp_path, "Pendulum-v1", 4, 0, steps=5, threads=threads)
    assert messages.count("\n") == 1 and "threads" in messages


def test_ctrl_c_leaves_no_file(tmp_path):
    command = [BIN / "anthill-rollout", "--env", "Ant-v5", "--num-envs", "1", "--seed", "0"]
    command += ["--steps", "200000", "--output", "out.npz"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.iterdir()) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    assert messages.startswith("anthill: stopped by a signal at step") and messages.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_rollout_loads_no_learner():
    names = libraries(BIN / "anthill-rollout")
    assert any("libmujoco" in name for name in names)
    assert not [name for name in names if "torch" in name or "c10" in name]
