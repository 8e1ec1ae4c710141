"""What anthill.make_vec promises about memory, threads, order of calls and bad input."""

import gc
import os
import sys
import threading
import time

import gymnasium
import numpy as np
import pytest
from gymnasium import error

import anthill

pytestmark = pytest.mark.filterwarnings("ignore:num_threads")  # where there is one core


def rollout(envs, steps=40, seed=1):
    rows = [envs.reset(seed=seed)[0].copy()]
    envs.action_space.seed(seed)
    for _ in range(steps):
        rows += [np.array(array) for array in envs.step(envs.action_space.sample())[:4]]
    return b"".join(row.tobytes() for row in rows)


def test_threads_and_copies_change_nothing():
    reference = rollout(anthill.make_vec("Hopper-v5", 5, 1))
    for threads in (2, 3):
        assert rollout(anthill.make_vec("Hopper-v5", 5, threads)) == reference
    assert rollout(anthill.make_vec("Hopper-v5", 5, 2, copy=True)) == reference


def test_a_view_lives_until_the_step_after_the_next():
    envs = anthill.make_vec("Pendulum-v1", 2)
    first, _ = envs.reset(seed=0)
    kept = first.copy()
    actions = np.zeros((2, 1), np.float32)
    second = envs.step(actions)[0]
    assert (first == kept).all() and not np.shares_memory(first, second)
    third = envs.step(actions)[0]
    assert np.shares_memory(first, third) and not (first == kept).all()
    assert third.base is not None and not third.flags.owndata


def test_copies_are_the_callers_own():
    envs = anthill.make_vec("Pendulum-v1", 2, copy=True)
    kept = [envs.reset(seed=0)[0]]
    kept += [envs.step(np.zeros((2, 1), np.float32))[0] for _ in range(3)]
    assert len({row.tobytes() for row in kept}) == 4


def test_views_outlive_the_environments():
    envs = anthill.make_vec("Pendulum-v1", 2)
    view, _ = envs.reset(seed=0)
    kept = view.copy()
    envs.close()
    del envs
    gc.collect()
    assert (view == kept).all()


def test_next_observation_is_the_true_successor():
    envs = anthill.make_vec("Pendulum-v1", 2, max_episode_steps=3)
    envs.reset(seed=0)
    for step in range(6):
        observation, _, _, truncated, infos = envs.step(np.ones((2, 1), np.float32))
        assert truncated.all() == (step % 3 == 2)
        if truncated.any():
            assert (np.stack(infos["final_obs"]) == envs.next_observation).all()
            assert not (observation == envs.next_observation).any(axis=1).all()
        else:
            assert (observation == envs.next_observation).all()


def test_begun_steps_run_beside_the_caller():
    together, apart = anthill.make_vec("Ant-v5", 4, 2), anthill.make_vec("Ant-v5", 4, 2)
    for envs in (together, apart):
        envs.reset(seed=0)
    actions = np.full((4, 8), 0.1, np.float32)
    for _ in range(5):
        expected = together.step(actions)[0].copy()
        own = actions.copy()
        apart.step_async(own)
        own[:] = 9  # was copied
        assert (apart.step_wait()[0] == expected).all()


def test_other_python_threads_run_during_a_step():
    envs = anthill.make_vec("Ant-v5", 48, 1)
    envs.reset(seed=0)
    actions = np.zeros((48, 8), np.float32)
    count, stop = [0], threading.Event()

    def work():
        while not stop.is_set():
            count[0] += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody is made to give way: only who lets go does
    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(100):
            envs.step_async(actions)
            before = count[0]
            envs._simulator.finish_step()
            envs._in_flight = False
            if count[0] > before:
                break
        assert count[0] > before
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        worker.join()


