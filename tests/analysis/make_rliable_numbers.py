"""Writes rliable_numbers.json beside this file: rliable's statistics of some scores, for statistics_test.py.

    python -m venv rliable && rliable/bin/pip install rliable==1.2.0 "pandas<3"     # arch, which it needs, has no pandas 3
    rliable/bin/python tests/analysis/make_rliable_numbers.py
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from rliable import library, metrics

generator = np.random.default_rng(3)
x, y = generator.standard_normal((8, 3)), generator.standard_normal((6, 3)) + 0.3  # [runs, tasks]
taus = np.linspace(-2, 2, 9)
_, intervals = library.get_interval_estimates(
    {"x": x}, lambda scores: np.array([metrics.aggregate_iqm(scores)]), reps=20_000, random_state=np.random.RandomState(0)
)
numbers = {
    "versions": {name: importlib.metadata.version(name) for name in ("rliable", "numpy", "scipy", "arch")},
    "x": x.tolist(), "y": y.tolist(), "taus": taus.tolist(),
    "iqm": float(metrics.aggregate_iqm(x)),
    "profile": [float(library.run_score_deviation(x, tau)) for tau in taus],
    "probability_of_improvement": float(metrics.probability_of_improvement(x, y)),
    "iqm_interval": intervals["x"][:, 0].tolist(),
}  # fmt: skip
Path(__file__).with_name("rliable_numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
