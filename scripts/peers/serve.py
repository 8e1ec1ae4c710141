"""The other half of turns.py, for contestants written in Python: chunks of work on request."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def answer(units: float, wall_s: float) -> None:
    """Reports one chunk."""
    sys.__stdout__.write(json.dumps({"units": units, "wall_s": wall_s}) + "\n")
    sys.__stdout__.flush()


def next_request() -> float | None:
    """Seconds of the next chunk; None when no more are wanted."""
    line = sys.stdin.readline()
    return float(line) if line.strip() else None


def serve(work: Callable[[], float], finish: Callable[[], object] = lambda: None) -> None:
    """Repeats `work`, which returns the units that it did, for each request; `finish` waits for the rest."""
    while (seconds := next_request()) is not None:
        units, begin = 0.0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            units += work()
        finish()
        answer(units, time.perf_counter() - begin)
