"""The figure of several programs' evaluations."""

from analysis import programs_figure

ROWS = "algorithm,program,settings,seed,env_steps,return_mean\n"


def test_runs_are_lines_and_means_are_of_the_last_step(tmp_path, monkeypatch):
    table = tmp_path / "table.csv"
    table.write_text(ROWS + "td3,a,x,0,10,1\ntd3,a,x,0,20,3\ntd3,a,x,1,10,2\ntd3,a,x,1,20,7\ntd3,b,x,0,20,9\nsac,a,y,0,10,4\n")
    drawn = []
    monkeypatch.setattr(programs_figure.plt, "close", drawn.append)
    assert programs_figure.main([str(table), "--figure", str(tmp_path / "f.png")]) == 0
    td3, sac = drawn[0].axes
    assert [len(line.get_xdata()) for line in td3.lines] == [2, 2, 1, 1, 1]
    assert [t.get_text() for t in td3.get_legend().get_texts()] == ["a, x (n = 2, mean 5)", "b, x (n = 1, mean 9)"]
    assert sac.get_title() == "SAC" and (tmp_path / "f.png").stat().st_size > 10_000


def test_the_summary_has_the_rank_test(tmp_path):
    table = tmp_path / "table.csv"
    rows = [f"td3,a,x,{seed},10,{value}\n" for seed, value in enumerate((1, 2, 3))]
    rows += [f"td3,b,{settings},{seed},10,{value}\n" for seed, (settings, value) in enumerate((("y", 4), ("y", 5), ("z", 6)))]
    table.write_text(ROWS + "td3,a,x,0,5,100\n" + "".join(rows))
    lines = programs_figure.summary(programs_figure.read_evaluations(table)).splitlines()[2:]
    assert lines == [
        "| td3 | a | x | 3 | 2 | 1 | - |",
        "| td3 | b | y | 2 | 4 | 1 | 0.20 |",  # the most extreme of 10 orders, both ways
        "| td3 | b | z | 1 | 6 | - | 0.50 |",
    ]


def test_a_missing_column_is_one_line(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("algorithm,seed\nsac,0\n")
    assert programs_figure.main([str(tmp_path / "t.csv"), "--figure", str(tmp_path / "f.png")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "program, settings, env_steps, return_mean" in error
