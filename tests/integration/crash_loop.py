"""Kills one run again and again at random moments, and compares its end with an uninterrupted run's.

    python tests/integration/crash_loop.py --kills 200 --seed 0 --output docs/results/crash_loop.csv

A run that ends before it was killed often enough is compared and followed by one of another seed. Needs
ANTHILL_BIN_DIR, the folder of the built commands.
"""

import argparse
import csv
import pathlib
import random
import subprocess
import tempfile
import time

from anthill_command import BIN
from resumed_runs import FAST, SMOKE, assert_same_run, newest, options, train, verifies

SETTINGS = [*FAST, "checkpoint.period=100", "training.replay_ratio=1.5"]


def start(folder, settings):
    command = [BIN / "anthill", "train", SMOKE, "--run", folder, "--resume", *options(settings)]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)


def state_after_kill(folder):
    """What the kill left behind: the newest checkpoint verifies, or there is none yet."""
    checkpoints = folder / "checkpoints"
    unfinished = sorted(path.name for path in checkpoints.glob("**/*.tmp")) if checkpoints.exists() else []
    complete = sorted(checkpoints.glob("step-*-update-*[0-9]")) if checkpoints.exists() else []
    assert all(verifies(path) for path in complete), complete
    if (checkpoints / "LATEST").exists():
        assert newest(folder).exists()
    return complete[-1].name if complete else "none", bool(unfinished)


def crash_loop(folder, kills, seed):
    """Yields (kill, run, seconds after its start, newest checkpoint, whether a save was going on)."""
    moments = random.Random(seed)
    killed = 0
    for number in range(1_000):
        settings = [*SETTINGS, f"run.seed={number}"]
        reference, victim = folder / f"whole-{number}", folder / f"killed-{number}"
        result = train(reference, *settings)
        assert result.returncode == 0, result.stderr
        while killed < kills:
            process = start(victim, settings)
            # 0.3 s are the start of the program; everything behind them is equally likely
            delay = moments.uniform(0.0, 1.2)
            begin = time.time()
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
            if process.wait() == 0:
                break
            assert process.returncode == -9, process.returncode
            killed += 1
            yield killed, number, round(time.time() - begin, 3), *state_after_kill(victim)
        result = train(victim, *settings)
        assert result.returncode == 0, result.stderr
        assert_same_run(victim, reference)
        if killed >= kills:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, help="CSV with one row per kill")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = list(crash_loop(pathlib.Path(folder), arguments.kills, arguments.seed))
    during_saves = sum(row[4] for row in rows)
    runs = rows[-1][1] + 1
    if arguments.output:
        with open(arguments.output, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kill", "run", "seconds", "newest_checkpoint", "during_a_save"])
            writer.writerows([*row[:4], int(row[4])] for row in rows)
    print(f"{len(rows)} kills of {runs} runs, {during_saves} during a save: every newest checkpoint verified, "
          "every run ended like its uninterrupted twin")


if __name__ == "__main__":
    main()
