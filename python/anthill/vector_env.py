"""Environments stepped by C++ threads, as a gymnasium.vector.VectorEnv."""

import copy as copying

import gymnasium
import numpy as np
from gymnasium import error, logger
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from anthill import checks, spaces
from anthill.infos import masked, same_step_infos, step_infos
from anthill.simulator import Simulator, env_names, last_mujoco_warning

__all__ = ["VectorEnv", "env_names", "make_vec"]

_NOBODY = np.zeros(0, np.uint8)


def make_vec(env, num_envs=1, num_threads=0, *, autoreset_mode=AutoresetMode.SAME_STEP, copy=False, **options):
    """`num_envs` environments of the task `env` (Gymnasium's id, or "mjcf") as one gymnasium.vector.VectorEnv.

    num_threads: threads that step them, the caller's included; 0: one per available core.
    autoreset_mode: Gymnasium's; see VectorEnv.
    copy: whether observations are copies; by default they are views (see VectorEnv).
    options: keys of the task's section, such as healthy_reward=0.5, and of [sim], such as max_episode_steps=500.
    ValueError says in one line what is wrong with a name or a value.
    """
    num_envs = checks.whole_number("num_envs", num_envs)
    num_threads = checks.whole_number("num_threads", num_threads)
    if options.get("max_episode_steps") == 0:  # a file's word for the task's own limit
        raise ValueError("max_episode_steps: must be at least 1, got 0; leave it out for the task's own limit")
    simulator = Simulator(str(env), checks.plain_options(options), num_envs, num_threads)
    return VectorEnv(simulator, num_envs, autoreset_mode, copy, options)


def make_vec_of_file(path, num_envs=1, num_threads=0, *, autoreset_mode=AutoresetMode.SAME_STEP, copy=False):
    """The task of [sim] in a configuration file, such as a run's resolved.toml, as make_vec() makes it."""
    num_envs = checks.whole_number("num_envs", num_envs)
    simulator = Simulator.from_file(str(path), num_envs, checks.whole_number("num_threads", num_threads))
    return VectorEnv(simulator, num_envs, autoreset_mode, copy, None)


