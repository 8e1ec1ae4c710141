"""anthill.Policy in NumPy against PyTorch's numbers and against the commands; anthill.read_run."""

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from anthill_command import run
from gymnasium.vector import AutoresetMode

import anthill
from anthill.policy import Mlp, log_std, read_safetensors, sde_log_std

FILES = Path("tests/algos/vectors").glob("*.safetensors")
VECTORS = sorted(path for path in FILES if not path.name.startswith("diagnostics_"))  # those hold no network
TINY = (
    "training.total_env_steps=600", "training.random_steps=100", "training.learning_starts=100",
    "evaluation.period=600", "log.period=200", "training.batch_size=32", "sim.num_envs=4",
)  # fmt: skip


def mlp_of(arrays, name, settings):
    own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
    own.pop("log_std", None)  # gSDE's, which no layer reads
    norm = settings["layer_norm"]
    return Mlp(own, {
        "hidden_dims": json.loads(settings["hidden_dims"]), "activation": settings["activation"],
        "layer_norm": norm != "none", "layer_norm_placement": norm, "residual": settings["residual"] == "true",
    })  # fmt: skip


def next_action(arrays, settings):
    """What the target's policy does in the next state, and SAC's alpha * log_prob."""
    algorithm = settings.get("algorithm", "sac")
    if algorithm != "sac":
        output = mlp_of(arrays, "start.target_actor", settings)(arrays["next_observation"])
        action = np.tanh(output) if settings["output"] == "tanh" else output
        if algorithm == "ddpg":
            return action, 0.0
        scale, clip = float(settings["target_noise"]), float(settings["noise_clip"])
        return np.clip(action + np.clip(scale * arrays["noise.target"], -clip, clip), -1, 1), 0.0
    actor, observation = mlp_of(arrays, "start.actor", settings), arrays["next_observation"]
    if settings["distribution"] == "gsde":
        mean, raw = actor(observation), sde_log_std(actor.features(observation), arrays["start.actor.log_std"])
    else:
        mean, raw = np.split(actor(observation), 2, axis=1)
    form = {"log_std_form": settings["log_std_form"], "log_std_min": -20.0, "log_std_max": 2.0}
    if settings["log_std_form"] == "tanh_affine":
        form |= {"log_std_min": -10.0}
    spread, noise = log_std(form, raw), arrays["noise.next_action"]
    action = np.tanh(mean + np.exp(spread) * noise)
    squash = np.log(np.maximum(1 - action.astype(np.float64) ** 2, 0) + 1e-6 * (settings["log_prob_form"] == "epsilon"))
    log_prob = (-(noise**2) / 2 - spread - math.log(2 * math.pi) / 2 - squash).sum(axis=1)
    return action, np.exp(arrays["start.log_alpha"]) * log_prob


# switches of the losses that next_action() does not follow
OTHER_LOSSES = ("dropout", "environment", "clipped", "turns", "sac_rounds", "sac_periods", "batch_renorm")