def test_order_of_calls():
    envs = anthill.make_vec("Pendulum-v1", 2)
    actions = np.zeros((2, 1), np.float32)
    with pytest.raises(error.ResetNeeded, match="reset"):
        envs.step(actions)
    with pytest.raises(ValueError):
        envs.reset(seed=-1)
    with pytest.raises(error.ResetNeeded):  # the refused seed was no reset
        envs.step(actions)
    envs.reset(seed=0)
    with pytest.raises(error.NoAsyncCallError):
        envs.step_wait()
    envs.step_async(actions)
    for call in (lambda: envs.step_async(actions), lambda: envs.reset(seed=0)):
        with pytest.raises(error.AlreadyPendingCallError):
            call()
    envs.step_wait()
    envs.step_async(actions)
    envs.close()  # in the middle of a step
    envs.close()
    assert envs.closed
    for call in (lambda: envs.step(actions), envs.reset, envs.step_wait):
        with pytest.raises(error.ClosedEnvironmentError):
            call()


def test_a_forked_process_is_told():
    envs = anthill.make_vec("Pendulum-v1", 2, 2)
    envs.reset(seed=0)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            envs.step(np.zeros((2, 1), np.float32))
            os.write(write, b"stepped")
        except RuntimeError as refused:
            del envs  # does not wait for threads that are not there
            gc.collect()
            os.write(write, str(refused).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert b"forked" in os.read(read, 1000)
    envs.step(np.zeros((2, 1), np.float32))


@pytest.mark.parametrize(("arguments", "words"), [
    ({"env": "Ant-v6"}, ["unknown environment 'Ant-v6'", "did you mean"]),
    ({"num_envs": 0}, ["num_envs", "[1, 1000000]", "got 0"]),
    ({"num_envs": -1}, ["num_envs", "[1, 1000000]", "got -1"]),
    ({"num_envs": 10**12}, ["num_envs", "[1, 1000000]"]),
    ({"max_episode_steps": 0}, ["max_episode_steps", "at least 1", "leave it out"]),
    ({"num_envs": 2.5}, ["num_envs", "integer", "2.5"]),
    ({"num_threads": -1}, ["num_threads", "got -1"]),
    ({"healthy_rewards": 1}, ["unknown key 'healthy_rewards' in [sim.ant]", "did you mean 'healthy_reward'?"]),
    ({"healthy_reward": "x"}, ["sim.ant.healthy_reward", "a finite real number", '"x"']),
    ({"healthy_reward": float("nan")}, ["sim.ant.healthy_reward", "nan"]),
    ({"healthy_reward": None}, ["healthy_reward", "NoneType"]),
    ({"healthy_z_range": (0.5,)}, ["sim.ant.healthy_z_range", "2"]),
    ({"healthy_z_range": (0.5, "x")}, ["healthy_z_range", "list"]),
    ({"healthy_z_range": (0.9, 0.5)}, ["healthy_z_range", "below"]),
    ({"terminate_when_unhealthy": 1}, ["terminate_when_unhealthy", "true or false", "got 1"]),
    ({"use_contact_forces": True}, ["use_contact_forces"]),
    ({"gravity": 3.0}, ["unknown key 'gravity' in [sim.ant]"]),
    ({"xml_file": "nobody.xml"}, ["nobody.xml", "ANTHILL_ASSETS"]),
    ({"env": "mjcf"}, ["model"]),
], ids=str)  # fmt: skip
def test_bad_settings_are_one_line(arguments, words):
    with pytest.raises(ValueError) as refused:
        anthill.make_vec(**({"env": "Ant-v5"} | arguments))
    text = str(refused.value)
    assert "\n" not in text and all(word in text for word in words), text


def test_numpys_numbers_and_paths_are_options(tmp_path):
    model = tmp_path / "ant.xml"
    model.write_text(open(f"{gymnasium.__path__[0]}/envs/mujoco/assets/ant.xml").read())
    envs = anthill.make_vec(
        "Ant-v5", np.int64(2), xml_file=model, healthy_reward=np.float32(0.5), healthy_z_range=np.array([0.1, 2.0]),
        frame_skip=np.int32(2), max_episode_steps=np.int64(7),
    )  # fmt: skip
    envs.reset(seed=0)
    infos = envs.step(np.zeros((2, 8), np.float32))[-1]
    assert (infos["reward_survive"] == 0.5).all() and envs.spec.max_episode_steps == 7


def test_too_many_threads_are_a_warning():
    with pytest.warns(UserWarning, match="sim.num_threads = 500 exceeds"):
        anthill.make_vec("Pendulum-v1", 2, 500)


@pytest.mark.parametrize(("env", "actions", "words"), [
    ("Pendulum-v1", np.zeros((2, 2)), ["shape (2, 2)", "(2, 1)"]),
    ("Pendulum-v1", np.zeros(2), ["shape (2,)"]),
    ("Pendulum-v1", [[0.0], [np.nan]], ["nan", "environment 1", "element 0"]),
    ("Pendulum-v1", [["a"], ["b"]], ["dtype"]),
    ("Pendulum-v1", [[None], [1.0]], ["dtype"]),
    ("CartPole-v1", [0, 2], ["2 for environment 1", "0 to 1"]),
    ("CartPole-v1", [-1, 0], ["-1 for environment 0"]),
    ("CartPole-v1", [0.5, 1], ["0.5 for environment 0"]),
    ("CartPole-v1", [np.nan, 1], ["nan for environment 0"]),
    ("CartPole-v1", [[0], [1]], ["shape (2, 1)", "(2,)"]),
], ids=str)  # fmt: skip
def test_bad_actions_are_one_line_and_change_nothing(env, actions, words):
    envs = anthill.make_vec(env, 2)
    observation, _ = envs.reset(seed=0)
    kept = observation.copy()
    with pytest.raises(ValueError) as refused:
        envs.step(actions)
    assert "\n" not in str(refused.value) and all(word in str(refused.value) for word in words), refused.value
    assert (observation == kept).all()
    envs.step(envs.action_space.sample())


@pytest.mark.parametrize(("arguments", "words"), [
    ({"seed": -1}, "not in"),
    ({"seed": 2**64 - 1}, "not in"),  # + 1 for the second environment
    ({"seed": [1]}, "1 seeds for 2"),
    ({"seed": "x"}, "expected None, an integer or a list"),
    ({"seed": True}, "expected None, an integer or a list"),
    ({"seed": [1, 2.5]}, "integer"),
    ({"options": {"x_init": 1}}, "unknown option 'x_init'"),
    ({"options": {"reset_mask": [True, False]}}, "bool array"),
    ({"options": {"reset_mask": np.zeros(2, bool)}}, "true nowhere"),
    ({"options": {"reset_mask": np.ones(3, bool)}}, r"\(2,\)"),
], ids=str)  # fmt: skip
def test_bad_resets(arguments, words):
    envs = anthill.make_vec("Pendulum-v1", 2)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=words):
        envs.reset(**arguments)


