"""A trained policy in NumPy: reads policy.safetensors and resolved.toml of a run folder."""

import json
import tomllib
from pathlib import Path

import numpy as np

_LAYER_NORM_EPS = 1e-5
_UNIT_NORM_EPS = 1e-12
# keys of [actor] and [critic] that the forward pass follows, and those that only learning reads
_FOLLOWED = {"hidden_dims", "activation", "layer_norm", "layer_norm_placement", "residual", "unit_features", "output"}
_FOLLOWED |= {"log_std_form", "log_std_min", "log_std_max", "distribution"}
_OF_LEARNING = {"learning_rate", "weight_decay", "max_gradient_norm", "log_prob_form", "dropout"}
_OF_LEARNING |= {"batch_renorm_momentum", "batch_renorm_warmup", "weight_projection"}
_OF_LEARNING |= {"target_clip", "target_range_period", "target_aggregation", "target_beta", "target_subset", "num_critics"}
_OF_LEARNING |= {"adam_beta1", "adam_beta2", "adam_eps"}
_OF_LEARNING |= {"initialisation", "output_init_bound", "log_std_init", "sde_learn_features"}
_NETWORKS = ("actor", "target_actor", "critic", "target_critic", "log_alpha", "observation")
_MAX_NORMALISED = 10  # algos/agents/normalising_agent.cpp
_ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def read_safetensors(path):
    """(arrays by name, metadata) of a .safetensors file of float32 arrays. ValueError says what is wrong with it."""
    path = Path(path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise ValueError(f"{path}: not a safetensors file, or cut off")
    try:
        header = json.loads(data[8 : 8 + size])
        metadata = header.pop("__metadata__", {})
        arrays = {}
        for name, entry in header.items():
            if entry["dtype"] != "F32":
                raise ValueError(f"array '{name}' is {entry['dtype']}, expected F32")
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data, "<f4", (end - begin) // 4, 8 + size + begin)
            arrays[name] = values.reshape(entry["shape"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}; is the file damaged?") from None
    return arrays, metadata


class Mlp:
    """A network of algos/networks/mlp.hpp: per hidden layer Linear, LayerNorm and activation in the order that the
    configuration says, and the layer's input added where `residual` and the widths agree; then, with `unit_features`,
    division by the norm; then Linear."""

    def __init__(self, arrays, section):
        """`arrays`: name -> float32 array of one network, as hidden_0.weight (out, in); all of them are used."""
        self._arrays = arrays
        self._activation = _ACTIVATIONS[section["activation"]]
        self._layer_norm = section["layer_norm"]
        self._norm_first = section["layer_norm_placement"] == "before_activation"
        self._residual = section["residual"]
        self._unit_features = section.get("unit_features", False)  # files of earlier versions have no such key
        for key, value in section.items():
            if key not in _FOLLOWED | _OF_LEARNING and value not in (False, 0, "none", "", []):
                raise ValueError(f"{key} = {value!r} is not known to anthill.Policy")
        self._num_hidden = len(section["hidden_dims"])
        layers = [f"hidden_{i}" for i in range(self._num_hidden)] + ["output"]
        layers += [f"layer_norm_{i}" for i in range(self._num_hidden) if self._layer_norm]
        expected = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
        if expected != set(arrays):
            raise ValueError(f"arrays {sorted(expected ^ set(arrays))} are missing or too many")

    def __call__(self, x):
        """(B, in) -> (B, out), float32."""
        return self.output(self.features(x))

    def features(self, x):
        """(B, in) -> (B, width): what the last Linear reads."""
        for layer in range(self._num_hidden):
            hidden = self._linear(f"hidden_{layer}", x)
            if self._layer_norm and self._norm_first:
                hidden = self._normalised(layer, hidden)
            hidden = self._activation(hidden)
            if self._layer_norm and not self._norm_first:
                hidden = self._normalised(layer, hidden)
            x = hidden + x if self._residual and hidden.shape == x.shape else hidden
        if self._unit_features:
            x = x / np.sqrt(np.square(x).sum(axis=1, keepdims=True) + np.float32(_UNIT_NORM_EPS))
        return x

    def output(self, features):
        """(B, width) -> (B, out)."""
        return self._linear("output", features)

    def _linear(self, name, x):
        return x @ self._arrays[f"{name}.weight"].T + self._arrays[f"{name}.bias"]

    def _normalised(self, layer, x):
        centred = x - x.mean(axis=1, keepdims=True)
        variance = np.square(centred).mean(axis=1, keepdims=True)
        scale = self._arrays[f"layer_norm_{layer}.weight"] / np.sqrt(variance + np.float32(_LAYER_NORM_EPS))
        return centred * scale + self._arrays[f"layer_norm_{layer}.bias"]


class Policy:
    """What a run has learnt, acting on NumPy. Made by Policy.load(); not changed by acting."""

    def __init__(self, run, config, arrays, task, metadata):
        self.run = run  # its folder
        self.config = config  # resolved.toml as dicts
        self.arrays = arrays  # one member's networks and statistics: "actor.hidden_0.weight" (out, in), ...
        self.task = task  # observation_dim, action_dim, num_actions, action_low, action_high, ...
        self.algorithm = config["agent"]["algorithm"]
        self.env_steps = int(metadata["env_steps"])
        self.gradient_updates = int(metadata["gradient_updates"])
        if self.algorithm not in ("sac", "td3", "ddpg", "dqn"):
            raise ValueError(f"algorithm '{self.algorithm}' is not known to anthill.Policy")
        self._network = "critic" if self.algorithm == "dqn" else "actor"
        section = config[self._network]
        unknown = [name for name in arrays if name.split(".")[0] not in _NETWORKS]
        if unknown:
            raise ValueError(f"array '{unknown[0]}' is not known to anthill.Policy")
        prefix = f"{self._network}."
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        self._normalises = config["agent"].get("observation_normalisation", False)  # earlier versions have no such key
        expected = {"observation.mean", "observation.inverse_std"} if self._normalises else set()
        found = {name for name in arrays if name.startswith("observation.")}
        if found != expected:
            raise ValueError(f"arrays {sorted(found ^ expected)} are missing or too many")
        self._sde_log_std = own.pop("log_std") if section.get("distribution") == "gsde" else None
        self._mlp = Mlp(own, section)
        low, high = (np.array(task[name], np.float32) for name in ("action_low", "action_high"))
        self._scale, self._bias = (high - low) / 2, (high + low) / 2

    @classmethod
    def load(cls, run, member=0):
        """The policy of a run folder, as of its last evaluation or its end; of one of its members.

        ValueError says which file is missing, or does not belong to the configuration.
        """
        run = Path(run)
        if run.is_file():
            raise ValueError(f"{run}: is a file; give the run's folder, such as {run.parent}")
        for name in ("policy.safetensors", "resolved.toml"):
            if not (run / name).is_file():
                raise ValueError(f"{run}: no {name}; give the folder of a run that has been evaluated or has ended")
        from anthill.simulator import spec_of_file  # the bounds of the actions

        task = spec_of_file(str(run / "resolved.toml"))
        config = tomllib.loads((run / "resolved.toml").read_text())
        arrays, metadata = read_safetensors(run / "policy.safetensors")
        try:
            own = {name: _one_network(name, array, member) for name, array in arrays.items()}
            policy = cls(run, config, own, task, metadata)
            policy.act(np.zeros((1, task["observation_dim"]), np.float32))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{run / 'policy.safetensors'}: does not fit {run / 'resolved.toml'} ({error})") from None
        return policy

    def __repr__(self):
        return f"Policy({str(self.run)!r}: {self.algorithm} on {self.task['name']}, {self.env_steps:,} env steps)"

    def act(self, observation, deterministic=True, rng=None):
        """Actions in environment units, float32 (B, A), or indices (B,) where they are discrete.

        `observation` is (B, D), or (D,) for one action without the batch's axis. `deterministic`: SAC's tanh(mean),
        the others' policy without noise; otherwise SAC samples with `rng` (a numpy.random.Generator), and the others,
        whose exploration belongs to training, refuse.
        """
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng: expected a numpy.random.Generator, got {rng!r}; make one: numpy.random.default_rng(3)")
        observation, features = self._features(observation)
        output = self._mlp.output(features)
        if self._sde_log_std is not None:
            output = np.concatenate([output, sde_log_std(features, self._sde_log_std)], axis=1)
        if self.algorithm == "dqn":
            actions = output.argmax(axis=1)
        else:
            actions = self._normalised_actions(output, deterministic, rng) * self._scale + self._bias
        if not deterministic and self.algorithm != "sac":
            raise ValueError(f"{self.algorithm}'s policy is deterministic; its exploration belongs to training")
        return actions[0] if observation.ndim == 1 else actions

    def output(self, observation):
        """(B, D) -> float32, what the network says before anything squashes or clips it: the actor's means (a Gaussian's
        with its raw log standard deviations behind them, gSDE's alone), DQN's values of its actions. (D,) gives one row
        without the batch's axis.
        """
        observation, features = self._features(observation)
        output = self._mlp.output(features)
        return output[0] if observation.ndim == 1 else output

    def _features(self, observation):
        """The observation as an array, and (B, H): the last hidden layer's outputs for it."""
        observation = np.asarray(observation, np.float32)
        if observation.shape[-1:] != (self.task["observation_dim"],) or observation.ndim > 2:
            raise ValueError(f"observation: shape {observation.shape}, expected (B, {self.task['observation_dim']})")
        return observation, self._mlp.features(self.normalised(observation.reshape(-1, observation.shape[-1])))

    def normalised(self, observation):
        """(B, D) -> (B, D) float32: what the networks read. The observation itself without agent.observation_normalisation."""
        observation = np.asarray(observation, np.float32)
        if not self._normalises:
            return observation
        scaled = (observation - self.arrays["observation.mean"]) * self.arrays["observation.inverse_std"]
        return np.clip(scaled, -_MAX_NORMALISED, _MAX_NORMALISED)

    def make_vec(self, num_envs=1, num_threads=0, **arguments):
        """Environments of the run's task with the run's options; `arguments`: autoreset_mode and copy of anthill.make_vec()."""
        from anthill.vector_env import make_vec_of_file

        return make_vec_of_file(self.run / "resolved.toml", num_envs, num_threads, **arguments)

    def _normalised_actions(self, output, deterministic, rng):
        """In [-1, 1]. SAC's output is the means and the raw log standard deviations side by side."""
        if self.algorithm != "sac":
            linear = self.config["actor"]["output"] == "linear"
            return self._clipped(output) if linear else np.tanh(output)
        distribution = self.config["actor"].get("distribution")
        squash = self._clipped if distribution == "clipped_gaussian" else np.tanh
        mean, raw = np.split(output, 2, axis=1)
        if deterministic:
            return squash(mean)
        noise = (np.random.default_rng() if rng is None else rng).standard_normal(mean.shape, np.float32)
        spread = raw if distribution == "gsde" else log_std(self.config["actor"], raw)
        return squash(mean + np.exp(spread) * noise)

    def _clipped(self, output):
        """An output without tanh, which is in the units of agent.action_units, in [-1, 1]."""
        if self.config["agent"].get("action_units") == "environment":
            output = (output - self._bias) / self._scale
        return np.clip(output, -1, 1)


def log_std(actor, raw):
    """SAC's log standard deviations from the network's raw ones, in the form that [actor] says."""
    low, high = np.float32(actor["log_std_min"]), np.float32(actor["log_std_max"])
    if actor["log_std_form"] == "clamp":
        return np.clip(raw, low, high)
    return low + (high - low) * (1 + np.tanh(raw)) / 2


def sde_log_std(features, matrix):
    """gSDE's log standard deviations (B, A) from features (B, width) and the parameter log_std (width, A)."""
    variance = np.square(features) @ np.exp(2 * matrix) + np.float32(1e-6)
    return np.log(variance) / 2


def _one_network(name, array, member):
    """[members, ensemble, ...] -> the member's; without the axis of the ensemble where it has one network."""
    if array.ndim == 0 or not 0 <= member < len(array):
        raise ValueError(f"no member {member} in {name} of shape {array.shape}")
    return array[member, 0] if array.ndim > 1 and array.shape[1] == 1 else array[member]
