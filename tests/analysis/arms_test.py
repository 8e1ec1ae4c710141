"""Run folders into arms: grouping, names, sweeps, and what is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from synthetic_runs import make_run, make_sweep

from analysis.arms import read_collection
from analysis.curves import aggregate, nice_width, series_of, time_weighted_returns, windowed
from analysis.columns import BIAS_R, Panel
from analysis.comparisons import compare_pair
from analysis.measures import (
    BIAS, MEASURES, RETURN, arm_estimate, common_step, divergence_of, probe_interval, probe_verdicts, statistic_of, value_at,
    verdict,
)
from analysis.runs import find_run_folders, read_run, read_table
from analysis.statistics import interquartile_mean

Q = next(measure for measure in MEASURES if measure.key == "Q (batch)")


def test_a_sweep_becomes_arms_by_configuration(tmp_path):
    collection = read_collection([str(make_sweep(tmp_path / "sweep"))])
    assert [arm.name for arm in collection.arms] == [
        "replay_ratio 1, layer_norm off", "replay_ratio 8, layer_norm off", "replay_ratio 8, layer_norm on"
    ]
    assert [arm.seeds for arm in collection.arms] == [[0, 1, 2]] * 3


def test_total_env_steps_do_not_make_an_arm(tmp_path):
    for seed, total in enumerate((10_000, 20_000)):
        make_run(tmp_path / f"seed-{seed}", seed, total=total)
    assert len(read_collection([str(tmp_path)]).arms) == 1


def test_names_and_order_are_the_callers(tmp_path):
    sweep = make_sweep(tmp_path / "sweep")
    collection = read_collection([f"plain={sweep}/rr8", f"{sweep}/rr1", f"plain={sweep}/rr8/seed-0"])
    assert [(arm.name, len(arm.runs)) for arm in collection.arms] == [("plain", 3), ("rr1", 3)]
    with pytest.raises(ValueError, match="arm 'all': .* has critic.layer_norm = .*name of its own"):
        read_collection([f"all={sweep}"])


def test_a_setting_of_one_version_alone_makes_no_arm(tmp_path):
    make_run(tmp_path / "seed-0", 0)
    make_run(tmp_path / "seed-1", 1)
    resolved = tmp_path / "seed-1" / "resolved.toml"
    before = resolved.read_text()
    resolved.write_text(before + "\n[newer]\nsetting = true  # default\n")
    with pytest.raises(ValueError, match="newer.setting"):
        read_collection([f"arm={tmp_path}"])
    assert read_collection([f"arm={tmp_path}"], mixed_versions=True).arms[0].seeds == [0, 1]
    # not at its default it may be another experiment
    resolved.write_text(before + "\n[newer]\nsetting = true  # x.toml:3:11\n")
    with pytest.raises(ValueError, match="newer.setting"):
        read_collection([f"arm={tmp_path}"], mixed_versions=True)


def test_a_sweep_of_two_versions_has_the_arms_of_one(tmp_path):
    sweep = make_sweep(tmp_path / "sweep")
    resolved = sweep / "rr8" / "seed-1" / "resolved.toml"
    before = resolved.read_text()
    resolved.write_text(before + "newer = 0.5  # default\n")
    assert [arm.seeds for arm in read_collection([str(sweep)], mixed_versions=True).arms] == [[0, 1, 2]] * 3
    resolved.write_text(before + "newer = 0.7  # x.toml:3:1\n")
    assert len(read_collection([str(sweep)], mixed_versions=True).arms) == 4


def test_run_folders_are_found_below_and_not_inside(tmp_path):
    sweep = make_sweep(tmp_path / "sweep")
    (sweep / "rr1" / "seed-0" / "checkpoints" / "step-1").mkdir(parents=True)
    shutil.copy(sweep / "rr1/seed-0/train.csv", sweep / "rr1/seed-0/checkpoints/step-1/train.csv")
    assert len(find_run_folders(sweep)) == 9
    with pytest.raises(ValueError, match="no such folder"):
        find_run_folders(tmp_path / "nothing")
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match="no run folder here or up to 4 levels below"):
        find_run_folders(tmp_path / "bare")


def test_different_environments_are_refused_or_marked(tmp_path):
    make_run(tmp_path / "a", 0)
    make_run(tmp_path / "b", 0, env="Hopper-v5")
    with pytest.raises(ValueError, match="different environments: .*sim.env = Ant-v4.*Hopper-v5.*--mixed-environments"):
        read_collection([str(tmp_path)])
    collection = read_collection([str(tmp_path)], mixed_environments=True)
    assert len(collection.warnings) == 1 and "MIXED ENVIRONMENTS" in collection.warnings[0]


@pytest.mark.parametrize("change", [{"commit": "f" * 40}, {"mujoco": "3.6.0"}])
def test_different_versions_are_refused_or_marked(tmp_path, change):
    make_run(tmp_path / "a", 0)
    make_run(tmp_path / "b", 1, **change)
    with pytest.raises(ValueError, match="different versions: .*--mixed-versions"):
        read_collection([str(tmp_path)])
    collection = read_collection([str(tmp_path)], mixed_versions=True)
    assert "MIXED VERSIONS (2 in this report)" in collection.warnings[0]


def test_one_seed_twice_in_an_arm_is_refused(tmp_path):
    make_run(tmp_path / "a", 3)
    make_run(tmp_path / "b", 3)
    with pytest.raises(ValueError, match="seed 3 twice in arm .* leave one out"):
        read_collection([str(tmp_path)])
    assert len(read_collection([str(tmp_path / "a"), str(tmp_path / "a")]).runs) == 1


def test_empty_runs_are_left_out_and_named(tmp_path):
    make_run(tmp_path / "whole", 0)
    empty = make_run(tmp_path / "header", 1)
    for name in ("train.csv", "episodes.csv", "eval.csv"):
        (empty / name).write_text((empty / name).read_text().splitlines(keepends=True)[0])
    (make_run(tmp_path / "started", 2) / "eval.csv").write_text("env_steps,retu")
    collection = read_collection([str(tmp_path)])
    assert len(collection.runs) == 1
    assert sorted(line.split(": ")[1] for line in collection.left_out) == [
        "empty, eval.csv has no line yet", "empty, its tables have no row yet"
    ]
    shutil.rmtree(tmp_path / "whole")
    with pytest.raises(ValueError, match="no run with data"):
        read_collection([str(tmp_path)])


@pytest.mark.parametrize(("name", "column"), [
    ("train.csv", "env_steps"), ("episodes.csv", "episode_return"), ("eval.csv", "return_mean")
])
def test_a_missing_column_is_named(tmp_path, name, column):
    folder = make_run(tmp_path / "run")
    pd.read_csv(folder / name).drop(columns=column).to_csv(folder / name, index=False)
    with pytest.raises(ValueError, match=f"{name}: column {column} is missing"):
        read_run(folder)


@pytest.mark.parametrize(("content", "message"), [
    ("env_steps,alpha\n100,1\n200\n300,1\n", "line 3 has 1 cells, the header 2"),
    ("env_steps,alpha\n100,1\n200,oops\n300,1\n", "line 3: 'oops' in column alpha is no number"),
])
def test_a_damaged_table_is_named_by_line(tmp_path, content, message):
    (tmp_path / "train.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "train.csv")


def test_damaged_json_and_toml_are_named(tmp_path):
    folder = make_run(tmp_path / "a")
    (folder / "status.json").write_text('{"state": "run')
    with pytest.raises(ValueError, match="status.json: not JSON"):
        read_run(folder)
    folder = make_run(tmp_path / "b")
    (folder / "resolved.toml").write_text("[run\n")
    with pytest.raises(ValueError, match="resolved.toml: not TOML"):
        read_run(folder)


def test_a_half_written_last_line_is_left_out_everywhere(tmp_path):
    folder = make_run(tmp_path / "run")
    whole = read_run(folder)
    for name in ("train.csv", "episodes.csv", "eval.csv", "overestimation.csv"):
        with (folder / name).open("a") as file:
            file.write("99999,1")
    half = read_run(folder)
    assert half.last_step == whole.last_step == 10_000
    assert len(half.overestimation) == len(whole.overestimation)


@pytest.mark.parametrize("value", ["inf", "nan", "2e6"])
def test_divergence_is_seen(tmp_path, value):
    folder = make_run(tmp_path / "run")
    assert read_run(folder).divergence() is None
    table = pd.read_csv(folder / "train.csv", dtype=str)
    table.loc[table.env_steps == "9000", "q_mean"] = value
    table.to_csv(folder / "train.csv", index=False)
    assert "at env step 9000" in read_run(folder).divergence()
    assert read_run(folder).divergence(until=8_900) is None and read_run(folder).divergence(until=9_000)


def test_a_diverged_run_counts(tmp_path):
    for seed in range(3):
        make_run(tmp_path / f"seed-{seed}", seed, diverge_at=5000 if seed == 2 else None)
    collection = read_collection([str(tmp_path)])
    arm = collection.arms[0]
    found = divergence_of(arm)
    assert (found.diverged, found.n) == (1, 3)
    assert np.isfinite(found.median_log10_q) and found.iqm_log10_q == np.inf
    step, _ = common_step(collection)
    assert step == 10_000  # the diverged run is not waited for
    assert value_at(arm.runs[2], Q, step) == np.inf
    assert value_at(arm.runs[2], RETURN, step) == pytest.approx(arm.runs[2].evaluations.return_mean.iloc[-1])
    q = arm_estimate(arm, Q, step)  # the median stands
    assert np.isfinite(q.value) and q.low is None and q.n == 3


def test_medians_stand_for_an_arm_that_diverged(tmp_path):
    for seed in range(3):
        folder = make_run(tmp_path / f"seed-{seed}", seed)
        probes, train = pd.read_csv(folder / "overestimation.csv"), pd.read_csv(folder / "train.csv")
        probes = probes[probes.states == "on_policy"].assign(bias_reward=[1, 2, 10.0**seed, 1000.0**seed])
        train.loc[train.env_steps > 9000, "q_mean"] = 100.0 ** (2 * seed)  # seed 2: 1e8
        probes.to_csv(folder / "overestimation.csv", index=False)
        train.to_csv(folder / "train.csv", index=False)
    arm = read_collection([str(tmp_path)]).arms[0]
    assert arm_estimate(arm, BIAS, 7_500).value == 37  # the mean: nothing has diverged by then
    assert arm_estimate(arm, BIAS, 10_000).value == 1000
    returns = [run.evaluations.return_mean.iloc[-1] for run in arm.runs]
    assert arm_estimate(arm, RETURN, 10_000).value == pytest.approx(np.mean(returns))
    assert (divergence_of(arm, step=9_000).diverged, divergence_of(arm).diverged) == (0, 1)
    curve = aggregate([series_of(run, BIAS_R, 1) for run in arm.runs], statistic_of([arm], BIAS_R))
    assert curve.centre.tolist() == [1, 2, 10, 1000] and statistic_of([arm], RETURN.panel) is interquartile_mean
    assert statistic_of([arm], BIAS_R, 9_000) is interquartile_mean
    other = read_collection([f"other={make_run(tmp_path / 'other' / 'seed-0')}"]).arms[0]
    assert compare_pair(arm, other, BIAS, 10_000, "difference").n == 1


def test_verdicts_of_all_probes_of_an_arm(tmp_path):
    folder = make_run(tmp_path / "run")
    low, high = [0.1, -0.2, -0.5, 0.2], [0.2, 0.2, -0.1, 0.4]
    table = pd.read_csv(folder / "overestimation.csv")
    table = table[table.states == "on_policy"].assign(bias_reward_low=low, bias_reward_high=high)
    table.to_csv(folder / "overestimation.csv", index=False)
    arm = read_collection([str(folder)]).arms[0]
    assert probe_verdicts(arm) == ["overestimates", "no bias shown", "underestimates", "overestimates"]
    assert probe_verdicts(arm, 7_500) == probe_verdicts(arm)[:3]


def test_a_bias_without_an_interval_is_no_absence_of_bias(tmp_path):
    folder = make_run(tmp_path / "run")
    table = pd.read_csv(folder / "overestimation.csv")
    table = table[table.states == "on_policy"].assign(bias_reward=[1.0, 1.0, -np.inf, np.inf])
    table.loc[table.index[1:], ["bias_reward_low", "bias_reward_high"]] = np.nan
    table.to_csv(folder / "overestimation.csv", index=False)
    arm = read_collection([str(folder)]).arms[0]
    assert probe_verdicts(arm)[1:] == ["underestimates", "overestimates"]  # the second has neither interval nor infinity
    assert verdict(probe_interval(arm, 5_000)) == "not shown (no interval)"
    assert probe_interval(arm, 5_000).low is None
    assert verdict(probe_interval(arm, 10_000)) == "overestimates"


def test_a_probe_that_is_not_finite_is_shown(tmp_path):
    folder = make_run(tmp_path / "run")
    bias = next(measure for measure in MEASURES if measure.panel == BIAS_R)
    table = pd.read_csv(folder / "overestimation.csv")
    before = value_at(read_run(folder), bias, 10_000)
    table.loc[table.env_steps == table.env_steps.max(), BIAS_R.column] = np.inf
    table.to_csv(folder / "overestimation.csv", index=False)
    assert np.isfinite(before) and value_at(read_run(folder), bias, 10_000) == np.inf
    assert np.isfinite(value_at(read_run(folder), bias, 7500))


def test_values_are_means_of_the_last_tenth(tmp_path):
    run = read_run(make_run(tmp_path / "run"))
    train = run.train[(run.train.env_steps > 4500) & (run.train.env_steps <= 5000)]
    assert value_at(run, Q, 5000) == pytest.approx(train.q_mean.mean())
    loss = next(measure for measure in MEASURES if measure.key == "critic loss")
    assert value_at(run, loss, 5000) == pytest.approx(train.critic_loss.median())
    assert value_at(run, RETURN, 5500) == pytest.approx(run.evaluations.set_index("env_steps").return_mean[5000])


def test_young_runs_do_not_hold_the_tables_back(tmp_path):
    make_run(tmp_path / "a", 0)
    make_run(tmp_path / "b", 1, steps=3000, state="running")
    step, notes = common_step(read_collection([str(tmp_path)]))
    assert step == 10_000 and "younger than half" in notes[0]
    make_run(tmp_path / "c", 2, steps=2000, total=2000)  # a short run that is complete does
    assert common_step(read_collection([str(tmp_path)]))[0] == 2000


def test_one_seeds_bias_has_the_probes_own_interval(tmp_path):
    make_run(tmp_path / "a", 0, replay_ratio=8)
    arm = read_collection([str(tmp_path)]).arms[0]
    found = probe_interval(arm, 10_000)
    last = arm.runs[0].overestimation
    last = last[last.states == "on_policy"].iloc[-1]
    assert (found.value, found.low, found.high, found.n) == pytest.approx(
        (last.bias_reward, last.bias_reward_low, last.bias_reward_high, 1)
    )
    assert verdict(found) == "overestimates"
    assert arm_estimate(arm, RETURN, 10_000).low is None
    assert arm_estimate(arm, BIAS, 10_000).low is None


def test_time_weighted_return_by_hand(tmp_path):
    folder = make_run(tmp_path / "run")
    pd.DataFrame({
        "env_steps": [50, 100, 300], "episode_return": [1.0, 3.0, 10.0], "episode_length": [50, 50, 200],
    }).to_csv(folder / "episodes.csv", index=False)
    weighted = time_weighted_returns(read_run(folder), 150)
    assert weighted.to_dict() == {150.0: pytest.approx((50 * 1 + 50 * 3 + 50 * 10) / 150), 300.0: 10.0}


def test_windows_and_aggregation_by_hand():
    x = pd.Series([100.0, 200, 300, 400, 500])
    assert windowed(x, pd.Series([1.0, 3, np.nan, 5, 9]), 200).to_dict() == {200.0: 2.0, 400.0: 5.0}
    assert [nice_width(span, 1) for span in (99, 100, 101, 5001)] == [1, 1, 2, 100]
    curve = aggregate([pd.Series([1.0, 2, 3], index=[1, 2, 3]), pd.Series([3.0, 6], index=[1, 2])])
    assert list(curve.x) == [1, 2] and list(curve.centre) == [2, 4] and curve.n == 2
    assert curve.low is not None and (curve.low <= curve.centre).all()
    assert aggregate([pd.Series([1.0, 2])]).low is None
    curve = aggregate([pd.Series([1.0, np.inf]), pd.Series([2.0, 3.0])])
    assert list(curve.x) == [0]  # infinity is no number to average


def test_series_of_absent_columns_are_empty(tmp_path):
    run = read_run(make_run(tmp_path / "run", probe=False))
    assert len(series_of(run, BIAS_R, 100)) == 0
    assert len(series_of(run, Panel("nothing", "", ""), 100)) == 0


def test_a_kept_run_without_status_is_finished(tmp_path):
    folder = make_run(tmp_path / "run")
    (folder / "status.json").unlink()
    assert read_run(folder).state == "unknown"
    provenance = json.loads((folder / "provenance.json").read_text()) | {"end_time_utc": "2026-01-01T00:00:00Z"}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    assert read_run(folder).state == "finished"
