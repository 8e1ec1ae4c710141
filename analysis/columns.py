"""Which columns a report draws, and what they are called. Definitions: docs/metrics.md."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

# overestimation.csv: one row per probe and kind of states (docs/metrics.md)
STATES = "states"
ON_POLICY = "on_policy"


@dataclass(frozen=True)
class Panel:
    """One axis of a figure: a column of a table over env steps (or episodes)."""

    column: str
    title: str
    unit: str
    log: bool = False
    median: bool = False  # of a window's rows, for columns with spikes; the mean otherwise
    table: str = "train"


RETURN = Panel("return_mean", "evaluation return", "return", table="evaluations")
TRAIN_RETURN = Panel("episode_return", "training return", "return", table="episodes")
Q_MEAN = Panel("q_mean", "mean batch Q", "return")
ALPHA = Panel("alpha", "temperature alpha", "return / nat", log=True)
ENTROPY = Panel("entropy", "policy entropy", "nat")
CRITIC_LOSS = Panel("critic_loss", "critic loss", "return²", log=True, median=True)
ACTOR_LOSS = Panel("actor_loss", "actor loss", "return")

# the study's own view: against episode, and against env steps
STUDY = (TRAIN_RETURN, Q_MEAN, ALPHA, ENTROPY, CRITIC_LOSS, ACTOR_LOSS)

LEARNER = (
    Q_MEAN,
    ALPHA,
    ENTROPY,
    CRITIC_LOSS,
    Panel("q_gap", "disagreement |Q1 - Q2|", "return", log=True),
    Panel("replay_ratio", "replay ratio achieved", "updates / transition"),
)

# of train.csv, drawn in no figure: counters, times, and what other figures or notes show
NOT_DIAGNOSTICS = {
    "env_steps", "gradient_updates", "episodes", "wall_time_s", "env_steps_per_s", "updates_per_s", "memory_mib",
    "train_return", "train_length", "target_entropy", "sim_warnings",
    *(panel.column for panel in (*LEARNER, *STUDY)),
}


def diagnostics(tables: list[pd.DataFrame]) -> tuple[Panel, ...]:
    """A panel for every other column of these train.csv, in their order: whatever a version logs is shown.

    Logarithmic where all values are positive and span more than a factor of 30.
    """
    panels = []
    for column in dict.fromkeys(column for table in tables for column in table.columns):
        values = pd.concat([table[column] for table in tables if column in table]).dropna()
        if column in NOT_DIAGNOSTICS or not len(values) or not pd.api.types.is_numeric_dtype(values):
            continue
        positive = (values > 0).all()
        panels.append(Panel(column, column, "", log=bool(positive and values.max() > 30 * values.min())))
    return tuple(panels)


# overestimation.csv
BIAS_R = Panel("bias_reward", "bias B_r", "reward / step", table="overestimation")
PROBED_Q = Panel("q_mean", "Q", "return", table="overestimation")
SOFT = Panel("soft_return", "soft Monte-Carlo value", "return", table="overestimation")
HARD = Panel("hard_return", "hard Monte-Carlo value", "return", table="overestimation")

# the same rollouts, measured as the field does
VARIANTS = (
    Panel("bias_mean", "correct: Q - soft value", "return", table="overestimation"),
    Panel("redq_bias", "REDQ: alpha .2, divided by max(|value|, 10)", "1", table="overestimation"),
    Panel("crossq_bias", "CrossQ: entropy at k = 0 too", "return", table="overestimation"),
    Panel("droq_bias", "DroQ: hard return of the deterministic policy", "return", table="overestimation"),
    Panel("undiscounted_bias", "Q - undiscounted return", "return", table="overestimation"),
    Panel("episode_bias", "Q at the start - episode return (the usual plot)", "return", table="overestimation"),
)
PROBE_DETAILS = (
    Panel("bias_min", "bias of min_j Q_j", "return", table="overestimation"),
    Panel("bias_target", "bias of the target networks", "return", table="overestimation"),
    Panel("bias_normalised", "bias / max(|soft value|, 10)", "1", table="overestimation"),
    Panel("bias_positive", "share of states with positive bias", "1", table="overestimation"),
    Panel("bias_std_corrected", "spread of the bias over states, noise removed", "return", table="overestimation"),
    Panel("spearman", "rank correlation of Q and soft value", "1", table="overestimation"),
    Panel("td_residual_rms", "TD residual, root mean square", "return", table="overestimation"),
    Panel("implausible_share", "share of implausible Q", "1", table="overestimation"),
)
