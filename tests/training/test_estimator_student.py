"""scikit-learn classifiers and regressors as students: what they are fitted on, and refusals."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import capacity_curve, distillation_report
from skdistill.exceptions import StudentError
from skdistill.losses import KD
from skdistill.students import TablePreprocessor
from skdistill.training._packed import Packed
from skdistill.training._soft_labels import class_weights, clip_to_probabilities, expand_rows

# Labels drawn at random are not what a teacher should say.
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

NAMES = np.array(["fox", "hen", "owl"])


def draw(n_samples=150, n_classes=3, seed=0):
    X, y = make_classification(
        n_samples, 6, n_informative=4, n_classes=n_classes, flip_y=0.1, random_state=seed
    )
    return X, NAMES[y]


def soft_labels(n_samples=150, n_classes=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n_samples)


def fit(student, X, y, p, **settings):
    fit_settings = {n: settings.pop(n) for n in ("sample_weight",) if n in settings}
    model = DistilledClassifier(student=student, random_state=0, **settings)
    return model.fit(X, y, soft_targets=p, **fit_settings)


# What a classifier is fitted on.


@pytest.mark.parametrize("alpha, weight", [(1.0, 1.0), (0.3, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_minimises_the_loss_of_the_guide(alpha, weight, weighted):
    X, y = draw()
    p = soft_labels()
    p[:20] = np.nan  # these learn from their labels alone
    w = np.random.default_rng(1).uniform(0.2, 2, 150) if weighted else np.ones(150)
    student = LogisticRegression(C=0.5, tol=1e-10, max_iter=2000)
    loss = KD(weight=weight)
    given = {"sample_weight": w} if weighted else {}
    model = fit(student, X, y, p, alpha=alpha, loss=loss, **given)

    onehot = (y[:, None] == NAMES).astype(float)
    told = ~np.isnan(p[:, 0])

    def objective(flat):
        coef, intercept = flat[:18].reshape(3, 6), flat[18:]
        log_q = log_softmax(X @ coef.T + intercept, axis=1)
        hard = w @ -(onehot * log_q).sum(axis=1) / w.sum()
        kl = (p[told] * (np.log(p[told]) - log_q[told])).sum(axis=1)
        soft = w[told] @ kl / w[told].sum()
        mean = (1 - alpha) * hard + alpha * weight * soft
        return 0.5 * 150 * mean + 0.5 * (coef**2).sum()

    found = minimize(objective, np.zeros(21), method="BFGS", options={"gtol": 1e-7})
    q = softmax(X @ found.x[:18].reshape(3, 6).T + found.x[18:], axis=1)
    np.testing.assert_allclose(model.predict_proba(X), q, atol=1e-4)


def test_class_weights_are_those_of_a_loop_by_hand():
    labels = np.array([0, 1, 1])
    w = np.array([1.0, 2.0, 3.0])
    p = np.array([[0.2, 0.8], [np.nan, np.nan], [1.0, 0.0]])
    more = np.array([[0.5, 0.5]])
    packed = Packed(labels, [p, more], w, 0.5)
    got = class_weights(packed, 2, alpha=0.25, factor=3.0)

    soft = np.array([1.0, 0.0, 3.0, 0.5 * 2.0])  # 2 is the mean weight of a labelled row
    expected = np.zeros((4, 2))
    for i, answer in enumerate([*p, *more]):
        for c in range(2):
            if i < 3 and labels[i] == c:
                expected[i, c] += 0.75 * w[i] / w.sum() * 4
            if soft[i]:
                expected[i, c] += 0.25 * 3.0 * soft[i] / soft.sum() * 4 * answer[c]
    np.testing.assert_allclose(got, expected)
    rows, columns, copies = expand_rows(got)
    assert (copies > 0).all()
    assert list(zip(rows, columns, strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 1),
        (2, 0),
        (2, 1),
        (3, 0),
        (3, 1),
    ]


@pytest.mark.parametrize(
    "student",
    [
        DecisionTreeClassifier(max_leaf_nodes=8, random_state=3),
        LogisticRegression(),
        HistGradientBoostingClassifier(max_iter=5, random_state=3),
    ],
)
def test_without_a_teacher_it_is_the_plain_fit(student):
    X, y = draw()
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    alone = clone(student).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
    np.testing.assert_array_equal(model.student_.estimator_.classes_, NAMES)

    w = np.random.default_rng(0).uniform(size=150)
    model.fit(X, y, sample_weight=w)
    alone = clone(student).fit(X, y, sample_weight=w / w.mean())
    np.testing.assert_array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_a_class_without_weight_is_a_column_of_zeros():
    X, y = draw()
    p = soft_labels()
    p[:, 1] = 0
    p /= p.sum(axis=1, keepdims=True)
    model = fit(DecisionTreeClassifier(max_depth=3), X, y, p, alpha=1)
    assert model.student_.estimator_.classes_.tolist() == ["fox", "owl"]
    answer = model.predict_proba(X)
    assert answer.shape == (150, 3)
    assert (answer[:, 1] == 0).all()
    np.testing.assert_array_equal(model.predict_log_proba(X)[:, 1], np.full(150, -np.inf))


def test_gini_on_copies_and_squared_error_on_probabilities_are_one_tree():
    X, y = draw()
    p = soft_labels()
    settings = {"max_depth": 4, "random_state": 0}
    q = fit(DecisionTreeClassifier(**settings), X, y, p, alpha=0.7).predict_proba(X)
    r = fit(DecisionTreeRegressor(**settings), X, y, p, alpha=0.7).predict_proba(X)
    np.testing.assert_allclose(q, r, atol=1e-12)


def test_a_tree_learns_more_from_a_forest_than_from_labels():
    X, y = make_classification(3000, 10, n_informative=6, flip_y=0.2, random_state=1)
    teacher = RandomForestClassifier(20, min_samples_leaf=5, random_state=0)
    tree = DecisionTreeClassifier(random_state=0)
    X, X_test, y, y_test = X[:1000], X[1000:], y[:1000], y[1000:]
    plain = DistilledClassifier(student=tree, alpha=0).fit(X, y).predict_proba(X_test)
    model = DistilledClassifier(teacher, tree, alpha=1, random_state=0).fit(X, y)
    distilled = model.predict_proba(X_test)
    assert roc_auc_score(y_test, distilled[:, 1]) > roc_auc_score(y_test, plain[:, 1]) + 0.05
    assert log_loss(y_test, distilled) < 0.2 * log_loss(y_test, plain)


# What a regressor is fitted on.


@pytest.mark.parametrize("loss", ["kd", "brier"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_regression_on_the_mixture(loss, n_classes):
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    model = fit(LinearRegression(), X, y, p, alpha=0.7, loss=loss)
    mixture = 0.3 * (y[:, None] == NAMES[:n_classes]) + 0.7 * p
    A = np.column_stack([X, np.ones(150)])
    predictions = A @ np.linalg.lstsq(A, mixture, rcond=None)[0]
    clipped = np.maximum(predictions, 0)
    expected = clipped / clipped.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-8)
    np.testing.assert_array_equal(model.predict(X), NAMES[expected.argmax(axis=1)])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_regression_on_centred_logits(n_classes):
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    w = np.random.default_rng(0).uniform(size=150)
    model = fit(LinearRegression(), X, y, p, alpha=1, loss="mse", sample_weight=w)
    A, root = np.column_stack([X, np.ones(150)]), np.sqrt(w)[:, None]
    logits = np.log(p) - np.log(p).mean(axis=1, keepdims=True)
    z = A @ np.linalg.lstsq(root * A, root * logits, rcond=None)[0]
    np.testing.assert_allclose(model.predict_proba(X), softmax(z, axis=1), atol=1e-8)


def test_a_regressor_of_one_number_is_fitted_for_each_class():
    X, y = draw()
    p = soft_labels()
    boosting = HistGradientBoostingRegressor(max_iter=5, random_state=0)
    model = fit(boosting, X, y, p, alpha=1)
    members = [clone(boosting).fit(X, p[:, c]).predict(X) for c in range(3)]
    expected = clip_to_probabilities(np.column_stack(members))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-9)
    assert isinstance(model.student_.estimator_, MultiOutputRegressor)
    two = fit(boosting, *draw(n_classes=2), soft_labels(n_classes=2))
    assert isinstance(two.student_.estimator_, HistGradientBoostingRegressor)


def test_a_regressor_without_sample_weight():
    X, y = draw()
    p = soft_labels()
    model = fit(KNeighborsRegressor(3), X, y, p, alpha=1)
    expected = KNeighborsRegressor(3).fit(X, p).predict(X)
    np.testing.assert_allclose(model.predict_proba(X), expected)
    teacher = RandomForestClassifier(5, random_state=0)
    model = DistilledClassifier(teacher, KNeighborsRegressor(3), alpha=1, random_state=0)
    assert (
        model.fit(X[:100], y[:100], X_unlabeled=X[100:]).student_.estimator_.n_samples_fit_ == 150
    )


def test_clipping_to_probabilities():
    got = clip_to_probabilities(np.array([[-1.0, 0.5, 1.5], [-1.0, -2.0, 0.0]]))
    np.testing.assert_allclose(got, [[0, 0.25, 0.75], [1 / 3, 1 / 3, 1 / 3]])


# Rows of any kind.


def mixed():
    X, y = draw()
    table = pd.DataFrame(X, columns=list("abcdef")).mask(X > 1.5)
    return table.assign(kind=pd.Categorical(np.where(X[:, 0] > 0, "u", "v"))), y


@pytest.mark.parametrize(
    "student",
    [
        make_pipeline(TablePreprocessor(), DecisionTreeClassifier(max_depth=3)),
        HistGradientBoostingClassifier(max_iter=3),
    ],
    ids=["encoder and tree", "boosting with categories"],
)
@pytest.mark.parametrize("settings", [{}, {"augment": "munge"}])
def test_tables_with_gaps_and_rows_without_labels(student, settings):
    X, y = mixed()
    teacher = make_pipeline(TablePreprocessor(), RandomForestClassifier(5))
    model = DistilledClassifier(teacher, student, random_state=0, **settings)
    model.fit(X[:100], y[:100], X_unlabeled=X[100:])
    assert model.score(X, y) > 0.5
    assert model.feature_names_in_.tolist() == [*"abcdef", "kind"]
    last = model.student_[-1] if hasattr(model.student_, "steps") else model.student_
    if isinstance(student, HistGradientBoostingClassifier):
        assert last.estimator_.is_categorical_.tolist() == [False] * 6 + [True]


def test_rows_without_labels_are_learnt_from():
    X, y = draw(300)
    teacher = RandomForestClassifier(20, random_state=0).fit(X, y)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    model = DistilledClassifier(teacher, tree, alpha=1, random_state=0)
    model.fit(X[:30], y[:30], X_unlabeled=X[30:])
    same = fit(tree, X, y, teacher.predict_proba(X), alpha=1)
    np.testing.assert_allclose(model.predict_proba(X), same.predict_proba(X), atol=1e-9)


def test_sparse_rows():
    X, y = draw()
    X = np.where(np.abs(X) > 0.7, X, 0)
    p = soft_labels()
    tree = DecisionTreeClassifier(max_depth=3)
    model = fit(tree, sparse.csr_matrix(X), y, p)
    np.testing.assert_allclose(
        model.predict_proba(sparse.csr_matrix(X)), fit(tree, X, y, p).predict_proba(X)
    )


# What the student is.


def test_student_is_a_classifier_of_its_own():
    X, y = draw()
    teacher = RandomForestClassifier(7, random_state=0)
    tree = DecisionTreeClassifier(max_leaf_nodes=5)
    model = DistilledClassifier(teacher, tree, random_state=0).fit(X, y)
    student = pickle.loads(pickle.dumps(model.student_))
    assert is_classifier(student)
    assert b"RandomForest" not in pickle.dumps(student)
    assert student.classes_.tolist() == NAMES.tolist()
    assert student.n_features_in_ == 6
    np.testing.assert_array_equal(student.predict_proba(X), model.predict_proba(X))
    assert (model.history_, model.temperature_) == ([], 1.0)
    assert not hasattr(tree, "tree_") and tree.random_state is None
    assert model.student_.estimator_.random_state is not None
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    alone = clone(student)
    with pytest.raises(NotFittedError):
        alone.predict(X)
    assert alone.set_params(estimator__random_state=0).fit(X, y).score(X, y) > 0.5


def test_temperature_is_1_for_a_teacher_that_speaks_logits():
    X, y = draw()
    teacher = LogisticRegression().fit(X, y)
    model = DistilledClassifier(teacher, DecisionTreeClassifier(max_depth=3), random_state=0)
    assert model.fit(X, y).temperature_ == 1.0
    model.fit(X[:100], y[:100])
    report = distillation_report(model, X[:100], y[:100], X[100:], y[100:], n_seeds=1)
    sizes = {row["arm"]: row["n_parameters"] for row in report.rows}
    assert sizes["distilled"] == 15  # nodes of a tree of depth 3


def test_in_a_grid_and_with_metadata_routing():
    X, y = draw()
    teacher = RandomForestClassifier(5, random_state=0)
    model = DistilledClassifier(teacher, HistGradientBoostingRegressor(max_iter=2), random_state=0)
    grid = GridSearchCV(model, {"student__max_leaf_nodes": [2, 8]}, cv=2).fit(X, y)
    assert len(set(grid.cv_results_["mean_test_score"])) == 2
    w = np.random.default_rng(0).uniform(size=150)
    expected = model.fit(X, y, sample_weight=w).predict_proba(X)
    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(model).set_params(teacher=clone(teacher).set_fit_request(sample_weight=True))
        got = model.fit(X, y, sample_weight=w).predict_proba(X)
    np.testing.assert_array_equal(got, expected)


# Evaluation.


@pytest.mark.parametrize("student", [DecisionTreeClassifier(), DecisionTreeRegressor()])
def test_capacity_curve(student):
    X, y = draw()
    model = DistilledClassifier(RandomForestClassifier(10), student, random_state=0)
    curve = capacity_curve(
        model, X, y, param_name="student__max_leaf_nodes", param_range=[2, 8], cv=2
    )
    sizes = {row["n_parameters"] for row in curve.rows if row["arm"] == "distilled"}
    assert sizes == {3, 15}  # nodes


def test_capacity_curve_of_a_student_whose_size_is_unknown():
    X, y = draw()
    student = HistGradientBoostingClassifier(max_iter=2)
    model = DistilledClassifier(RandomForestClassifier(10), student, random_state=0)
    curve = capacity_curve(model, X, y, param_name="student__max_iter", param_range=[1, 2], cv=2)
    assert all(np.isnan(row["n_parameters"]) for row in curve.rows)


# Refusals.


class Untouched(RandomForestClassifier):
    """A teacher that must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("The teacher was fitted before the student was refused.")


