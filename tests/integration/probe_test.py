"""`anthill probe`: the off-line probe of a run's checkpoints, and critics judged on other policies."""

import csv
import hashlib
import json

import pytest
from anthill_command import assert_fails, run
from resumed_runs import CLOCK, SMOKE, options

PENDULUM = ['sim.env="Pendulum-v1"', "sim.num_envs=4", "sim.max_episode_steps=40", "sim.num_threads=1",
            "training.total_env_steps=800", "training.random_steps=100", "training.learning_starts=100",
            "training.batch_size=16", "actor.hidden_dims=[16]", "critic.hidden_dims=[16]", "evaluation.period=0",
            "checkpoint.period=400", "checkpoint.archive_period=400", "run.device=cpu"]
PROBE = ["overestimation.period=400", "overestimation.num_states=6", "overestimation.horizon=25",
         "overestimation.num_episodes=3", "buffer.store_state=true",
         'overestimation.states=["on_policy","reset","buffer_action","buffer_policy"]']
NOT_COMPARED = CLOCK | {"time_share", "run", "checkpoint", "actor_from", "critic_from", "alpha_from"}


def train(folder, *settings):
    result = run("train", SMOKE, "--run", folder, *options([*PENDULUM, *settings]))
    assert result.returncode == 0, result.stderr
    return folder


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def numbers(row):
    return {name: value for name, value in row.items() if name not in NOT_COMPARED}


def probe(source, output, *arguments):
    result = run("probe", source, "--output", output, *arguments)
    assert result.returncode == 0, result.stderr
    return rows(output / "overestimation.csv"), result.stderr


