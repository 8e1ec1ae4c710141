"""Vector environments of others, stepped with uniform random actions on request.

usage: peer_envs.py gymnasium_sync|gymnasium_async|envpool|anthill --env ID --num-envs N --threads T [--package DIR]
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from serve import serve


def gymnasium_envs(kind: str, name: str, num_envs: int):
    import gymnasium

    mode = "async" if kind == "gymnasium_async" else "sync"
    envs = gymnasium.make_vec(name, num_envs=num_envs, vectorization_mode=mode)
    envs.reset(seed=0)
    return envs, envs.single_action_space


def pool_envs(name: str, num_envs: int, threads: int):
    import envpool

    envs = envpool.make_gymnasium(name, num_envs=num_envs, num_threads=threads, seed=0)
    envs.reset()
    return envs, envs.action_space


def anthill_envs(name: str, num_envs: int, threads: int):
    import anthill

    envs = anthill.make_vec(name, num_envs, threads)
    envs.reset(seed=0)
    return envs, envs.single_action_space


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("contestant", choices=["gymnasium_sync", "gymnasium_async", "envpool", "anthill"])
    parser.add_argument("--env", required=True)
    parser.add_argument("--num-envs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--package", help="folder that holds the package anthill")
    args = parser.parse_args()
    if args.contestant == "anthill":
        sys.path.insert(0, args.package)
        envs, space = anthill_envs(args.env, args.num_envs, args.threads)
    elif args.contestant == "envpool":
        envs, space = pool_envs(args.env, args.num_envs, args.threads)
    else:
        envs, space = gymnasium_envs(args.contestant, args.env, args.num_envs)
    # drawn beforehand: random numbers are not what is measured
    generator = np.random.default_rng(0)
    actions = generator.uniform(space.low, space.high, (64, args.num_envs, *space.shape)).astype(space.dtype)
    step = 0

    def work() -> float:
        nonlocal step
        envs.step(actions[step % len(actions)])
        step += 1
        return args.num_envs

    # episodes of all ages, as in the tape of anthill's own benchmark
    for _ in range(200):
        work()
    serve(work)


if __name__ == "__main__":
    main()
