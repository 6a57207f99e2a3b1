"""Bias and variance: parts that sum to the loss, known answers, honest resamples, pictures."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill._random import draw_seeds
from skdistill.evaluation import BiasVarianceDisplay, bias_variance_decomposition
from skdistill.evaluation._bias_variance._designs import draw_rounds
from skdistill.evaluation._bias_variance._losses import (
    decompose,
    jackknife_se,
    log_loss_parts,
    squared_error_parts,
)
from skdistill.evaluation._bias_variance._predictions import decompose_predictions
from skdistill.evaluation._engine import seeded_clone
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.training import HoldOut

METRICS = ["log_loss", "brier", "zero_one", "squared"]
DESIGNS = ["subsample", "split", "bootstrap", "seed"]


def draw(metric, *, soft=False, n_rounds=7, n_test=40, n_classes=3, seed=0):
    """A target and predictions, exact zeros among them."""
    rng = np.random.default_rng(seed)
    if metric == "squared":
        return rng.normal(size=n_test), rng.normal(size=(n_rounds, n_test))
    predictions = rng.dirichlet(np.ones(n_classes), size=(n_rounds, n_test))
    predictions[0, :3] = np.eye(n_classes)[0]
    if soft:
        return rng.dirichlet(np.ones(n_classes), size=n_test), predictions
    return np.eye(n_classes)[rng.integers(n_classes, size=n_test)], predictions


def blobs(n=300, n_test=100, n_classes=2, shift=1.6):
    """Classes that overlap; their labels are 0, 1, ... and the noise is Gaussian."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % n_classes)
    X = rng.normal(size=(n, 5))
    X[:, :n_classes] += shift * np.eye(n_classes)[y]
    return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]


def flowers():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]
    return X[:100], y[:100], X[100:], y[100:]


def small_net(**kwargs):
    return StudentNet(module__hidden_units=(8,), max_epochs=3, batch_size=32, **kwargs)


def recipe(teacher=None, **kwargs):
    teacher = RandomForestClassifier(4, min_samples_leaf=8) if teacher is None else teacher
    return DistilledClassifier(teacher, small_net(), **kwargs)


# The formulas


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_the_parts_sum_to_the_loss(metric, soft):
    points, replicates = decompose(metric, *draw(metric, soft=soft))
    for parts in (points, replicates):
        np.testing.assert_allclose(parts["bias"] + parts["variance"], parts["loss"], atol=1e-10)
    assert np.ptp(points["variance"]) > 0


