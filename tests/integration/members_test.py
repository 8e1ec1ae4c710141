"""`anthill train --members`: every member's files are those of the run alone, after kills and beside a member that diverges."""

import json
import signal
import subprocess
import time

import pytest
from anthill_command import BIN, assert_fails, run
from resumed_runs import FAST, SMOKE, newest, options, rows_without_clock, verifies

MEMBERS = {
    "a": {"run.seed": 0},
    "b": {"run.seed": 3, "agent.discount": 0.9, "critic.learning_rate": 1e-3, "agent.tau": 0.02},
    "c": {"run.seed": 3, "temperature.initial_alpha": 0.2, "agent.reward_scale": 2.0},
}
# entropy that no policy has: alpha grows by a factor e per update, until it is infinite
WILD = {"temperature.learning_rate": 1.0, "temperature.target_entropy_scale": -1.0, "temperature.initial_alpha": 1e6}
PROBED = [
    *FAST,
    "buffer.store_state=true",
    "overestimation.period=900",
    "overestimation.num_states=3",
    "overestimation.num_episodes=2",
    "overestimation.horizon=20",
    "overestimation.states=[\"on_policy\",\"buffer_action\"]",
]


def members_file(path, members):
    tables = [
        "\n".join(["[[members]]", f'folder = "{name}"', *(f"{key} = {value}" for key, value in settings.items()), ""])
        for name, settings in members.items()
    ]
    path.write_text("\n".join(tables))
    return path


def command(folder, members, *settings, flags=("--resume",)):
    file = members_file(folder.parent / f"{folder.name}-members.toml", members)
    return ["train", SMOKE, "--members", file, "--run", folder, *flags, *options(settings)]


def assert_same_member(member, alone):
    assert (member / "policy.safetensors").read_bytes() == (alone / "policy.safetensors").read_bytes()
    for path in sorted(alone.glob("*.csv")):
        assert_rows(rows_without_clock(member / path.name), rows_without_clock(path), path.name)
    state = [json.loads((folder / "status.json").read_text()) for folder in (member, alone)]
    for key in ("state", "env_steps", "gradient_updates", "total_env_steps", "last_evaluation"):
        assert state[0][key] == state[1][key], key


def assert_rows(mine, theirs, name):
    for row in (*mine, *theirs):
        row.pop("time_share", None)  # a clock of the probe
    assert mine == theirs, name


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    root = tmp_path_factory.mktemp("alone")
    for name, settings in MEMBERS.items():
        own = [f"{key}={value}" for key, value in settings.items()]
        result = run("train", SMOKE, "--run", root / name, "--fresh", *options([*PROBED, *own]))
        assert result.returncode == 0, result.stderr
    return root


def test_members_equal_runs_alone(tmp_path, alone):
    result = run(*command(tmp_path / "stack", MEMBERS, *PROBED))
    assert result.returncode == 0, result.stderr
    for name in MEMBERS:
        assert_same_member(tmp_path / "stack" / name, alone / name)
    assert json.loads((tmp_path / "stack/status.json").read_text())["state"] == "finished"
    assert json.loads((newest(tmp_path / "stack") / "manifest.json").read_text())["members"] == 3
    evaluated = run("evaluate", tmp_path / "stack/b", "--episodes", 2)
    assert evaluated.returncode == 0, evaluated.stderr
    again = run(*command(tmp_path / "stack", MEMBERS, *PROBED))
    assert again.returncode == 0 and "finished already" in again.stderr


def test_killed_stacks_end_as_if_nothing_had_happened(tmp_path, alone):
    stack = tmp_path / "stack"
    for env_steps, number in ((0, signal.SIGKILL), (600, signal.SIGKILL), (1200, signal.SIGTERM)):
        process = subprocess.Popen(
            list(map(str, [BIN / "anthill", *command(stack, MEMBERS, *PROBED)])), stderr=subprocess.PIPE, text=True
        )
        deadline = time.time() + 120
        while process.poll() is None and time.time() < deadline:
            try:
                if int(newest(stack).name.split("-")[1]) >= env_steps:
                    break
            except OSError:
                pass
            time.sleep(0.001)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
        assert process.returncode == (3 if number == signal.SIGTERM else -9), errors
    assert {json.loads((stack / name / "status.json").read_text())["state"] for name in MEMBERS} == {"stopped"}
    result = run(*command(stack, MEMBERS, *PROBED))
    assert result.returncode == 0 and "resuming from step-" in result.stderr, result.stderr
    for name in MEMBERS:
        assert_same_member(stack / name, alone / name)


def test_a_diverging_member_ends_alone(tmp_path, alone):
    members = {**MEMBERS, "wild": {"run.seed": 1, **WILD}}
    stack = tmp_path / "stack"
    result = run(*command(stack, members, *PROBED, "training.total_env_steps=1600"))
    assert result.returncode == 4 and "wild: the learner diverged" in result.stderr, result.stderr
    status = json.loads((stack / "wild/status.json").read_text())
    assert status["state"] == "diverged" and status["env_steps"] < 1000
    assert "not finite" in (stack / "wild/post_mortem/diagnosis.md").read_text()
    assert verifies(stack / "wild/post_mortem/last_good")
    assert verifies(newest(stack)) and int(newest(stack).name.split("-")[1]) == 1600
    # the others go on from there as if they had been alone for that long
    result = run(*command(stack, members, *PROBED))
    assert result.returncode == 4 and "1 of 4 members diverged" in result.stderr, result.stderr
    for name in MEMBERS:
        assert_same_member(stack / name, alone / name)
    assert json.loads((stack / "status.json").read_text())["state"] == "diverged"


def test_what_cannot_be_is_refused(tmp_path):
    stack = tmp_path / "stack"
    (tmp_path / "m.toml").write_text("[[members]]\nsim.num_envs = 3\n")
    refused = run("train", SMOKE, "--members", tmp_path / "m.toml", "--run", stack, "--fresh")
    assert_fails(refused, 2, "m.toml:2:16", "sim.num_envs is shared")
    assert not stack.exists()
    two = {name: MEMBERS[name] for name in ("a", "b")}
    assert run(*command(stack, two, *FAST)).returncode == 0
    refused = run(*command(stack, two, *FAST, flags=("--fresh",)))
    assert_fails(refused, 2, "of a member holds a run", "--fresh --overwrite")
    longer = [*FAST, "training.total_env_steps=2400"]
    assert_fails(run(*command(stack, MEMBERS, *longer)), 2, "no checkpoint of a stack of 3 members")
    other = {**two, "b": {**two["b"], "agent.tau": 0.1}}
    assert_fails(run(*command(stack, other, *longer)), 2, "agent.tau (was 0.02, now 0.1)")
    alone = run("train", SMOKE, "--run", stack, "--resume", *options(longer))
    assert alone.returncode == 2 and "was saved by 2 members" in alone.stderr, alone.stderr
    anew = run(*command(stack, two, *FAST, flags=("--fresh", "--overwrite")))
    assert anew.returncode == 0, anew.stderr
