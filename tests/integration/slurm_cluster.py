"""A Slurm of one's own for the tests (scripts/slurm_sandbox), and waiting for what it does."""

import os
import pathlib
import shutil
import subprocess
import time

from anthill_command import run
from sweep_runs import run_folders, status_of

PROGRAMS = ("sbatch", "slurmctld", "slurmd")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
DEADLINE = 240  # seconds; on a quiet machine nothing takes more than 60


def missing():
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


class Cluster:
    """Starts the sandbox and sets SLURM_CONF for this process; take it away with close()."""

    def __init__(self, *settings):
        options = [word for setting in settings for word in ("--set", setting)]
        self.process = subprocess.Popen(
            ["scripts/slurm_sandbox", *options, "bash", "-c", 'echo "$SLURM_SANDBOX"; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        assert line, "the sandbox did not start"
        self.folder = pathlib.Path(line)
        self.waiting_since = {}
        os.environ["SLURM_SANDBOX"] = line
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")

    def close(self):
        subprocess.run(["scancel", "--user", str(os.getuid())], capture_output=True)
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def slurm(self, *words):
        """What a program of Slurm prints; it must succeed."""
        result = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, f"{words}: {result.stderr}"
        return result.stdout

    def queue(self, out):
        """{(array id, index): state} of a sweep's tasks."""
        found = {}
        for line in self.slurm("squeue", "-h", "-r", "-o", "%F|%K|%t|%Z").splitlines():
            array, index, state, place = line.split("|", 3)
            if pathlib.Path(place).parent.parent == pathlib.Path(out):
                found[array, index] = state
        return found

    def start_requeued(self, out):
        """Slurm lets a requeued task wait for two minutes: not here. But a node refuses one that comes back
        in the second of its end ("Job credential revoked")."""
        waiting = {task for task, state in self.queue(out).items() if state == "PD"}
        self.waiting_since = {task: self.waiting_since.get(task, time.time()) for task in waiting}
        for (array, index), since in self.waiting_since.items():
            if time.time() > since + 2:
                subprocess.run(["scontrol", "update", f"JobId={array}_{index}", "StartTime=now"], capture_output=True)

    def wait(self, what, why, hasten=None):
        """Until `what()` is true; `hasten`: a sweep whose requeued tasks begin at once."""
        deadline = time.time() + DEADLINE
        while not (value := what()):
            assert time.time() < deadline, f"{why}\n{self.tell(hasten)}"
            if hasten:
                self.start_requeued(hasten)
            time.sleep(0.2)
        return value

    def tell(self, out):
        text = self.slurm("squeue", "-o", "%i %t %r %Z") + self.slurm("sinfo", "-N")
        text += "".join((self.folder / "slurmctld.log").read_text(errors="replace").splitlines(True)[-20:])
        for file in sorted(pathlib.Path(out).glob(".jobs/*/task-*.out")) if out else ():
            text += f"--- {file}\n{file.read_text(errors='replace')[-2000:]}"
        return text

    def wait_finished(self, out, number):
        """Until so many runs are finished and none of the sweep's tasks is left."""
        def done():
            states = [status_of(path).get("state") for path in run_folders(out).values()]
            return states.count("finished") == number and not self.queue(out)
        self.wait(done, f"{number} runs did not finish in {out}", out)

    def wait_stepping(self, out, number=1, steps=2000):
        """Until so many runs have made some steps; their folders."""
        def stepping():
            found = [path for path in run_folders(out).values()
                     if status_of(path).get("env_steps", 0) > steps and status_of(path)["state"] == "running"]
            return found if len(found) >= number else None
        return self.wait(stepping, "no run came to its steps", out)


def submit(file, out, *words, **options):
    return run("sweep", "submit", file, "-o", out, *words, **options)