@pytest.mark.parametrize(
    ("metric", "target", "predictions", "loss", "bias", "variance"),
    [
        # Mean (.6, .4): (.4² + .4²), and the mean of (.3² + .3²), (.1² + .1²), (.4² + .4²).
        ("brier", [1, 0], [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]], 1.48 / 3, 0.32, 0.52 / 3),
        ("squared", 1.0, [1.0, 2.0, 6.0], 26 / 3, 4.0, 14 / 3),
        # Dual mean of odds 1, 4 and 16: odds 4.
        (
            "log_loss",
            [1, 0],
            [[1 / 2, 1 / 2], [4 / 5, 1 / 5], [16 / 17, 1 / 17]],
            -np.log(1 / 2 * 4 / 5 * 16 / 17) / 3,
            -np.log(4 / 5),
            -np.log(1 / 2 * 4 / 5 * 16 / 17) / 3 + np.log(4 / 5),
        ),
        # Named 0, 0, 1, 2. An unbiased point: the mode is right half of the time.
        ("zero_one", [1, 0, 0], np.eye(3)[[0, 0, 1, 2]], 0.5, 0.0, 0.5),
        # A biased one: one of the three that stray from the mode strays to the truth.
        ("zero_one", [0, 1, 0], np.eye(3)[[0, 0, 0, 1]], 0.75, 1.0, -0.25),
        # A tie goes to the lower class.
        ("zero_one", [1, 0, 0], np.eye(3)[[0, 0, 1, 1]], 0.5, 0.0, 0.5),
        ("zero_one", [0, 1, 0], np.eye(3)[[0, 0, 1, 1]], 0.5, 1.0, -0.5),
        # The truth is never named: straying does nothing.
        ("zero_one", [0, 0, 1], np.eye(3)[[0, 0, 1, 1]], 1.0, 1.0, 0.0),
    ],
)
def test_by_hand(metric, target, predictions, loss, bias, variance):
    predictions = np.array(predictions, dtype=float)[:, None]
    points, _ = decompose(metric, np.array([target], dtype=float), predictions)
    found = [points[name][0] for name in ("loss", "bias", "variance")]
    np.testing.assert_allclose(found, [loss, bias, variance], atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_jackknife_is_that_of_a_loop(metric):
    target, predictions = draw(metric, n_rounds=6)
    _, replicates = decompose(metric, target, predictions)
    for name in ("loss", "bias", "variance"):
        left_out = [
            decompose(metric, target, np.delete(predictions, r, axis=0))[0][name].mean()
            for r in range(6)
        ]
        np.testing.assert_allclose(replicates[name], left_out, atol=1e-12)
        spread = sum((value - np.mean(left_out)) ** 2 for value in left_out)
        assert jackknife_se(replicates[name]) == pytest.approx(np.sqrt(5 / 6 * spread))


def test_the_loss_is_that_of_scikit_learn():
    target, predictions = draw("log_loss")
    y = target.argmax(axis=1)
    losses = [log_loss(y, p, labels=[0, 1, 2]) for p in predictions]
    assert decompose_predictions(y, predictions).loss == pytest.approx(np.mean(losses))
    losses = [brier_score_loss(y, p, labels=[0, 1, 2]) for p in predictions]
    brier = decompose_predictions(y, predictions, loss="brier")
    # scikit-learn sums over the classes where there are more than two, as we do for two as well.
    assert brier.loss == pytest.approx(np.mean(losses))


def test_variance_of_zero_one_by_points():
    target, predictions = draw("zero_one")
    result = decompose_predictions(target.argmax(axis=1), predictions, loss="zero_one")
    assert result.variance == pytest.approx(result.variance_unbiased - result.variance_biased)
    assert result.variance_unbiased > 0 and result.variance_biased > 0
    named = predictions.argmax(axis=-1)
    for i, y in enumerate(target.argmax(axis=1)):
        mode = np.bincount(named[:, i]).argmax()
        away = named[:, i] != mode
        # c₂·V of Domingos
        factor = 1 if mode == y else -np.mean(named[away, i] == y) if away.any() else 0
        assert result.variance_per_point[i] == pytest.approx(factor * away.mean())


def test_mlxtend_is_met_where_its_parts_sum():
    # The main prediction, and bias and variance around it, as documented for
    # mlxtend.evaluate.bias_variance_decomp; equal to mlxtend 0.25.0 on these shapes.
    y, values = draw("squared")
    ours = decompose_predictions(y, values)
    center = values.mean(axis=0)
    assert ours.bias == pytest.approx(((center - y) ** 2).mean())
    assert ours.variance == pytest.approx(((values - center) ** 2).mean())

    target, predictions = draw("zero_one")
    y, named = target.argmax(axis=1), predictions.argmax(axis=-1)
    mode = np.array([np.bincount(column).argmax() for column in named.T])
    loss, bias, variance = (named != y).mean(), (mode != y).mean(), (named != mode).mean()
    ours = decompose_predictions(y, predictions, loss="zero_one")
    assert (ours.loss, ours.bias) == pytest.approx((loss, bias))
    assert bias + variance > loss + 0.1  # which is why its variance is not ours
    assert ours.bias + ours.variance == pytest.approx(loss)


def test_corrected_estimates_are_unbiased():
    rng = np.random.default_rng(0)
    truth, p = np.array([[0.7, 0.3]]), np.eye(2)[rng.integers(2, size=(4000, 4, 1))]
    found = [squared_error_parts(truth, q)[0]["variance"][0] * 4 / 3 for q in p]
    assert np.mean(found) == pytest.approx(0.5, abs=0.01)
    y = rng.integers(2, size=30)
    result = decompose_predictions(y, rng.dirichlet([1, 1], size=(5, 30)), loss="brier")
    assert result.variance_corrected == pytest.approx(result.variance * 5 / 4)
    assert result.bias_corrected == pytest.approx(result.loss - result.variance_corrected)


@pytest.mark.parametrize("kind", ["log_loss", "brier"])
def test_bagging_lowers_the_variance_and_leaves_the_bias(kind):
    # Ensembles of three of twelve real fits. The average of log-probabilities, normalised, has
    # the same dual mean as its members, the average of probabilities the same mean: so the bias
    # is the same number, and the variance is less.
    X, y, X_test, y_test = blobs()
    single = bias_variance_decomposition(
        DecisionTreeClassifier(min_samples_leaf=5),
        *(X, y, X_test, y_test),
        loss=kind,
        n_rounds=12,
        random_state=0,
    )
    members = np.maximum(single.predictions, 1e-3)
    members /= members.sum(axis=-1, keepdims=True)
    of_three = members.reshape(4, 3, *members.shape[1:])
    if kind == "log_loss":
        bagged = np.exp(np.log(of_three).mean(axis=1))
        bagged /= bagged.sum(axis=-1, keepdims=True)
    else:
        bagged = of_three.mean(axis=1)
    parts = log_loss_parts if kind == "log_loss" else squared_error_parts
    target = np.eye(2)[y_test]
    alone, together = parts(target, members)[0], parts(target, bagged)[0]
    np.testing.assert_allclose(together["bias"], alone["bias"], atol=1e-12)
    assert together["variance"].mean() < 0.6 * alone["variance"].mean()
    assert together["loss"].mean() < alone["loss"].mean()


# Known answers of whole runs


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("loss", ["log_loss", "brier", "zero_one"])
def test_a_constant_has_no_variance(design, loss):
    model = DummyClassifier(strategy="constant", constant=1)
    result = bias_variance_decomposition(
        model, *blobs(), loss=loss, design=design, n_rounds=4, random_state=0
    )
    assert result.variance == pytest.approx(0, abs=1e-12)
    assert result.loss_se == pytest.approx(0, abs=1e-12)
    assert result.loss == pytest.approx(result.bias) and result.loss > 0


E1 = np.exp(-1)


@pytest.mark.parametrize(
    ("design", "repeated"),
    # P(two rounds take the label of the same neighbour). A half holds the k-th neighbour and
    # none before it with probability 2^-k, a bootstrap sample with (1 - 1/e)·e^-(k-1).
    [("split", 0), ("subsample", 1 / 3), ("bootstrap", (1 - E1) / (1 + E1)), ("seed", 1)],
)
def test_the_variance_of_a_nearest_neighbour_on_noise(design, repeated):
    rng = np.random.default_rng(0)
    X, X_test = rng.uniform(size=(3000, 1)), rng.uniform(size=(3000, 1))
    y, y_test = rng.integers(2, size=3000), rng.integers(2, size=3000)
    result = bias_variance_decomposition(
        KNeighborsClassifier(1),
        *(X, y, X_test, y_test),
        loss="brier",
        design=design,
        n_rounds=20,
        random_state=0,
    )
    assert result.loss == pytest.approx(1.0, abs=0.03)  # twice the error rate
    assert result.variance_corrected == pytest.approx(0.5 * (1 - repeated), abs=0.015)


def test_depth_trades_bias_for_variance():
    X, y = make_regression(400, 5, noise=1.0, random_state=0)
    shallow, deep = (
        bias_variance_decomposition(
            DecisionTreeRegressor(max_depth=depth),
            *(X[:300], y[:300], X[300:], y[300:]),
            random_state=0,
        )
        for depth in (1, None)
    )
    assert shallow.metric == "squared"
    assert shallow.bias > deep.bias + 2 * deep.bias_se
    assert shallow.variance < deep.variance - 2 * deep.variance_se


# The rounds


@pytest.mark.parametrize("labels", [np.repeat([0, 1, 2], [70, 20, 10]), None])
@pytest.mark.parametrize("design", DESIGNS)
def test_designs(design, labels):
    rounds = draw_rounds(design, 100, labels, 5, seed=0)
    again = draw_rounds(design, 100, labels, 5, seed=0)
    assert len(rounds) == 5
    for rows, same in zip(rounds, again, strict=True):
        np.testing.assert_array_equal(rows, same)
        assert (np.diff(rows) >= 0).all() and rows.min() >= 0 and rows.max() < 100
        if design != "bootstrap":
            assert len(np.unique(rows)) == len(rows)
    sizes = {"subsample": 50, "split": 20, "bootstrap": 100, "seed": 100}
    assert {len(rows) for rows in rounds} == {sizes[design]}
    if design == "split":
        np.testing.assert_array_equal(np.sort(np.concatenate(rounds)), np.arange(100))
    if design != "seed":
        assert any((rounds[0] != rows).any() for rows in rounds[1:])
        other = draw_rounds(design, 100, labels, 5, seed=1)
        assert any((a != b).any() for a, b in zip(rounds, other, strict=True))
    if labels is not None and design in ("subsample", "split"):
        share = sizes[design] / 100
        for rows in rounds:
            np.testing.assert_allclose(np.bincount(labels[rows]), share * np.array([70, 20, 10]))


@pytest.mark.parametrize("design", ["subsample", "split"])
def test_a_class_too_rare_to_stratify(design):
    labels = np.array([0] * 30 + [1] * 29 + [2])
    assert sum(len(rows) for rows in draw_rounds(design, 60, labels, 3, seed=0)) in (60, 90)


@pytest.mark.parametrize("design", DESIGNS)
def test_it_is_what_a_loop_gives(design):
    X, y, X_test, y_test = flowers()
    tree = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_features=1, random_state=3))
    result = bias_variance_decomposition(
        tree, X, y, X_test, y_test, loss="brier", design=design, n_rounds=4, random_state=7
    )
    rounds_seed, _, *seeds = draw_seeds(7, 6)
    labels = np.unique(y, return_inverse=True)[1]
    for r, rows in enumerate(draw_rounds(design, len(X), labels, 4, rounds_seed)):
        model = seeded_clone(tree, seeds[r]).fit(X[rows], y[rows])
        np.testing.assert_array_equal(result.predictions[r], model.predict_proba(X_test))
    assert result.n_train == len(rows) and result.n_rounds == 4 and result.design == design
    assert result.refit_teacher is None and result.classes.tolist() == model.classes_.tolist()
    assert np.ptp(result.predictions, axis=0).max() > 0  # other seeds, whatever was set


