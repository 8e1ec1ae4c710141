"""The report's curves. Each function adds one figure to the album, or a note that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.arms import Collection
from analysis.baselines import Baseline
from analysis.columns import (
    BIAS_R, HARD, LEARNER, ON_POLICY, PROBED_Q, RETURN, SOFT, STATES, STUDY, TRAIN_RETURN, Panel, diagnostics,
)
from analysis.curves import Curve, aggregate, nice_width, probe_rows, series_by_episode, series_of
from analysis.drawing import (
    BASELINE_DASHES, Album, Look, draw_curve, look, say_nothing, scale_axis, thousands, wrapped,
)

from analysis.measures import statistic_of
from analysis.statistics import estimate, interquartile_mean


@dataclass
class Context:
    """What all figures of a report share."""

    collection: Collection
    album: Album
    step: int  # where tables read the arms
    until: float = float("inf")  # the last env step at which a run may diverge and count so
    baselines: list[Baseline] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        return [
            f"{arm.name} (n = {len(arm.runs)})" + (" [external]" if arm.external else "")
            for arm in self.collection.arms
        ]

    @property
    def looks(self) -> list[Look]:
        return [look(index) for index in range(len(self.collection.arms))]

    @property
    def widths(self) -> list[float]:
        """Each arm's width of the curves' windows in env steps: about a hundredth of its longest run."""
        found = []
        for arm in self.collection.arms:
            spacing = [run.train.env_steps.diff().median() for run in arm.runs if len(run.train) > 1]
            found.append(nice_width(max(run.last_step for run in arm.runs), max(spacing, default=1)))
        return found

    @property
    def windows(self) -> str:
        """Their widths in words."""
        return span_of(self.widths, "env step")

    def foot(self, line: str, band: str) -> str:
        """n, then what line and band are, in the words that a figure's foot prints."""
        sizes = [len(arm.runs) for arm in self.collection.arms]
        n = f"n = {sizes[0]}" if len(set(sizes)) == 1 else f"n = {min(sizes)} to {max(sizes)}"
        seeds = f"{n} seed{'s' if max(sizes) > 1 else ''} per arm · {line}"
        return f"{seeds} · {band}" if max(sizes) > 1 else f"{seeds} · no band: one seed does not show the spread"

    def band(self) -> str:
        """The foot of a figure of curves."""
        if max(len(arm.runs) for arm in self.collection.arms) == 1:
            return self.foot("line: the run", "")
        diverged = [arm.name for arm in self.collection.arms if any(run.divergence(until=self.until) for run in arm.runs)]
        median = f" (median of what the learner and probes say where a run diverged: {'; '.join(diverged)})"
        return self.foot(
            "line: interquartile mean over seeds" + (median if diverged else ""),
            "band: 95 % stratified bootstrap over seeds; thin: single seeds where not all have a value",
        )


def span_of(widths: list[float], unit: str) -> str:
    """1 episode; 100 env steps; 50 to 5k env steps."""
    ends = list(dict.fromkeys((min(widths), max(widths))))
    return " to ".join(map(thousands, ends)) + f" {unit}" + ("s" if ends[-1] > 1 else "")


def curves(context: Context, panel: Panel) -> list[Curve]:
    """One curve per arm."""
    return [
        aggregate([series_of(run, panel, width) for run in arm.runs], statistic_of([arm], panel, context.until))
        for arm, width in zip(context.collection.arms, context.widths)
    ]


def draw_panel(context: Context, axis, panel: Panel, found: list[Curve], markers: bool = False) -> None:
    for curve, style, label in zip(found, context.looks, context.labels):
        draw_curve(axis, curve, style, label, markers)
    axis.set_title(panel.title)
    axis.set_ylabel(panel.unit)
    axis.xaxis.set_major_formatter(thousands)
    if panel.column == "entropy":
        draw_target_entropy(context, axis)
    scale_axis(axis, panel.log)
    if all(curve.empty for curve in found):
        say_nothing(axis, "not logged by these runs")


def draw_target_entropy(context: Context, axis) -> None:
    """A thin line at the target, where all runs that log one have the same."""
    targets = {
        float(run.train.target_entropy.dropna().iloc[-1]) for run in context.collection.runs
        if "target_entropy" in run.train and run.train.target_entropy.notna().any()
    }
    if len(targets) == 1:
        axis.axhline(targets.pop(), color="0.3", lw=0.8, label="target entropy")


def draw_baselines(context: Context, axis) -> None:
    for baseline, dashes in zip(context.baselines, BASELINE_DASHES):
        axis.axhline(baseline.mean, color="0.35", linestyle=dashes, lw=1, label=f"{baseline.name} {baseline.mean:.4g}")


