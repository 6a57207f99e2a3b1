"""Every kind of teacher gives the probabilities that one computes by hand, class by class."""

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from scipy.special import softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import shuffle
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_probabilities, teacher_targets

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])
LABELS = NAMES[Y]
ROWS = (X - X.mean(axis=0)) / X.std(axis=0)

# Modules stand in as teachers with the weights that they were made with.
UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def quick_model(teacher, **settings):
    student = StudentNet(max_epochs=2, module__hidden_units=(8,), batch_size=32)
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


# Classifiers


def logistic():
    return LogisticRegression(max_iter=500)


def lightgbm():
    lgb = pytest.importorskip("lightgbm")
    return lgb.LGBMClassifier(
        n_estimators=5, min_child_samples=5, num_leaves=4, n_jobs=1, verbose=-1, random_state=0
    )


def xgboost():
    xgb = pytest.importorskip("xgboost")
    return xgb.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1, random_state=0)


CLASSIFIERS = {
    "logistic": logistic,
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "pipeline": lambda: make_pipeline(StandardScaler(), logistic()),
    "search": lambda: GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [2, 3]}),
    "calibrated": lambda: CalibratedClassifierCV(GaussianNB(), cv=2),
    "soft voting": lambda: VotingClassifier(
        [("a", logistic()), ("b", GaussianNB())], voting="soft"
    ),
    "a distilled student": lambda: quick_model(logistic()),
    "a student alone": lambda: make_pipeline(
        StandardScaler(),
        StudentNet(max_epochs=5, module__hidden_units=(8,), batch_size=16, lr=0.02),
    ),
    "lightgbm": lightgbm,
    "xgboost": xgboost,
}


def seeded_fit(classifier, rows, y):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return classifier.fit(rows, y)


@pytest.mark.parametrize("frozen", [False, True], ids=["bare", "frozen"])
@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_fitted_classifiers(make, frozen):
    classifier = seeded_fit(make(), X, Y)
    teacher = FrozenEstimator(classifier) if frozen else classifier
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(teacher_targets(teacher, X, Y), expected, rtol=1e-6)
    np.testing.assert_allclose(
        teacher_probabilities(teacher, X, [2, 0, 1]), expected[:, [2, 0, 1]], rtol=1e-6
    )
    model = quick_model(teacher).fit(X, Y)
    assert model.teacher_ is teacher
    assert model.temperature_ == 1.0


@pytest.mark.filterwarnings("ignore:.*it is timid")  # few trees, few epochs
@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_unfitted_classifiers(make):
    folds = StratifiedKFold(3)
    seed = {name: 0 for name in make().get_params() if name.split("__")[-1] == "random_state"}
    teacher = make().set_params(**seed)
    targets = teacher_targets(teacher, X, Y, cv=folds, random_state=0)
    assert targets.shape == (150, 3)
    np.testing.assert_allclose(targets.values.sum(axis=1), 1)
    if "StudentNet" not in repr(teacher):  # its weights are seeded by the targets' own seeds
        for train, test in folds.split(X, Y):
            alone = clone(teacher).fit(X[train], Y[train])
            np.testing.assert_allclose(targets[test], alone.predict_proba(X[test]), rtol=1e-6)
    again = teacher_targets(teacher, X, Y, cv=folds, random_state=0)
    np.testing.assert_array_equal(again, targets)
    inside = teacher_targets(teacher, X, Y, cv="in-sample", random_state=0)
    assert np.log(inside[np.arange(150), Y]).mean() > np.log(1 / 3)


class Bare:
    """Nothing but predict_proba, as an AutoML predictor or a client of a service."""

    def __init__(self, table, classes=None):
        self.table = table
        if classes is not None:
            self.classes_ = classes

    def predict_proba(self, X):
        return self.table


ORDER = [2, 0, 1]
P = GaussianNB().fit(X, LABELS).predict_proba(X)