@pytest.mark.parametrize(
    "path", [path for path in VECTORS if not any(word in path.name for word in OTHER_LOSSES)], ids=lambda path: path.stem
)
def test_networks_are_pytorchs(path):
    """The critic's loss of PyTorch's own modules, which runs through every network of the file."""
    arrays, settings = read_safetensors(path)
    batch = {name: arrays[name] for name in ("observation", "next_observation", "action", "reward", "bootstrap")}
    if settings.get("algorithm") == "dqn":
        online, target = (mlp_of(arrays, f"start.{name}", settings) for name in ("critic_0", "target_critic_0"))
        next_q = target(batch["next_observation"])
        chooser = online(batch["next_observation"]) if settings["double_dqn"] == "true" else next_q
        value = np.take_along_axis(next_q, chooser.argmax(axis=1)[:, None], axis=1)[:, 0]
        index = batch["action"].reshape(-1, 1).astype(int)
        q = [np.take_along_axis(online(batch["observation"]), index, axis=1)[:, 0]]
    else:
        action, entropy = next_action(arrays, settings)
        names = [f"critic_{j}" for j in range(4) if f"start.critic_{j}.output.bias" in arrays]
        inputs = np.concatenate([batch["next_observation"], action], axis=1)
        values = np.stack([mlp_of(arrays, f"start.target_{name}", settings)(inputs)[:, 0] for name in names])
        by_spread = "target_beta" in settings
        value = values.mean(axis=0) - float(settings["target_beta"]) * values.std(axis=0) if by_spread else values.min(axis=0)
        value = value - entropy
        inputs = np.concatenate([batch["observation"], batch["action"]], axis=1)
        q = [mlp_of(arrays, f"start.{name}", settings)(inputs)[:, 0] for name in names]
    reward = float(settings.get("reward_scale", 1.0)) * batch["reward"]
    target = reward + float(settings["discount"]) * batch["bootstrap"] * value
    loss = sum(np.square(one - target).mean() for one in q)
    np.testing.assert_allclose(loss, arrays["critic_loss"], rtol=2e-6)


def train(folder, config, *settings):
    arguments = [argument for setting in (*TINY, *settings) for argument in ("--set", setting)]
    result = run("train", f"configs/{config}.toml", "--run", folder, *arguments)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory):
    return train(tmp_path_factory.mktemp("policy") / "run", "pendulum_sac", "sim.max_episode_steps=40")


@pytest.mark.parametrize(("config", "settings"), [
    ("pendulum_sac", ("actor.layer_norm=true", "actor.residual=true", "actor.activation=tanh", "actor.hidden_dims=[32, 32]")),
    ("pendulum_sac", ("actor.layer_norm=true", "actor.layer_norm_placement=after_activation", "actor.activation=elu")),
    ("pendulum_sac", ("actor.unit_features=true", "actor.log_std_form=tanh_affine")),
    ("pendulum_sac", ("critic.num_critics=3", "critic.target_subset=2", "agent.policy_value=mean")),
    ("pendulum_sac", ("agent.observation_normalisation=true", "critic.layer_norm=true", "critic.weight_projection=true")),
    ("pendulum_td3", ("agent.observation_normalisation=true",)),
    ("cartpole_dqn", ("agent.observation_normalisation=true",)),
    ("pendulum_td3", ()),
    ("pendulum_td3", ("agent.algorithm=ddpg", "agent.preset=sb3", "actor.output=linear")),
    ("pendulum_td3", ("agent.algorithm=ddpg", "agent.preset=sb3", "actor.output=linear", "agent.action_units=environment")),
    ("pendulum_sac", ("actor.distribution=clipped_gaussian", "agent.action_units=environment")),
    ("pendulum_sac", ("actor.distribution=gsde", "actor.layer_norm=true", "actor.unit_features=true")),
    ("smoke", ("sim.env=Humanoid-v5", "sim.humanoid.ctrl_cost_weight=0.2")),
    ("cartpole_dqn", ()),
], ids=["sac", "sac_elu", "sac_unit", "sac_redq", "sac_normalised", "td3_normalised", "dqn_normalised", "td3", "ddpg", "ddpg_units", "sac_clipped", "sac_gsde", "humanoid", "dqn"])  # fmt: skip
def test_a_policy_acts_as_evaluate_does(tmp_path, config, settings):
    check_returns(train(tmp_path / "run", config, "sim.max_episode_steps=40", *settings))


def test_a_sac_policy_acts_as_evaluate_does(pendulum):
    check_returns(pendulum)