X, Y = draw()
STRINGS = np.column_stack([X.astype(object), Y])
GAPS = np.where(X > 1, np.nan, X)
TREE, REGRESSION_TREE = DecisionTreeClassifier(), DecisionTreeRegressor()


@pytest.mark.parametrize(
    "message, student, settings, given",
    [
        ("KNeighborsClassifier takes no sample_weight.*regressor of its kind",
         KNeighborsClassifier(), {}, {}),
        ("LinearSVC has no predict_proba; expected", LinearSVC(), {}, {}),
        ("FrozenEstimator, which no fit changes", FrozenEstimator(TREE), {}, {}),
        ("the class DecisionTreeClassifier; .*an instance", DecisionTreeClassifier, {}, {}),
        (r"loss=MSE\(\).*Expected loss='kd'.*regressor", TREE, {"loss": "mse"}, {}),
        (r"cannot learn with loss=Brier\(\)", TREE, {"loss": "brier"}, {}),
        (r"cannot learn with loss=KD\(reverse", REGRESSION_TREE, {"loss": "reverse_kl"}, {}),
        (r"loss=KD\(standardize", TREE, {"loss": KD(standardize=True)}, {}),
        ("Expected loss='kd', 'brier' or 'mse'", REGRESSION_TREE, {"loss": "dkd"}, {}),
        ("labels have none; expected alpha=1, got alpha=0.5", REGRESSION_TREE, {"loss": "mse"}, {}),
        ("cannot hear temperature=2", TREE, {"temperature": 2}, {}),
        ("takes no sample_weight; expected", KNeighborsRegressor(), {},
         {"sample_weight": np.arange(150.0)}),
        ("takes no sample_weight; expected", KNeighborsRegressor(), {}, {"X_unlabeled": X}),
        ("no numbers .* DecisionTreeClassifier .*TablePreprocessor", TREE, {}, {"X": STRINGS}),
        ("contains NaN, and LogisticRegression", LogisticRegression(), {}, {"X": GAPS}),
        ("sparse, and HistGradientBoostingClassifier", HistGradientBoostingClassifier(), {},
         {"X": sparse.csr_matrix(X)}),
        (r"shape \(150, 3, 2\), and DecisionTreeClassifier reads tables", TREE, {},
         {"X": X.reshape(150, 3, 2)}),
    ],
)  # fmt: skip
def test_refused_before_anything_is_fitted(message, student, settings, given):
    model = DistilledClassifier(Untouched(), student, **settings)
    with pytest.raises(StudentError, match=message):
        model.fit(**{"X": X, "y": Y} | given)