def test_seeds_go_by_name_and_leave_the_original_alone():
    forest = RandomForestClassifier(5)
    one, other = recipe(forest), recipe(forest, alpha=0.9, random_state=1)
    params = [seeded_clone(model, 0).get_params() for model in (one, other)]
    assert params[0]["teacher__random_state"] == params[1]["teacher__random_state"] is not None
    assert params[0]["teacher__random_state"] != params[0]["random_state"]
    assert seeded_clone(one, 1).random_state != params[0]["random_state"]
    assert one.random_state is None and forest.random_state is None
    fitted = RandomForestClassifier(5, random_state=3).fit([[0], [1]], [0, 1])
    assert seeded_clone(DistilledClassifier(fitted), 0).teacher.random_state == 3
    frozen = seeded_clone(DistilledClassifier(FrozenEstimator(fitted)), 0).teacher
    assert frozen.estimator.random_state == 3


@pytest.mark.parametrize(
    "model",
    [pytest.param(recipe(), marks=pytest.mark.slow), small_net(), RandomForestClassifier(5)],
)
def test_the_number_of_jobs_changes_nothing(model):
    X, y, X_test, y_test = blobs()
    one, two, again = (
        bias_variance_decomposition(
            clone(model), X, y, X_test, y_test, n_rounds=3, random_state=0, n_jobs=n_jobs
        )
        for n_jobs in (1, 2, None)
    )
    np.testing.assert_array_equal(one.predictions, two.predictions)
    np.testing.assert_array_equal(one.predictions, again.predictions)
    assert one.loss == two.loss and one.variance_se == two.variance_se


