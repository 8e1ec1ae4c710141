"""Statistics against SciPy, against exact enumeration, and against the numbers of rliable 1.2.0."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from analysis.statistics import (
    estimate, improvement, interquartile_mean, median, paired_difference, paired_ratio,
    performance_profile, probability_of_improvement, profile_band, resample, stratified_bootstrap, wilson_interval,
)


@pytest.mark.parametrize("n", range(1, 21))
def test_interquartile_mean_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).standard_normal((n, 3)) ** 3
    assert interquartile_mean(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-12)
    assert interquartile_mean(values.T, axis=1) == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-12)


@pytest.mark.parametrize(("values", "expected"), [
    ([1, 2, 9], 4.0),  # three: nothing is cut
    ([0, 1, 3, 90], 2.0),  # four: the middle two
    ([-90, 1, 2, 6, 90], 3.0),  # five: the middle three
    ([-9, -8, 1, 2, 3, 4, 5, 6, 70, 80], 3.5),  # ten: the middle six
])
def test_interquartile_mean_by_hand(values, expected):
    assert interquartile_mean(values) == pytest.approx(expected)


def test_bootstrap_is_the_exact_distributions_percentiles():
    """All 27 draws of three runs, each equally likely."""
    values = np.array([1.0, 2.0, 6.0])
    exact = np.sort([np.mean(draw) for draw in itertools.product(values, repeat=3)])
    low, high = stratified_bootstrap([values], resamples=50_000)
    # P(1, 1, 1) = 1/27 > .025: the interval ends at the extremes
    assert (low, high) == (exact[0], exact[-1]) == (1.0, 6.0)
    low, high = stratified_bootstrap([values], confidence=0.5, resamples=50_000)
    assert low == pytest.approx(np.percentile(exact, 25, method="inverted_cdf"))
    assert high == pytest.approx(np.percentile(exact, 75, method="inverted_cdf"))


def test_bootstrap_agrees_with_scipys():
    values = np.random.default_rng(1).gamma(2.0, 3.0, 12)
    ours = stratified_bootstrap([values], resamples=40_000)
    theirs = scipy.stats.bootstrap(
        (values,), lambda x, axis: scipy.stats.trim_mean(x, 0.25, axis=axis), method="percentile",
        n_resamples=40_000, vectorized=True, rng=np.random.default_rng(2),
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert ours[0] == pytest.approx(theirs.low, abs=0.02 * spread)
    assert ours[1] == pytest.approx(theirs.high, abs=0.02 * spread)


def test_resampling_stays_within_its_stratum():
    draws = resample([np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0])], 200, seed=0)
    assert draws.shape == (200, 5)
    assert set(draws[:, :2].ravel()) == {1.0, 2.0} and set(draws[:, 2:].ravel()) == {10.0, 20.0, 30.0}
    # two constant strata have no spread, one stratum of the same values has
    assert np.ptp(stratified_bootstrap([np.zeros(4), np.ones(4)], np.mean)) == 0
    assert np.ptp(stratified_bootstrap([np.array([0.0, 1.0] * 4)], np.mean)) > 0.3


def test_one_run_has_a_value_and_no_interval():
    found = estimate([3.0])
    assert (found.value, found.low, found.high, found.n) == (3.0, None, None, 1)
    assert estimate([np.nan]) is None
    with pytest.raises(ValueError, match="at least two runs"):
        stratified_bootstrap([np.array([3.0])])


def test_median_stands_among_infinities():
    found = estimate([1.0, 2.0, np.inf], median)
    assert (found.value, found.low) == (2.0, None)
    assert estimate([1.0, np.inf, np.inf], median).value == np.inf


@pytest.mark.parametrize("seed", range(5))
def test_probability_of_improvement_is_mann_whitneys(seed):
    generator = np.random.default_rng(seed)
    x, y = generator.integers(0, 6, 7), generator.integers(0, 6, 5)  # with ties
    u = scipy.stats.mannwhitneyu(x, y).statistic
    assert probability_of_improvement(x, y) == pytest.approx(u / 35, rel=1e-12)
    assert probability_of_improvement(x, y) + probability_of_improvement(y, x) == pytest.approx(1)


def test_improvement_by_hand():
    assert probability_of_improvement([2, 3], [1, 2]) == (1 + 0.5 + 1 + 1) / 4
    assert improvement([[1.0]], [[0.0]]).low is None
    two_tasks = improvement([[2.0, 3.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 1.0]])
    assert two_tasks.value == pytest.approx((0.875 + 0) / 2)
    assert two_tasks.low <= two_tasks.value <= two_tasks.high


def test_performance_profile_is_strictly_above():
    profile = performance_profile([1.0, 2.0, 2.0, 5.0], [0.0, 1.0, 2.0, 4.9, 5.0])
    assert profile == pytest.approx([1.0, 0.75, 0.25, 0.25, 0.0])
    low, high = profile_band([1.0, 2.0, 2.0, 5.0], [0.0, 2.0, 5.0])
    assert low == pytest.approx([1, 0, 0]) and high == pytest.approx([1, 0.75, 0])


@pytest.mark.parametrize(("k", "n"), [(0, 3), (1, 3), (3, 3), (2, 10), (50, 100)])
def test_wilson_interval_is_scipys(k, n):
    expected = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson_interval(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_paired_statistics_use_common_seeds_alone():
    x, y = {0: 4.0, 1: 6.0, 2: 9.0, 7: 1000.0, 8: np.nan}, {0: 2.0, 1: 2.0, 2: 3.0, 5: -1000.0, 8: 1.0}
    assert paired_difference(x, y).value == pytest.approx((2 + 4 + 6) / 3)
    assert (paired_ratio(x, y).value, paired_ratio(x, y).n) == (3.0, 3)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None
    assert paired_ratio({0: -1.0}, {0: 1.0}) is None
    assert paired_ratio({0: np.inf, 1: 4.0, 2: 8.0}, {0: 1.0, 1: 2.0, 2: 2.0}).value == 4.0


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).standard_normal(6)
    assert stratified_bootstrap([values]) == stratified_bootstrap([values])


def test_all_equal_rliable():
    """IQM, performance profile and P(X > Y) to the last digits; the bootstrap's interval to its own noise."""
    theirs = json.loads(Path(__file__).with_name("rliable_numbers.json").read_text())  # make_rliable_numbers.py
    x, y = np.array(theirs["x"]), np.array(theirs["y"])  # [runs, tasks]
    assert interquartile_mean(x.ravel()) == pytest.approx(theirs["iqm"], rel=1e-12)
    assert performance_profile(x.ravel(), theirs["taus"]) == pytest.approx(theirs["profile"], rel=1e-12)
    ours = improvement(list(x.T), list(y.T), resamples=20_000)
    assert ours.value == pytest.approx(theirs["probability_of_improvement"], rel=1e-12)
    low, high = stratified_bootstrap(list(x.T), resamples=20_000)
    spread = theirs["iqm_interval"][1] - theirs["iqm_interval"][0]
    assert low == pytest.approx(theirs["iqm_interval"][0], abs=0.03 * spread)
    assert high == pytest.approx(theirs["iqm_interval"][1], abs=0.03 * spread)
