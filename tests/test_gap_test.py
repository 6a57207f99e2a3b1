"""The test of a difference of accuracies, against laws that are summed term by term."""

import numpy as np
import pytest
from scipy.stats import binomtest, multinomial

from skdistill._gap_test import gap_bound, gap_p_value, rows_needed


def law_of_difference(n_rows, gap, rate):
    """Return the probabilities of D = -n, ..., n: a step convolved with itself, n times."""
    step = np.array([(rate - gap) / 2, 1 - rate, (rate + gap) / 2])
    law = np.ones(1)
    for _ in range(n_rows):
        law = np.convolve(law, step)
    return law


def exact_upper(n_hits, n_rows, risk):
    test = binomtest(n_hits, n_rows, alternative="less")
    return test.proportion_ci(1 - risk, method="exact").high


@pytest.mark.parametrize(
    ("n_worse", "n_better", "n_rows", "gap"),
    [(0, 0, 300, 0.015), (3, 2, 300, 0.03), (10, 14, 500, 0.01), (40, 60, 400, 0.04)],
)
def test_the_p_value_is_that_of_the_worst_rate(n_worse, n_better, n_rows, gap):
    found = gap_p_value(n_worse, n_better, n_rows, gap, 0.05)
    difference = n_worse - n_better
    greatest = exact_upper(n_worse + n_better, n_rows, 0.005)
    tails = [
        law_of_difference(n_rows, gap, rate)[: n_rows + difference + 1].sum()
        for rate in np.linspace(gap, greatest, 12)
    ]
    np.testing.assert_allclose(found, tails[-1] + 0.005, rtol=1e-8)
    assert (np.diff(tails) > 0).all()


@pytest.mark.parametrize(
    ("n_rows", "gap", "risk"), [(30, 0.2, 0.2), (60, 0.1, 0.2), (60, 0.1, 0.05)]
)
def test_its_size_is_never_above_the_risk(n_rows, gap, risk):
    """All outcomes are enumerated, for every rate of differences."""
    outcomes = [(i, j) for i in range(n_rows + 1) for j in range(n_rows + 1 - i)]
    refuted = [(i, j) for i, j in outcomes if gap_p_value(i, j, n_rows, gap, risk) <= risk]
    assert refuted
    counts = np.array([(i, j, n_rows - i - j) for i, j in refuted])
    for rate in np.linspace(gap, 0.99, 25):
        steps = [(rate + gap) / 2, (rate - gap) / 2, 1 - rate]
        assert multinomial.pmf(counts, n_rows, steps).sum() <= risk


@pytest.mark.parametrize(
    ("n_worse", "n_better", "gap"), [(100, 150, 0.01), (90, 210, 0.02), (150, 160, 0.05)]
)
def test_where_half_of_the_rows_may_differ_no_rate_has_a_greater_tail(n_worse, n_better, gap):
    found = gap_p_value(n_worse, n_better, 400, gap, 0.05)
    difference = n_worse - n_better
    tails = [
        law_of_difference(400, gap, rate)[: 400 + difference + 1].sum()
        for rate in np.linspace(gap, 1)
    ]
    assert max(tails) + 0.005 <= found < 1


def test_a_second_one_that_is_surely_better_stays_so_on_most_rows():
    assert gap_p_value(90, 210, 400, 0.02, 0.05) < 0.01
    assert gap_p_value(210, 90, 400, 0.02, 0.05) == 1.0
    assert gap_bound(90, 210, 400, 0.05) < 1e-9


def test_the_bound_is_where_the_test_turns():
    for counts in ((0, 0), (5, 5), (30, 10)):
        bound = gap_bound(*counts, 2000, 0.05)
        assert gap_p_value(*counts, 2000, bound + 1e-6, 0.05) <= 0.05
        assert gap_p_value(*counts, 2000, bound - 1e-6, 0.05) > 0.05
        assert bound > (counts[0] - counts[1]) / 2000
    assert gap_bound(10, 40, 2000, 0.05) < 1e-9  # the second is the better one beyond doubt


def test_nothing_is_refuted_beyond_what_the_proof_covers():
    assert gap_p_value(10, 5, 1000, 0.005, 0.05) == 1.0  # the estimate is the difference itself


def test_the_rows_that_are_needed():
    for gap, risk in ((0.01, 0.05), (0.005, 0.05), (0.02, 0.2)):
        least = rows_needed(gap, risk)
        found = [gap_p_value(0, 0, n, gap, risk) <= risk for n in range(least - 30, least + 30)]
        assert found == [False] * 30 + [True] * 30
