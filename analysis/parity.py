"""Steps tasks in Gymnasium and in `anthill rollout` from the same seeds and actions, and compares raw bytes.

`python -m analysis.parity -o docs/parity.md` runs every case of CASES and writes the table of results.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import datetime
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import warnings

# plain arithmetic in np.linalg.norm, also on a CPU with AVX-512 (docs/environments.md); read when NumPy loads
os.environ.setdefault("OPENBLAS_CORETYPE", "Nehalem")

import gymnasium
import mujoco
import numpy as np

from analysis.parity_cases import CASES, OPTIONS, Case, section_of


@dataclasses.dataclass
class Result:
    """What a comparison found. An element is one float64 of one array."""

    case: Case
    num_seeds: int
    num_steps: int
    num_episodes: int
    num_compared: int
    num_different: int
    first_difference: str = ""


def make_gymnasium(case):
    options = dict(case.options)
    if "gravity" in options:  # our name for Gymnasium's g
        options["g"] = options.pop("gravity")
    # MuJoCo logs what is deprecated in a model to a file where it runs
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        warnings.simplefilter("ignore", DeprecationWarning)  # v4 is deprecated
        return gymnasium.make(
            case.env_id, max_episode_steps=case.time_limit, disable_env_checker=True, **options
        )


def choose_action(case, space, observation, rng):
    """One random action, float32; the kind "wide" also leaves the bounds, far in one step of eight."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return np.array([rng.integers(space.n)], np.float32)
    if case.actions == "pumping":  # swings the mountain car up
        return (np.sign(observation[1:]) * rng.uniform(0.5, 1.5, 1)).astype(np.float32)
    action = rng.uniform(space.low, space.high)
    if case.actions == "wide":
        action *= 1e6 if rng.random() < 1 / 8 else 4
    return action.astype(np.float32)


def terms_of(case, env, action, info):
    """The terms of the reward as far as Gymnasium shows them, by our names."""
    if case.env_id == "Ant-v4":  # info mixes the two costs up
        terms = {
            "reward_forward": info["reward_forward"],
            "reward_ctrl": -env.control_cost(action),
            "reward_survive": info["reward_survive"],
        }
        if case.options.get("use_contact_forces"):
            terms["reward_contact"] = -env.contact_cost
    elif case.env_id == "HalfCheetah-v4":
        terms = {"reward_forward": info["reward_run"], "reward_ctrl": info["reward_ctrl"]}
    elif case.env_id in ("Hopper-v4", "Walker2d-v4"):
        terms = {"reward_ctrl": -env.control_cost(action), "reward_survive": env.healthy_reward}
    elif case.env_id == "Humanoid-v4":
        terms = {
            "reward_forward": info["reward_linvel"],
            "reward_ctrl": info["reward_quadctrl"],
            "reward_survive": info["reward_alive"],
        }
    else:
        names = ("distance_penalty", "velocity_penalty")
        terms = {name: value for name, value in info.items() if name.startswith("reward_") or name in names}
    if "x_velocity" in info:
        weight = getattr(env, "_forward_reward_weight", 1.0)  # Ant-v4 has none
        forward = weight * info["x_velocity"]
        assert terms.setdefault("reward_forward", forward) == forward
    return {f"terms/{name}": value for name, value in terms.items()}


def gymnasium_rollout(case, seed, num_seeds, num_steps, actions=None):
    """Arrays [T, N, ...] of Gymnasium, one lane per seed, each reset when its episode ends."""
    env = make_gymnasium(case)
    lanes = []
    for lane in range(num_seeds):
        rng = np.random.default_rng(10**6 + seed + lane)
        rows = []
        observation, _ = env.reset(seed=seed + lane)
        for step in range(num_steps):
            if actions is None:
                action = choose_action(case, env.action_space, observation, rng)
            else:
                action = actions[step, lane]
            discrete = isinstance(env.action_space, gymnasium.spaces.Discrete)
            following, reward, terminated, truncated, info = env.step(int(action[0]) if discrete else action)
            rows.append(
                {
                    "action": action,
                    "observation": np.array(observation),
                    "reward": reward,
                    "next_observation": np.array(following),
                    "terminated": terminated,
                    "truncated": truncated,
                }
                | terms_of(case, env.unwrapped, action, info)
            )
            observation = env.reset()[0] if terminated or truncated else following
        lanes.append({name: np.array([row[name] for row in rows], np.float64) for name in rows[0]})
    env.close()
    return {name: np.stack([lane[name] for lane in lanes], axis=1) for name in lanes[0]}


