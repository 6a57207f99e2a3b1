import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from skdistill.targets import Targets, fit_prior_offsets, fit_temperature, teacher_targets

SEARCHED = (0.05, 20.0)  # the temperatures among which one is looked for
LEAST = 1e-12  # the least probability whose logarithm is taken


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
    grid = np.geomspace(*SEARCHED, 2000)
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
    logits, y = draw(500)
    p = softmax(logits, axis=1)
    power = p ** (1 / fit_temperature(p, y))
    expected = power / power.sum(axis=1, keepdims=True)
    found = teacher_targets(lambda rows: rows, p, y, calibrate="temperature")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(teacher_targets(lambda rows: rows, p, y), p, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_the_logarithm_of_0_is_clipped():
    p, y = np.array([[0.0, 1.0], [0.25, 0.75], [0.75, 0.25]] * 9), np.array([1, 0, 0] * 9)
    power = np.maximum(p, LEAST) ** (1 / fit_temperature(p, y))
    expected = power / power.sum(axis=1, keepdims=True)
    found = teacher_targets(lambda rows: rows, p, y, calibrate="temperature")
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# What is given: probabilities, log-probabilities and logits, labels and positions


FITS = {"temperature": fit_temperature, "prior": fit_prior_offsets}
LOGITS, Y = draw(400, n_classes=3)
P = softmax(LOGITS, axis=1)
NAMES = np.array(["no", "so-so", "yes"])
GIVEN = {
    "probabilities": (P, Y),
    "log-probabilities": (np.log(P), Y),
    "shifted logits": (LOGITS + np.arange(400)[:, None], Y),
    "lists": (P.tolist(), Y.tolist()),
    "single precision": (P.astype(np.float32), Y),
    "rounded probabilities": (P.round(4), Y),
    "zeros that are a little less": (np.where(P < 1e-6, -1e-7, P), Y),
    "tensors": (torch.tensor(P), torch.tensor(Y)),
    "positions as floats": (P, Y.astype(float)),
    "positions with gaps elsewhere": (P, pd.Series(Y, dtype="Int64")),
    "a frame": (pd.DataFrame(P, columns=NAMES), NAMES[Y]),
    "a frame in another order": (pd.DataFrame(P[:, ::-1], columns=NAMES[::-1]), NAMES[Y]),
    "a frame without names": (pd.DataFrame(P), Y),
    "a frame named by written numbers": (
        pd.DataFrame(P, columns=["2", "5", "9"]),
        np.array([2, 5, 9])[Y],
    ),
    "targets without names": (Targets(P), Y),
    "named": (Targets(P, classes=NAMES), NAMES[Y]),
    "named by numbers": (Targets(P, classes=[2, 5, 9]), np.array([2, 5, 9])[Y]),
    "named by numbers, labels as floats": (
        Targets(P, "logits", [2, 5, 9]),
        np.array([2.0, 5.0, 9.0])[Y],
    ),
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("fit", FITS)
def test_all_that_says_the_same_gives_the_same(fit, given):
    expected = FITS[fit](LOGITS, Y)
    answers, y = GIVEN[given]
    found = FITS[fit](answers, y)
    if "another order" in given and fit == "prior":
        found = found[::-1]
    rounded = given in ("single precision", "rounded probabilities", "zeros that are a little less")
    np.testing.assert_allclose(found, expected, rtol=2e-2 if rounded else 1e-5)


def test_what_teacher_targets_gives_needs_no_logarithm():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    y[X[:, 0] > 0.3] = 1
    targets = teacher_targets(LogisticRegression(), X, y, random_state=0)
    p = np.asarray(targets)
    assert fit_temperature(targets, y) == pytest.approx(fit_temperature(np.log(p), y), rel=1e-6)
    np.testing.assert_allclose(fit_prior_offsets(targets, y), fit_prior_offsets(np.log(p), y))


@pytest.mark.parametrize("fit", FITS)
def test_two_classes_as_truth_values_are_positions(fit):
    p, y = P[:, :2] / P[:, :2].sum(axis=1, keepdims=True), Y > 0
    np.testing.assert_array_equal(FITS[fit](p, y), FITS[fit](p, y.astype(int)))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("scale", [1e308, 1e-308, 5e-324])
def test_weights_of_any_size_are_shares(fit, scale):
    weight = np.random.default_rng(1).integers(0, 3, 400).astype(float)
    expected = FITS[fit](P, Y, weight)
    scaled = weight / 2 * scale if scale > 1 else weight * scale
    np.testing.assert_allclose(FITS[fit](P, Y, scaled), expected, rtol=1e-6)


@pytest.mark.parametrize("fit", FITS)
def test_rows_without_an_answer_or_weight_need_no_label(fit):
    p, y, weight = P.copy(), Y.copy(), np.ones(400)
    p[:50] = np.nan
    weight[50:100] = 0
    y[:100] = -1
    expected = FITS[fit](P[100:], Y[100:])
    np.testing.assert_allclose(FITS[fit](p, y, weight), expected, rtol=1e-6)


@pytest.mark.parametrize("fit", FITS)
def test_impossible_classes_and_huge_logits_are_finite(fit):
    log_p = np.array([[0.0, -np.inf], [-0.1, -2.4], [-0.1, -2.4]] * 5)
    clipped = np.where(np.isinf(log_p), np.log(LEAST), log_p)
    y = np.array([1, 1, 0] * 5)
    np.testing.assert_allclose(FITS[fit](log_p, y), FITS[fit](clipped, y))
    assert np.isfinite(FITS[fit](np.array([[1e308, -1e308], [0, 1]]), [1, 0])).all()


def test_offsets_where_all_labels_are_of_one_class():
    np.testing.assert_array_equal(fit_prior_offsets(P, np.ones(400, int)), [-np.inf, 0, -np.inf])


@pytest.mark.parametrize("fit", FITS)
def test_what_is_given_is_left_as_it_was(fit):
    p, y, weight = P.copy(), Y.copy(), np.linspace(0, 1e308, 400)
    kept = p.copy(), y.copy(), weight.copy()
    FITS[fit](p, y, weight)
    for now, before in zip((p, y, weight), kept, strict=True):
        np.testing.assert_array_equal(now, before)


def with_value(array, value, at=3):
    array = np.array(array, dtype=float)
    array[at] = value
    return array


FRAME = pd.DataFrame(P, columns=NAMES)
ONES = np.ones(400)
SHAPE = r"expected \(n_samples, n_classes\).*column_stack\(\[1 - p, p\]\)"
REAL = "which holds other things than real numbers .*expected an array of shape.*Convert it first"
ROWS = "rows with some NaN, or with inf; expected finite.*Look at these rows, or leave them out"
SUMS = "one sums to .*expected probabilities, log-prob.*Divide each row by its sum"
Y_SHAPE = r"expected \(400,\), a label for each row of the answers. Pass "
POSITIONS = "expected positions of columns, 0 to 2. For columns in sorted order pass numpy.unique"
RANGE = "expected positions of columns, 0 to 2. Leave rows without a label out; of labels pass"
LABELS = r"named \['no', 'so-so', 'yes'\]; expected these labels. Pass them as y, or the array"
WEIGHTS = (
    "expected finite numbers that are not negative. Correct it, or give such rows the weight 0"
)
W_SHAPE = r"expected \(400,\), a number per row. Pass the weights of these very rows"
NOTHING = "No row has both an answer and a positive weight; expected one.*Look at the rows of NaN"

REFUSED = {
    # answers
    "no answers": ((None, Y), r"shape \(\); " + SHAPE),
    "one column of probabilities": ((P[:, 0], Y), r"shape \(400,\); " + SHAPE),
    "a single column": ((P[:, :1], Y), r"shape \(400, 1\); " + SHAPE),
    "three dimensions": ((P[None], Y), r"shape \(1, 400, 3\); " + SHAPE),
    "no rows": ((P[:0], Y[:0]), r"shape \(0, 3\); " + SHAPE),
    "text": (([["a", "b"]] * 400, Y), "type list,.*" + REAL),
    "a text": (("probabilities", Y), "type str,.*" + REAL),
    "a dict": (({"yes": 0.5}, Y), "type dict,.*" + REAL),
    "rows of different lengths": (([[0.1, 0.9], [1.0]], Y[:2]), REAL),
    "a sparse matrix": ((sparse.csr_matrix(P), Y), "type csr_matrix,.*" + REAL),
    "complex numbers": ((P * 1j, Y), "type ndarray,.*" + REAL),
    "a tensor with a gradient": ((torch.tensor(P, requires_grad=True), Y), REAL),
    "a gap in a row": ((with_value(P, np.nan, (3, 1)), Y), ROWS),
    "an infinite number": ((with_value(P, np.inf, (3, 1)), Y), ROWS),
    "an impossible row": ((with_value(np.log(P), -np.inf), Y), "row of -inf.*expected.*Look at"),
    "gaps alone": ((P * np.nan, Y), NOTHING),
    "a row that is no share": ((with_value(P, [0.4, 0.4, 0.1]), Y), SUMS),
    "sigmoids": ((1 / (1 + np.exp(-LOGITS)), Y), SUMS),
    "per cent": ((100 * P, Y), "look like prob.*" + SUMS),
    "votes": ((np.array([[2, 3, 5]] * 400), Y), "look like prob.*" + SUMS),
    # labels
    "no labels": ((P, None), r"y has shape \(\); " + Y_SHAPE),
    "too few labels": ((P, Y[:-1]), r"y has shape \(399,\); " + Y_SHAPE),
    "one-hot labels": ((P, np.eye(3)[Y]), Y_SHAPE + r"y.argmax\(axis=1\) of one-hot"),
    "a column of labels": ((P, Y[:, None]), Y_SHAPE + ".*y.ravel"),
    "labels of different lengths": ((P[:2], [[0], [1, 2]]), "y is no array of.*expected one"),
    "labels for positions": ((P, NAMES[Y]), r"y holds '(no|so-so|yes)'.*" + POSITIONS),
    "labels and numbers": ((P[:3], [0, None, 1]), "y holds None.*" + POSITIONS),
    "dates": ((P[:3], pd.date_range("2020-01-01", periods=3)), "y holds .*2020.*" + POSITIONS),
    "shares for positions": ((P, with_value(Y, 0.5)), "y holds 0.5.*" + POSITIONS),
    "a gap among positions": ((P, with_value(Y, np.nan)), "y holds nan.*" + POSITIONS),
    "an infinite position": ((P, with_value(Y, np.inf)), "y holds inf.*" + POSITIONS),
    "positions as complex numbers": ((P, Y + 0j), "y holds .*j.*" + POSITIONS),
    "a negative position": ((P, with_value(Y, -1)), "y holds -1.*" + RANGE),
    "positions from 1": ((P, Y + 1), "y holds 3, and the answers have 3 columns; " + RANGE),
    "positions for labels": ((FRAME, Y), "y holds [012], and.*" + LABELS),
    "a label that is none": (
        (Targets(P, classes=NAMES), ["maybe"] * 400),
        "y holds 'maybe', and.*" + LABELS,
    ),
    "columns of one name": (
        (FRAME.set_axis(["no", "no", "yes"], axis=1), NAMES[Y]),
        "3 columns .* 2 different names; expected a class for each. Rename them",
    ),
    "numbers": (
        (Targets(P, "numbers"), Y),
        "are numbers of a regressor; expected .*no calibration",
    ),
    # weights, most of which scikit-learn refuses
    "a negative weight": ((P, Y, with_value(ONES, -1)), "Negative values in .*sample_weight"),
    "a gap for a weight": ((P, Y, with_value(ONES, np.nan)), "sample_weight contains NaN"),
    "an infinite weight": ((P, Y, with_value(ONES, np.inf)), "sample_weight contains infinity"),
    "weights of zero": ((P, Y, 0 * ONES), "zero|" + NOTHING),
    "weights where there is no answer": (
        (with_value(P, np.nan, slice(9)), Y, np.r_[np.ones(9), np.zeros(391)]),
        NOTHING,
    ),
    "too few weights": ((P, Y, ONES[:-1]), r"\(399,\), expected \(400,\)"),
    "a column of weights": ((P, Y, ONES[:, None]), "must be 1D array or scalar"),
    "texts for weights": ((P, Y, ["a"] * 400), "could not convert string to float"),
    "complex weights": (
        (P, Y, ONES * 1j),
        "is no number .complex numbers",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("fit", FITS)
def test_refused(fit, case, refused):
    given, message = REFUSED[case]
    refused(ValueError, lambda: FITS[fit](*given), message)
