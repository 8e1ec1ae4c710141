"""Steps through anthill.make_vec beside the same steps in a loop in C++. Called by scripts/bench_python."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np


def play(envs, actions: np.ndarray, in_python: bool) -> float:
    """Seconds that the steps take, from the same first states."""
    envs.reset(seed=0)
    begin = time.perf_counter()
    if in_python:
        for action in actions:
            envs.step(action)
    else:
        envs._simulator.step_all(actions)
    return time.perf_counter() - begin


def measure(args: argparse.Namespace, threads: int) -> dict:
    import anthill  # not to explain the options

    envs = anthill.make_vec(args.env, args.num_envs, threads)
    shape = (args.steps, *envs.action_space.shape)
    actions = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    play(envs, actions, True)
    seconds = {True: [], False: []}
    for number in range(args.rounds):
        # who begins changes from round to round: neither has the warmer machine
        for in_python in (True, False) if number % 2 else (False, True):
            seconds[in_python].append(play(envs, actions, in_python))
    python, loop = (np.array(seconds[in_python]) for in_python in (True, False))
    per_step = 1e6 / args.steps
    return {
        "env": args.env,
        "num_envs": args.num_envs,
        "threads": threads,
        "rounds": args.rounds,
        "python_us": round(per_step * np.quantile(python, 0.1), 1),
        "loop_us": round(per_step * np.quantile(loop, 0.1), 1),
        "overhead": round(float(np.median(python / loop)) - 1, 4),
        "overhead_quartiles": [round(float(np.quantile(python / loop, q)) - 1, 4) for q in (0.25, 0.75)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_python", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--env", default="Ant-v5", help="a task with continuous actions (default: %(default)s)")
    parser.add_argument("--num-envs", type=int, default=64, help="environments (default: %(default)s)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=10, help="vector steps of a turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=30, help="turns of each (default: %(default)s)")
    args = parser.parse_args()
    for threads in map(int, args.threads.split(",")):
        print(json.dumps(measure(args, threads)), flush=True)


if __name__ == "__main__":
    main()
