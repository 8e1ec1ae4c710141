"""Twenty random kills; scripts/crash_loop makes two hundred."""

from crash_loop import crash_loop


def test_a_run_survives_twenty_kills(tmp_path):
    rows = list(crash_loop(tmp_path, 20, seed=1))
    assert len(rows) == 20
    # some progress was lost and some was kept
    assert len({row[3] for row in rows}) > 3
