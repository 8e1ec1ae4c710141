"""One picture of a run that is drawn again while the run goes on: returns, critic loss, actor loss."""

from __future__ import annotations

import base64
import html
import os
import socket
import sys
import time
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.columns import ACTOR_LOSS, CRITIC_LOSS, Panel
from analysis.curves import nice_width, windowed
from analysis.drawing import STYLE, Look, look, say_nothing, scale_axis, thousands
from analysis.runs import MARKS, Run, read_run

OVER = ("finished", "stopped", "failed", "diverged", "crashed")
FORMATS = (".png", ".html")
# a heartbeat is due every 2 s; as `anthill watch` judges, apps/watch_run.cpp
LATE_S, LOST_S = 15, 60
GONE_S = 5  # once the process is known to be gone


def band_of(x: pd.Series, y: pd.Series, width: float) -> pd.DataFrame:
    """min, mean and max of the finite y in windows (k*width, (k+1)*width] of x, at the windows' ends."""
    rows = pd.DataFrame({"end": np.ceil(x / width) * width, "y": y})
    return rows[np.isfinite(rows.y)].groupby("end").y.agg(["min", "mean", "max"])


def draw_band(axis, band: pd.DataFrame, style: Look, label: str, markers: bool = False) -> None:
    """The mean as a line inside the band from min to max."""
    if not len(band):
        return
    axis.fill_between(band.index, band["min"], band["max"], color=style.colour, alpha=0.18, linewidth=0)
    marker = style.marker if markers or len(band) == 1 else None
    axis.plot(band.index, band["mean"], color=style.colour, linestyle=style.dashes, marker=marker, markersize=3.2, label=label)


def draw_returns(axis, run: Run, width: float) -> None:
    evaluations = run.evaluations
    if {"return_min", "return_max"} <= set(evaluations.columns):
        band = evaluations.set_index("env_steps")[["return_min", "return_mean", "return_max"]].dropna()
        draw_band(axis, band.set_axis(["min", "mean", "max"], axis=1), look(0), "evaluations: min, mean, max", markers=True)
    if len(run.episodes):
        band = band_of(run.episodes.env_steps, run.episodes.episode_return, width)
        draw_band(axis, band, look(1), f"training episodes that ended in {thousands(width)} env steps: min, mean, max")
    if not axis.lines:
        say_nothing(axis, "no evaluation and no episode yet")
        return
    axis.legend(loc="best", frameon=False, fontsize=7)
    scale_axis(axis, False)


def draw_loss(axis, run: Run, panel: Panel, width: float) -> None:
    """Every logged value thin, windows of them thick (their median for the critic loss)."""
    if panel.column not in run.train or not np.isfinite(run.train[panel.column]).any():
        say_nothing(axis, "no update yet")
        return
    values = run.train[panel.column].replace([np.inf, -np.inf], np.nan)
    axis.plot(run.train.env_steps, values, color=look(2).colour, lw=0.6, alpha=0.6)
    smooth = windowed(run.train.env_steps, values, width, panel.median)
    axis.plot(smooth.index, smooth, color=look(2).colour)
    scale_axis(axis, panel.log)