def test_soft_targets_that_weigh_rows_need_sample_weight():
    p = soft_labels()
    p[3] = np.nan
    with pytest.raises(StudentError, match="soft targets that are NaN"):
        fit(KNeighborsRegressor(), X, Y, p, alpha=0.5)
    # A row without any weight is left out, and the others weigh the same.
    model = fit(KNeighborsRegressor(), X, Y, p, alpha=1)
    assert model.student_.estimator_.n_samples_fit_ == 149


# Labels and Pipelines of others


@pytest.mark.parametrize("names", [["no", "perhaps", "yes"], [1, 2, 3], [-2.0, 0.0, 7.0]])
def test_labels_of_any_kind_for_xgboost(names):
    xgboost = pytest.importorskip("xgboost")
    X, y = draw()
    y = np.searchsorted(NAMES, y)
    student = xgboost.XGBClassifier(n_estimators=5, max_depth=3)
    teacher = RandomForestClassifier(10, random_state=0)
    models = [
        DistilledClassifier(clone(teacher), student, random_state=0).fit(X, labels)
        for labels in (y, np.array(names)[y])
    ]
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in models))
    np.testing.assert_array_equal(models[1].predict(X), np.array(names)[models[0].predict(X)])


@pytest.mark.parametrize("last", [DecisionTreeClassifier(max_depth=3), StudentNet(max_epochs=2)])
def test_a_pipeline_that_ends_in_a_pipeline_is_one(last):
    X, y = draw()
    teacher = RandomForestClassifier(10, random_state=0)
    nested = make_pipeline(StandardScaler(), make_pipeline(MinMaxScaler(), make_pipeline(last)))
    models = [
        DistilledClassifier(clone(teacher), student, random_state=0).fit(X, y)
        for student in (nested, make_pipeline(StandardScaler(), MinMaxScaler(), last))
    ]
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in models))
    assert len(models[0].student_) == 3
