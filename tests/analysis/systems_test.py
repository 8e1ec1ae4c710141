"""The table of marks from run folders with known content."""

import json

from analysis import systems


def make_run(folder, file, solved_return, period, files, settings=()):
    folder.mkdir()
    (folder / "resolved.toml").write_text(
        f"[run]\nseed = 3  # here\n[training]\nsolved_return = {solved_return}\n"
        f"[evaluation]\nperiod = {period}\nnum_episodes = 10\n"
    )
    (folder / "provenance.json").write_text(json.dumps({
        "arguments": ["anthill-train", f"configs/{file}", "--run", "r", "--set", "run.seed=3",
                      *(word for setting in settings for word in ("--set", setting))],
        "source": {"git_commit": "0123456789abcdef", "git_dirty": False}, "wall_time_s": 12.4}))  # fmt: skip
    (folder / "status.json").write_text(
        json.dumps({"state": "finished", "env_steps": 400, "reason": ""})
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def row_of(*arguments):
    return systems.read_system_run(make_run(*arguments)).row


def test_evaluations_reach_their_mark(tmp_path):
    row = row_of(tmp_path / "a", "b_mountain_car.toml", "inf", 100, {
        "eval.csv": "env_steps,return_mean\n0,-5\n100,89\n200,95\n300,97.5\n400,60\n"})  # fmt: skip
    assert (row["mark"], row["reached_at"], row["best"], row["best_at"], row["last"]) == ("90", 200, "97.5", 300, "60")
    assert row["command"] == "scripts/train configs/b_mountain_car.toml --set run.seed=3"
    assert (row["seed"], row["commit"], row["wall_time_s"]) == ("3", "0123456789ab", 12)


def test_a_file_without_a_mark_reaches_none(tmp_path):
    row = row_of(tmp_path / "a", "x.toml", "inf", 100, {"eval.csv": "env_steps,return_mean\n0,7\n"})
    assert (row["mark"], row["reached_at"], row["last"]) == ("", "", "7")


def test_other_settings_are_another_arm(tmp_path):
    rows = "env_steps,reward_mean\n4096,0.9\n"
    settings = {"a": [], "b": ["actor.output=tanh", "sim.num_threads=1"], "c": ["learner.num_threads=2"]}
    runs = [systems.read_system_run(make_run(tmp_path / name, "c_ddpg.toml", "inf", 0, {"train.csv": rows}, beside))
            for name, beside in settings.items()]  # fmt: skip
    assert [run.row["settings"] for run in runs] == ["", "actor.output=tanh", ""]
    assert runs[0].arm == runs[2].arm != runs[1].arm


def test_solved_runs_average_their_last_hundred_episodes(tmp_path):
    lines = "".join(f"{200 * i},{-1000 if i < 50 else -300}\n" for i in range(150))
    row = row_of(tmp_path / "b", "d_sac.toml", "-370.0", 100, {"episodes.csv": "env_steps,episode_return\n" + lines})
    # -1000 in at most 10 of 100 episodes
    assert (row["reached_at"], row["best"], row["last"]) == (200 * 139, "-300", "-300")


def test_iterations_give_the_reward_per_step(tmp_path):
    lines = "".join(f"{4096 * (i + 1)},{0.6 + 0.01 * i}\n" for i in range(40))
    row = row_of(tmp_path / "c", "c_dqn.toml", "inf", 0, {"train.csv": "env_steps,reward_mean\n" + lines})
    assert (row["reached_at"], row["best"], row["last"]) == (4096 * 39, "0.99", "0.895")


def test_the_figure_is_drawn_and_bad_input_is_one_line(tmp_path, capsys):
    run = make_run(tmp_path / "a", "b_mountain_car.toml", "inf", 100, {"eval.csv": "env_steps,return_mean\n0,1\n9,2\n"})
    assert systems.main([str(run), "--figure", str(tmp_path / "f.png")]) == 0
    assert (tmp_path / "f.png").stat().st_size > 10_000
    assert capsys.readouterr().out.count("\n") == 2
    (tmp_path / "empty").mkdir()
    assert systems.main([str(tmp_path / "empty")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "not a run folder" in error