def returns(context: Context) -> None:
    def draw(_, axes):
        for axis, panel in zip(axes, (RETURN, TRAIN_RETURN)):
            draw_panel(context, axis, panel, curves(context, panel), markers=panel is RETURN)
            if panel is RETURN:  # the training policy is sampled, and its episodes are of another kind
                draw_baselines(context, axis)
            axis.set_xlabel("env steps")

    kinds = {float(run.evaluations.deterministic.iloc[0]) for run in context.collection.own_runs
             if "deterministic" in run.evaluations and len(run.evaluations)}
    policy = {1.0: "the deterministic policy", 0.0: "the sampled policy"}.get(min(kinds, default=1.0))
    drawn = "; ".join(f"{b.name}: {b.mean:.4g} ({b.source})" for b in context.baselines) or "none known for this task"
    context.album.figure(
        "returns", "Returns",
        f"Left: evaluations of {policy} in environments of their own. Right: training episodes, each weighted by the "
        f"steps that it has in a window of {context.windows}, since a plain mean over episodes "
        f"overweights short falls. Baselines: {drawn}.",
        2, draw, statistics=context.band(), size=(4.6, 3.2),
    )


def values(context: Context) -> None:
    """Q beside the soft and the hard Monte-Carlo value of the same states, one axis per arm."""
    panels = (PROBED_Q, SOFT, HARD)
    probed = [arm for arm in context.collection.arms if any(len(probe_rows(run)) for run in arm.runs)]
    if not probed:
        context.notes.append(
            "Q against Monte-Carlo values and bias B_r: these runs have no overestimation.csv with on-policy states"
        )
        return

    def draw(_, axes):
        for axis, arm in zip(axes, probed):
            for index, panel in enumerate(panels):
                series = [series_of(run, panel, 1) for run in arm.runs]  # probes have no windows
                curve = aggregate(series, statistic_of([arm], panel, context.until))
                draw_curve(axis, curve, look(index), panel.title, markers=True)
            axis.set_title(wrapped(f"{arm.name} (n\u00a0=\u00a0{len(arm.runs)})", 44, 2))
            axis.set_xlabel("env steps")
            axis.set_ylabel("return")
            axis.xaxis.set_major_formatter(thousands)
            scale_axis(axis, False)

    context.album.figure(
        "q_and_value", "Q against its Monte-Carlo value",
        "Q of the ensemble's mean and the discounted Monte-Carlo values of the same on-policy states and actions, "
        "rolled out with the sampled policy past the time limit. The soft value holds the entropy terms from the next "
        "step on, as Q does: the gap between Q and it is the bias. The hard value is rewards alone; a soft Q should "
        "not equal it. Axes differ in scale.",
        len(probed), draw, statistics=context.band(), size=(3.6, 2.8),
    )


def bias(context: Context) -> None:
    found = curves(context, BIAS_R)
    if all(curve.empty for curve in found):
        return
    kinds = [
        kind for kind in dict.fromkeys(
            kind for run in context.collection.own_runs if STATES in run.overestimation
            for kind in run.overestimation[STATES]
        )
    ]

    single = any(len(arm.runs) == 1 for arm in context.collection.arms)

    def draw(_, axes):
        draw_panel(context, axes[0], BIAS_R, found, markers=True)
        axes[0].axhline(0, color="0.3", lw=0.8)
        axes[0].set_xlabel("env steps")
        for arm, style in zip(context.collection.arms, context.looks):
            if len(arm.runs) == 1:
                draw_probe_intervals(axes[0], probe_rows(arm.runs[0]), style)
        if len(axes) > 1:
            _bias_by_states(context, axes[1], kinds)

    context.album.figure(
        "bias", "Bias B_r",
        "B_r = (1 - discount) * mean(Q - soft Monte-Carlo value), in reward per step; above zero the critic "
        "overestimates. An arm of one seed has each probe's own 95 % interval as a bar: a bootstrap over the episodes of "
        "its states, which says nothing about other seeds." + (
            " Right: the last probe up to the tables' env step, by where its states come from; bar: 95 % bootstrap over "
            "seeds." if len(kinds) > 1 else ""
        ),
        2 if len(kinds) > 1 else 1, draw, size=(4.6, 3.2),
        statistics=context.band() + (" · bars at one seed: 95 % bootstrap over a probe's episodes" if single else ""),
    )


def draw_probe_intervals(axis, rows, style: Look, x: float | None = None) -> None:
    """Bars for each probe's own 95 % interval, over the episodes of its rollouts; at env steps, or the last at x."""
    low, high = BIAS_R.column + "_low", BIAS_R.column + "_high"
    if low not in rows or high not in rows or not len(rows):
        return
    rows = rows if x is None else rows.tail(1)
    axis.vlines(rows.env_steps if x is None else [x], rows[low], rows[high], color=style.colour, lw=1.2)