def test_without_a_seed_no_two_runs_are_alike():
    data = blobs()
    one, two = (
        bias_variance_decomposition(RandomForestClassifier(3), *data, n_rounds=3) for _ in range(2)
    )
    assert (one.predictions != two.predictions).any()


def test_a_class_that_a_round_lacks_has_probability_0():
    X, y, X_test, y_test = blobs()
    y = np.where(np.arange(len(y)) == 0, 7, y)
    result = bias_variance_decomposition(
        LogisticRegression(), X, y, X_test, y_test, n_rounds=6, random_state=0, loss="brier"
    )
    assert result.classes.tolist() == [0, 1, 7]
    lacking = (result.predictions[:, :, 2] == 0).all(axis=1)
    assert lacking.any() and not lacking.all()
    np.testing.assert_allclose(result.predictions.sum(axis=-1), 1)


@pytest.mark.filterwarnings("ignore:.*it is timid")  # of the few rows of a part
@pytest.mark.parametrize("refit_teacher", [True, False])
def test_a_class_that_a_round_lacks_is_dropped_from_its_targets(refit_teacher):
    X, y, X_test, y_test = blobs()
    y = y.copy()
    y[:2] = 7  # in no more than one of the parts each
    result = bias_variance_decomposition(
        recipe(), X, y, X_test, y_test, design="split", n_rounds=4, random_state=0,
        refit_teacher=refit_teacher,
    )  # fmt: skip
    assert (result.predictions[:, :, 2] == 0).all(axis=1).any()
    assert np.isfinite(result.loss)


