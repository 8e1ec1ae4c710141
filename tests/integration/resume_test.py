"""`anthill train` killed and resumed: the files and the last checkpoint equal an uninterrupted run's."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from anthill_command import assert_fails
from resumed_runs import FAST, assert_same_run, kill_at, rows_without_clock, train

LUNAR = ["sim.env=\"LunarLanderContinuous-v3\"", *FAST]


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    made = {}

    def reference(*settings):
        if settings not in made:
            made[settings] = tmp_path_factory.mktemp("whole") / "run"
            result = train(made[settings], *settings)
            assert result.returncode == 0, result.stderr
        return made[settings]

    return reference


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("overlap", ["true", "false"])
def test_killed_runs_end_as_if_nothing_had_happened(tmp_path, references, threads, overlap):
    settings = [*FAST, f"training.overlap={overlap}"]
    reference = references(*settings)
    mine = [*settings, f"sim.num_threads={threads}"]
    for env_steps in (0, 600, 1400):
        kill_at(tmp_path / "run", env_steps, *mine)
    result = train(tmp_path / "run", *mine)
    assert result.returncode == 0 and "resuming from step-" in result.stderr, result.stderr
    assert_same_run(tmp_path / "run", reference)


def test_lunar_lander(tmp_path, references):
    for env_steps in (400, 1200):
        kill_at(tmp_path / "run", env_steps, *LUNAR)
    assert train(tmp_path / "run", *LUNAR).returncode == 0
    assert_same_run(tmp_path / "run", references(*LUNAR))


def test_stopped_runs_go_on(tmp_path, references):
    settings = [*FAST, "training.overlap=true"]
    for number, env_steps in ((signal.SIGTERM, 400), (signal.SIGINT, 1200)):
        assert kill_at(tmp_path / "run", env_steps, *settings, number=number) == 3
    last = train(tmp_path / "run", *settings, "log.progress_period_s=0.01")
    assert last.returncode == 0
    assert_same_run(tmp_path / "run", references(*settings))
    # what is shown counts from the checkpoint on
    resumed = int(re.search(r"resuming from step-(\d+)", last.stderr).group(1))
    shown = [int(text.replace(",", "")) for text in re.findall(r"^([\d,]+)/2,000 ", last.stderr, re.M)]
    assert shown and min(shown) >= resumed >= 1200
    provenance = json.loads((tmp_path / "run/provenance.json").read_text())
    assert len(provenance["earlier"]) == 2 and provenance["resumed_from"].startswith("step-")


def test_a_run_that_lasts_longer_is_the_longer_run(tmp_path, references):
    settings = [*FAST, "training.overlap=true"]
    assert train(tmp_path / "run", *settings, "training.total_env_steps=1000").returncode == 0
    again = train(tmp_path / "run", *settings, "training.total_env_steps=1000")
    assert again.returncode == 0 and "finished already" in again.stderr
    longer = train(tmp_path / "run", *settings)
    assert longer.returncode == 0 and "training.total_env_steps (was 1000, now 2000)" in longer.stderr
    assert_same_run(tmp_path / "run", references(*settings))


def test_resume_only_under_the_same_settings(tmp_path, references):
    folder = tmp_path / "run"
    shutil.copytree(references(*FAST, "training.overlap=true"), folder)
    result = train(folder, *FAST, "training.overlap=true", "agent.tau=0.01", "sim.num_envs=4")
    assert_fails(result, 2, "agent.tau (was 0.005, now 0.01)", "sim.num_envs (was 8, now 4)")


def test_fresh_needs_an_empty_folder_or_overwrite(tmp_path, references):
    folder = tmp_path / "run"
    shutil.copytree(references(*FAST, "training.overlap=true"), folder)
    (folder / "notes.txt").write_text("mine")
    before = (folder / "train.csv").read_bytes()
    assert_fails(train(folder, *FAST, flags=()), 2, "--resume", "--fresh --overwrite")
    assert_fails(train(folder, *FAST, flags=("--fresh",)), 2, "--fresh --overwrite")
    assert_fails(train(folder, *FAST, flags=("--overwrite",)), 2, "--fresh")
    assert_fails(train(folder, *FAST, flags=("--fresh", "--resume")), 2, "--resume")
    assert (folder / "train.csv").read_bytes() == before
    # wrong settings are found before anything is removed
    assert_fails(train(folder, "sim.env=\"Ant-v9\"", flags=("--fresh", "--overwrite")), 2, "Ant-v9")
    assert (folder / "train.csv").read_bytes() == before
    short = train(folder, *FAST, "training.total_env_steps=600", flags=("--fresh", "--overwrite"))
    assert short.returncode == 0, short.stderr
    assert rows_without_clock(folder / "train.csv")[-1]["env_steps"] == "600"
    assert (folder / "notes.txt").read_text() == "mine"


def test_batch_jobs_resume_by_themselves(tmp_path):
    environment = {**os.environ, "SLURM_JOB_ID": "17"}
    settings = [*FAST, "training.total_env_steps=600"]
    assert train(tmp_path / "run", *settings, flags=(), env=environment).returncode == 0
    again = train(tmp_path / "run", *settings, flags=(), env=environment)
    assert again.returncode == 0 and "finished already" in again.stderr


def test_archived_checkpoints_are_kept(tmp_path):
    settings = [*FAST, "training.total_env_steps=1200", "checkpoint.archive_period=400"]
    assert train(tmp_path / "run", *settings).returncode == 0
    names = sorted(path.name for path in (tmp_path / "run/checkpoints/archive").iterdir())
    assert [int(name.split("-")[1]) for name in names] == [0, 400, 800, 1200]
    assert len(list((tmp_path / "run/checkpoints").glob("step-*"))) == 2
    for name in names:
        check = subprocess.run(["sha256sum", "-c", "manifest.sha256"], capture_output=True,
                               cwd=tmp_path / "run/checkpoints/archive" / name)
        assert check.returncode == 0
