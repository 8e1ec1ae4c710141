"""What anthill sweep expand estimates."""

from sweep_runs import expect, sweep, write_sweep


def test_the_estimate_follows_the_updates_and_what_they_cost(tmp_path):
    large = """
[set]
"training.total_env_steps" = 50_000
"training.replay_ratio" = 1
"training.batch_size" = 256
"critic.hidden_dims" = [256, 256]
[[include]]
"critic.num_critics" = 10
[[include]]
"critic.batch_renorm" = true
[[include]]
"training.replay_ratio_schedule" = [[25_000, 7.0]]
[[include]]
"training.prefill_updates" = 50_000
"""
    lines = expect(sweep("expand", write_sweep(tmp_path, large))).stdout.splitlines()[1:6]
    plain, *others = [int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in (line.split()[3].split(":") for line in lines)]
    # ten critics for two; 1.75 (docs/remedies.md); half of the run at ratio 7; twice the updates
    for other, factor in zip(others, (5, 1.75, 4, 2), strict=True):
        assert abs(other / plain - factor) < 0.2 * factor, (other, plain, factor)
