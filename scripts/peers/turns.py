"""Contestants that stay loaded and are asked for one chunk of work after the other, in turn."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

from report import Chunk, Series


class ContestantFailed(RuntimeError):
    """A contestant ended or answered nonsense; the message holds its last words."""


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    tree = [pid]
    for member in tree:
        tree.extend(parents.get(member, []))
    return tree


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process and of its descendants."""
    total_ns = 0
    for member in process_tree(pid):
        for task in pathlib.Path(f"/proc/{member}/task").glob("*/schedstat"):
            try:
                total_ns += int(task.read_text().split()[0])
            except OSError:
                continue
    return total_ns * 1e-9


class Contestant:
    """A program that answers each line of stdin (seconds) with a line of JSON: units and wall_s."""

    def __init__(self, series: Series, command: list[str], num_cores: int, environment: dict[str, str] | None = None):
        self.series = series
        self.command = command
        cores = sorted(os.sched_getaffinity(0))[:num_cores]
        self.process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
        )

    def chunk(self, seconds: float) -> Chunk:
        """Asks for one chunk and waits for it."""
        before = cpu_seconds(self.process.pid)
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            answer = json.loads(line)
            chunk = Chunk(answer["units"], answer["wall_s"], cpu_seconds(self.process.pid) - before)
        except (OSError, ValueError, KeyError) as error:
            raise ContestantFailed(
                f"{self.series.contestant} ({self.series.case}) stopped with exit status {self.end()}; "
                f"run it by itself: {' '.join(self.command)}"
            ) from error
        if chunk.cpu_s <= 0:
            raise ContestantFailed("CPU times cannot be read: this kernel has no /proc/PID/task/TID/schedstat")
        return chunk

    def close(self) -> None:
        """Ends the program by closing its stdin."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it is gone already
        self.end()

    def end(self) -> int:
        """Waits for the end that is near, or brings it about; the exit status."""
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def measure_in_turn(contestants: list[Contestant], num_chunks: int, seconds: float, pause_s: float = 0.05) -> None:
    """Round after round, one chunk of each contestant; a first round is not counted (compilers, caches)."""
    for number in range(-1, num_chunks):
        for contestant in contestants:
            chunk = contestant.chunk(seconds)
            if number >= 0:
                contestant.series.chunks.append(chunk)
            time.sleep(pause_s)  # teams of threads that still spin go to sleep