# Teachers


class Counting(GaussianNB):
    """Keeps, for all clones, the rows that it was fitted on and asked about (column 0)."""

    calls = []

    def fit(self, X, y):
        Counting.calls.append(("fit", np.asarray(X)[:, 0].copy()))
        return super().fit(X, y)

    def predict_proba(self, X):
        Counting.calls.append(("ask", np.asarray(X)[:, 0].copy()))
        return super().predict_proba(X)


@pytest.fixture
def calls():
    Counting.calls.clear()
    yield Counting.calls
    Counting.calls.clear()


def numbered(n_rows=120):
    """Rows whose first column is their number."""
    X, y, X_test, y_test = blobs(n_rows + 60, 60)
    X = np.column_stack([np.arange(len(X)), X])
    return X, y, np.column_stack([np.full(len(X_test), -1), X_test]), y_test


def steps(model, piped):
    return make_pipeline(StandardScaler(), model) if piped else model


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("design", ["subsample", "bootstrap"])
@pytest.mark.slow_except("bootstrap-False", "subsample-True")
def test_a_refitted_teacher_is_that_of_fit(design, piped):
    X, y, X_test, y_test = blobs(n_classes=3)
    model = steps(recipe(calibrate=True), piped)
    result = bias_variance_decomposition(
        model, X, y, X_test, y_test, n_rounds=3, random_state=0, design=design
    )
    assert result.refit_teacher is True
    rounds_seed, _, *seeds = draw_seeds(0, 5)
    for r, rows in enumerate(draw_rounds(design, len(X), y, 3, rounds_seed)):
        copy = seeded_clone(model, seeds[r])
        name = "distilledclassifier__groups" if piped else "groups"
        copy.fit(X[rows], y[rows], **({name: rows} if design == "bootstrap" else {}))
        np.testing.assert_allclose(result.predictions[r], copy.predict_proba(X_test), atol=1e-5)


class LogitTeacher(torch.nn.Module):
    def forward(self, X):
        return 1.6 * X[:, :3]


@pytest.mark.parametrize("piped", [False, True])
def test_a_fitted_teacher_is_asked_once_and_stays_itself(piped, calls):
    X, y, X_test, y_test = blobs(n_classes=3)
    model = steps(recipe(LogitTeacher()), piped)
    result = bias_variance_decomposition(
        model, X, y, X_test, y_test, design="seed", n_rounds=3, random_state=0
    )
    assert result.refit_teacher is False
    for r, seed in enumerate(draw_seeds(0, 5)[2:]):
        # The temperature is that of a teacher with logits, though soft targets have none.
        copy = seeded_clone(model, seed).fit(X, y)
        np.testing.assert_allclose(result.predictions[r], copy.predict_proba(X_test), atol=1e-5)
    fitted = Counting().fit(X, y > 0)
    calls.clear()
    bias_variance_decomposition(
        recipe(fitted), X, y > 0, X_test, y_test > 0, n_rounds=3, random_state=0
    )
    assert [(what, len(rows)) for what, rows in calls] == [("ask", len(X))]


