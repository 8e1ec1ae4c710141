"""python -m analysis report | compare | table | values | widths | probes | live | baselines. See docs/analysis.md."""

from __future__ import annotations

import argparse
import shlex
import sys
from math import inf
from pathlib import Path


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number above 0")
    return int(text)


def env_steps(text: str) -> list[int]:
    """5000,20000"""
    words = text.split(",")
    wrong = [word for word in words if not word.isdecimal()]
    if wrong:
        raise argparse.ArgumentTypeError(f"'{wrong[0]}' is no env step; write 5000 or 5000,20000")
    return [int(word) for word in words]


def span(text: str) -> tuple[int, float]:
    """2000 or 2000:5000"""
    begin, colon, end = text.partition(":")
    if not begin.isdecimal() or (colon and not end.isdecimal()) or (end and int(end) < int(begin)):
        raise argparse.ArgumentTypeError(f"'{text}': write FROM or FROM:TO, whole numbers, FROM at most TO")
    return int(begin), int(end) if end else inf


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="an HTML page with figures of runs or sweeps")
    report.add_argument("runs", nargs="*", metavar="RUN|SWEEP|NAME=PATH", help="runs are grouped by configuration")
    report.add_argument("-o", "--output", type=Path, required=True, help="folder for report.html, PNG and PDF files")
    report.add_argument("--title", default="")
    report.add_argument("--formats", default="png,pdf", help="files of each figure (default: png,pdf); svg is in the page")
    _shared(report)
    compare = commands.add_parser("compare", help="two arms beside each other, in the terminal")
    compare.add_argument("a", metavar="A", help="a run, or a folder of one arm's seeds; NAME=PATH names it")
    compare.add_argument("b", metavar="B")
    compare.add_argument("--seeds", action="store_true", help="also each common seed by itself")
    _shared(compare)
    table = commands.add_parser("table", help="arms and the definitions of bias beside each other, as Markdown")
    table.add_argument("runs", nargs="+", metavar="RUN|SWEEP|NAME=PATH", help="as for report; arms in this order")
    _shared(table)
    values = commands.add_parser("values", help="any columns of the runs' CSV files at env steps, as Markdown")
    values.add_argument("runs", nargs="+", metavar="RUN|SWEEP|NAME=PATH", help="as for report; arms in this order")
    values.add_argument("--columns", required=True, action="append", metavar="FILE.COLUMN,...", help="e.g. train.alpha,overestimation.q_mean; A/B divides; may be repeated")
    where = values.add_mutually_exclusive_group()
    where.add_argument("--at", type=env_steps, metavar="STEP,...", help="env steps (default: the last)")
    where.add_argument("--every", type=positive, metavar="STEPS", help="all multiples of this many env steps")
    where.add_argument("--range", type=span, default=(None, inf), metavar="FROM[:TO]", help="lowest and highest value between these env steps instead")
    values.add_argument("--mixed-versions", action="store_true", help="allow different versions, and say so")
    widths = commands.add_parser("widths", help="runs with different numbers of environments on one grid of evaluations")
    widths.add_argument("runs", nargs="+", metavar="RUN|SWEEP|NAME=PATH", help="as for report; arms in this order")
    widths.add_argument("--every", type=positive, default=10_000, metavar="STEPS", help="of the grid (default: 10000)")
    widths.add_argument("--figure", type=Path, metavar="FILE.png", help="also draw it")
    widths.add_argument("--mixed-versions", action="store_true", help="allow different versions, and say so")
    probes = commands.add_parser("probes", help="what anthill probe wrote beside each other, as Markdown")
    probes.add_argument("probes", nargs="+", metavar="FOLDER|NAME=FOLDER", help="rows in this order at every env step")
    probes.add_argument("--at", type=int, metavar="STEP", help="only the checkpoints of that env step")
    live = commands.add_parser("live", help="one picture of a run, drawn again while it goes on")
    live.add_argument("run", metavar="RUN", type=Path)
    live.add_argument("-o", "--output", type=Path, help="FILE.png or FILE.html (default: live.png in the run's folder)")
    live.add_argument("--period", type=float, default=10, metavar="S", help="seconds between two drawings (default: 10)")
    live.add_argument("--once", action="store_true", help="draw once and end")
    baselines = commands.add_parser("baselines", help="measures zero action, random action, random-init policy")
    baselines.add_argument("envs", nargs="+", metavar="ENV")
    baselines.add_argument("--episodes", type=positive, default=100, metavar="N", help="of zero and of random actions (default: 100)")
    baselines.add_argument("--seeds", type=positive, default=20, metavar="N", help="of the random-init policies (default: 20)")
    baselines.add_argument("--anthill-train", default="build/cpu/bin/anthill-train", help="the binary to use")
    return parser


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", type=int, metavar="STEP", help="env step that tables read (default: all runs' largest)")
    parser.add_argument("--mixed-environments", action="store_true", help="allow different tasks, and mark the report")
    parser.add_argument("--mixed-versions", action="store_true", help="allow different versions, and mark the report")
    parser.add_argument(
        "--external", action="append", default=[], metavar="NAME=PATH",
        help="a log of CleanRL or Stable-Baselines3 (TensorBoard events, progress.csv, monitor.csv) or any CSV; "
             "repeat it with the same name for more seeds",
    )
    parser.add_argument(
        "--columns", action="append", default=[], metavar="OURS=THEIRS",
        help="column map for external logs, e.g. q_mean=losses/qf1_values; added to the known names",
    )


def collect(arguments, inputs: list[str]):
    """The arms of own and external runs."""
    from analysis.arms import Collection, read_collection
    from analysis.external import read_external_arms

    external = read_external_arms(arguments.external, arguments.columns)
    if not inputs and not external:
        raise ValueError("nothing to read: name a run, a sweep, or --external NAME=PATH")
    collection = Collection([]) if not inputs else read_collection(
        inputs, mixed_environments=arguments.mixed_environments, mixed_versions=arguments.mixed_versions
    )
    collection.arms += external
    return collection


def run(arguments) -> None:
    if arguments.command == "report":
        from analysis.report import write_report

        command = "python -m analysis " + shlex.join(sys.argv[1:])
        collection = collect(arguments, arguments.runs)
        formats = tuple(ending for ending in arguments.formats.split(",") if ending)
        unknown = [ending for ending in formats if ending not in ("png", "pdf", "svg")]
        if unknown:
            raise ValueError(f"--formats {arguments.formats}: '{unknown[0]}' is none of png, pdf, svg")
        output = write_report(
            collection, arguments.output, step=arguments.at, title=arguments.title, command=command, formats=formats
        )
        print(output)
    elif arguments.command == "compare":
        from analysis.compare import comparison

        print(comparison(collect(arguments, [arguments.a, arguments.b]), arguments.at, arguments.seeds))
    elif arguments.command == "table":
        from analysis.table import markdown_table

        print(markdown_table(collect(arguments, arguments.runs), arguments.at))
    elif arguments.command == "values":
        from analysis.arms import read_collection
        from analysis.values import markdown_table as values_table

        collection = read_collection(arguments.runs, mixed_versions=arguments.mixed_versions)
        columns = ",".join(arguments.columns).split(",")
        print(values_table(collection, columns, arguments.at, arguments.every, *arguments.range))
    elif arguments.command == "widths":
        from analysis.arms import read_collection
        from analysis.widths import draw, markdown_table as widths_table

        collection = read_collection(arguments.runs, mixed_versions=arguments.mixed_versions)
        print(widths_table(collection, arguments.every))
        if arguments.figure:
            draw(collection, arguments.every, arguments.figure)
    elif arguments.command == "probes":
        from analysis.probes import markdown_table as probes_table

        print(probes_table(arguments.probes, arguments.at))
    elif arguments.command == "live":
        from analysis.live import live

        print(live(arguments.run, arguments.output, arguments.period, arguments.once))
    else:
        from analysis.baselines import update_table

        print(update_table(arguments.envs, arguments.anthill_train, arguments.episodes, arguments.seeds).to_string(index=False))


def main() -> int:
    arguments = build_parser().parse_args()
    try:
        run(arguments)
    except (ValueError, OSError) as error:
        print(f"analysis: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # the usual end of `live`
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