def to_toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def anthill_rollout(case, seed, actions, command, threads=1):
    """The same arrays from `anthill rollout`, which must have nothing to say on stderr."""
    settings = [f"sim.{section_of(case.env_id)}.{key}={to_toml(value)}" for key, value in case.options.items()]
    if case.time_limit is not None:
        settings.append(f"sim.max_episode_steps={case.time_limit}")
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/actions.npy", actions.astype(np.float32))
        arguments = [*command, "rollout", "--env", case.env_id, "--num-envs", actions.shape[1], "--seed", seed]
        arguments += ["--actions", f"{folder}/actions.npy", "--output", f"{folder}/rollout.npz"]
        arguments += ["--num-threads", threads]
        for setting in settings:
            arguments += ["--set", setting]
        result = subprocess.run([*map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0 or result.stderr:
            raise RuntimeError(f"{case}: anthill rollout: {result.stderr}")
        with np.load(f"{folder}/rollout.npz") as archive:
            return {name: archive[name] for name in archive.files}


def compare(ours, reference):
    """(elements compared, elements that differ, where the first in time differs)."""
    num_compared, num_different, first = 0, 0, None
    for name, expected in reference.items():
        got = ours[name]
        if got.dtype != np.float64 or got.shape != expected.shape:
            raise ValueError(f"{name}: {got.dtype}{got.shape}, Gymnasium {expected.dtype}{expected.shape}")
        where = np.argwhere(got.view(np.uint64) != expected.view(np.uint64))
        num_compared += expected.size
        num_different += len(where)
        if len(where):
            place = tuple(map(int, where[0]))
            candidate = (place, f"{name}{list(place)}: {got[place]!r}, Gymnasium {expected[place]!r}")
            first = candidate if first is None else min(first, candidate)
    return num_compared, num_different, "" if first is None else first[1]


def run_case(case, command, seed, num_seeds, num_steps, actions=None):
    """The Result, and the arrays of Gymnasium. The environments' seeds are seed, seed + 1, ..."""
    reference = gymnasium_rollout(case, seed, num_seeds, num_steps, actions)
    ours = anthill_rollout(case, seed, reference["action"], command)
    if ours["invalid"].any():
        raise RuntimeError(f"{case}: invalid transitions")
    num_episodes = int(np.maximum(reference["terminated"], reference["truncated"]).sum())
    return Result(case, num_seeds, num_steps, num_episodes, *compare(ours, reference)), reference


def cpu_name():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(results, seconds):
    """The results as Markdown, in the order of CASES."""
    results = sorted(results, key=lambda result: CASES.index(result.case))
    versions = f"Gymnasium {gymnasium.__version__}, MuJoCo {mujoco.__version__}, NumPy {np.__version__}"
    lines = [
        f"Measured {datetime.date.today()} on {cpu_name()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}; "
        f"{versions}; {seconds / 60:.0f} minutes.",
        "",
        "| task | options | actions | seeds | steps per seed | episodes | elements compared | differing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        options = ", ".join(f"`{key}={value}`" for key, value in result.case.options.items()) or "defaults"
        lines.append(
            f"| {result.case.env_id} | {options} | {result.case.actions} | {result.num_seeds:,} | {result.num_steps} "
            f"| {result.num_episodes:,} | {result.num_compared:,} | {result.num_different:,} |"
        )
    total, different = sum(r.num_compared for r in results), sum(r.num_different for r in results)
    return "\n".join([*lines, f"| all | | | | | | {total:,} | {different:,} |"]) + "\n"


def in_chunks(case, command, seeds, num_steps, chunk=100):
    """One case in pieces of `chunk` seeds, so that memory stays small."""
    total = Result(case, 0, num_steps, 0, 0, 0)
    for first in range(0, seeds, chunk):
        part, _ = run_case(case, command, first, min(chunk, seeds - first), num_steps)
        for name in ("num_seeds", "num_episodes", "num_compared", "num_different"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        total.first_difference = total.first_difference or part.first_difference
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=pathlib.Path, help="Markdown file; its table is replaced")
    parser.add_argument("--seeds", type=int, default=1000, help="seeds of a task's defaults (default: %(default)s)")
    parser.add_argument("--option-seeds", type=int, default=100, help="seeds of a set of options (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=50, help="steps per seed (default: %(default)s)")
    parser.add_argument("--tasks", nargs="*", default=[], help="names of tasks, in this order (default: all)")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--anthill", default="scripts/anthill", help="the command (default: %(default)s)")
    arguments = parser.parse_args()
    tasks = arguments.tasks or list(OPTIONS)
    # every task's defaults first: the table is written as it grows, and a run may be stopped
    cases = [case for task in tasks for case in CASES if case.env_id == task]
    cases.sort(key=lambda case: bool(case.options))
    begin = datetime.datetime.now()
    with concurrent.futures.ProcessPoolExecutor(arguments.processes) as pool:
        futures = [
            pool.submit(
                in_chunks,
                case,
                [arguments.anthill],
                arguments.option_seeds if case.options else arguments.seeds,
                arguments.steps,
            )
            for case in cases
        ]
        results = []
        for future in futures:
            results.append(result := future.result())
            print(f"{result.case}: {result.num_different} of {result.num_compared} differ", file=sys.stderr)
            if result.first_difference:
                print(f"  {result.first_difference}", file=sys.stderr)
            text = table(results, (datetime.datetime.now() - begin).total_seconds())
            if arguments.output is not None:
                head, marker, _ = arguments.output.read_text().partition("<!-- measured -->\n")
                arguments.output.write_text(f"{head}{marker}{text}")
    if arguments.output is None:
        print(text, end="")
    return 1 if any(result.num_different for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
