"""anthill from Python: vectorised environments, trained policies and run folders.

    envs = anthill.make_vec("Ant-v5", num_envs=256, num_threads=8)
    policy = anthill.Policy.load("runs/pendulum")
    run = anthill.read_run("runs/pendulum")

docs/python.md has the contract of each.
"""

import importlib

# read when first used: a policy needs no MuJoCo, environments need no pandas
_HOMES = {
    "VectorEnv": "vector_env",
    "env_names": "vector_env",
    "make_vec": "vector_env",
    "Policy": "policy",
    "Run": "runs",
    "read_run": "runs",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'anthill' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"anthill.{_HOMES[name]}"), name)


def __dir__():
    return [*__all__, "__version__"]
