import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from skdistill.targets import fit_temperature
from skdistill.targets._calibration import BOUNDS, apply_temperature
from skdistill.teachers._clip import EPSILON, log_probabilities


def draw(n_samples=3000, n_classes=5, temperature=2.5, seed=0):
    """Logits that are too sure by a known factor, and labels drawn from the honest ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_samples, n_classes))
    honest = softmax(logits, axis=1)
    y = (honest.cumsum(axis=1) > rng.random((n_samples, 1))).argmax(axis=1)
    return temperature * logits, y


def loss(logits, y, temperature, weight=None):
    rows = -log_softmax(logits / temperature, axis=1)[np.arange(len(y)), y]
    return np.average(rows, weights=weight)


def test_the_known_temperature_is_found():
    logits, y = draw(n_samples=40_000)
    assert fit_temperature(logits, y) == pytest.approx(2.5, rel=0.05)


def test_no_temperature_of_a_fine_grid_is_better():
    logits, y = draw()
    found = fit_temperature(logits, y)
    grid = np.geomspace(*BOUNDS, 2000)
    assert loss(logits, y, found) <= min(loss(logits, y, T) for T in grid) + 1e-9


def test_weights_are_repetitions():
    logits, y = draw(300)
    weight = np.random.default_rng(1).integers(0, 4, size=300)
    rows = np.repeat(np.arange(300), weight)
    assert fit_temperature(logits, y, weight) == pytest.approx(
        fit_temperature(logits[rows], y[rows]), rel=1e-5
    )


def test_rows_without_a_target_are_left_out():
    logits, y = draw(300)
    gaps = logits.copy()
    gaps[::3] = np.nan
    told = np.arange(300) % 3 > 0
    assert fit_temperature(gaps, y) == fit_temperature(logits[told], y[told])


def test_temperature_of_probabilities_is_a_power():
    logits, _ = draw(20)
    p = softmax(logits, axis=1)
    power = p ** (1 / 3)
    np.testing.assert_allclose(
        apply_temperature(p, 3.0), power / power.sum(axis=1, keepdims=True), rtol=1e-9
    )
    np.testing.assert_allclose(apply_temperature(p, 1.0), p, rtol=1e-9)


def test_the_logarithm_of_0_is_clipped():
    assert log_probabilities(np.array([[0.0, 1.0]])).tolist() == [[np.log(EPSILON), 0.0]]
    assert np.isnan(log_probabilities(np.array([[np.nan, np.nan]]))).all()
