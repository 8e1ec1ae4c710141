"""The table of off-line probes, from files with known content."""

import pytest

from analysis.probes import markdown_table

HEADER = "env_steps,run,states,num_states,q_mean,soft_return,bias_reward,bias_reward_low,bias_reward_high,spearman\n"


def probe(folder, *rows):
    folder.mkdir()
    (folder / "overestimation.csv").write_text(HEADER + "".join(row + "\n" for row in rows))
    return folder


def test_rows_of_one_step_stand_together_in_the_order_given(tmp_path):
    own = probe(tmp_path / "own", "10000,a,on_policy,64,136.4,-104,2.4,2.1,2.75,0.9", "20000,a,on_policy,64,5,1,0.04,-1,1,-0.25")
    swapped = probe(tmp_path / "actor", "10000,a,on_policy,64,1662,-852,25.14,20.1,30.3,nan")
    lines = markdown_table([f"critic of a, actor of b={swapped}", str(own)]).splitlines()
    assert lines[2:5] == [
        "| on_policy | 10,000 | critic of a, actor of b | 1662 | -852 | 25.1 [20.1, 30.3] | nan |",
        "| on_policy | 10,000 | own | 136.4 | -104 | 2.4 [2.1, 2.75] | 0.90 |",
        "| on_policy | 20,000 | own | 5 | 1 | 0.04 [-1, 1] | -0.25 |",
    ]
    assert "64 states of one run" in lines[-1]
    assert len(markdown_table([str(swapped), str(own)], 10_000).splitlines()) == 6
    with pytest.raises(ValueError, match="--at 5: no such checkpoint was probed; there are 10000, 20000"):
        markdown_table([str(own)], 5)


def test_the_runs_of_one_probe_are_named(tmp_path):
    rows = [f"0,{run},reset,{count},1,2,3,2,4,0" for run, count in (("a", 32), ("b", 64))]
    lines = markdown_table([str(probe(tmp_path / "all", *rows))]).splitlines()
    assert [line.split(" | ")[2] for line in lines[2:4]] == ["all, a", "all, b"]
    assert "32 or 64 states" in lines[-1]


def test_what_is_no_probe_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no overestimation.csv; is it what `anthill probe --output` wrote"):
        markdown_table([str(tmp_path)])
    folder = probe(tmp_path / "bad")
    (folder / "overestimation.csv").write_text("env_steps,states\n0,reset\n")
    with pytest.raises(ValueError, match="column run, .* is missing"):
        markdown_table([str(folder)])
    (folder / "overestimation.csv").write_text(HEADER)
    with pytest.raises(ValueError, match="overestimation.csv: has no row"):
        markdown_table([str(folder)])