def test_an_object_with_predict_proba_and_classes():
    teacher = Bare(P[:, ORDER], classes=NAMES[ORDER])
    np.testing.assert_allclose(teacher_targets(teacher, X, LABELS), P, rtol=1e-12)


class OwnEstimator:
    """What scikit-learn's clone asks of an estimator, and no more."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def get_params(self, deep=True):
        return {"shift": self.shift}

    def set_params(self, shift):
        self.shift = shift
        return self

    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X + self.shift, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X + self.shift)


def test_an_estimator_that_is_not_built_on_scikit_learn():
    expected = teacher_targets(GaussianNB(), X, LABELS, cv=3)
    np.testing.assert_allclose(teacher_targets(OwnEstimator(), X, LABELS, cv=3), expected)
    model = quick_model(OwnEstimator(), cv=3).fit(X, LABELS)
    np.testing.assert_allclose(model.teacher_.predict_proba(X), P)
    assert model.set_params(teacher__shift=1.0).teacher.shift == 1.0


def test_an_estimator_that_cannot_be_cloned():
    class NoParameters(OwnEstimator):
        get_params = None

    with pytest.raises(TeacherError, match="is not fitted and cannot be cloned"):
        quick_model(NoParameters()).fit(X, LABELS)


def test_an_object_without_classes_has_sorted_columns():
    np.testing.assert_allclose(teacher_targets(Bare(P), X, LABELS), P, rtol=1e-12)
    with pytest.raises(TeacherError, match="gives 3 columns and does not name them; y has 2"):
        teacher_targets(Bare(P), X, np.where(Y == 0, "a", "b"))


def test_columns_named_by_the_user():
    targets = teacher_targets(Bare(P[:, ORDER]), X, LABELS, teacher_classes=NAMES[ORDER])
    np.testing.assert_allclose(targets, P, rtol=1e-12)
    model = quick_model(Bare(P[:, ORDER]), teacher_classes=list(NAMES[ORDER])).fit(X, LABELS)
    direct = quick_model(Bare(P)).fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), direct.predict_proba(X))


def test_columns_named_by_a_table():
    table = pd.DataFrame(P[:, ORDER], columns=NAMES[ORDER])
    np.testing.assert_allclose(teacher_targets(Bare(table), X, LABELS), P, rtol=1e-12)
    targets = teacher_probabilities(Bare(table), X, NAMES)
    np.testing.assert_allclose(targets, P, rtol=1e-12)
    no_labels = teacher_targets(Bare(table), X)
    np.testing.assert_allclose(no_labels, P, rtol=1e-12)


def test_single_precision_and_rounding_are_forgiven():
    for table in (P.astype(np.float32), P.round(4), P.tolist()):
        targets = teacher_targets(Bare(table), X, LABELS)
        np.testing.assert_allclose(targets, P, atol=1e-3)
        np.testing.assert_allclose(targets.values.sum(axis=1), 1, rtol=1e-12)


# Callables


def answer_array(rows):
    return softmax(np.asarray(rows)[:, :3], axis=1)


def answer_tensor(rows):
    return torch.tensor(answer_array(rows), requires_grad=True)


def answer_list(rows):
    return answer_array(rows).tolist()


class Callable:
    def __call__(self, rows):
        return answer_array(rows)


CALLABLES = {
    "array": answer_array,
    "tensor": answer_tensor,
    "list": answer_list,
    "lambda": lambda rows: answer_array(rows),
    "object": Callable(),
    "method": Callable().__call__,
}


@UNTRAINED
@pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
def test_callables(function):
    expected = answer_array(ROWS)
    np.testing.assert_allclose(teacher_targets(function, ROWS, LABELS), expected, rtol=1e-6)
    assert quick_model(function).fit(ROWS, LABELS).temperature_ == 1.0


@UNTRAINED
def test_callables_see_the_rows_as_they_are():
    seen = []
    table = pd.DataFrame(ROWS, columns=list("abcd"))

    def answer(rows):
        seen.append(rows)
        return answer_array(rows)

    quick_model(answer).fit(table, LABELS)
    assert len(seen) == 1  # the teacher speaks once
    assert seen[0] is not table  # which it may do with as it likes
    pd.testing.assert_frame_equal(seen[0], table)


@UNTRAINED
def test_a_callable_that_answers_in_a_table():
    def answer(rows):
        return pd.DataFrame(answer_array(rows)[:, ORDER], columns=NAMES[ORDER])

    targets = teacher_targets(answer, ROWS, LABELS, teacher_classes=NAMES[ORDER])
    np.testing.assert_allclose(targets, answer_array(ROWS), rtol=1e-12)


# No teacher of these kinds

REFUSED = {
    "a class": (
        DecisionTreeClassifier,
        "is the class DecisionTreeClassifier; expected an instance",
    ),
    "margins alone": (
        LinearSVC(),
        "decision_function but no predict_proba.*CalibratedClassifierCV",
    ),
    "hard votes": (
        VotingClassifier([("a", GaussianNB())]),
        "has predict but no predict_proba",
    ),
    "a transformer": (StandardScaler(), "expected a classifier with predict_proba"),
    "several outputs": (
        DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, np.column_stack([Y, Y > 0])),
        "fitted on 2 outputs; expected one",
    ),
    "a number": (3, "The teacher is 3 of type int"),
    "a string": ("teacher.pkl", "of type str;.*load_teacher\\(path\\).*SelfTeacher\\("),
}


@pytest.mark.parametrize(("teacher", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_teach_is_refused(teacher, message):
    with pytest.raises(TeacherError, match=message):
        quick_model(teacher).fit(X, Y)


def test_threads_do_not_meet_in_a_module():
    with torch.random.fork_rng():
        net = nn.Sequential(nn.Linear(4, 64), nn.Dropout(0.9), nn.Linear(64, 3))
    rows = np.random.default_rng(0).normal(size=(9000, 4))
    net.train()
    expected = teacher_targets(net, rows)
    answers = Parallel(4, backend="threading")(
        delayed(teacher_targets)(net, rows) for _ in range(12)
    )
    assert all(np.array_equal(answer, expected) for answer in answers)
    assert net.training


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")  # one class alone has targets
def test_an_unfitted_net_keeps_its_columns_in_a_fold_that_lacks_a_class():
    X, y = load_iris(return_X_y=True)
    rows = np.r_[0:60, 100:150]  # the second class has 10 rows, all left out by the first split
    X, y = X[rows], np.array(["a", "b", "c"])[y[rows]]
    cv = [(np.r_[0:50, 60:100], np.r_[50:60, 100:110]), (np.r_[50:110], np.r_[0:50])]
    for net in (NeuralNetClassifier, NeuralNet):
        teacher = net(
            nn.Linear,
            module__in_features=4,
            module__out_features=3,
            criterion=nn.CrossEntropyLoss,
            max_epochs=30,
            lr=0.1,
            train_split=None,
            verbose=0,
        )
        targets = teacher_targets(teacher, X, y, cv=cv, random_state=0)
        held = np.arange(100, 110)
        assert (targets[held].values.argmax(axis=1) == 2).all()


def test_a_frame_of_soft_targets_is_read_by_its_columns():
    X, y = load_iris(return_X_y=True)
    y = np.array(["a", "b", "c"])[y]
    frame = pd.DataFrame(np.eye(3)[np.searchsorted(["a", "b", "c"], y)] * 0.9 + 0.1 / 3)
    frame.columns = ["a", "b", "c"]
    student = StudentNet(max_epochs=2, batch_size=32)
    first, second = (
        DistilledClassifier(student=student, random_state=0)
        .fit(X, y, soft_targets=frame[columns])
        .predict_proba(X)
        for columns in (["a", "b", "c"], ["c", "a", "b"])
    )
    np.testing.assert_array_equal(first, second)