class VectorEnv(gymnasium.vector.VectorEnv):
    """Steps N environments of one task at once. Made by make_vec().

    Observations are NumPy views, without a copy, of two sets of rows that steps write in turn: what reset() or step()
    returned stays as it is through the next step, and is overwritten by the one after that. Whoever keeps observations
    for longer copies them, or makes the environments with copy=True. All other arrays are the caller's own.

    autoreset_mode: SAME_STEP begins the next episode in the step that ends one; NEXT_STEP (what Gymnasium's vector
    observation wrappers ask for) in the step after, whose action is not used; DISABLED waits for reset_mask.
    """

    def __init__(self, simulator, num_envs, autoreset_mode, copy_observations, options):
        self._simulator = simulator
        self._copy = copy_observations
        self.num_envs = num_envs
        self.num_threads = simulator.num_threads
        task = simulator.spec
        self.control_dt = task["control_dt"]
        self.spec = _gymnasium_spec(task, options)
        self._mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self._mode}
        self.single_observation_space = spaces.observation_space(task)
        self.single_action_space = spaces.action_space(task)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._terms = task["reward_terms"]
        suffix = "_double" if self.single_observation_space.dtype == np.float64 else ""
        sets = [simulator.rows(index) for index in (0, 1)]
        self._scalars = [(rows["reward"], rows["terminated"], rows["truncated"]) for rows in sets]
        self._term_values = [rows["terms"] for rows in sets]
        self._acting = [rows[f"observation{suffix}"] for rows in sets]  # first ones, where an episode ended
        self._successor = [rows[f"next_observation{suffix}"] for rows in sets]
        self._shown = self._acting if self._mode is AutoresetMode.SAME_STEP else self._successor
        self._set = 0
        self._seeds = ()  # of the environments, once they have been reset
        self._in_flight = False
        # whose next episode the simulator has begun and nobody has seen yet (not in SAME_STEP), and its first
        # observation
        self._waiting = np.zeros(num_envs, bool)
        self._first = np.empty_like(self._acting[0])

    def reset(self, *, seed=None, options=None):
        """Starts an episode everywhere, or with options={"reset_mask": a bool array (N,)} where it is true.

        seed: environment i is seeded with seed + i; a list has one seed, or None, for each. Without a seed the
        environments' generators go on; before the first reset they are seeded by the operating system.
        """
        self._require_open("reset")
        if self._in_flight:
            raise error.AlreadyPendingCallError("reset: call step_wait() first", "step")
        mask = checks.reset_mask(options, self.num_envs)
        new_seeds = checks.lane_seeds(seed, self.num_envs)
        if not self._seeds:
            if not mask.all():
                raise error.ResetNeeded("reset: reset all environments before some of them")
            entropy = np.random.SeedSequence().generate_state(self.num_envs, np.uint64).tolist()
            new_seeds = [random if lane is None else lane for lane, random in zip(new_seeds, entropy)]
        seeds = list(self._seeds) or new_seeds
        for lane, lane_seed in enumerate(new_seeds):
            if lane_seed is not None and mask[lane]:
                self._simulator.seed(lane, lane_seed)
                seeds[lane] = lane_seed
        self._seeds = tuple(seeds)
        self._begin_episodes(mask, np.array([lane is not None for lane in new_seeds]))
        return self._observations(), {}

    def step(self, actions):
        """One control step; `actions` is (N, A), or (N,) indices where actions are discrete, in environment units.

        Returns observations, rewards, terminated, truncated and infos. With SAME_STEP, where an episode ended, the
        observation is the first of the next, infos["final_obs"] has the last and infos["final_info"] its terms.
        """
        self.step_async(actions)
        return self.step_wait()

    def step_async(self, actions):
        """Starts a step in the background threads and returns at once. `actions` are copied."""
        self._require_open("step")
        if self._in_flight:
            raise error.AlreadyPendingCallError("step_async: call step_wait() first", "step")
        if not self._seeds:
            raise error.ResetNeeded("step: call reset() first")
        waiting = self._waiting.any()
        if waiting and self._mode is AutoresetMode.DISABLED:
            lanes = np.flatnonzero(self._waiting)[:5].tolist()
            raise error.ResetNeeded(f"step: episodes of environments {lanes} ended; reset them with reset_mask")
        actions = checks.float32_actions(actions, self.action_space, self.single_action_space)
        self._simulator.begin_step(actions, self._waiting.view(np.uint8) if waiting else _NOBODY)
        self._in_flight = True

    def step_wait(self):
        """Helps with what is left of the step, and returns what step() does. Other Python threads run meanwhile."""
        self._require_open("step")
        if not self._in_flight:
            raise error.NoAsyncCallError("step_wait: call step_async() first", "step")
        self._in_flight = False
        self._set, num_ended, num_invalid = self._simulator.finish_step()
        rewards, terminated, truncated = (rows.copy() for rows in self._scalars[self._set])
        terms = self._term_values[self._set].T.copy()
        if self._mode is not AutoresetMode.SAME_STEP:
            stepped = ~self._waiting
            self._show_first(self._waiting)
            for array in (rewards, terminated, truncated):
                array[self._waiting] = 0
            infos = step_infos(self._terms, terms, stepped)
            self._waiting = terminated | truncated
            self._first[self._waiting] = self._acting[self._set][self._waiting]
        elif num_ended:
            infos = same_step_infos(self._terms, terms, terminated | truncated, self.next_observation)
        else:
            infos = step_infos(self._terms, terms, np.ones(self.num_envs, bool))
        if num_invalid:
            infos |= self._invalid_infos()
        return self._observations(), rewards, terminated, truncated, infos

    @property
    def next_observation(self):
        """The last step's true successors (N, D), also where an episode ended; overwritten as observations are."""
        return self._successor[self._set]

    @property
    def np_random_seed(self):
        """The seed of each environment, by which its generator was last seeded."""
        return self._seeds

    def close_extras(self, **kwargs):
        """Ends the threads and frees the environments; arrays that were returned stay valid."""
        self._in_flight = False
        self._simulator.close()

    def _require_open(self, what):
        if self.closed:
            raise error.ClosedEnvironmentError(f"{what}: the environments are closed; make new ones")

    def _observations(self):
        observations = self._shown[self._set]
        return observations.copy() if self._copy else observations

    def _begin_episodes(self, mask, seeded):
        """Resets where `mask`, but for those whose next episode the simulator has begun already."""
        begun = self._waiting & mask & ~seeded
        anew = mask & ~begun
        before = self._shown[self._set]
        self._set = self._simulator.reset(anew.view(np.uint8))
        if self._mode is not AutoresetMode.SAME_STEP:
            self._shown[self._set][~mask] = before[~mask]
            self._shown[self._set][anew] = self._acting[self._set][anew]
            self._show_first(begun)
        self._waiting = self._waiting & ~mask

    def _show_first(self, lanes):
        self._shown[self._set][lanes] = self._first[lanes]

    def _invalid_infos(self):
        """A failed simulation: its environment is truncated, its successor is zeros; infos["invalid"] says where."""
        lanes = np.zeros(self.num_envs, bool)
        for lane, seed, step in self._simulator.invalid_transitions():
            lanes[lane] = True
            logger.warn(
                f"environment {lane} (seed {seed}), step {step} of its episode: the simulation failed "
                f"({last_mujoco_warning() or 'a number is not finite'}); the transition is not to be learnt from"
            )
        return masked({"invalid": lanes}, lanes)


def _gymnasium_spec(task, options):
    """Gymnasium's spec of the task with these options; None for a task, or options, of a file's."""
    if options is None or task["name"] not in gymnasium.registry:
        return None
    spec = copying.deepcopy(gymnasium.registry[task["name"]])
    spec.kwargs |= {name: value for name, value in options.items() if name not in ("max_episode_steps", "pin_threads")}
    spec.max_episode_steps = task["max_episode_steps"] or None
    return spec
