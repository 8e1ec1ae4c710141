"""The report: a first screen that tells the answer, then every figure with what it shows."""

from __future__ import annotations

from html import escape
from pathlib import Path

from analysis import comparisons, figures, page
from analysis.arms import Arm, Collection
from analysis.baselines import known_baselines
from analysis.columns import BIAS_R, LEARNER, PROBE_DETAILS, STUDY, VARIANTS
from analysis.drawing import MAX_ARMS, Album
from analysis.figures import Context
from analysis.measures import (
    MEASURES, Measure, arm_estimate, common_step, probe_interval, probe_verdicts, reaches, verdict,
)
from analysis.statistics import Estimate, estimate

BY_KEY = {measure.key: measure for measure in MEASURES}
FIRST = ("B_r", "Q (probe)", "soft value", "Q (batch)", "return", "alpha")
MOST_SENTENCES = 6
REST = ("hard value", "entropy", "critic loss", "|Q1 - Q2|", "replay ratio")
HEADINGS = {
    "B_r": "bias B_r<br>reward/step", "Q (probe)": "Q, on-policy", "soft value": "soft Monte-<br>Carlo value",
    "Q (batch)": "mean<br>batch Q", "hard value": "hard Monte-<br>Carlo value", "return": "evaluation<br>return",
}


def number(value: float) -> str:
    """Three to four significant digits, no exponent where a person would not write one."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": "∞", "-inf": "-∞"}.get(str(float(value)), "–")
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-3:
        return f"{value:.2e}"
    return f"{value:.0f}" if size >= 100 else f"{value:#.3g}"


def cell(found: Estimate | None) -> str:
    """A value with its interval below it."""
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return number(found.value)
    return f'{number(found.value)}<br><span class="interval">[{number(found.low)}, {number(found.high)}]</span>'


def sentence(arm: Arm, step: int) -> str:
    """The answer for one arm, in words."""
    bias = probe_interval(arm, step)
    if bias is None:
        q = arm_estimate(arm, BY_KEY["Q (batch)"], step)
        return f"<b>{escape(arm.name)}</b>: bias not probed" + (f"; mean batch Q {number(q.value)}" if q else "")
    interval = "" if bias.low is None else f" [{number(bias.low)}, {number(bias.high)}]"
    probes = probe_verdicts(arm, step)
    counts = [
        f"{probes.count(word)} {word if probes.count(word) == 1 else word[:-1]}"
        for word in ("overestimates", "underestimates") if word in probes
    ]
    history = f"; of its {len(probes)} probes up to here {', '.join(counts) or 'none shows a bias'}" if len(probes) > 1 else ""
    return f"<b>{escape(arm.name)}</b>: <b>{verdict(bias)}</b>, B_r = {number(bias.value)}{interval} reward per step{history}"


def arm_cell(arm: Arm, style) -> str:
    return '<span class="arm">' + page.swatch(style) + escape(arm.name) + "</span>"


def measures_table(context: Context, keys: tuple[str, ...]) -> str:
    """One row per arm, one column per measure that some arm has."""
    arms, step = context.collection.arms, context.step
    cells = {
        key: [probe_interval(arm, step) if key == "B_r" else arm_estimate(arm, BY_KEY[key], step) for arm in arms]
        for key in keys
    }
    keys = tuple(key for key in keys if any(found is not None for found in cells[key]))
    verdicts = ["verdict"] if len(arms) > MOST_SENTENCES and "B_r" in keys else []
    rows = [
        [arm_cell(arm, style), *(verdict(cells["B_r"][index]) for _ in verdicts), f"{sum(reaches(run, step) for run in arm.runs)} of {len(arm.runs)}",
         *(cell(cells[key][index]) for key in keys)]
        for index, (arm, style) in enumerate(zip(arms, context.looks))
    ]
    return page.table(["arm", *verdicts, "seeds", *(HEADINGS.get(key, key) for key in keys)], rows)


def panel_table(context: Context, panels) -> str:
    """One row per quantity of the probe, one column per arm: the last tenth of env steps before the tables' step."""
    arms = context.collection.arms
    rows = []
    for panel in panels:
        found = [arm_estimate(arm, Measure(panel.column, panel), context.step) for arm in arms]
        if any(value is not None for value in found):
            rows.append([f"{escape(panel.title)}, {panel.unit}" if panel.unit != "1" else escape(panel.title),
                         *map(cell, found)])
    if not rows:
        return ""
    return page.table(["on-policy probe", *(arm_cell(a, s) for a, s in zip(arms, context.looks))], rows)


