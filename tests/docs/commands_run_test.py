"""Every command and every Python block of the documents is run, in a scratch checkout whose runs/ holds small runs of
the names that the pages use. What takes minutes gets settings that make it short; what another test runs is named
with that test."""

import glob
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from anthill_command import BIN, run
from commands_test import COMMANDS, PAGES, ROOT

sys.path.append(str(ROOT / "tests/analysis"))
from external_test import CLEANRL, write_events  # noqa: E402

BRIEF = ["training.random_steps=100", "training.learning_starts=100", "evaluation.num_episodes=2", "log.period=100",
         "sim.max_episode_steps=101", "training.batch_size=16", "critic.hidden_dims=[16, 16]",
         "checkpoint.period_s=0"]  # fmt: skip
# of the pages' runs: probes need the stored states, and checkpoints come at a hundredth of the pages' env steps
PREPARED = [*BRIEF, "actor.hidden_dims=[16, 16]", "training.total_env_steps=500", "evaluation.period=200", "buffer.capacity=1000",
            "buffer.store_state=true", "checkpoint.archive_period=100"]  # fmt: skip
SMALL_PROBE = ["overestimation.num_states=4", "overestimation.num_rollouts=2", "overestimation.horizon=10",
               "overestimation.num_episodes=2"]  # fmt: skip
STEPS = re.compile(r"(?<![\d.])([1-9])0000(?!\d)")
FOLDERS = re.compile(r"(?<![\w/])/(shared/me|tmp)/")

SMALL_SWEEP = [*PREPARED, *SMALL_PROBE, "evaluation.period=500", "overestimation.period=500", "log.tensorboard=false"]
LARGE_SWEEP = [*SMALL_SWEEP, "training.total_env_steps=150"]  # of dozens of runs

# first words of a command: words behind it
SHORTER = {
    "scripts/train": [*BRIEF, "training.total_env_steps=600", "evaluation.period=300"],
    "scripts/bench_python": ["--rounds", "1", "--steps", "2"],
    "scripts/study": ["--env-steps", "1010", "--seeds", "7", "--jobs", "2", "--bin", str(BIN)],
    "anthill evaluate": ["--episodes", "2"],
    "anthill probe": SMALL_PROBE,
    "anthill render": ["--width", "64", "--height", "64", "--episodes", "1"],
    "anthill bench env": ["--seconds", "0.1", "--num-envs", "8", "--threads", "1", "--contestants", "anthill"],
    "anthill bench learner": ["--seconds", "0.1", "--batch-size", "16"],
    "anthill bench agents": ["--seconds", "0.1"],
    "anthill bench buffer": ["--seconds", "0.1", "--capacity", "10000"],
    "anthill bench train": ["--seconds", "0.1", "--num-envs", "4", "--batch-size", "16"],
    "anthill bench checkpoint": ["--capacity", "1000", "--new-rows", "100"],
    "anthill sweep run": SMALL_SWEEP,
    "anthill sweep run configs/sweeps/ant_remedies.toml": LARGE_SWEEP,
    "anthill sweep run configs/sweeps/learning_rate_replay_ratio.toml": LARGE_SWEEP,
    "python -m analysis baselines": ["--anthill-train", str(BIN / "anthill-train"), "--episodes", "1", "--seeds", "1"],
    "python -m analysis live": ["--once"],
    "python -m analysis report": ["--formats", ""],
    "python -m analysis.parity": ["--seeds", "2", "--option-seeds", "1", "--steps", "20", "--anthill", str(BIN / "anthill")],
}
# first words of a command: what runs it, below the checkout
ELSEWHERE = {
    ".ci/run": ".ci/run",
    "scripts/test": ".ci/run",
    "scripts/setup": "tests/integration/setup_test.py",
    "scripts/build": "tests/integration/setup_test.py",
    "scripts/bench_peers": "tests/integration/bench_peers_test.py",
    "scripts/slurm_sandbox": "tests/integration/slurm_test.py",
    "anthill sweep submit": "tests/integration/slurm_test.py",
    "anthill sweep cancel": "tests/integration/slurm_test.py",
    "anthill sweep resume": "tests/integration/slurm_test.py",
    "pip install": "tests/python/install_test.py",
    "~/.cache/anthill/peers/bin/python scripts/peers/learning_curve.py": "tests/python/examples_test.py",
    "~/.cache/anthill/peers/bin/python scripts/peers/authors_td3.py": "tests/python/examples_test.py",
}
NOT_OURS = ("cd", "git", "ssh", "rsync", "sbatch")


def plain(words):
    text = " ".join(words)
    return text.replace("scripts/anthill", "anthill", 1).replace(".venv/bin/", "", 1)


def first_words(words, table):
    text = plain(words)
    return max((start for start in table if (text + " ").startswith(start + " ")), key=len, default=None)


def extra_words(start):
    """SHORTER's words, settings as --set."""
    return [word for extra in SHORTER.get(start, []) for word in (["--set", extra] if re.match(r"\w+\.\w+=", extra) else [extra])]


