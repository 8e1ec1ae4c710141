"""The compiled module, after what it needs at run time: MuJoCo's library and Gymnasium's MJCF files."""

import ctypes
import importlib.util
from pathlib import Path


def _package_folder(name, version):
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"anthill's environments need {name}; run: pip install {name}=={version}")
    return Path(spec.origin).parent


def _load_mujoco():
    """Loads the library of the installed wheel, which the module then finds loaded, wherever it lies."""
    libraries = sorted(_package_folder("mujoco", "3.17.0").glob("libmujoco.so.*"))
    if not libraries:
        raise ImportError("the mujoco package has no libmujoco.so; run: pip install mujoco==3.17.0")
    ctypes.CDLL(str(libraries[0]))


_load_mujoco()
try:
    from anthill import _anthill
except ImportError as error:
    raise ImportError(
        f"anthill's compiled module cannot be loaded ({error}); is mujoco 3.17.0 installed, and was anthill built "
        "for this Python? Install it with: pip install CHECKOUT"
    ) from error

_anthill.set_asset_folder(str(_package_folder("gymnasium", "1.4.0") / "envs/mujoco/assets"))

Simulator = _anthill.Simulator
env_names = _anthill.env_names
last_mujoco_warning = _anthill.last_mujoco_warning
spec_of_file = _anthill.spec_of_file