def episode_table(context: Context) -> str:
    """System A's own number: the plain mean over all training episodes up to the step."""
    rows = []
    for arm, style in zip(context.collection.arms, context.looks):
        means, lengths, counts = [], [], []
        for run in arm.runs:
            episodes = run.episodes[run.episodes.env_steps <= context.step]
            if len(episodes):
                means.append(episodes.episode_return.mean())
                counts.append(len(episodes))
                if "episode_length" in episodes:
                    lengths.append(episodes.episode_length.mean())
        rows.append([
            arm_cell(arm, style), cell(estimate(means)), cell(estimate(counts)), cell(estimate(lengths))
        ])
    return page.table(["arm", "mean training return", "episodes", "mean length"], rows)


def run_table(collection: Collection) -> str:
    rows = []
    for arm in collection.arms:
        for run in arm.runs:
            wall = run.train.wall_time_s.max() if "wall_time_s" in run.train and len(run.train) else float("nan")
            rows.append([
                escape(arm.name), "–" if run.seed is None else str(run.seed), escape(run.state), f"{run.last_step}",
                number(wall), escape(run.commit if run.source == "anthill" else run.source),
                escape(run.divergence() or ""), f"<code>{escape(str(run.path))}</code>",
            ])
    header = ["arm", "seed", "state", "env steps", "wall time, s", "commit", "diverged", "folder"]
    return page.table(header, rows)


def commits_of(collection: Collection) -> str:
    """The commits of all runs, for the foot of every figure."""
    own = sorted({run.commit for run in collection.own_runs})
    external = sorted({run.source for run in collection.runs if run.source != "anthill"})
    return ", ".join(own + external) or "unknown"


def missing_columns(collection: Collection) -> list[str]:
    """One line per column that some runs have and others lack."""
    wanted = {"train": [p.column for p in LEARNER], "episodes": ["episode_length", *(p.column for p in STUDY)],
              "overestimation": [BIAS_R.column]}
    files = {"train": "train.csv", "episodes": "episodes.csv", "overestimation": "overestimation.csv"}
    lines = []
    for table, columns in wanted.items():
        for column in dict.fromkeys(columns):
            lacking = [run for run in collection.own_runs if column not in getattr(run, table)]
            if lacking and len(lacking) < len(collection.own_runs):
                names = ", ".join(str(run.path) for run in lacking[:3]) + (" and more" if len(lacking) > 3 else "")
                lines.append(f"{files[table]}: column {column} is missing in {len(lacking)} of "
                             f"{len(collection.own_runs)} runs, which do not count there: {names}")
    return lines


def _names(names: list[str], everything: int) -> str:
    return f"all {everything} arms" if len(names) == everything > 3 else "; ".join(names)


def build_context(
    collection: Collection, folder: Path, step: int | None, formats: tuple[str, ...] = ("png", "pdf")
) -> Context:
    """ValueError when there are more arms than can be told apart, or none that has come to `step`."""
    if len(collection.arms) > MAX_ARMS:
        raise ValueError(
            f"{len(collection.arms)} arms, but {MAX_ARMS} can be told apart in a figure; report parts of the sweep"
        )
    common, late = common_step(collection)
    until = float("inf") if step is None else step
    if step is not None:
        common, late = step, []
        if not any(reaches(run, step) for run in collection.runs):
            oldest = max(run.last_step for run in collection.runs)
            raise ValueError(f"no run has reached --at {step}; the oldest stands at env step {oldest}")
    env = ", ".join(sorted({run.env for run in collection.own_runs})) or "external logs"
    context = Context(collection, Album(folder, commits_of(collection), env, formats), common, until)
    context.baselines, about = known_baselines(collection)
    context.notes += [f"left out: {line}" for line in collection.left_out] + late
    context.notes += missing_columns(collection) + about
    everything = len(collection.arms)
    single = [arm.name for arm in collection.arms if len(arm.runs) == 1]
    few = [arm.name for arm in collection.arms if 1 < len(arm.runs) < 5]
    if single:
        context.notes.append(f"a single seed, so no band and no interval over seeds: {_names(single, everything)}")
    if few:
        context.notes.append(
            f"fewer than five seeds, for which a bootstrap is too narrow (read it as a lower bound): {_names(few, everything)}"
        )
    running = [run for run in collection.runs if run.state in ("running", "starting")]
    if running:
        context.notes.append(f"{len(running)} of {len(collection.runs)} runs are still running")
    return context


