"""anthill beside others, alternating in one run. Called by scripts/bench_peers, which has the options."""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shlex
import subprocess
import sys
from dataclasses import dataclass

import report
import turns

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PARTS = ("env", "learner", "buffer", "train")
UNITS = {"env": "env step", "learner": "update", "buffer": "batch", "train": "env step"}


@dataclass
class Entry:
    """One contestant of one case: how it is started, on how many cores."""

    part: str
    case: str
    contestant: str
    command: list[str]
    num_cores: int


class Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}; see scripts/{self.prog} --help\n")


def positive(kind):
    """An argparse type: a number above 0."""
    def parse(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if value <= 0:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
        return value
    return parse


def list_of(kind):
    """An argparse type: values between commas."""
    def parse(text: str) -> list:
        return [kind(word) for word in text.split(",")]
    return parse


def arguments(words: list[str]) -> argparse.Namespace:
    """The options of scripts/bench_peers."""
    parser = Parser(prog="bench_peers", description="anthill beside others, alternating in one run",
                    allow_abbrev=False)
    parser.add_argument("--parts", type=list_of(str), default=list(PARTS), help="of env,learner,buffer,train")
    parser.add_argument("--only", type=list_of(str), default=[], help="contestants beside anthill (default: all)")
    parser.add_argument("--threads", type=list_of(positive(int)), default=[1, 2], help="threads and cores of env and learner")
    parser.add_argument("--env", default="Ant-v5", help="task of the env part")
    parser.add_argument("--num-envs", type=list_of(positive(int)), default=[64], help="widths of the env part")
    parser.add_argument("--observation-dims", type=list_of(positive(int)), default=[27, 105], help="learner and buffer")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu",
                        help="cuda: the learner part on a GPU, beside PyTorch compiled and captured in a CUDA graph")
    parser.add_argument("--replay-ratios", type=list_of(positive(int)), default=[1, 8], help="train")
    parser.add_argument("--train-widths", type=list_of(positive(int)), default=[1, 64], help="train")
    parser.add_argument("--rounds", type=positive(int), default=20, help="chunks of each contestant")
    parser.add_argument("--seconds", type=positive(float), default=1.0, help="of a chunk")
    parser.add_argument("--output", type=pathlib.Path, help="folder for peers.csv and peers.md")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="print the commands and start nothing")
    args = parser.parse_args(words)
    if unknown := [part for part in args.parts if part not in PARTS]:
        parser.error(f"--parts: no part '{unknown[0]}'; known: {', '.join(PARTS)}")
    if args.device == "cuda" and args.parts != ["learner"]:
        parser.error("--device cuda: only the learner part runs on a GPU; give --parts learner")
    known = {entry.contestant for entry in entries(argparse.Namespace(**{**vars(args), "only": []}))}
    if unknown := [name for name in args.only if name not in known]:
        parser.error(f"--only: no contestant '{unknown[0]}'; known: {', '.join(sorted(known))}")
    return args


def env_entries(args: argparse.Namespace) -> list[Entry]:
    """On one core Gymnasium's sync form; on more its async form, 8 processes, for a process for each of many
    environments would measure the machine's memory."""
    result = []
    peer = [str(args.python), str(HERE / "peer_envs.py")]
    for width in args.num_envs:
        for threads in args.threads:
            case = f"{args.env} x {width}, threads {threads}"
            options = ["--env", args.env, "--num-envs", str(width), "--threads", str(threads)]
            ours = [str(args.bin / "anthill"), "bench", "env", "--serve", *options, "--contestants"]
            commands = {name: [*ours, name] for name in ("anthill", "mjbatch")}
            if threads == 1:
                commands["bare"] = [*ours, "bare"]
            # in anthill's own environment; its steps come one by one from Python, as the others' do
            commands["anthill_python"] = [sys.executable, str(HERE / "peer_envs.py"), "anthill", *options,
                                          "--package", str(args.bin.parent / "python")]
            commands["envpool"] = [*peer, "envpool", *options]
            if threads == 1:
                commands["gymnasium_sync"] = [*peer, "gymnasium_sync", *options]
            else:
                eight = ["--env", args.env, "--num-envs", "8", "--threads", str(threads)]
                commands["gymnasium_async_8"] = [*peer, "gymnasium_async", *eight]
            result += [Entry("env", case, name, command, threads) for name, command in commands.items()]
    return result


def gpu_learner_entries(args: argparse.Namespace) -> list[Entry]:
    """anthill launches 8 updates at once; compiled one, 8 times in a call; sb3 makes 8 in a call, kernel by kernel."""
    result = []
    for dim in args.observation_dims:
        options = ["--device", "cuda", "--observation-dim", str(dim)]
        commands = {
            "anthill": [str(args.bin / "anthill"), "bench", "learner", "--serve", *options, "--graph-block", "8"],
            "compiled": [str(args.python), str(HERE / "compiled_sac.py"), *options],
            "sb3": [str(args.python), str(HERE / "peer_learners.py"), "sb3", "learner", *options],
        }
        result += [Entry("learner", f"observation {dim}, GPU", name, command, 2) for name, command in commands.items()]
    return result


