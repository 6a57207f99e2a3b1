"""scikit-learn's own checks of an estimator, and those of them that a fitted teacher allows."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import shuffle
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP, TablePreprocessor

pytestmark = [
    # The checks' data are few and random: a teacher may well be worse than the class rates.
    pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning"),
    # check_methods_sample_order_invariance draws its order from NumPy's global generator.
    pytest.mark.changes_global_rng,
]


def exact_student():
    """A student for which a weight of two is the same as a row given twice."""
    return StudentNet(
        MLP,  # the default for sparse rows takes their unit from all of them alike
        module__hidden_units=(16,),
        dtype="float64",
        batch_size=-1,
        train_split=None,
        lr=0.1,
        max_epochs=8,
    )


def quick_student():
    """The default student, which learns for a shorter time, in a precision that checks ask for."""
    net = StudentNet(dtype="float64", lr=0.02, max_epochs=3)
    return make_pipeline(TablePreprocessor(), net)


def weights_not_exact(estimator):
    reason = "a weight of two and a row given twice are not the same in "
    reason += "mini-batches" if estimator.teacher is None else "mini-batches and out of fold"
    kinds = ("dense", "sparse")
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in kinds}


@parametrize_with_checks(
    [
        DistilledClassifier(alpha=0, student=exact_student()),
        DistilledClassifier(LogisticRegression(), exact_student(), cv="in-sample"),
    ],
)
def test_exact_student(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [DistilledClassifier(LogisticRegression(), quick_student())],
    expected_failed_checks=weights_not_exact,
)
def test_cross_fitted_teacher(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [
        DistilledClassifier(LogisticRegression(), DecisionTreeClassifier(), cv="in-sample"),
        DistilledClassifier(LogisticRegression(), DecisionTreeRegressor(), cv="in-sample"),
    ],
)
def test_tree_student(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [DistilledClassifier(LogisticRegression()), DistilledClassifier(alpha=0)],
    expected_failed_checks=weights_not_exact,
)
def test_default_student(estimator, check):
    check(estimator)


@parametrize_with_checks([TablePreprocessor()])
def test_table_preprocessor(estimator, check):
    check(estimator)


# With a fitted teacher, whose width and labels are given, the checks' own data cannot be learnt.

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.fixture(params=["bare", "frozen"])
def estimator(request):
    teacher = LogisticRegression(max_iter=500).fit(X, NAMES)
    teacher = FrozenEstimator(teacher) if request.param == "frozen" else teacher
    return DistilledClassifier(teacher, StudentNet(max_epochs=3, batch_size=32), random_state=0)


METHODS = ("predict", "predict_proba", "predict_log_proba")


def test_fitted_teacher_shapes_and_types(estimator):
    assert estimator.fit(X, NAMES) is estimator
    assert is_classifier(estimator)
    assert estimator.n_features_in_ == 4
    np.testing.assert_array_equal(estimator.classes_, np.unique(NAMES))
    p = estimator.predict_proba(X)
    assert p.shape == (150, 3)
    assert p.dtype == np.float64
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(p), estimator.predict_log_proba(X))
    np.testing.assert_array_equal(estimator.predict(X), estimator.classes_[p.argmax(axis=1)])


@pytest.mark.parametrize("method", METHODS)
def test_fitted_teacher_rows_do_not_influence_each_other(estimator, method):
    answer = getattr(estimator.fit(X, NAMES), method)
    together = answer(X)
    order = np.random.default_rng(0).permutation(150)
    alone = np.concatenate([answer(row[None]) for row in X])
    if method == "predict":
        np.testing.assert_array_equal(answer(X[order]), together[order])
        np.testing.assert_array_equal(alone, together)
    else:
        np.testing.assert_allclose(answer(X[order]), together[order], rtol=1e-5)
        np.testing.assert_allclose(alone, together, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_fitted_teacher_pickles(estimator, method):
    expected = getattr(estimator.fit(X, NAMES), method)(X)
    np.testing.assert_array_equal(
        getattr(pickle.loads(pickle.dumps(estimator)), method)(X), expected
    )


def test_fitted_teacher_fits_the_same_again(estimator):
    first = estimator.fit(X, NAMES).predict_proba(X)
    np.testing.assert_array_equal(estimator.fit(X, NAMES).predict_proba(X), first)
    np.testing.assert_array_equal(clone(estimator).fit(X, NAMES).predict_proba(X), first)


def test_fitted_teacher_parameters(estimator):
    before = estimator.get_params(deep=False)
    estimator.fit(X, NAMES)
    after = estimator.get_params(deep=False)
    assert all(after[name] is before[name] for name in before)
    assert estimator.set_params(alpha=0.25) is estimator
    assert estimator.get_params()["alpha"] == 0.25
    assert clone(estimator).get_params(deep=False).keys() == before.keys()


def test_fitted_teacher_predict_changes_nothing(estimator):
    estimator.fit(X, NAMES)
    before = pickle.dumps(estimator)
    for method in METHODS:
        getattr(estimator, method)(X)
    assert pickle.dumps(estimator) == before


def test_fitted_teacher_refusals(estimator):
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    estimator.fit(X, NAMES)
    with pytest.raises(
        ValueError, match="X has 3 features, but DistilledClassifier is expecting 4"
    ):
        estimator.predict(X[:, :3])
    with pytest.raises(ValueError, match="Reshape your data"):
        estimator.predict(X[0])
    with pytest.raises(ValueError, match="infinity"):
        estimator.predict(np.full((1, 4), np.inf))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit(X, NAMES[:-1])


def test_fitted_teacher_containers(estimator):
    expected = estimator.fit(X, NAMES).predict_proba(X)
    for rows in (X.tolist(), np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        again = clone(estimator).fit(rows, NAMES.tolist()).predict_proba(rows)
        np.testing.assert_allclose(again, expected, rtol=1e-4)