def check_returns(folder):
    """Episodes from the same seeds have the returns and lengths that `anthill evaluate` prints."""
    printed = json.loads(run("evaluate", folder, "--episodes", 3, "--seed", 50, "--json").stdout)
    policy = anthill.Policy.load(folder)
    envs = policy.make_vec(3)
    observation, _ = envs.reset(seed=50)
    returns, lengths, going = np.zeros(3), np.zeros(3, int), np.ones(3, bool)
    while going.any():
        observation, reward, terminated, truncated, _ = envs.step(policy.act(observation))
        returns[going] += reward[going]
        lengths[going] += 1
        going &= ~(terminated | truncated)
    assert lengths.tolist() == printed["lengths"]
    np.testing.assert_allclose(returns, printed["returns"], rtol=1e-4)
    assert policy.env_steps == 600 and policy.gradient_updates > 0
    output, actions = policy.output(observation), policy.act(observation)
    if policy.algorithm == "dqn":
        np.testing.assert_array_equal(output.argmax(axis=1), actions)
    else:  # a Gaussian's spread stands behind its means
        spread = policy.algorithm == "sac" and policy.config["actor"]["distribution"] != "gsde"
        assert output.shape == (3, (2 if spread else 1) * actions.shape[1]) and output.dtype == np.float32
    assert policy.make_vec(2, autoreset_mode=AutoresetMode.DISABLED).metadata["autoreset_mode"] == AutoresetMode.DISABLED


def test_sampled_actions_have_the_policys_distribution(pendulum):
    policy = anthill.Policy.load(pendulum)
    observation = np.array([0.3, 0.4, -1.0])
    mode = policy.act(observation)
    assert mode.shape == (1,) and mode.dtype == np.float32
    rng = np.random.default_rng(0)
    sampled = policy.act(np.tile(observation, (20_000, 1)), deterministic=False, rng=rng)
    before_tanh = np.arctanh(np.clip(sampled / 2, -1 + 1e-7, 1 - 1e-7))
    output = policy._mlp(observation[None].astype(np.float32))[0]
    np.testing.assert_allclose(np.median(before_tanh), output[0], atol=0.05)
    np.testing.assert_allclose(before_tanh.std(), np.exp(np.clip(output[1], -20, 2)), rtol=0.05)
    again = policy.act(np.tile(observation, (20_000, 1)), deterministic=False, rng=np.random.default_rng(0))
    assert (again == sampled).all()


def test_gsde_samples_with_the_spread_of_its_features(tmp_path):
    policy = anthill.Policy.load(train(tmp_path / "run", "pendulum_sac", "actor.distribution=gsde"))
    observation = np.array([0.3, 0.4, -1.0], np.float32)
    sampled = policy.act(np.tile(observation, (20_000, 1)), deterministic=False, rng=np.random.default_rng(0))
    hidden = policy._mlp.features(observation[None]).astype(np.float64)
    spread = np.sqrt((hidden**2).T * np.exp(policy.arrays["actor.log_std"]) ** 2).ravel()
    np.testing.assert_allclose(np.arctanh(sampled / 2).std(), np.linalg.norm(spread), rtol=0.05)
    np.testing.assert_allclose(np.tanh(policy._mlp(observation[None])[0]) * 2, policy.act(observation), rtol=1e-6)
    printed = json.loads(run("evaluate", policy.run, "--episodes", 2, "--stochastic", "--json").stdout)
    assert len(printed["returns"]) == 2 and np.isfinite(printed["returns"]).all()