def learner_entries(args: argparse.Namespace) -> list[Entry]:
    if args.device == "cuda":
        return gpu_learner_entries(args)
    result = []
    for dim in args.observation_dims:
        for threads in args.threads:
            options = ["--threads", str(threads), "--observation-dim", str(dim)]
            commands = {"anthill": [str(args.bin / "anthill"), "bench", "learner", "--serve", *options]}
            for library in ("sb3", "sbx"):
                commands[library] = [str(args.python), str(HERE / "peer_learners.py"), library, "learner", *options]
            case = f"observation {dim}, threads {threads}"
            result += [Entry("learner", case, name, command, threads) for name, command in commands.items()]
    return result


def buffer_entries(args: argparse.Namespace) -> list[Entry]:
    result = []
    for dim in args.observation_dims:
        options = ["--capacity", "1000000", "--observation-dim", str(dim)]
        commands = {
            "anthill": [str(args.bin / "anthill"), "bench", "buffer", "--serve", *options],
            "sb3": [str(args.python), str(HERE / "peer_learners.py"), "sb3", "buffer", *options],
        }
        result += [Entry("buffer", f"256 of 1 M rows, observation {dim}", name, command, 1)
                   for name, command in commands.items()]
    return result


def train_entries(args: argparse.Namespace) -> list[Entry]:
    result = []
    for width in args.train_widths:
        for ratio in args.replay_ratios:
            options = ["--threads", "2", "--env", "Ant-v4", "--num-envs", str(width), "--replay-ratio", str(ratio),
                       "--learning-starts", "1000"]
            commands = {"anthill": [str(args.bin / "anthill"), "bench", "train", "--serve", *options]}
            for library in ("sb3", "sbx"):
                commands[library] = [str(args.python), str(HERE / "peer_learners.py"), library, "train", *options]
            case = f"Ant-v4 x {width}, replay ratio {ratio}, 2 cores"
            result += [Entry("train", case, name, command, 2) for name, command in commands.items()]
    return result


def entries(args: argparse.Namespace) -> list[Entry]:
    """Everything that is to be measured, in order."""
    make = {"env": env_entries, "learner": learner_entries, "buffer": buffer_entries, "train": train_entries}
    found = [entry for part in args.parts for entry in make[part](args)]
    return [entry for entry in found if not args.only or entry.contestant in ["anthill", *args.only]]


def measure_case(case: list[Entry], args: argparse.Namespace) -> list[report.Series]:
    """All contestants of one case are loaded at once and take turns."""
    contestants: list[turns.Contestant] = []
    try:
        for entry in case:
            threads = str(entry.num_cores)
            contestants.append(turns.Contestant(
                report.Series(entry.part, entry.case, entry.contestant, UNITS[entry.part]), entry.command,
                entry.num_cores, {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}))
        turns.measure_in_turn(contestants, args.rounds, args.seconds)
    finally:
        for contestant in contestants:
            contestant.close()
    return [contestant.series for contestant in contestants]


def output_of(command: list[str]) -> str:
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout.strip()


def commit() -> str:
    """Of the checkout, with + where it was changed, or of the bundle."""
    version = TOP / "VERSION"  # scripts/bundle writes it
    if version.exists():
        return next(line.split()[1] for line in version.read_text().splitlines() if line.startswith("commit "))[:12]
    dirty = "+" if output_of(["git", "status", "--porcelain", "-uno"]) else ""
    return output_of(["git", "rev-parse", "--short=12", "HEAD"]) + dirty


def facts(args: argparse.Namespace, words: list[str]) -> dict[str, str]:
    """Where, when and on what it was measured."""
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    wanted = ["gymnasium", "mujoco", "envpool", "stable-baselines3", "sbx-rl", "torch", "jax", "numpy"]
    code = "import importlib.metadata as m; have = {d.name: d.version for d in m.distributions()}; "
    code += f"print(*(f'{{n}} {{have[n]}}' for n in {wanted} if n in have), sep=', ')"
    shown = [word for i, word in enumerate(words) if not {"--bin", "--python"} & set(words[max(i - 1, 0) : i + 1])]
    return {
        "command": "`" + shlex.join(["scripts/bench_peers", *shown]) + "`",
        "date": output_of(["date", "-u", "+%Y-%m-%d"]),
        "machine": f"{cpu}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}",
        "commit": commit(),
        "anthill": output_of([str(args.bin / "anthill"), "--version"]),
        "others": output_of([str(args.python), "-c", code]),
        "measured": f"{args.rounds} chunks of {args.seconds:g} s for each contestant, in turn",
    }


def main(words: list[str]) -> int:
    args = arguments(words)
    found = entries(args)
    if args.dry_run:
        print("\n".join(f"{entry.case}: {shlex.join(entry.command)}" for entry in found))
        return 0
    needed = max(entry.num_cores for entry in found)
    if needed > len(os.sched_getaffinity(0)):
        print(f"bench_peers: {needed} cores are needed; this process may use {len(os.sched_getaffinity(0))}",
              file=sys.stderr)
        return 1
    header = facts(args, words)
    series: list[report.Series] = []
    for case in dict.fromkeys((entry.part, entry.case) for entry in found):
        print(f"bench_peers: {': '.join(case)}", file=sys.stderr)
        try:
            series += measure_case([entry for entry in found if (entry.part, entry.case) == case], args)
        except turns.ContestantFailed as error:
            print(f"bench_peers: {error}", file=sys.stderr)
            return 1
    table = report.rows(series)
    print(report.plain_text(table), end="")
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "peers.csv").write_text(report.csv_text(table))
        (args.output / "peers.md").write_text(report.markdown(table, header))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