@pytest.mark.parametrize("piped", [False, True])
def test_a_teacher_held_fixed_is_fitted_once_on_all_rows(piped, calls):
    X, y, X_test, y_test = numbered()
    model = steps(recipe(Counting()), piped)
    result = bias_variance_decomposition(
        model, X, y, X_test, y_test, refit_teacher=False, n_rounds=3, random_state=0
    )
    assert result.refit_teacher is False
    assert [what for what, _ in calls] == ["fit", "ask"] * 5  # the folds, and nothing else
    assert len(np.unique(np.concatenate([rows for what, rows in calls if what == "ask"]))) == 120

    rounds_seed, teacher_seed, *seeds = draw_seeds(0, 5)
    seen, inner = X, seeded_clone(model, teacher_seed)
    if piped:
        seen, inner = StandardScaler().fit_transform(X), inner[-1]
    targets = teacher_targets(
        inner.teacher, seen, y, random_state=draw_seeds(inner.random_state, 3)[0]
    )
    rows = draw_rounds("subsample", len(X), y, 3, rounds_seed)[1]
    copy = seeded_clone(model, seeds[1])
    (copy[-1] if piped else copy).set_params(teacher=None)
    name = "distilledclassifier__soft_targets" if piped else "soft_targets"
    copy.fit(X[rows], y[rows], **{name: targets[rows]})
    np.testing.assert_allclose(result.predictions[1], copy.predict_proba(X_test), atol=1e-5)


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("refit_teacher", [True, False])
def test_against_the_teacher(piped, refit_teacher):
    X, y, X_test, y_test = flowers()
    model = steps(recipe(GaussianNB()), piped)
    results = bias_variance_decomposition(
        model, X, y, X_test, y_test, against="teacher", refit_teacher=refit_teacher,
        loss=["log_loss", "brier", "zero_one"], n_rounds=3, random_state=0,
    )  # fmt: skip
    seen, asked = X, X_test
    if piped:
        scaler = StandardScaler().fit(X)
        seen, asked = scaler.transform(X), scaler.transform(X_test)
    p = GaussianNB().fit(seen, y).predict_proba(asked)
    for metric, result in results.items():
        assert result.against == "teacher"
        assert result.bias + result.variance == pytest.approx(result.loss, abs=1e-10)
        points = decompose(metric, p, result.predictions)[0]
        if metric == "zero_one":
            points = decompose(metric, np.eye(3)[p.argmax(axis=1)], result.predictions)[0]
        assert result.bias == pytest.approx(points["bias"].mean(), abs=1e-10)


@pytest.mark.parametrize("fitted", [False, True])
def test_a_teacher_that_labels_generated_rows_stays(fitted):
    X, y, X_test, y_test = blobs()
    teacher = GaussianNB().fit(X, y) if fitted else GaussianNB()
    model = recipe(teacher, augment="gaussian_noise")
    result = bias_variance_decomposition(model, X, y, X_test, y_test, n_rounds=3, random_state=0)
    assert result.refit_teacher is not fitted
    rounds_seed, _, *seeds = draw_seeds(0, 5)
    for r, rows in enumerate(draw_rounds("subsample", len(X), y, 3, rounds_seed)):
        copy = seeded_clone(model, seeds[r]).fit(X[rows], y[rows])
        np.testing.assert_array_equal(result.predictions[r], copy.predict_proba(X_test))


def test_an_unknown_column_order_is_followed():
    X, y, X_test, y_test = blobs()

    def teacher(rows):
        return teacher_probabilities(GaussianNB().fit(X, y), rows, [1, 0])

    result = bias_variance_decomposition(
        recipe(teacher, teacher_classes=[1, 0], alpha=1.0), X, y, X_test, y_test,
        against="teacher", n_rounds=3, random_state=0,
    )  # fmt: skip
    assert result.loss < 0.5


# Copies of a row under the bootstrap


class RecordingHoldOut(HoldOut):
    """Keeps what it held back: positions of the round's rows."""

    parts = []

    def __call__(self, dataset, labels, groups=None):
        train, valid = super().__call__(dataset, labels, groups)
        RecordingHoldOut.parts.append((groups, train.indices, valid.indices))
        return train, valid


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_no_row_stands_on_both_sides_of_an_inner_split(piped, routing, calls):
    RecordingHoldOut.parts.clear()
    X, y, X_test, y_test = numbered()
    student = small_net(train_split=RecordingHoldOut())
    model = DistilledClassifier(Counting(), student)
    with sklearn.config_context(enable_metadata_routing=routing):
        bias_variance_decomposition(
            make_pipeline("passthrough", model) if piped else model,
            *(X, y, X_test, y_test),
            design="bootstrap",
            n_rounds=3,
            random_state=0,
        )
    assert len(calls) == 3 * 5 * 2
    for (_, fitted), (_, asked) in zip(calls[::2], calls[1::2], strict=True):
        assert len(np.unique(fitted)) < len(fitted)  # there are copies
        assert not np.isin(asked, fitted).any()
    assert len(RecordingHoldOut.parts) == 3
    for groups, train, valid in RecordingHoldOut.parts:
        assert len(valid) and not np.isin(groups[valid], groups[train]).any()


