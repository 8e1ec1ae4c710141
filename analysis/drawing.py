"""How every figure looks: colours, bands, legends, the line that says n, band and commit."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.curves import Curve

# Okabe & Ito's palette, safe for colour-blind readers, darkest contrast first; dashes repeat it for print
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
MARKERS = "osD^vP*X"
MAX_ARMS = len(COLOURS) * len(DASHES)
BASELINE_DASHES = ((0, (1, 2)), (0, (4, 2)), (0, (8, 3, 1, 3)))

STYLE = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Look:
    """Colour, dash pattern and marker of an arm, the same in every figure of a report."""

    colour: str
    dashes: object
    marker: str


def look(index: int) -> Look:
    """The look of the arm with this number; colours first, then dash patterns."""
    dashes = DASHES[(index % len(COLOURS) + index // len(COLOURS)) % len(DASHES)]
    return Look(COLOURS[index % len(COLOURS)], dashes, MARKERS[index % len(MARKERS)])


@dataclass
class Picture:
    """A finished figure: its name is the file's, its caption and heading go into the report."""

    name: str
    heading: str
    caption: str
    svg: bytes

    @property
    def data_uri(self) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()


def thousands(value: float, _=None) -> str:
    """12000 as 12k."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:.4g}M"
    return f"{value / 1e3:.4g}k" if abs(value) >= 1e3 else f"{value:g}"


def draw_curve(axis, curve: Curve, style: Look, label: str | None = None, markers: bool = False) -> None:
    """Line and band where all seeds have values; thin single runs where not all do."""
    if len(curve.x):
        axis.plot(
            curve.x, curve.centre, color=style.colour, linestyle=style.dashes, label=label,
            marker=style.marker if markers or len(curve.x) == 1 else None, markersize=3.2,
        )
        if curve.low is not None:
            axis.fill_between(curve.x, curve.low, curve.high, color=style.colour, alpha=0.18, linewidth=0)
    end = curve.x[-1] if len(curve.x) else -np.inf
    for series in curve.single:
        rest = series[np.isfinite(series)]
        rest = rest[rest.index >= end]
        if len(rest) > 1 or not len(curve.x):
            axis.plot(rest.index, rest, color=style.colour, lw=0.6, alpha=0.7)


def plain_log(axis) -> None:
    """A logarithmic y axis labelled 0.1, 1, 10; with 2 and 5 too where it spans less than about two decades."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 50 else (1,)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def scale_axis(axis, log: bool) -> None:
    """Logarithmic where asked for, all is positive and not constant; symmetric-logarithmic where values run away."""
    values = [np.asarray(line.get_ydata(), float) for line in axis.lines if len(line.get_xdata()) > 1]
    values = np.concatenate(values) if values else np.zeros(0)
    values = values[np.isfinite(values)]
    if not len(values):
        return
    largest, usual = np.abs(values).max(), float(np.median(np.abs(values)))
    if log and (values > 0).all() and values.max() > 1.5 * values.min():
        plain_log(axis)
    elif largest > 1e3 and largest > 20 * usual:
        linear = 10 ** np.ceil(np.log10(max(usual, 1)))
        axis.set_yscale("symlog", linthresh=linear)
        # labels inside of the linear part would lie on each other
        axis.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:g}" if value == 0 or abs(value) >= linear else "")
        )


def wrapped(name: str, width: int = 18, lines: int = 4) -> str:
    """A name in several lines, cut with an ellipsis after `lines`."""
    parts = textwrap.wrap(name, width)
    return "\n".join(parts[:lines]) + (" ..." if len(parts) > lines else "")


def say_nothing(axis, text: str = "no values") -> None:
    """Instead of an empty axis: why it is empty."""
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, color="0.35")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)


class Album:
    """Makes the figures of a report: writes NAME.png and NAME.pdf (`formats`) and keeps an SVG for the page."""

    def __init__(self, folder: Path, commits: str, env: str, formats: tuple[str, ...] = ("png", "pdf")):
        self.folder, self.commits, self.env, self.formats = folder, commits, env, formats
        self.pictures: list[Picture] = []
        folder.mkdir(parents=True, exist_ok=True)

    def figure(
        self, name: str, heading: str, caption: str, num_axes: int, draw: Callable[[Figure, list], None], *,
        statistics: str, columns: int = 3, size: tuple[float, float] = (3.4, 2.5), legend: bool = True,
    ) -> None:
        """One figure of `num_axes` axes. `statistics` says n, line and band; it is printed under the figure."""
        columns = min(columns, num_axes)
        rows = -(-num_axes // columns)
        with plt.rc_context(STYLE):
            width, height = max(size[0] * columns, 5.2), size[1] * rows + 0.7
            figure = plt.figure(figsize=(width, height), layout="constrained")
            axes = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
            for axis in axes[num_axes:]:
                axis.remove()
            draw(figure, axes[:num_axes])
            if legend:  # axes keep their height
                figure.set_size_inches(width, height + _legend(figure, axes[:num_axes], width))
            foot = f"{self.env} · {statistics} · commit {self.commits}"
            figure.supxlabel("\n".join(textwrap.wrap(foot, int(width * 21))), fontsize=6.5, x=0.01, ha="left", color="0.25")
            # laid out once, not for every format
            figure.get_layout_engine().execute(figure)
            figure.set_layout_engine("none")
            self._save(figure, name, heading, caption)

    def _save(self, figure: Figure, name: str, heading: str, caption: str) -> None:
        for ending in self.formats:
            figure.savefig(self.folder / f"{name}.{ending}", dpi=160)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(figure)
        self.pictures.append(Picture(name, heading, caption, buffer.getvalue()))


def _legend(figure: Figure, axes: list, width: float) -> float:
    """One legend for all axes, above them; its height in inches."""
    entries: dict = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    if not entries:
        return 0.0
    # as many columns as the longest text leaves room for
    columns = max(1, min(len(entries), int(width * 16 / (max(map(len, entries)) + 7))))
    figure.legend(
        entries.values(), entries.keys(), loc="outside upper left", ncols=columns, frameon=False, handlelength=2.6
    )
    return 0.17 * -(-len(entries) // columns)