def test_what_a_policy_refuses(pendulum, tmp_path):
    policy = anthill.Policy.load(pendulum)
    with pytest.raises(ValueError, match=r"shape \(2, 4\), expected \(B, 3\)"):
        policy.act(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="no member 1"):
        anthill.Policy.load(pendulum, member=1)
    with pytest.raises(ValueError, match="is a file; give the run's folder"):
        anthill.Policy.load(pendulum / "policy.safetensors")
    with pytest.raises(ValueError, match="rng: expected a numpy.random.Generator, got 3"):
        policy.act(np.zeros(3), deterministic=False, rng=3)
    assert repr(policy) == f"Policy('{pendulum}': sac on Pendulum-v1, 600 env steps)"
    with pytest.raises(ValueError, match="no policy.safetensors"):
        anthill.Policy.load(tmp_path)
    shutil.copy(pendulum / "resolved.toml", tmp_path)
    content = (pendulum / "policy.safetensors").read_bytes()
    (tmp_path / "policy.safetensors").write_bytes(content[:5000])
    with pytest.raises(ValueError, match="policy.safetensors.*damaged"):
        anthill.Policy.load(tmp_path)
    (tmp_path / "policy.safetensors").write_bytes(content)
    resolved = (pendulum / "resolved.toml").read_text()
    (tmp_path / "resolved.toml").write_text(re.sub(r"(\[actor\]\nhidden_dims = )\[.*\]", r"\1[64, 64, 64]", resolved))
    assert "[64, 64, 64]" in (tmp_path / "resolved.toml").read_text()
    with pytest.raises(ValueError, match="does not fit.*missing or too many"):
        anthill.Policy.load(tmp_path)
    other = re.sub(r"(observation_normalisation = )false", r"\1true", resolved)
    assert other != resolved
    (tmp_path / "resolved.toml").write_text(other)
    with pytest.raises(ValueError, match="does not fit.*observation.inverse_std.*missing or too many"):
        anthill.Policy.load(tmp_path)
    refused = run("evaluate", pendulum, "--set", "agent.observation_normalisation=true")
    assert refused.returncode == 2 and "observation.mean" in refused.stderr
    for key, value in (("spectral_norm", True), ("norm", "batch")):  # a forward pass of another version's
        section = policy.config["actor"] | {key: value}
        arrays = {name.removeprefix("actor."): a for name, a in policy.arrays.items() if name.startswith("actor.")}
        with pytest.raises(ValueError, match=f"{key} = .* is not known"):
            Mlp(arrays, section)


def test_observations_are_read_in_standard_deviations_up_to_ten(tmp_path):
    policy = anthill.Policy.load(train(tmp_path / "run", "pendulum_sac", "agent.observation_normalisation=true"))
    mean, std = policy.arrays["observation.mean"].astype(float), 1 / policy.arrays["observation.inverse_std"].astype(float)
    for out, read in ((-3, -3), (9.5, 9.5), (10.5, 10), (-1000, -10)):
        np.testing.assert_allclose(policy.normalised(mean + out * std), read, rtol=1e-4)
    assert policy.normalised(mean).dtype == np.float32


def test_the_networks_output_is_what_act_squashes(pendulum):
    policy = anthill.Policy.load(pendulum)
    observations = np.random.default_rng(0).standard_normal((5, 3), np.float32)
    mean = policy.output(observations)[:, :1]
    np.testing.assert_array_equal(2 * np.tanh(mean), policy.act(observations))
    assert policy.output(observations[0]).shape == (2,)
    with pytest.raises(ValueError, match=r"observation: shape \(4,\)"):
        policy.output(np.zeros(4))


def test_a_td3_policy_has_no_noise_to_sample(tmp_path):
    policy = anthill.Policy.load(train(tmp_path / "run", "pendulum_td3"))
    with pytest.raises(ValueError, match="td3's policy is deterministic"):
        policy.act(np.zeros(3), deterministic=False)


def test_read_run_gives_data_frames(pendulum):
    read = anthill.read_run(pendulum)
    assert repr(read) == f"Run('{pendulum}': Pendulum-v1, seed {read.seed}, finished, 600 env steps)"
    assert read.env == "Pendulum-v1" and read.state == "finished" and read.last_step == 600
    assert list(read.train.env_steps) == [200, 400, 600] and read.train.critic_loss.notna().any()
    assert list(read.evaluations.env_steps) == [0, 600] and len(read.episodes) == 4 * (150 // 40)
    with pytest.raises(ValueError, match="not a run folder"):
        anthill.read_run(pendulum.parent)
