"""Every step of `anthill rollout` against live Gymnasium, compared as raw bytes: every task and option, briefly.

gymnasium_parity_slow_test.py does the same for longer; analysis/parity.py is what both call.
"""

import dataclasses
import fractions
import inspect
import tomllib

import gymnasium
import numpy as np
import pytest
from anthill_command import BIN, rollout, run

from analysis.parity import anthill_rollout, compare, gymnasium_rollout, run_case
from analysis.parity_cases import CASES, OPTIONS, Case, section_of

COMMAND = [BIN / "anthill"]


def check(case, actions=None, seed=100, num_seeds=2, num_steps=70):
    """Compares a rollout with Gymnasium's, which it returns."""
    result, reference = run_case(case, COMMAND, seed, num_seeds, num_steps, actions)
    assert result.num_different == 0, result.first_difference
    assert result.num_compared >= num_seeds * num_steps * 6
    return reference


def arguments_of(env_id):
    return inspect.signature(gymnasium.envs.registration.load_env_creator(gymnasium.spec(env_id).entry_point)).parameters


def test_every_argument_is_a_key_with_gymnasiums_default():
    sections = tomllib.loads(run("config", "--reference").stdout)["sim"]
    # seen by nobody but a renderer, or by nobody at all
    no_keys = {"render_mode", "default_camera_config", "uph_cost_weight"}
    for env_id in OPTIONS:
        section = sections[section_of(env_id)]
        for name, parameter in arguments_of(env_id).items():
            if name in no_keys or parameter.kind is parameter.VAR_KEYWORD:
                continue
            value = section["gravity" if name == "g" else name]
            assert (tuple(value) if isinstance(value, list) else value) == parameter.default, (env_id, name)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_task_and_option(case):
    check(case)


@pytest.mark.parametrize("env_id", ["Ant-v4", "Ant-v5"])
def test_through_terminations_and_the_tasks_own_time_limit(env_id):
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (1100, 4, 8)).astype(np.float32)
    actions[:, 3] *= 0.01  # stands until the time limit
    reference = check(Case(env_id, time_limit=None), actions, num_seeds=4, num_steps=1100)
    assert reference["terminated"].any() and reference["truncated"][999, 3] == 1


def limits():
    """(task, options, its time limit): tasks that no random action ends before."""
    for env_id in OPTIONS:
        unhealthy = {"terminate_when_unhealthy": False}
        endless = env_id.startswith(("HalfCheetah", "HumanoidStandup", "Swimmer", "Reacher", "Pendulum", "MountainCar"))
        if endless or "terminate_when_unhealthy" in arguments_of(env_id):
            yield env_id, {} if endless else unhealthy, gymnasium.spec(env_id).max_episode_steps


@pytest.mark.parametrize(("env_id", "options", "limit"), list(limits()), ids=str)
def test_the_tasks_own_time_limit(env_id, options, limit):
    reference = check(Case(env_id, options, time_limit=None), num_seeds=1, num_steps=limit + 2)
    assert np.flatnonzero(reference["truncated"]).tolist() == [limit - 1]


@pytest.mark.parametrize("env_id", [env_id for env_id in OPTIONS if "xml_file" in arguments_of(env_id)])
def test_another_model(tmp_path, env_id):
    assets = f"{gymnasium.__path__[0]}/envs/mujoco/assets/"
    with open(assets + arguments_of(env_id)["xml_file"].default) as file:
        text = file.read()
    # Gymnasium's v4 insists on the time step that its frames are drawn for
    old, new = ('timestep="0.0', 'timestep="0.00') if env_id.endswith("v5") else ('density="5.0"', 'density="9.0"')
    assert old in text
    (tmp_path / "other.xml").write_text(text.replace(old, new))
    reference = check(Case(env_id, {"xml_file": str(tmp_path / "other.xml")}, time_limit=25), num_steps=60)
    assert not np.array_equal(reference["observation"], gymnasium_rollout(Case(env_id), 100, 2, 60)["observation"])


def test_the_mountain_car_reaches_its_goal():
    reference = check(Case("MountainCarContinuous-v0", {}, "pumping", None), num_steps=300)
    assert reference["terminated"].any()
    fast = check(Case("MountainCarContinuous-v0", {"goal_velocity": 0.07}, "pumping", None), num_steps=300)
    assert 0 < fast["terminated"].sum() <= reference["terminated"].sum()


def test_reacher_with_the_norm_of_avx512(monkeypatch):
    """OpenBLAS's kernels for AVX-512 fuse multiply and add: the distance's last bits differ, and nothing else."""

    def fused_norm(x):
        total = 0.0
        for element in map(fractions.Fraction, x.tolist()):
            total = float(element * element + fractions.Fraction(total))  # rounded once
        return np.sqrt(np.float64(total))

    case = Case("Reacher-v5")
    monkeypatch.setattr(np.linalg, "norm", fused_norm)
    reference = gymnasium_rollout(case, 0, 20, 100)
    ours = anthill_rollout(case, 0, reference["action"], COMMAND)
    inexact = ("reward", "terms/reward_dist")
    exact = {name: values for name, values in reference.items() if name not in inexact}
    assert compare(ours, exact)[1:] == (0, "")
    for name in inexact:
        assert (ours[name] != reference[name]).mean() < 0.2
        np.testing.assert_array_max_ulp(ours[name], reference[name], maxulp=1)


@pytest.mark.parametrize("env_id", ["Ant-v5", "Pendulum-v1", "InvertedPendulum-v5", "CartPole-v1"])
def test_random_actions_are_uniform(tmp_path, env_id):
    ours, _ = rollout(tmp_path, env_id, 4, 7, steps=250)
    action = ours["action"]
    assert np.all(action.astype(np.float32) == action)
    if env_id == "CartPole-v1":
        assert set(np.unique(action)) == {0, 1}
        assert abs(action.mean() - 0.5) < 5 * 0.5 / np.sqrt(action.size)
    else:
        # mean 0 and variance bound^2 / 3, within five standard errors
        bound = gymnasium.make(env_id).action_space.high[0]
        assert np.all(np.abs(action) <= bound)
        assert abs(action.mean()) < 5 * bound / np.sqrt(3 * action.size)
        assert abs((action**2).mean() / (bound**2 / 3) - 1) < 5 * np.sqrt(0.8 / action.size)
        assert len(np.unique(action)) > 0.99 * action.size
    case = Case(env_id, time_limit=None)
    assert compare(ours, gymnasium_rollout(case, 7, 4, 250, action.astype(np.float32)))[1:] == (0, "")


def test_the_comparison_sees_one_wrong_bit():
    case = Case("Reacher-v5")
    reference = gymnasium_rollout(case, 0, 2, 10)
    wrong = {name: values.copy() for name, values in reference.items()}
    wrong["observation"][3, 1, 2] = np.nextafter(wrong["observation"][3, 1, 2], 9)
    _, num_different, first = compare(wrong, reference)
    assert num_different == 1 and first.startswith("observation[3, 1, 2]")
    other = gymnasium_rollout(dataclasses.replace(case, options={"reward_dist_weight": 1.1}), 0, 2, 10)
    assert compare(other, reference)[1] > 0