def first_screen(context: Context, title: str) -> list[str]:
    collection = context.collection
    counts = {len(arm.runs) for arm in collection.arms}
    seeds = str(*counts) if len(counts) == 1 else "; ".join(f"{arm.name}: {len(arm.runs)}" for arm in collection.arms)
    span = f"({context.step - int(0.1 * context.step)}, {context.step}]"
    head = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="meta">{escape(context.album.env)} · seeds per arm: {escape(seeds)} · commit '
        f"{escape(context.album.commits)} · tables read env steps {span}</p>",
        page.warnings(collection.warnings),
        '<ul class="answer">',
    ]
    # of many arms the table says it in less room
    for arm, style in list(zip(collection.arms, context.looks))[: None if len(collection.arms) <= MOST_SENTENCES else 0]:
        head.append(f"<li>{page.swatch(style)}{sentence(arm, context.step)}</li>")
    head += ["</ul>", measures_table(context, FIRST), (
        '<p class="small">Interquartile mean over seeds with its 95 % stratified bootstrap interval below it; with one '
        "seed B_r has the last probe's own interval, over the episodes of its rollouts, and nothing else has one. "
        "B_r = (1 - discount) (Q - soft Monte-Carlo value): above zero the critic overestimates. Where a run "
        "diverged: the median of all but returns, ∞ counting as the largest.</p>"
    )]
    return head


def write_report(
    collection: Collection, folder: Path, *, step: int | None = None, title: str = "", command: str = "",
    formats: tuple[str, ...] = ("png", "pdf"),
) -> Path:
    """Writes report.html and every figure in `formats` into `folder`; returns the page's path."""
    context = build_context(collection, folder, step, formats)
    title = title or f"Does the critic overestimate? {context.album.env}"
    figures.returns(context)
    figures.values(context)
    figures.bias(context)
    figures.learner(context)
    diverged = comparisons.divergences(context)
    comparisons.scores(context)
    better = comparisons.improvements(context)
    paired = comparisons.paired(context)
    figures.study_by_episode(context)
    figures.study_by_env_steps(context)
    tables = {
        "diverged": page.table(
            ["arm", "diverged", "Wilson 95 %", "median log10 max|Q|", "IQM log10 max|Q|"],
            [[escape(name), f"{d.diverged} of {d.n}", f"[{d.low:.2f}, {d.high:.2f}]", number(d.median_log10_q),
              number(d.iqm_log10_q)] for name, d in diverged],
        ) + page.notes([line for _, d in diverged for line in d.reasons]),
        "improvement": page.table(
            ["X > Y", "P", "n"], [[escape(name), cell(found), str(found.n)] for name, found in better]
        ),
        "paired": page.table(
            ["arms", "measure", "value", "pairs"],
            [[escape(name), escape(measure), cell(found), str(found.n)] for name, measure, found in paired],
        ),
        "bias": panel_table(context, PROBE_DETAILS) + panel_table(context, VARIANTS),
        "learner": measures_table(context, REST),
        "by_episode": episode_table(context),
    }
    body = first_screen(context, title)
    if context.notes:
        body += ["<h2>Read this first</h2>", page.notes(context.notes)]
    for picture in context.album.pictures:
        body.append(page.figure(picture, formats))
        body.append(tables.get(picture.name, ""))
    by_folder = [arm for arm in collection.arms if arm.settings and arm.settings != arm.name]
    if by_folder:
        body += ["<h2>Arms</h2>", page.notes([f"{arm.name}: {arm.settings}" for arm in by_folder])]
    body += ["<h2>Runs</h2>", run_table(collection)]
    body.append("<p class='small'>Every column is defined in docs/metrics.md, every statistic in docs/analysis.md.</p>")
    if command:
        body += ["<h2>Made with</h2>", f"<pre>{escape(command)}</pre>"]
    output = folder / "report.html"
    output.write_text(page.page(title, body))
    return output