def heartbeat_age(run: Run) -> float:
    """Seconds since status.json was written, by its stamp or by its file; 0 where it does not say when."""
    try:
        then = datetime.strptime(run.status.get("updated_at", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return 0.0
    try:
        written = (run.path / "status.json").stat().st_mtime  # another machine's clock may differ
    except OSError:
        written = 0.0
    return max(0.0, time.time() - max(then.timestamp(), written))


def state_of(run: Run) -> str:
    """What status.json says; "crashed" for a run that goes on but whose process is gone here, or silent elsewhere."""
    if run.state not in ("running", "starting"):
        return run.state
    pid, host = run.status.get("pid", 0), run.status.get("host", "")
    here = bool(host) and host == socket.gethostname() and isinstance(pid, int) and 0 < pid < 2**31
    gone = False
    if here:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            gone = True
        except PermissionError:
            pass  # another user's
    age = heartbeat_age(run)
    return "crashed" if (gone and age > GONE_S) or (not here and age > LOST_S) else run.state


def title_of(run: Run) -> str:
    """Which run, what it does, how far it is."""
    # a resume that was refused may have left zeros in status.json
    steps, total = max(run.status.get("env_steps", 0), run.last_step), run.status.get("total_env_steps", 0)
    name = "/".join(run.path.resolve().parts[-2:])  # ARM/seed-3
    text = f"{name} · {run.env} · seed {run.seed} · {state_of(run)} · {steps:,}"
    text += f" of {total:,} env steps" if total else " env steps"
    if "trouble" in run.status:
        text += f" · {run.status['trouble']}"
    if state_of(run) in ("running", "crashed") and heartbeat_age(run) > LATE_S:
        text += f" · no heartbeat for {heartbeat_age(run):.0f} s"
    return text


def picture(run: Run) -> bytes:
    """The three axes as PNG."""
    panels = (CRITIC_LOSS, ACTOR_LOSS)
    spacing = run.train.env_steps.diff().median() if len(run.train) > 1 else 1
    width = nice_width(max(run.last_step, 1), max(spacing, 1))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(3, 1, figsize=(7.5, 7.5), sharex=True, layout="constrained", height_ratios=(3, 2, 2))
        draw_returns(axes[0], run, width)
        axes[0].set(title="return", ylabel="return")
        for axis, panel in zip(axes[1:], panels):
            draw_loss(axis, run, panel, width)
            axis.set(title=panel.title, ylabel=panel.unit)
        axes[-1].set_xlabel("env steps")
        axes[-1].xaxis.set_major_formatter(thousands)
        axes[-1].set_xlim(0, max(run.last_step, 1))
        figure.suptitle(title_of(run), fontsize=9)
        reason = run.divergence() or (run.status.get("reason") if state_of(run) in OVER else "")
        figure.supxlabel(reason or "", fontsize=8, color="0.3" if run.state == "finished" else "#B00020")
        stream = BytesIO()
        figure.savefig(stream, format="png", dpi=130)
        plt.close(figure)
    return stream.getvalue()


def page(run: Run, png: bytes, period: float) -> bytes:
    """The picture in a page that loads itself again until the run is over."""
    refresh = "" if state_of(run) in OVER else f'<meta http-equiv="refresh" content="{max(1, round(period))}">'
    title = html.escape(title_of(run))
    image = base64.b64encode(png).decode()
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}<title>{title}</title></head>'
        f'<body><img alt="{title}" src="data:image/png;base64,{image}"></body></html>\n'
    ).encode()


def replace_file(path: Path, content: bytes) -> None:
    """A viewer never sees half of a picture."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def live(folder: Path, output: Path | None, period: float, once: bool) -> Path:
    """Draws `folder` into `output` (.png or .html; default: live.png in it) every `period` seconds until it is over.

    A run without rows is waited for, unless `once`. ValueError says what is wrong with the input.
    """
    if output is None:
        output = folder / "live.png"
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    if output.suffix not in FORMATS:
        raise ValueError(f"{output}: ends in neither {' nor '.join(FORMATS)}")
    if not output.parent.is_dir():
        raise ValueError(f"{output}: {output.parent} is no folder; make it, or choose another with -o")
    if period <= 0:
        raise ValueError(f"--period {period:g}: must be above 0 seconds")
    if any(folder.iterdir()) and not any((folder / mark).exists() for mark in (*MARKS, "status.json")):
        raise ValueError(f"{folder}: not a run folder (none of {', '.join(MARKS)})")
    said = ""
    while True:
        try:
            run = read_run(folder, strict=False)
        except ValueError as error:
            begun = all((folder / name).is_file() and b"\n" in (folder / name).read_bytes()
                        for name in ("train.csv", "episodes.csv", "eval.csv"))
            if once or begun:
                raise
            if said != str(error):
                print(f"analysis: waiting: {error}", file=sys.stderr)
            said = str(error)
        else:
            over = state_of(run) in OVER  # before it is drawn: a run that ends meanwhile is drawn once more
            png = picture(run)
            replace_file(output, png if output.suffix == ".png" else page(run, png, period))
            if once or over:
                return output
        time.sleep(period)
