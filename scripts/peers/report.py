"""What the chunks of several contestants say: 10th percentile, median, ratios; as table, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

COLUMNS = ("part", "case", "contestant", "unit", "per_s", "us", "us_median", "cpu_us", "chunks",
           "anthill_faster", "anthill_less_cpu")


@dataclass
class Chunk:
    """One measured chunk: `units` of work took so long on the wall clock and on all CPUs together."""

    units: float
    wall_s: float
    cpu_s: float


@dataclass
class Series:
    """All chunks of one contestant in one case. A unit is an env step, an update or a batch."""

    part: str
    case: str
    contestant: str
    unit: str
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def wall_us(self) -> list[float]:
        return [1e6 * chunk.wall_s / chunk.units for chunk in self.chunks]

    @property
    def cpu_us(self) -> list[float]:
        return [1e6 * chunk.cpu_s / chunk.units for chunk in self.chunks]


def quantile(values: list[float], share: float) -> float:
    """The value at round(share * (n - 1)) of the sorted ones, as `anthill bench` takes it."""
    if not values:
        raise ValueError("no chunk was measured")
    return sorted(values)[int(share * (len(values) - 1) + 0.5)]


def rows(series: list[Series], reference: str = "anthill") -> list[dict]:
    """One row for each series. The ratios say how many times less time (CPU time) a unit of the
    reference takes in the same part and case, 10th percentile over 10th percentile; empty without it."""
    found = {(s.part, s.case): s for s in series if s.contestant == reference}
    result = []
    for s in series:
        us, cpu_us = quantile(s.wall_us, 0.1), quantile(s.cpu_us, 0.1)
        other = found.get((s.part, s.case))
        result.append({
            "part": s.part, "case": s.case, "contestant": s.contestant, "unit": s.unit,
            "per_s": 1e6 / us, "us": us, "us_median": quantile(s.wall_us, 0.5), "cpu_us": cpu_us,
            "chunks": len(s.chunks),
            "anthill_faster": us / quantile(other.wall_us, 0.1) if other else "",
            "anthill_less_cpu": cpu_us / quantile(other.cpu_us, 0.1) if other else "",
        })
    return result


def cell(value: object) -> str:
    """Four significant digits for numbers."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def csv_text(table: list[dict]) -> str:
    """The rows in full precision."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def plain_text(table: list[dict]) -> str:
    """The rows in aligned columns."""
    cells = [list(COLUMNS)] + [[cell(row[column]) for column in COLUMNS] for row in table]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in cells]
    return "\n".join(lines) + "\n"


def markdown(table: list[dict], facts: dict[str, str]) -> str:
    """A block for docs/benchmarks/: how and where it was measured, then the table."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "`us`: wall time of one unit, 10th percentile of the chunks; `cpu_us`: CPU time of all its",
              "threads and processes. The last two columns: the contestant's time over anthill's in that case.", ""]
    lines.append("| " + " | ".join(COLUMNS) + " |")
    lines.append("|" + "---|" * len(COLUMNS))
    lines += ["| " + " | ".join(cell(row[column]) for column in COLUMNS) + " |" for row in table]
    return "\n".join(lines) + "\n"
