"""anthill render: pictures of real runs, through OSMesa where MuJoCo draws."""

import json
from pathlib import Path

import gymnasium
import matplotlib.image
import numpy as np
import pytest
from anthill_command import assert_fails, run
from render_pictures import (
    BLUE, GREEN, ORANGE, ant, frames_of, number_in, osmesa, pendulum, read_overlay, render, table, train
)

__all__ = ["ant", "pendulum"]  # fixtures


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


def test_large_numbers_are_legible(pendulum, tmp_path):
    # rewards of about -3 become values of about -3e7
    render(pendulum, tmp_path / "x.png", "--at", 39, "--values", tmp_path / "v.csv", "--set", "agent.reward_scale=1e6", "--stochastic")
    frame = (matplotlib.image.imread(tmp_path / "x.png")[..., :3] * 255).round().astype(int)
    lines, rows = read_overlay(frame), table(tmp_path / "v.csv")
    row = rows[39]
    assert abs(row["soft_value"]) > 1e7
    for label, value in [("soft value", row["soft_value"]), ("hard value", row["hard_value"]),
                         ("Q - soft value", row["q_mean"] - row["soft_value"])]:
        assert number_in(lines, label) == pytest.approx(value, rel=0.01), label
    # the axis: its ends alone stand at the left, and no curve comes near
    values = [row[name] for row in rows for name in ("q_mean", "soft_value", "hard_value")]
    for top, value in ((200, max(values)), (228, min(values))):
        assert float(read_overlay(frame, top=top)[0][0].split()[0]) == pytest.approx(value, rel=0.01)
    curves = np.any([(frame[200:] == color).all(axis=-1) for color in (ORANGE, BLUE, GREEN)], axis=0)
    assert curves.any() and np.argwhere(curves)[:, 1].min() > 4 + 6 * 9


@osmesa
@pytest.mark.parametrize(("config", "settings"), [
    ("configs/smoke.toml", ["sim.action_repeat=2"]),
    ("configs/cartpole_dqn.toml", ['sim.env="InvertedPendulum-v5"', "sim.action_table=[[-3.0], [3.0]]", "sim.action_repeat=2"]),
])
def test_mujoco_tasks_with_other_actions(tmp_path, config, settings):
    folder = train(
        tmp_path / "run", config, *settings, "training.total_env_steps=1100", "evaluation.period=0", "log.tensorboard=false",
    )
    said = render(folder, tmp_path / "frames", "--gl", "osmesa", "--steps", 2, "--plain")
    assert "2 frames" in said.stderr and "OSMesa" in said.stderr
    assert all(frame.std() > 3 for frame in frames_of(tmp_path / "frames"))  # the pendulum stands before black


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
def test_a_runner_never_leaves_the_floor(tmp_path):
    text = (Path(gymnasium.__file__).parent / "envs/mujoco/assets/half_cheetah.xml").read_text()
    assert text.count('size="40 40 40"') == 1
    folder = train(
        tmp_path / "run", "configs/smoke.toml", 'sim.env="HalfCheetah-v5"', "training.total_env_steps=600", "evaluation.period=0",
        "log.tensorboard=false",
    )
    small = tmp_path / "small.xml"
    small.write_text(text.replace('size="40 40 40"', 'size="1 1 40"').replace('texrepeat="60 60"', 'texrepeat="1.5 1.5"'))
    arguments = ["--gl", "osmesa", "--at", 0, "--plain"]
    render(folder, tmp_path / "own.png", *arguments)
    render(folder, tmp_path / "small.png", *arguments, "--set", f'sim.half_cheetah.xml_file="{small}"')
    own, on_small = (matplotlib.image.imread(tmp_path / name)[..., :3] for name in ("own.png", "small.png"))
    # the squares of a checkered floor, from one side of the picture to the other
    for part in np.array_split(own[140:], 4, axis=1):
        assert part.min() < 0.2 and part.max() > 0.6
    assert np.abs(own - on_small)[140:].mean() < 0.01  # the horizon is nearer with a smaller model


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
