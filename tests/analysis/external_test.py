"""Other libraries' logs: TensorBoard events, progress.csv, monitor.csv, evaluations.npz, any CSV with a map."""

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from analysis.external import read_external, read_external_arms, read_map


def write_events(folder, scalars: dict[str, list[tuple[int, float]]]):
    writer = EventFileWriter(str(folder))
    for tag, points in scalars.items():
        for step, value in points:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=1.0, step=step, summary=summary))
    writer.close()
    return folder


CLEANRL = {
    "charts/episodic_return": [(500, 10.0), (1200, 30.0)],
    "charts/episodic_length": [(500, 500.0), (1200, 700.0)],
    "losses/qf1_values": [(1100, 5.0), (1200, 6.0)],
    "losses/alpha": [(1100, 0.5), (1200, 0.4)],
    "charts/SPS": [(1100, 99.0)],
}


def test_cleanrl_events(tmp_path):
    run = read_external(write_events(tmp_path / "run", CLEANRL))
    assert run.source == "CleanRL" and run.last_step == 1200
    assert run.train.set_index("env_steps").q_mean.to_dict() == {1100: 5.0, 1200: 6.0}
    assert run.train.alpha.tolist() == pytest.approx([0.5, 0.4])
    assert run.episodes.episode_return.tolist() == [10.0, 30.0]
    assert run.episodes.episode_length.tolist() == [500.0, 700.0]
    assert len(run.evaluations) == 0 and run.divergence() is None


def test_stable_baselines3_events(tmp_path):
    """The tags of SAC of Stable-Baselines3 2.9.2 with an EvalCallback, at their own steps."""
    run = read_external(write_events(tmp_path / "SAC_1", {
        "rollout/ep_len_mean": [(200, 200.0), (400, 200.0)],
        "rollout/ep_rew_mean": [(200, -990.0), (400, -1258.0)],
        "time/fps": [(200, 75.0), (400, 48.0)],
        "train/actor_loss": [(200, 0.5), (300, 1.0), (400, 2.5)],
        "train/critic_loss": [(200, 43.5), (300, 29.5), (400, 37.0)],
        "train/ent_coef": [(200, 0.75), (300, 0.5), (400, 0.25)],
        "train/ent_coef_loss": [(200, -0.05), (300, -0.1), (400, -0.15)],
        "train/learning_rate": [(200, 0.0003), (300, 0.0003), (400, 0.0003)],
        "eval/mean_ep_length": [(300, 150.0)],
        "eval/mean_reward": [(300, -1181.0)],
    }))  # fmt: skip
    assert run.source == "Stable-Baselines3" and run.last_step == 400
    assert run.train.set_index("env_steps").alpha.to_dict() == {200: 0.75, 300: 0.5, 400: 0.25}
    assert run.train.critic_loss.tolist() == [43.5, 29.5, 37.0] and run.train.actor_loss.tolist() == [0.5, 1.0, 2.5]
    assert run.episodes.set_index("env_steps").episode_return.to_dict() == {200: -990.0, 400: -1258.0}
    assert run.evaluations.set_index("env_steps").return_mean.to_dict() == {300: -1181.0}
    assert run.evaluations.length_mean.tolist() == [150.0]


def test_events_cut_in_the_middle_give_what_is_whole(tmp_path):
    folder = write_events(tmp_path / "run", {"losses/alpha": [(step, 0.5) for step in range(1, 200)]})
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:3000])
    assert 10 < len(read_external(folder).train) < 199


def test_stable_baselines3_progress_and_monitor(tmp_path):
    (tmp_path / "progress.csv").write_text(
        "time/total_timesteps,train/critic_loss,eval/mean_reward,train/ent_coef\n1000,,-50,\n2000,3.5,-20,0.3\n3000,1"
    )
    (tmp_path / "seed0.monitor.csv").write_text(
        '#{"t_start": 1.0, "env_id": "Ant-v4"}\nr,l,t\n-5.0,200,1.5\n7.5,300,2.5\n9.0,4'
    )
    run = read_external(tmp_path)
    assert run.source == "Stable-Baselines3"
    assert run.evaluations.set_index("env_steps").return_mean.to_dict() == {1000: -50, 2000: -20}
    assert run.train.set_index("env_steps").critic_loss.dropna().to_dict() == {2000: 3.5}
    assert run.train.set_index("env_steps").alpha.dropna().to_dict() == {2000: 0.3}
    assert run.episodes.set_index("env_steps").episode_return.to_dict() == {200: -5.0, 500: 7.5}


def test_stable_baselines3_evaluations(tmp_path):
    np.savez(
        tmp_path / "evaluations.npz", timesteps=[100, 200], results=[[1.0, 3.0], [5.0, 7.0]],
        ep_lengths=[[10, 20], [30, 40]],
    )
    run = read_external(tmp_path)
    assert run.evaluations.set_index("env_steps").return_mean.to_dict() == {100: 2.0, 200: 6.0}
    assert run.evaluations.length_mean.tolist() == [15.0, 35.0]


def test_any_csv_with_a_map(tmp_path):
    (tmp_path / "log.csv").write_text("step,reward,value\n10,1.5,4\n20,2.5,5\n")
    with pytest.raises(ValueError, match=r"log.csv \(other CSV\): no known column among reward, value; map them"):
        read_external(tmp_path / "log.csv")
    arms = read_external_arms(
        [f"other={tmp_path}/log.csv", f"other={tmp_path}/log.csv"], ["return_mean=reward", "q_mean=value"]
    )
    assert len(arms) == 1 and arms[0].external and arms[0].seeds == [0, 1]
    assert arms[0].runs[0].evaluations.return_mean.tolist() == [1.5, 2.5]
    assert arms[0].runs[0].train.q_mean.tolist() == [4, 5]


@pytest.mark.parametrize(("pairs", "message"), [
    (["reward"], "write OURS=THEIRS"),
    (["rewards=reward"], "where OURS is one of env_steps"),
])
def test_a_wrong_map_is_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        read_map(pairs)


def test_what_is_no_log_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file or folder"):
        read_external(tmp_path / "nothing")
    with pytest.raises(ValueError, match="no log here"):
        read_external(tmp_path)
    (tmp_path / "a.monitor.csv").write_text("r,l,t\n1,2,3\n")
    with pytest.raises(ValueError, match="its first line is no '#"):
        read_external(tmp_path)
    (tmp_path / "a.monitor.csv").write_text('#{"t_start": 1.0}\nr,l,t\n')
    with pytest.raises(ValueError, match="no episode with r and l in it yet"):
        read_external(tmp_path)
    (tmp_path / "b.csv").write_text("reward\n1\n")
    with pytest.raises(ValueError, match="no column of env steps"):
        read_external(tmp_path / "b.csv")
    with pytest.raises(ValueError, match="write NAME=PATH"):
        read_external_arms([str(tmp_path)], [])