class GroupsSeen(StratifiedGroupKFold):
    seen = []

    def split(self, X, y=None, groups=None):
        GroupsSeen.seen.append(groups)
        return super().split(X, y, groups)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_a_search_gets_groups_if_its_splitter_is_one_by_groups(piped, routing):
    X, y, X_test, y_test = blobs()
    GroupsSeen.seen.clear()
    for cv in (GroupsSeen(2), KFold(2), 2):
        search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=cv)
        with sklearn.config_context(enable_metadata_routing=routing):
            bias_variance_decomposition(
                steps(search, piped),
                X,
                y,
                X_test,
                y_test,
                design="bootstrap",
                n_rounds=3,
                random_state=0,
            )
    assert len(GroupsSeen.seen) == 3
    assert all(len(np.unique(groups)) < len(groups) == len(X) for groups in GroupsSeen.seen)


def test_a_splitter_that_tears_copies_apart_is_refused():
    model = recipe(cv=StratifiedKFold(3))
    settings = {"design": "bootstrap", "n_rounds": 3, "random_state": 0}
    with (
        pytest.warns(UserWarning, match="groups parameter is ignored"),
        pytest.raises(ValueError, match=r"both sides of split \d.*keeps groups whole"),
    ):
        bias_variance_decomposition(model, *blobs(), **settings)
    bias_variance_decomposition(recipe(cv=GroupKFold(3)), *blobs(), **settings)


def test_without_groups_the_answers_on_a_bootstrap_flatter():
    X, y, X_test, y_test = blobs(2400, 2000)
    [rows] = draw_rounds("bootstrap", len(X), y, 1, seed=0)
    forest = RandomForestClassifier(30, min_samples_leaf=2, random_state=0)

    def loss(**kwargs):
        answer = teacher_targets(forest, X[rows], y[rows], random_state=0, **kwargs)
        return log_loss(y[rows], answer)

    plain = loss(cv=StratifiedKFold(5, shuffle=True, random_state=0))
    grouped = loss(groups=rows)
    truth = log_loss(y_test, clone(forest).fit(X[rows], y[rows]).predict_proba(X_test))
    assert plain < 0.7 * truth
    assert abs(grouped - truth) < abs(plain - truth) / 2


# Any estimator, any rows

TEXTS = ["good film", "bad film", "good play", "bad play", "so good", "so bad"] * 6


@pytest.mark.parametrize(
    ("X", "model"),
    [
        (pd.DataFrame({"a": range(36), "b": [0, 1] * 18}), DecisionTreeClassifier(max_depth=2)),
        (sparse.csr_matrix(np.tile([[1.0, 0], [0, 1]], (18, 1))), LogisticRegression()),
        ([[0.0, i % 2] for i in range(36)], LogisticRegression()),
        (TEXTS, make_pipeline(CountVectorizer(), LogisticRegression())),
        (pd.Series(TEXTS), make_pipeline(CountVectorizer(), LogisticRegression())),
        (np.arange(72.0).reshape(36, 2), StackingClassifier([("nb", GaussianNB())], cv=2)),
    ],
)
def test_any_rows(X, model):
    y = ["yes", "no"] * 18
    result = bias_variance_decomposition(
        model, X, y, X, y, loss=["log_loss", "zero_one"], n_rounds=3, random_state=0
    )
    assert result["log_loss"].predictions.shape == (3, 36, 2)
    assert result["log_loss"].predictions.dtype == np.float64
    assert result["zero_one"].bias in np.arange(37) / 36


def test_zero_one_is_that_of_predict():
    X, y, X_test, y_test = blobs()
    result = bias_variance_decomposition(
        LinearSVC(),
        X,
        y,
        X_test,
        y_test,
        loss="zero_one",
        design="seed",
        n_rounds=3,
        random_state=0,
    )
    model = LinearSVC(random_state=0).fit(X, y)
    assert result.loss == pytest.approx(1 - model.score(X_test, y_test))
    assert result.predictions.shape == (3, len(X_test), 2)