def _bias_by_states(context: Context, axis, kinds: list[str]) -> None:
    arms = context.collection.arms
    for index, (arm, style) in enumerate(zip(arms, context.looks)):
        for place, kind in enumerate(kinds):
            last, x = [], place + (index - (len(arms) - 1) / 2) * 0.8 / len(arms)
            for run in arm.runs:
                rows = probe_rows(run, kind)
                rows = rows[rows.env_steps <= context.step] if len(rows) else rows
                if len(rows) and BIAS_R.column in rows:
                    last.append(rows[BIAS_R.column].iloc[-1])
                if len(arm.runs) == 1:
                    draw_probe_intervals(axis, rows, style, x)
            draw_interval(axis, x, last, style, statistic_of([arm], BIAS_R, context.step))
    axis.axhline(0, color="0.3", lw=0.8)
    axis.set_xlim(-0.6, len(kinds) - 0.4)
    axis.set_xticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
    axis.tick_params(axis="x", labelrotation=0 if len(kinds) < 5 else 20)
    axis.set_title(f"bias B_r by states, env step {thousands(context.step)}")
    axis.set_ylabel("reward / step")
    axis.grid(axis="x", visible=False)


def draw_interval(axis, x: float, values: list[float], style: Look, statistic=interquartile_mean) -> None:
    """Single runs as small dots, a statistic of them with its bootstrap interval beside them."""
    found = estimate(values, statistic)
    if found is None:
        return
    if found.low is not None:
        axis.vlines(x, found.low, found.high, color=style.colour, lw=2)
    axis.plot([x], [found.value], marker=style.marker, color=style.colour, ms=5, ls="none")
    if len(values) > 1:
        axis.plot([x + 0.07] * len(values), values, marker=".", color=style.colour, ms=4, ls="none", alpha=0.5)


def panels(context: Context, name: str, heading: str, caption: str, wanted: tuple[Panel, ...], **options) -> None:
    """Several columns against env steps; columns that no run has are named in a note."""
    found = {panel: curves(context, panel) for panel in wanted}
    absent = [panel.title for panel, c in found.items() if all(curve.empty for curve in c)]
    found = {panel: c for panel, c in found.items() if panel.title not in absent}
    if absent:
        context.notes.append(f"{heading}: not logged by these runs: {', '.join(absent)}")
    if not found:
        return

    def draw(_, axes):
        for axis, (panel, c) in zip(axes, found.items()):
            draw_panel(context, axis, panel, c)
            axis.set_xlabel("env steps")

    context.album.figure(name, heading, caption, len(found), draw, statistics=context.band(), **options)


def learner(context: Context) -> None:
    panels(
        context, "learner", "Critic, temperature, entropy",
        f"Means over windows of {context.windows} (median for the critic loss, which has spikes), then over seeds.",
        LEARNER,
    )
    others = diagnostics([run.train for run in context.collection.runs])
    if others:
        panels(
            context, "diagnostics", "Diagnostics",
            f"Every other column of train.csv, means over windows of {context.windows}. Formulas and units: "
            "docs/metrics.md.", others,
        )
    warned = [(run.path, run.train.sim_warnings.max()) for run in context.collection.runs if "sim_warnings" in run.train]
    context.notes += [f"{path}: {count:.0f} transitions with simulator warnings" for path, count in warned if count > 0]


def study_by_env_steps(context: Context) -> None:
    panels(
        context, "by_env_steps", "The study's view, against env steps",
        f"Windows of {context.windows}; the training return weights an episode by its steps.", STUDY,
    )


def study_by_episode(context: Context) -> None:
    """Return, Q, temperature, entropy and losses against the number of the episode."""
    longest = [max(len(run.episodes) for run in arm.runs) for arm in context.collection.arms]
    if max(longest) == 0:
        context.notes.append("The study's view against episode: no training episode has ended")
        return
    widths = [nice_width(max(count, 1), 1) for count in longest]

    def draw(_, axes):
        for axis, panel in zip(axes, STUDY):
            found = [
                aggregate([series_by_episode(run, panel, width) for run in arm.runs], statistic_of([arm], panel, context.until))
                for arm, width in zip(context.collection.arms, widths)
            ]
            draw_panel(context, axis, panel, found)
            axis.set_xlabel("episode")

    context.album.figure(
        "by_episode", "The study's view, against episode",
        f"Windows of {span_of(widths, 'episode')}; Q, alpha, entropy and losses are those of the latest "
        "row of train.csv when the episode ended. Arms whose episodes are short have more of them: the same episode "
        "number is not the same amount of data, and Q (a mean over replayed states) is not the value of the episode "
        "drawn beside it.",
        len(STUDY), draw, statistics=context.band(),
    )