def contents(folder):
    return {path.relative_to(folder): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same seed three times: plain with overlap and without, and with LayerNorm."""
    folder = tmp_path_factory.mktemp("sweep")
    train(folder / "plain", *PROBE, "training.overlap=false")
    train(folder / "overlap", *PROBE, "training.overlap=true")
    train(folder / "norm", *PROBE, "training.overlap=false", "critic.layer_norm=true", "training.replay_ratio=2")
    return folder


@pytest.mark.parametrize("name", ["plain", "overlap"])
def test_off_line_equals_on_line(tmp_path, runs, name):
    before = contents(runs / name)
    found, _ = probe(runs / name, tmp_path / "out")
    assert contents(runs / name) == before
    # the initial networks too, which training does not probe
    assert sorted({int(row["env_steps"]) for row in found}) == [0, 400, 800]
    # at its end a run with overlap still has the last step's updates before it
    shared = {"plain": {"400", "800"}, "overlap": {"400"}}[name]
    for table in ("overestimation.csv", "overestimation_states.csv"):
        on_line = [numbers(row) for row in rows(runs / name / table) if row["env_steps"] in shared]
        off_line = [numbers(row) for row in rows(tmp_path / "out" / table) if row["env_steps"] in shared]
        assert on_line and on_line == off_line
    # an empty buffer has no states
    assert {row["states"] for row in found if row["env_steps"] == "0"} == {"on_policy", "reset"}
    assert all(row["run"] == name and row["checkpoint"].startswith("step-") for row in found)
    assert json.loads((tmp_path / "out/probe.json").read_text())["arguments"][1] == str(runs / name)


def test_swaps_say_which_part_is_to_blame(tmp_path, runs):
    def at_400(folder, *arguments):
        kinds = ["--checkpoints", "400", "--states", "on_policy,reset"]
        found, _ = probe(runs / folder, tmp_path / str(len(list(tmp_path.iterdir()))), *kinds, *arguments)
        return {row["states"]: row for row in found}

    plain, norm, donor = at_400("plain"), at_400("norm"), runs / "norm"
    critic = at_400("plain", "--critic-from", donor)
    alpha = at_400("plain", "--alpha-from", donor)
    actor = at_400("plain", "--actor-from", donor)
    every = at_400("plain", "--actor-from", donor, "--critic-from", donor, "--alpha-from", donor)
    # two runs of one seed start their probes from the same states and noise
    for kind in ("on_policy", "reset"):
        assert numbers(every[kind]).items() - norm[kind].items() == {("gradient_updates", plain[kind]["gradient_updates"])}
        assert every[kind]["critic_from"].startswith("norm/step-000000000400-") and every[kind]["run"] == "plain"
        for column in ("soft_return", "hard_return", "alpha"):
            assert critic[kind][column] == plain[kind][column]
        assert critic[kind]["q_mean"] != plain[kind]["q_mean"]
        assert alpha[kind]["alpha"] == norm[kind]["alpha"] != plain[kind]["alpha"]
        assert alpha[kind]["hard_return"] == plain[kind]["hard_return"]
        assert alpha[kind]["q_mean"] == plain[kind]["q_mean"]
        entropy = {name: float(row[kind]["entropy_return"]) / float(row[kind]["alpha"])
                   for name, row in (("plain", plain), ("alpha", alpha))}
        assert entropy["alpha"] == pytest.approx(entropy["plain"], rel=1e-6)
        assert actor[kind]["hard_return"] == norm[kind]["hard_return"] != plain[kind]["hard_return"]
        assert actor[kind]["alpha"] == plain[kind]["alpha"] and actor[kind]["actor_from"] != ""
        assert actor[kind]["critic_from"] == actor[kind]["alpha_from"] == ""


DISCRETE = ['agent.algorithm="dqn"', "sim.action_table=[[-2.0], [0.0], [2.0]]"]


@pytest.mark.parametrize(("algorithm", "settings"), [("ddpg", ['agent.algorithm="ddpg"']), ("dqn", DISCRETE),
                         ("td3", ['agent.algorithm="td3"', 'agent.preset="td3"', "agent.policy_delay=3"])])
def test_deterministic_policies(tmp_path, algorithm, settings):
    settings = [*PROBE, *settings, "training.overlap=false"]
    if algorithm == "dqn":
        settings.append("actor.hidden_dims=[256, 256]")  # without a policy network: its default
    run_folder = train(tmp_path / algorithm, *settings)
    found, _ = probe(run_folder, tmp_path / "out")
    on_line = rows(run_folder / "overestimation.csv")
    assert [numbers(row) for row in on_line] == [numbers(row) for row in found if row["env_steps"] != "0"]
    assert {row["states"] for row in on_line} == {"on_policy", "reset", "buffer_action", "buffer_policy"}
    for row in on_line:
        value = {name: float(row[name]) for name in ("q_mean", "hard_return", "soft_return", "bias_mean", "bias_reward", "discount")}
        assert float(row["alpha"]) == float(row["entropy_return"]) == 0.0 and value["soft_return"] == value["hard_return"]
        assert value["bias_mean"] == pytest.approx(value["q_mean"] - value["hard_return"], rel=1e-6, abs=1e-9)
        assert value["bias_reward"] == pytest.approx((1 - value["discount"]) * value["bias_mean"], rel=1e-6, abs=1e-9)
        # Pendulum-v1 draws no numbers in its steps: all rollouts from a state are one
        assert float(row["bias_std_corrected"]) == pytest.approx(float(row["bias_std"]))
        if row["states"] != "buffer_action":
            assert float(row["droq_bias"]) == pytest.approx(value["bias_mean"], rel=1e-6, abs=1e-9)


def test_settings_of_the_probe(tmp_path, runs):
    found, said = probe(runs / "plain", tmp_path / "out", "--checkpoints", "0,800", "--states", "reset",
                        "--num-states", 3, "--num-rollouts", 4, "--set", "overestimation.horizon=7")
    assert [(row["env_steps"], row["num_states"], row["num_rollouts"], row["horizon"]) for row in found] == [
        ("0", "3", "4", "7"), ("800", "3", "4", "7")]
    assert "rollout steps in" in said and "of the run's time so far" in said


def test_nothing_is_left_to_probe_of_an_empty_buffer(tmp_path, runs):
    result = run("probe", runs / "plain", "--output", tmp_path / "out", "--checkpoints", "0", "--states", "buffer_action")
    assert result.returncode == 0 and "the replay buffer is empty" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_of_runs(tmp_path, runs):
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    for name in ("plain", "norm"):
        (sweep / name).symlink_to(runs / name)
    found, _ = probe(sweep, tmp_path / "out", "--states", "reset", "--checkpoints", "400")
    assert [row["run"] for row in found] == ["norm", "plain"]
    train(sweep / "none", "checkpoint.period=0", "checkpoint.period_s=0", "checkpoint.archive_period=0")
    result = run("probe", sweep, "--output", tmp_path / "again", "--states", "reset", "--checkpoints", "400")
    assert result.returncode == 1 and "none: left out: " in result.stderr
    assert [row["run"] for row in rows(tmp_path / "again/overestimation.csv")] == ["norm", "plain"]
    damaged = tmp_path / "damaged"
    train(damaged, *PROBE)
    next((damaged / "checkpoints/archive").glob("step-000000000400-*/state.safetensors")).write_bytes(b"cut")
    result = run("probe", damaged, "--output", tmp_path / "third", "--states", "reset")
    assert result.returncode == 1 and "left out a checkpoint" in result.stderr
    assert [row["env_steps"] for row in rows(tmp_path / "third/overestimation.csv")] == ["0", "800"]


def test_refusals(tmp_path, runs):
    plain, output = runs / "plain", tmp_path / "out"

    def refused(source, *words, arguments=()):
        assert_fails(run("probe", source, "--output", output, *arguments), 2, *words)
        assert not output.exists()

    store = "buffer.store_state=true"
    refused(train(tmp_path / "none", store, "checkpoint.period=0", "checkpoint.period_s=0", "checkpoint.archive_period=0"),
            "has no checkpoint to probe", "archive_period")
    other = train(tmp_path / "td3", 'agent.algorithm="td3"', "checkpoint.archive_period=400")
    refused(plain, "another agent.algorithm (td3)", arguments=["--critic-from", other])
    tables = ("[[-2.0], [0.0], [2.0]]", "[[2.0], [0.0], [-2.0]]")
    here, there = (
        train(tmp_path / f"dqn_{i}", store, 'agent.algorithm="dqn"', "actor.hidden_dims=[256, 256]", f"sim.action_table={table}")
        for i, table in enumerate(tables)
    )
    refused(here, "another sim.action_table", arguments=["--critic-from", there])
    refused(here, "--alpha-from", "dqn has no temperature", arguments=["--alpha-from", here])
    bare = train(tmp_path / "bare")
    refused(bare, "stores no simulator rows", "buffer.store_state = true", arguments=["--states", "buffer_policy"])
    refused(tmp_path / "nowhere", "neither a run nor a folder of runs")
    refused(plain, "no checkpoint at env step 300", "0, 400, 800", arguments=["--checkpoints", "300"])
    refused(plain, "neither \"all\" nor a list", arguments=["--checkpoints", "4k"])
    refused(plain, "only [overestimation]", arguments=["--set", "agent.discount=0.9"])
    refused(plain, "--states", arguments=["--states", "everywhere"])
    refused(plain, "neither a run nor a checkpoint", arguments=["--critic-from", tmp_path])
    other = train(tmp_path / "other", 'sim.env="MountainCarContinuous-v0"')
    refused(plain, "is of another task", arguments=["--checkpoints", "400", "--critic-from", other])
    other = train(tmp_path / "discount", "agent.discount=0.9")
    refused(plain, "another agent.discount", arguments=["--checkpoints", "400", "--critic-from", other])
    output.mkdir()
    (output / "mine").write_text("")
    assert_fails(run("probe", plain, "--output", output), 2, "exists and is not an empty folder")
    found, said = probe(bare, tmp_path / "two", "--checkpoints", "400")
    assert [row["states"] for row in found] == ["on_policy", "reset"] and "only on_policy and reset" in said
