"""anthill.make_vec against live Gymnasium's vector environments, bit for bit, and as Gymnasium's wrappers use it."""

import os
import sys
import types
import warnings

# plain arithmetic in np.linalg.norm, also on a CPU with AVX-512 (docs/environments.md); read when NumPy loads
os.environ.setdefault("OPENBLAS_CORETYPE", "Nehalem")

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import passive_env_checker
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as wrappers

import anthill
from analysis.parity_cases import OPTIONS

# only rendering needs it, but Gymnasium imports it with the environments
sys.modules.setdefault("pygame", types.ModuleType("pygame"))
sys.modules["pygame"].gfxdraw = None

pytestmark = pytest.mark.filterwarnings("ignore:num_threads")  # where there is one core
LUNAR_LANDERS = ["LunarLander-v3", "LunarLanderContinuous-v3"]  # on another Box2D: docs/lunar_lander.md


def gymnasium_vec(env_id, num_envs, mode=AutoresetMode.SAME_STEP, **options):
    if "gravity" in options:  # our name for Gymnasium's g
        options["g"] = options.pop("gravity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # v4 is deprecated
        return gymnasium.make_vec(
            env_id, num_envs, "sync", vector_kwargs={"autoreset_mode": mode}, **options
        )


def assert_same(ours, reference):
    """Same type, dtype, shape and bytes."""
    assert type(ours) is type(reference) and ours.dtype == reference.dtype
    assert ours.shape == reference.shape and ours.tobytes() == reference.tobytes(), (ours, reference)


def assert_infos(ours, reference):
    """What we have of Gymnasium's infos is Gymnasium's; returns how many keys were compared."""
    compared = 0
    for key, value in ours.items():
        if key not in reference:  # a term that Gymnasium does not show
            assert key.lstrip("_").startswith(("reward_", "distance_", "velocity_"))
        elif isinstance(value, dict):
            compared += assert_infos(value, reference[key])
        elif value.dtype == object:
            assert [row is None for row in value] == [row is None for row in reference[key]]
            for row, expected in zip(value, reference[key]):
                if row is not None:
                    assert_same(row, expected)
            compared += 1
        else:  # ours are float64; Gymnasium's dtype is the first value's
            assert (value.dtype == bool) == (reference[key].dtype == bool)
            np.testing.assert_array_equal(value, reference[key], strict=False)
            compared += 1
    return compared


def assert_parity(ours, reference, steps=70, seed=123, wide=False):
    """Steps both from `seed`, also over ends of episodes; returns how many ended."""
    assert ours.num_envs == reference.num_envs
    for name in ("observation_space", "action_space", "single_observation_space", "single_action_space"):
        assert getattr(ours, name) == getattr(reference, name), name
    observation, infos = ours.reset(seed=seed)
    assert infos == {}
    assert_same(observation, reference.reset(seed=seed)[0])
    ours.action_space.seed(123)
    num_ended, compared, shown = 0, 0, 0
    for _ in range(steps):
        actions = ours.action_space.sample()
        if wide and actions.dtype == np.float32:
            actions *= 3
        *arrays, infos = ours.step(actions)
        *expected, expected_infos = reference.step(actions)
        for mine, gymnasiums in zip(arrays, expected):
            assert_same(mine, gymnasiums)
        if not ours.spec.id.endswith("v4"):  # whose infos have other names, and mix two costs up
            compared += assert_infos(infos, expected_infos)
        shown += len(infos)
        assert ("final_obs" in infos) == ("final_obs" in expected_infos)
        num_ended += int((arrays[2] | arrays[3]).sum())
    assert (compared > 0) == (shown > 0 and not ours.spec.id.endswith("v4"))
    ours.close()
    reference.close()
    return num_ended


@pytest.mark.parametrize("env_id", OPTIONS)
def test_trajectories_are_gymnasiums(env_id):
    limit = {"max_episode_steps": 25}
    reference = gymnasium_vec(env_id, 3, **limit)
    assert assert_parity(anthill.make_vec(env_id, 3, 2, **limit), reference, wide=True) >= 6


@pytest.mark.parametrize(("env_id", "options"), [
    ("Ant-v5", {"healthy_z_range": (0.45, 0.8), "reset_noise_scale": 0.02, "main_body": 2}),
    ("Hopper-v5", {"terminate_when_unhealthy": False, "healthy_reward": -1}),
    ("Pendulum-v1", {"gravity": 4}),
    ("CartPole-v1", {"sutton_barto_reward": True}),
], ids=str)  # fmt: skip
def test_options_are_gymnasiums(env_id, options):
    options = options | {"max_episode_steps": 30}
    assert assert_parity(anthill.make_vec(env_id, 2, 1, **options), gymnasium_vec(env_id, 2, **options)) > 0


@pytest.mark.parametrize("env_id", ["Hopper-v5", "CartPole-v1", "Pendulum-v1"])
def test_the_next_step_mode_is_gymnasiums(env_id):
    mode = AutoresetMode.NEXT_STEP
    ours = anthill.make_vec(env_id, 3, 2, autoreset_mode=mode, max_episode_steps=25)
    assert assert_parity(ours, gymnasium_vec(env_id, 3, mode, max_episode_steps=25), wide=True) >= 6


def test_resets_between_the_steps_of_the_next_step_mode():
    """A reset comes between the end of an episode and the next, with and without a seed."""
    mode = AutoresetMode.NEXT_STEP
    ours = anthill.make_vec("Pendulum-v1", 4, 1, autoreset_mode=mode, max_episode_steps=4)
    reference = gymnasium_vec("Pendulum-v1", 4, mode, max_episode_steps=4)
    resets = {4: {}, 5: {"seed": [None, 3, None, 4]}, 9: {"seed": 8}, 13: {}, 17: {"mask": [1, 0, 0, 1]},
              18: {}, 22: {"seed": [1, None, None, 2], "mask": [1, 1, 0, 0]}}  # fmt: skip
    for envs in (ours, reference):
        envs.reset(seed=1)
    for step in range(30):
        if step in resets:
            seed, mask = resets[step].get("seed"), resets[step].get("mask")
            options = [None if mask is None else {"reset_mask": np.array(mask, bool)} for _ in range(2)]
            got = [envs.reset(seed=seed, options=option)[0] for envs, option in zip((ours, reference), options)]
            assert_same(*got)
        actions = np.full((4, 1), 0.1 * step - 1, np.float32)
        for mine, gymnasiums in zip(ours.step(actions)[:4], reference.step(actions)[:4]):
            assert_same(mine, gymnasiums)


def test_without_autoreset_the_caller_resets():
    mode = AutoresetMode.DISABLED
    ours = anthill.make_vec("Hopper-v5", 3, 2, autoreset_mode=mode)
    reference = gymnasium_vec("Hopper-v5", 3, mode)
    for envs in (ours, reference):
        envs.reset(seed=2)
    ours.action_space.seed(2)
    num_resets = 0
    for step in range(120):
        actions = ours.action_space.sample()
        *arrays, infos = ours.step(actions)
        *expected, expected_infos = reference.step(actions)
        for mine, gymnasiums in zip(arrays, expected):
            assert_same(mine, gymnasiums)
        assert assert_infos(infos, expected_infos) > 0 and "final_obs" not in infos
        ended = arrays[2] | arrays[3]
        if not ended.any():
            continue
        with pytest.raises(gymnasium.error.ResetNeeded, match="reset_mask"):
            ours.step(actions)
        mask = ended if step % 2 else np.ones(3, bool)  # an episode that has not ended, too
        seed = 100 if num_resets == 1 else None
        assert_same(*(envs.reset(seed=seed, options={"reset_mask": mask.copy()})[0] for envs in (ours, reference)))
        num_resets += 1
    assert num_resets > 4


def test_the_tasks_own_time_limit_and_next_seeds():
    assert assert_parity(anthill.make_vec("Pendulum-v1", 2, 1), gymnasium_vec("Pendulum-v1", 2), 210, seed=[4, 9]) == 2


def test_reset_without_a_seed_goes_on_and_some_can_be_reset():
    ours, reference = anthill.make_vec("Ant-v5", 3, 2), gymnasium_vec("Ant-v5", 3)
    for envs in (ours, reference):
        envs.reset(seed=5)
    assert_same(ours.reset()[0], reference.reset()[0])
    assert_same(ours.reset(seed=[None, 8, None])[0], reference.reset(seed=[None, 8, None])[0])
    actions = np.full((3, 8), 0.3, np.float32)
    for envs in (ours, reference):
        envs.step(actions)
    mask = np.array([True, False, True])
    got, expected = (envs.reset(seed=70, options={"reset_mask": mask.copy()})[0] for envs in (ours, reference))
    assert_same(got, expected)
    for mine, gymnasiums in zip(ours.step(actions)[:4], reference.step(actions)[:4]):
        assert_same(mine, gymnasiums)
    assert ours.np_random_seed == (70, 8, 72)


def test_unseeded_environments_differ():
    first, second = (anthill.make_vec("CartPole-v1", 4).reset()[0].copy() for _ in range(2))
    assert len(np.unique(np.concatenate([first, second])[:, 0])) == 8


@pytest.mark.parametrize("env_id", [*OPTIONS, *LUNAR_LANDERS])
def test_spaces_pass_gymnasiums_checks(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = gymnasium.make(env_id, disable_env_checker=True)
    envs = anthill.make_vec(env_id, 2)
    assert envs.single_observation_space == expected.observation_space
    assert envs.single_action_space == expected.action_space
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert (envs.spec.id, envs.spec.max_episode_steps) == (env_id, expected.spec.max_episode_steps)
    passive_env_checker.check_observation_space(envs.observation_space)
    passive_env_checker.check_action_space(envs.action_space)
    observation, _ = envs.reset(seed=1)
    passive_env_checker.check_obs(observation, envs.observation_space, "reset")
    passive_env_checker.check_obs(envs.step(envs.action_space.sample())[0], envs.observation_space, "step")
    assert isinstance(envs, gymnasium.vector.VectorEnv) and envs.unwrapped is envs and env_id in repr(envs)


WRAPPERS = {
    "statistics": wrappers.RecordEpisodeStatistics,
    "normalize_reward": wrappers.NormalizeReward,
    "clip_reward": lambda envs: wrappers.ClipReward(envs, -0.5, 0.5),
    "rescale_action": lambda envs: wrappers.RescaleAction(envs, np.float32(-1), np.float32(1)),
    "list": lambda envs: wrappers.DictInfoToList(wrappers.RecordEpisodeStatistics(envs)),
    # Gymnasium's wrappers of observations refuse SAME_STEP
    "normalize_observation": wrappers.NormalizeObservation,
    "rescale_observation": lambda envs: wrappers.RescaleObservation(envs, np.float32(-1), np.float32(1)),
    "both": lambda envs: wrappers.NormalizeObservation(wrappers.RecordEpisodeStatistics(envs)),
}


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("name", WRAPPERS)
def test_vector_wrappers_see_the_same(name, mode):
    if mode is AutoresetMode.SAME_STEP and name in ("normalize_observation", "rescale_observation", "both"):
        with pytest.raises(ValueError, match="SAME_STEP"):
            WRAPPERS[name](anthill.make_vec("Pendulum-v1", 3))
        return
    ours = WRAPPERS[name](anthill.make_vec("Pendulum-v1", 3, autoreset_mode=mode, max_episode_steps=9))
    reference = WRAPPERS[name](gymnasium_vec("Pendulum-v1", 3, mode, max_episode_steps=9))
    assert_same(ours.reset(seed=3)[0], reference.reset(seed=3)[0])
    ours.action_space.seed(3)
    for _ in range(30):
        actions = ours.action_space.sample()
        *arrays, infos = ours.step(actions)
        *expected, expected_infos = reference.step(actions)
        for mine, gymnasiums in zip(arrays, expected):
            assert_same(np.asarray(mine), np.asarray(gymnasiums))
        if "episode" in expected_infos:
            for key in "rl":
                assert_same(infos["episode"][key], expected_infos["episode"][key])
        if isinstance(infos, list):
            assert [sorted(info) for info in infos] == [sorted(info) for info in expected_infos]
    if name == "statistics":
        assert list(ours.length_queue) == [9] * 9


@pytest.mark.parametrize("env_id", LUNAR_LANDERS)
def test_lunar_lander_lands(env_id):
    envs = anthill.make_vec(env_id, 4, 2, gravity=-4.0)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    ends = sum(int(envs.step(envs.action_space.sample())[2].sum()) for _ in range(300))
    assert ends > 0 and envs.step(envs.action_space.sample())[0].dtype == np.float32


def test_a_model_of_ones_own():
    envs = anthill.make_vec(
        "mjcf", 2, model="configs/models/monoped.xml", observation=["qpos[1:]", "qvel"], frame_skip=2, healthy=[]
    )
    observation, _ = envs.reset(seed=1)
    assert envs.spec is None and observation.shape == envs.observation_space.shape
    assert np.isfinite(envs.step(envs.action_space.sample())[0]).all()