def shortened(command, start):
    """With SHORTER's words, whose options replace those that the command has."""
    extra = extra_words(start)
    for option in extra:
        if option.startswith("--") and option != "--set" and option in command[1:]:
            place = command.index(option)
            command = command[:place] + command[place + 2 :]
    return [*command, *extra]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What the documents' commands find: the checkout's files, and runs, probes and other programs' logs."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "examples", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("docs", "analysis"):  # commands write there
        shutil.copytree(ROOT / name, folder / name)

    def train(config, name, *settings):
        words = [word for setting in [*PREPARED, *settings] for word in ("--set", setting)]
        result = run("train", f"configs/{config}.toml", "--run", f"runs/{name}", *words, cwd=folder)
        assert result.returncode == 0, result.stderr

    train("pendulum_sac", "pendulum")
    train("c_ddpg", "c_ddpg")
    arms = {"rr1": "ant_rr1", "rr8": "ant_rr8", "rr8_layer_norm": "ant_rr8_layer_norm"}
    for arm, config in arms.items():
        for seed in (0, 1):
            train(config, f"study/{arm}/seed-{seed}", f"run.seed={seed}", "sim.ant.terminate_when_unhealthy=false",
                  "overestimation.period=250", *SMALL_PROBE)  # fmt: skip
        shutil.copytree(folder / f"runs/study/{arm}", folder / f"runs/replay_ratio_ant/{config}")
    for name, arm in {"ant": "rr1", "ant_rr1": "rr1", "ant_rr8": "rr8", "a": "rr8", "b": "rr8_layer_norm"}.items():
        shutil.copytree(folder / f"runs/study/{arm}/seed-1", folder / f"runs/{name}")
    for name, options in {"a": [], "a_judged_by_b": ["--critic-from", "runs/b"]}.items():
        result = run("probe", "runs/a", *options, "--output", f"probes/{name}", *extra_words("anthill probe"), cwd=folder)
        assert result.returncode == 0, result.stderr
    sweep = ["sweep", "run", "configs/sweeps/system_a.toml", "--jobs", "2", *extra_words("anthill sweep run")]
    assert run(*sweep, cwd=folder).returncode == 0
    write_events(folder / "cleanrl/runs/Ant-v4__sac__1", CLEANRL)
    for seed in (0, 1):
        (folder / f"sb3/logs/seed{seed}").mkdir(parents=True)
        (folder / f"sb3/logs/seed{seed}/progress.csv").write_text("time/total_timesteps,eval/mean_reward\n1000,-50\n2000,-20\n")
    (folder / "log.csv").write_text("env_steps,reward,value\n100,1.5,3.0\n200,2.5,4.0\n")
    return folder


def shell_words(words, folder):
    """The words as a shell in `folder` would pass them on, with its paths and the prepared runs' env steps."""
    passed = []
    of_results = any("docs/results" in word for word in words)  # whose steps are the pages' own
    for word in words:
        word = FOLDERS.sub("runs/", word if of_results else STEPS.sub(r"\g<1>00", word))
        found = sorted(glob.glob(word, root_dir=folder)) if "*" in word else []
        passed += found or [word]
    return passed


def command_of(words):
    """The program and its arguments: those of this build."""
    text = plain(words)
    if words[0] == "scripts/train":
        return [str(BIN / "anthill"), "train", *words[1:]]
    if text.startswith("anthill "):
        return [str(BIN / "anthill"), *words[1:]]
    if text.startswith("python "):
        return [sys.executable, *words[1:]]
    if words[0] == "scripts/bench_python":
        return [sys.executable, str(ROOT / "scripts/peers/python_overhead.py"), *words[1:]]
    if words[0] == "scripts/study":
        return [str(ROOT / "scripts/study"), *words[1:]]
    raise AssertionError(f"{text}: neither run here nor by a test of ELSEWHERE")


def environment():
    return {**os.environ, "PYTHONPATH": str(BIN.parent / "python"), "MPLBACKEND": "Agg"}


# what stands on two pages runs once
ONCE = {tuple(words): (page, words) for page, words in COMMANDS}.values()
RUN_HERE = [(page, words) for page, words in ONCE if words[0] not in NOT_OURS and first_words(words, ELSEWHERE) is None]


@pytest.mark.parametrize(("page", "words"), RUN_HERE, ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_a_command_works(page, words, checkout):
    command = shortened(command_of(shell_words(words, checkout)), first_words(words, SHORTER))
    for option, value in zip(command, command[1:]):
        output = checkout / value
        if option in ("-o", "--output", "--run", "--values") and not value.startswith("docs/"):
            shutil.rmtree(output, ignore_errors=True)
            output.unlink(missing_ok=True)
            if output.suffix == ".mp4":  # without ffmpeg: a folder of PNG files
                shutil.rmtree(output.with_suffix(""), ignore_errors=True)
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=600, env=environment())
    assert result.returncode == 0, f"{command}: {result.stdout[-2000:]}{result.stderr[-2000:]}"
    assert result.stdout + result.stderr


def python_blocks():
    """(page, all its Python blocks as one program)."""
    blocks = {page: re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S) for page in PAGES}
    return [(page.relative_to(ROOT).as_posix(), "\n".join(found)) for page, found in blocks.items() if found]


@pytest.mark.parametrize(("page", "program"), python_blocks(), ids=lambda value: value if value.endswith(".md") else "")
def test_python_blocks_work(page, program, checkout):
    if "import anthill" in program and not list((BIN.parent / "python").glob("anthill/*.so")):
        pytest.skip("this build has no Python package")
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, timeout=300, env=environment()
    )
    assert result.returncode == 0, f"{page}: {result.stderr}"


def test_the_rule_itself():
    for start, where in ELSEWHERE.items():
        assert (ROOT / where).is_file() and any(first_words(words, ELSEWHERE) == start for _, words in COMMANDS), start
    for start in SHORTER:
        assert any(first_words(words, SHORTER) == start for _, words in COMMANDS), start
    with pytest.raises(AssertionError, match="neither run here"):
        command_of(["scripts/nothing"])
    assert len(RUN_HERE) > 60 and len(python_blocks()) > 2
