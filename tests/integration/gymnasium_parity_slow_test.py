"""Every case of analysis/parity_cases.py against live Gymnasium: 20 seeds, 500 steps each, in two processes."""

import concurrent.futures

import pytest
from anthill_command import BIN

from analysis.parity import run_case
from analysis.parity_cases import CASES

NUM_SEEDS = 20
NUM_STEPS = 500


def compare_case(case):
    return run_case(case, [BIN / "anthill"], 1000, NUM_SEEDS, NUM_STEPS)[0]


@pytest.fixture(scope="module")
def results():
    """A future per case; all run in the background while the tests wait for theirs."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        yield {str(case): pool.submit(compare_case, case) for case in CASES}


@pytest.mark.parametrize("name", map(str, CASES))
def test_every_bit_of_every_step(results, name):
    result = results[name].result()
    assert result.num_different == 0, f"{result.num_different} differ; {result.first_difference}"
    assert result.num_compared >= NUM_SEEDS * NUM_STEPS * 6
    assert result.num_episodes >= NUM_SEEDS  # resets are among what was compared
