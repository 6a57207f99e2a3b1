import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB

from skdistill import DistilledClassifier, StudentNet
from skdistill.targets import fit_prior_offsets, teacher_targets

# Labels drawn at random are not what a teacher should say.
RANDOM = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def draw(n_samples=500, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n_samples, n_classes)) + [0, 1, 2, 3][:n_classes]
    return log_softmax(logits, axis=1), rng.choice(n_classes, n_samples, p=[0.4, 0.3, 0.2, 0.1])


def test_mean_probabilities_become_the_class_rates():
    log_p, y = draw()
    offsets = fit_prior_offsets(log_p, y)
    means = softmax(log_p + offsets, axis=1).mean(axis=0)
    np.testing.assert_allclose(means, np.bincount(y) / len(y), atol=1e-9)
    assert offsets.mean() == pytest.approx(0, abs=1e-12)


def test_no_other_offsets_have_less_loss():
    log_p, y = draw()

    def loss(b):
        return (logsumexp(log_p + b, axis=1) - (log_p + b)[np.arange(len(y)), y]).mean()

    found = minimize(
        loss, np.zeros(4), method="Nelder-Mead", options={"fatol": 1e-12, "xatol": 1e-9}
    )
    offsets = fit_prior_offsets(log_p, y)
    assert loss(offsets) <= found.fun
    np.testing.assert_allclose(offsets, found.x - found.x.mean(), atol=1e-3)


def test_a_known_shift_is_undone():
    rng = np.random.default_rng(0)
    honest = log_softmax(rng.normal(size=(40_000, 3)), axis=1)
    y = (softmax(honest, axis=1).cumsum(axis=1) > rng.random((40_000, 1))).argmax(axis=1)
    offsets = fit_prior_offsets(honest + np.array([1.0, 0.0, -1.0]), y)
    np.testing.assert_allclose(offsets, [-1, 0, 1], atol=0.05)


def test_weights_are_repetitions_and_rows_without_a_target_are_left_out():
    log_p, y = draw(300)
    weight = np.random.default_rng(1).integers(0, 4, size=300)
    rows = np.repeat(np.arange(300), weight)
    expected = fit_prior_offsets(log_p[rows], y[rows])
    np.testing.assert_allclose(fit_prior_offsets(log_p, y, weight), expected, atol=1e-7)
    gaps = log_p.copy()
    gaps[::3] = np.nan
    told = np.arange(300) % 3 > 0
    expected = fit_prior_offsets(log_p[told], y[told])
    np.testing.assert_array_equal(fit_prior_offsets(gaps, y), expected)


def test_a_class_without_labels_gets_no_probability():
    log_p, y = draw()
    y[y == 2] = 3
    offsets = fit_prior_offsets(log_p, y)
    assert offsets[2] == -np.inf
    np.testing.assert_allclose(
        softmax(log_p + offsets, axis=1).mean(axis=0), np.bincount(y) / len(y), atol=1e-9
    )


def test_exact_zeros_and_hundreds_of_classes():
    rng = np.random.default_rng(0)
    y = np.r_[np.arange(200), rng.integers(200, size=1000)]
    p = rng.dirichlet(np.full(200, 0.05), size=1200)
    p[p < 1e-3] = 0
    p /= p.sum(axis=1, keepdims=True)
    log_p = np.log(np.maximum(p, 1e-12))
    means = softmax(log_p + fit_prior_offsets(log_p, y), axis=1).mean(axis=0)
    np.testing.assert_allclose(means, np.bincount(y) / len(y), atol=1e-8)


@RANDOM
def test_offsets_of_probabilities_are_factors():
    log_p, y = draw()
    p = np.exp(log_p)
    found = teacher_targets(lambda rows: rows, p, y, calibrate="prior", X_unlabeled=p[:9])
    factors = p * np.exp(fit_prior_offsets(p, y))
    factors /= factors.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, factors)
    np.testing.assert_allclose(found.more[0], factors[:9])


@RANDOM
def test_rows_without_an_answer_have_no_calibrated_one():
    p, y = np.exp(draw()[0]), draw()[1]
    everybody = np.arange(len(p))
    folds = [(everybody[100:], everybody[:100]), (everybody[:100], everybody[200:])]
    found = teacher_targets(GaussianNB(), p, y, cv=folds, calibrate="prior")
    assert np.isnan(found).any(axis=1).tolist() == [100 <= i < 200 for i in everybody]


def rare_rows():
    return make_classification(2000, weights=[0.9], class_sep=0.7, random_state=0)


@pytest.mark.filterwarnings("ignore:The teacher's mean prob")
def test_class_weights_are_undone_and_a_temperature_cannot_do_it():
    X, y = rare_rows()
    weighted = LogisticRegression(class_weight="balanced")
    losses = {
        calibrate: log_loss(y, teacher_targets(weighted, X, y, calibrate=calibrate))
        for calibrate in (False, True, "temperature", "prior")
    }
    honest = log_loss(y, teacher_targets(LogisticRegression(), X, y))
    assert losses["prior"] == pytest.approx(honest, abs=0.01)
    assert losses[True] == losses["temperature"] > losses["prior"] + 0.02
    assert losses[False] >= losses[True]


@pytest.mark.filterwarnings("ignore:The teacher's mean prob")
@pytest.mark.parametrize("calibrate", [False, True, "prior"])
def test_rows_without_labels_and_given_targets_are_calibrated_alike(calibrate):
    X, y = rare_rows()
    weighted = LogisticRegression(class_weight="balanced").fit(X, y)
    targets = teacher_targets(weighted, X, y, calibrate=calibrate, X_unlabeled=X[:50])
    np.testing.assert_allclose(targets.more[0], targets.values[:50], rtol=1e-12)
    student = StudentNet(module__hidden_units=(4,), max_epochs=1)
    taught, given = (
        DistilledClassifier(student=student, calibrate=calibrate, random_state=0)
        .fit(X, y, soft_targets=soft_targets)
        .predict_proba(X)
        for soft_targets in (targets.replace(more=()), weighted.predict_proba(X))
    )
    np.testing.assert_array_equal(taught, given)


@pytest.mark.parametrize("calibrate", ["isotonic", "best", None, 2, 0.5])
def test_other_calibrations_are_refused(calibrate):
    X, y = rare_rows()
    with pytest.raises(ValueError, match=r"'calibrate' parameter.*(temperature|prior)"):
        teacher_targets(LogisticRegression(), X, y, calibrate=calibrate)
    student = StudentNet(module__hidden_units=(4,), max_epochs=1)
    with pytest.raises(ValueError, match=r"'calibrate' parameter.*(temperature|prior)"):
        DistilledClassifier(LogisticRegression(), student, calibrate=calibrate).fit(X, y)
