"""The table of marks from run folders with known content."""

import json

from analysis import systems


def make_run(folder, solved_return, period, files):
    folder.mkdir()
    (folder / "resolved.toml").write_text(
        f"[run]\nseed = 3  # here\n[training]\ntotal_env_steps = 400\nsolved_return = {solved_return}\n"
        f"[evaluation]\nperiod = {period}\nnum_episodes = 10\n"
    )
    (folder / "provenance.json").write_text(json.dumps({
        "arguments": ["anthill-train", "configs/x.toml", "--run", "r", "--set", "run.seed=3"],
        "source": {"git_commit": "0123456789abcdef", "git_dirty": False}, "wall_time_s": 12.4}))  # fmt: skip
    (folder / "status.json").write_text(
        json.dumps({"state": "finished", "env_steps": 400, "reason": ""})
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    return list(systems.rows(folder))


def test_evaluations_give_the_best_and_the_last(tmp_path):
    rows = make_run(tmp_path / "a", "inf", 100, {
        "eval.csv": "env_steps,return_mean\n0,-5\n100,7.5\n200,6\n"})  # fmt: skip
    assert [(r["measure"], r["value"], r["at_env_steps"]) for r in rows] == [
        ("best evaluation", "7.5", 100), ("last evaluation", "6", 200)]  # fmt: skip
    assert rows[0]["command"] == "scripts/train configs/x.toml --set run.seed=3"
    assert (rows[0]["seed"], rows[0]["commit"], rows[0]["wall_time_s"]) == ("3", "0123456789ab", 12)


def test_solved_runs_average_their_last_hundred_episodes(tmp_path):
    lines = "".join(f"{200 * i},{-1000 if i < 50 else -300}\n" for i in range(150))
    rows = make_run(tmp_path / "b", "-370.0", 100, {
        "episodes.csv": "env_steps,episode_return\n" + lines,
        "eval.csv": "env_steps,return_mean\n0,-5\n"})  # fmt: skip
    assert (rows[0]["measure"], rows[0]["value"]) == (
        "mean return of the last 100 training episodes", "-300")  # fmt: skip


def test_iterations_give_the_reward_per_step(tmp_path):
    lines = "".join(f"{4096 * (i + 1)},{0.5 + 0.01 * i}\n" for i in range(40))
    rows = make_run(tmp_path / "c", "inf", 0, {"train.csv": "env_steps,reward_mean\n" + lines})
    assert [(r["measure"], r["value"]) for r in rows] == [
        ("best reward per step of an iteration", "0.89"),
        ("reward per step, last 20 iterations", "0.795")]  # fmt: skip
