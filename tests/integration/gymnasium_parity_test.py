"""Every step of `anthill rollout` against live Gymnasium, compared as raw bytes."""

import warnings

import gymnasium
import numpy as np
import pytest
from anthill_command import rollout

NAMES = ("observation", "reward", "next_observation", "terminated", "truncated")


def gymnasium_rollout(env_id, seed, actions, options=None, max_episode_steps=None):
    """The same arrays from Gymnasium: one environment per lane, reset when its episode ends."""
    steps = {name: [] for name in NAMES}
    for lane in range(actions.shape[1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Ant-v4 is deprecated
            env = gymnasium.make(
                env_id, max_episode_steps=max_episode_steps, disable_env_checker=True, **(options or {})
            )
        rows = {name: [] for name in NAMES}
        observation, _ = env.reset(seed=seed + lane)
        for action in actions[:, lane]:
            following, reward, terminated, truncated, _ = env.step(action)
            for name, value in zip(NAMES, (observation, reward, following, terminated, truncated)):
                rows[name].append(np.array(value, np.float64))
            observation = env.reset()[0] if terminated or truncated else following
        env.close()
        for name in NAMES:
            steps[name].append(rows[name])
    return {name: np.stack([np.stack(lane) for lane in steps[name]], axis=1) for name in NAMES}


def assert_same_bytes(ours, reference):
    """Bit equality; tells the first step, lane and element that differ, in order of time."""
    for name in NAMES:
        assert ours[name].dtype == np.float64 and ours[name].shape == reference[name].shape, name
    different = {
        name: np.argwhere(ours[name].view(np.uint64) != reference[name].view(np.uint64)) for name in NAMES
    }
    wrong = [(tuple(map(int, where[0])), name) for name, where in different.items() if len(where)]
    if wrong:
        place, name = min(wrong)
        pytest.fail(
            f"{name}{list(place)}: {ours[name][place]!r}, Gymnasium {reference[name][place]!r}; "
            f"elements that differ: { {n: len(w) for n, w in different.items()} }"
        )


def check(folder, env_id, actions, seed=100, settings=(), max_episode_steps=None, **options):
    """Compares a rollout with Gymnasium's and returns it."""
    task = "pendulum" if env_id.startswith("Pendulum") else "ant"
    overrides = [f"sim.{task}.{key}={to_toml(value)}" for key, value in options.items()]
    if max_episode_steps is not None:
        overrides.append(f"sim.max_episode_steps={max_episode_steps}")
    num_envs = actions.shape[1]
    ours, messages = rollout(folder, env_id, num_envs, seed, actions, settings=overrides, threads=2)
    if "gravity" in options:  # our name for Gymnasium's g
        options["g"] = options.pop("gravity")
    assert_same_bytes(ours, gymnasium_rollout(env_id, seed, actions, options, max_episode_steps))
    assert messages == "" and not ours["invalid"].any()
    assert ours["action"].tobytes() == actions.astype(np.float64).tobytes()
    return ours


def to_toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str(list(value))
    return f'"{value}"' if isinstance(value, str) else repr(value)


def uniform(steps, num_envs, action_dim, bound=1.0, seed=0):
    values = np.random.default_rng(seed).uniform(-bound, bound, (steps, num_envs, action_dim))
    return values.astype(np.float32)


@pytest.mark.parametrize("env_id", ["Ant-v4", "Ant-v5"])
def test_ant_through_terminations_and_the_time_limit(tmp_path, env_id):
    actions = uniform(1100, 4, 8)
    actions[:, 3] *= 0.01  # stands until the time limit
    ours = check(tmp_path, env_id, actions)
    assert ours["terminated"].any() and ours["truncated"][999, 3] == 1


@pytest.mark.parametrize("env_id", ["Ant-v4", "Ant-v5"])
def test_ant_with_actions_outside_of_the_bounds(tmp_path, env_id):
    actions = uniform(250, 3, 8, bound=4.0, seed=1)
    actions[:, 2] = np.sign(actions[:, 2]) * 1e6
    assert check(tmp_path, env_id, actions)["terminated"].any()


@pytest.mark.parametrize(
    "options",
    [
        {"forward_reward_weight": 2.5, "ctrl_cost_weight": 0.1, "healthy_reward": 0.3},
        {"contact_cost_weight": 0.01, "contact_force_range": (-0.5, 0.7)},
        {"terminate_when_unhealthy": False},
        {"healthy_z_range": (0.45, 0.8), "reset_noise_scale": 0.02},
        {"exclude_current_positions_from_observation": False},
        {"include_cfrc_ext_in_observation": False},
        {"frame_skip": 3},
        {"main_body": 2},
    ],
    ids=lambda options: next(iter(options)),
)
def test_ant_v5_options(tmp_path, options):
    check(tmp_path, "Ant-v5", uniform(120, 2, 8, seed=2), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"use_contact_forces": True},
        {"use_contact_forces": True, "contact_cost_weight": 0.01, "contact_force_range": (-0.5, 0.7)},
        {"ctrl_cost_weight": 0.1, "healthy_reward": 0.3, "terminate_when_unhealthy": False},
        {"healthy_z_range": (0.45, 0.8), "reset_noise_scale": 0.02},
        {"exclude_current_positions_from_observation": False},
    ],
    ids=lambda options: "-".join(options),
)
def test_ant_v4_options(tmp_path, options):
    check(tmp_path, "Ant-v4", uniform(120, 2, 8, seed=3), **options)


def test_ant_with_another_model_and_time_limit(tmp_path):
    assets = f"{gymnasium.__path__[0]}/envs/mujoco/assets"
    with open(f"{assets}/ant.xml") as file:
        text = file.read()
    heavier = text.replace('density="5.0"', 'density="9.0"')
    assert heavier != text
    (tmp_path / "heavier.xml").write_text(heavier)
    options = {"xml_file": str(tmp_path / "heavier.xml"), "terminate_when_unhealthy": False}
    ours = check(tmp_path, "Ant-v5", uniform(90, 2, 8, seed=4), max_episode_steps=25, **options)
    assert np.flatnonzero(ours["truncated"].all(axis=1)).tolist() == [24, 49, 74]


@pytest.mark.parametrize("bound", [2.0, 10.0])
def test_pendulum(tmp_path, bound):
    ours = check(tmp_path, "Pendulum-v1", uniform(650, 5, 1, bound, seed=5))
    assert ours["truncated"].sum() == 15 and not ours["terminated"].any()


def test_pendulum_gravity(tmp_path):
    check(tmp_path, "Pendulum-v1", uniform(250, 2, 1, 2.0, seed=6), gravity=9.81)


def test_random_actions_fill_the_bounds(tmp_path):
    for env_id, bound in (("Ant-v5", 1.0), ("Pendulum-v1", 2.0)):
        ours, _ = rollout(tmp_path, env_id, 4, 7, steps=250)
        action = ours["action"]
        assert np.all(np.abs(action) <= bound) and np.all(action.astype(np.float32) == action)
        # uniform: mean 0 and variance bound^2 / 3, within five standard errors
        count = action.size
        assert abs(action.mean()) < 5 * bound / np.sqrt(3 * count)
        assert abs((action**2).mean() / (bound**2 / 3) - 1) < 5 * np.sqrt(0.8 / count)
        assert len(np.unique(action)) > 0.99 * count
        assert_same_bytes(ours, gymnasium_rollout(env_id, 7, action.astype(np.float32)))