SLIDER = """<mujoco><worldbody><body><joint name="slide" type="slide"/><geom size="0.1"/></body></worldbody>
<actuator><motor joint="slide" gear="1e30" ctrllimited="true" ctrlrange="-1e9 1e9"/></actuator></mujoco>"""


def test_a_failed_simulation_ends_its_own_episode_and_is_named(tmp_path):
    (tmp_path / "slider.xml").write_text(SLIDER)
    envs = anthill.make_vec("mjcf", 2, 1, model=tmp_path / "slider.xml")
    envs.reset(seed=0)
    with pytest.warns(UserWarning, match="environment 1 .seed 1., step 0 .* failed"):
        observation, reward, terminated, truncated, infos = envs.step(np.array([[0.0], [1e9]], np.float32))
    assert list(truncated) == [False, True] and not terminated.any()
    assert list(infos["invalid"]) == [False, True] and reward[1] == 0
    assert np.isfinite(observation).all()
    envs.step(np.zeros((2, 1), np.float32))


def test_the_package_names_what_it_has():
    assert "Ant-v5" in anthill.env_names() and "mjcf" in anthill.env_names()
    assert {"make_vec", "Policy", "read_run"} <= set(dir(anthill))
    with pytest.raises(AttributeError, match="make_vec"):
        anthill.make