def test_nothing_of_the_users_is_changed():
    X, y, X_test, y_test = blobs()
    model = make_pipeline(StandardScaler(), recipe())
    before = [a.copy() for a in (X, y, X_test, y_test)], repr(model)
    for array in (X, y, X_test, y_test):
        array.flags.writeable = False
    bias_variance_decomposition(
        model,
        X,
        y,
        X_test,
        y_test,
        n_rounds=3,
        design="bootstrap",
        refit_teacher=False,
        random_state=0,
    )
    assert repr(model) == before[1]
    assert not hasattr(model[-1], "student_")
    for array, copy in zip((X, y, X_test, y_test), before[0], strict=True):
        np.testing.assert_array_equal(array, copy)


def test_it_prints_as_a_table(capsys):
    X, y, X_test, y_test = blobs()
    result = bias_variance_decomposition(
        recipe(), X, y, X_test, y_test, loss="zero_one", n_rounds=3, random_state=0, verbose=1
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"[bias_variance_decomposition] round {r}: {r} of 3" for r in (1, 2, 3)
    ]
    head, _, names, numbers = repr(result).splitlines()
    assert head == (
        "Bias and variance of zero_one: 100 test points, against the labels; 3 rounds of 100 "
        "rows (subsample), teacher refitted"
    )
    assert "variance unbiased" in names and "corrected" not in names
    assert f"{result.loss:.4f} ± {result.loss_se:.4f}" in numbers
    assert result.rows[0]["bias"] == result.bias == result.to_frame()["bias"][0]
    assert "<table>" in result._repr_html_()


def test_regressors():
    X, y = make_regression(200, 4, noise=5.0, random_state=0)
    data = (X[:150], y[:150], X[150:], y[150:])
    result = bias_variance_decomposition(Ridge(), *data, n_rounds=4, random_state=0)
    assert result.predictions.shape == (4, 50) and result.classes is None
    points = decompose("squared", y[150:], result.predictions)[0]
    assert result.loss == pytest.approx(points["loss"].mean())
    constant = bias_variance_decomposition(
        DummyRegressor(strategy="constant", constant=1.0), *data, n_rounds=4, random_state=0
    )
    assert constant.variance == 0 and constant.bias == pytest.approx(((y[150:] - 1) ** 2).mean())
    with pytest.raises(ValueError, match=r"'squared',.*for regressors. Got 'log_loss'"):
        bias_variance_decomposition(Ridge(), *data, loss="log_loss")


# Predictions that are there, and pictures


def test_display_of_predictions():
    target, predictions = draw("log_loss")
    y = np.array(["a", "b", "c"])[target.argmax(axis=1)]
    display = BiasVarianceDisplay.from_predictions(y, predictions)
    result = display.result
    assert result.metric == "log_loss" and result.design is None
    assert result.classes.tolist() == ["a", "b", "c"]
    bias, variance = display.ax_.patches
    assert bias.get_height() == pytest.approx(result.bias)
    assert variance.get_y() + variance.get_height() == pytest.approx(result.loss)
    assert bias.get_hatch() != variance.get_hatch()
    assert display.ax_.get_ylabel() == "log-loss (nats)"
    swapped = BiasVarianceDisplay.from_predictions(
        y, predictions[:, :, ::-1], labels=["c", "b", "a"]
    ).result
    assert swapped.loss == pytest.approx(result.loss)


def test_display_of_a_variance_below_zero():
    predictions = np.eye(2)[np.array([[0] * 6, [0] * 6, [1] * 6])]
    display = BiasVarianceDisplay.from_predictions(
        [1] * 6, predictions, loss="zero_one", labels=[0, 1]
    )
    bias, variance = display.ax_.patches
    assert bias.get_height() == 1.0
    assert variance.get_y() == 1.0 and variance.get_height() == pytest.approx(-1 / 3)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert any("below 0" in label for label in labels)


def test_display_of_an_estimator_and_of_several_losses():
    from matplotlib import pyplot

    ax = pyplot.subplots()[1]
    display = BiasVarianceDisplay.from_estimator(
        GaussianNB(), *flowers(), loss=["brier", "log_loss"], n_rounds=3, random_state=0, ax=ax
    )
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Brier score", "log-loss (nats)"]
    assert list(display.result) == ["brier", "log_loss"]
    assert display.plot() is display and display.ax_ is not ax
    with pytest.raises(ValueError, match=r"metric='brier'.*dict"):
        display.plot(metric="brier")
    pyplot.close("all")
