"""What is left of a student predicts alone, and follows the student."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Callback

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.exceptions import StudentError
from skdistill.losses import KD
from skdistill.students import MLP

X, Y = load_breast_cancer(return_X_y=True)
LABELS = np.array(["malignant", "benign"])[Y]
X_NUMBERS, Y_NUMBERS = load_diabetes(return_X_y=True)
FOREST = RandomForestClassifier(10, random_state=0)
FOREST_OF_NUMBERS = RandomForestRegressor(10, random_state=0)
QUICK = {"max_epochs": 3, "verbose": 0}

CLASSIFIERS = {
    "net": StudentNet(MLP, **QUICK),
    "pipeline": make_pipeline(StandardScaler(), StudentNet(MLP, **QUICK)),
    "skorch": NeuralNetClassifier(MLP, **QUICK),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "regressor of classes": DecisionTreeRegressor(max_depth=3, random_state=0),
}
REGRESSORS = {
    "net": StudentNetRegressor(MLP, **QUICK),
    "pipeline": make_pipeline(StandardScaler(), StudentNetRegressor(MLP, **QUICK)),
    "skorch": NeuralNetRegressor(MLP, lr=0.001, **QUICK),
    "tree": DecisionTreeRegressor(max_depth=3, random_state=0),
}


@pytest.fixture(autouse=True)
def own_generator():
    """Nets on their own read torch's generator: seed it, and put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def last(model):
    """The student behind its preprocessing, and the rows as they reach it."""
    student, rows = model.student_, X if hasattr(model, "classes_") else X_NUMBERS
    if hasattr(student, "steps"):
        return student[-1], student[:-1].transform(rows)
    return student, rows


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_answers_by_what_is_left_of_its_student(name):
    model = DistilledClassifier(FOREST, CLASSIFIERS[name], random_state=0).fit(X, LABELS)
    student, rows = last(model)
    alone = pickle.loads(pickle.dumps(student.fitted_))
    np.testing.assert_array_equal(alone.predict(rows), model.predict(X))
    np.testing.assert_array_equal(alone.predict_proba(rows), model.predict_proba(X))
    np.testing.assert_array_equal(alone.predict_log_proba(rows), model.predict_log_proba(X))
    np.testing.assert_array_equal(student.classes_, ["benign", "malignant"])


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_answers_by_what_is_left_of_its_student(name):
    model = DistilledRegressor(FOREST_OF_NUMBERS, REGRESSORS[name], random_state=0)
    student, rows = last(model.fit(X_NUMBERS, Y_NUMBERS))
    alone = pickle.loads(pickle.dumps(student.fitted_))
    np.testing.assert_array_equal(alone.predict(rows), model.predict(X_NUMBERS))
    with pytest.raises(AttributeError):
        alone.predict_proba(rows)


class Heavy(KD):
    """A loss that would make every pickle large."""

    ballast = np.zeros(200_000)

    def __getstate__(self):
        return {**super().__getstate__(), "ballast": self.ballast}


@pytest.mark.parametrize("make", [StudentNet, NeuralNetClassifier])
@pytest.mark.parametrize("module", [MLP, MLP(30, 2)], ids=["class", "instance"])
def test_it_holds_neither_loss_nor_optimiser_nor_teacher(make, module):
    student = make(module, optimizer=torch.optim.AdamW, lr=0.001, **QUICK)
    model = DistilledClassifier(FOREST, student, loss=Heavy(), random_state=0)
    student = model.fit(X, LABELS).student_
    n_weights = sum(parameter.nbytes for parameter in student.module_.parameters())
    pickled = pickle.dumps(student.fitted_)
    assert len(pickled) < 2 * n_weights
    for word in (b"Heavy", b"AdamW", b"RandomForest", b"callback"):
        assert word not in pickled


class Cooling(NeuralNetClassifier):
    """A net that infers in a way of its own, by what its training has left."""

    def infer(self, x, **fit_params):
        return super().infer(x, **fit_params) / len(self.history)


def test_a_net_that_infers_in_a_way_of_its_own_is_held_as_it_is():
    model = DistilledClassifier(FOREST, Cooling(MLP, **QUICK), random_state=0).fit(X, LABELS)
    alone = pickle.loads(pickle.dumps(model.student_.fitted_))
    with torch.no_grad():
        logits = model.student_.module_(torch.tensor(X, dtype=torch.float32)) / 3
    expected = torch.softmax(logits.double(), dim=1).numpy()
    np.testing.assert_allclose(alone.predict_proba(X), expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(alone.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("size", [-1, 50])
def test_a_net_keeps_its_own_batches(size):
    net = NeuralNetClassifier(MLP, iterator_valid__batch_size=size, **QUICK)
    student = DistilledClassifier(FOREST, net, random_state=0).fit(X, LABELS).student_
    seen = []
    student.module_.register_forward_pre_hook(lambda module, rows: seen.append(len(rows[0])))
    student.predict(X)
    assert seen == ([569] if size == -1 else [*[50] * 11, 19])


def test_it_compares_columns_in_the_students_name():
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    student = StudentNet(MLP, **QUICK).fit(table, LABELS)
    alone = pickle.loads(pickle.dumps(student.fitted_))
    with pytest.raises(ValueError, match="feature names should match"):
        alone.predict(table[table.columns[::-1]])
    unnamed = StudentNet(MLP, **QUICK).fit(X, LABELS).fitted_
    with pytest.raises(ValueError, match="3 features, but StudentNet is expecting 30 features"):
        unnamed.predict(X[:, :3])
    with pytest.warns(UserWarning, match="X has feature names, but StudentNet was fitted without"):
        unnamed.predict(table)
    with pytest.warns(UserWarning, match="valid feature names, but StudentNet was fitted with"):
        alone.predict(X)
    with pytest.raises(StudentError, match="contains NaN, and StudentNet reads numbers alone"):
        alone.predict(table.assign(c3=np.nan))


def test_a_student_that_learns_on_is_followed():
    model = DistilledClassifier(FOREST, StudentNet(MLP, **QUICK), random_state=0).fit(X, LABELS)
    before, kept = model.predict_proba(X), model.student_.fitted_
    model.student_.partial_fit(X, LABELS)
    after = model.predict_proba(X)
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_array_equal(model.student_.predict_proba(X), after)
    np.testing.assert_array_equal(kept.predict_proba(X), before)


def test_threads_and_single_rows_go_the_same_way():
    model = DistilledClassifier(FOREST, StudentNet(MLP, **QUICK), random_state=0).fit(X, LABELS)
    expected = model.predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda i: model.predict_proba(X[i : i + 1])[0], range(100)))
    np.testing.assert_allclose(rows, expected[:100], rtol=1e-5, atol=1e-7)


def test_an_unfitted_student_has_none():
    assert not hasattr(StudentNet(), "fitted_")
    with pytest.raises(ValueError, match="StudentNet instance is not fitted yet"):
        StudentNet().predict(X)
    with pytest.raises(ValueError, match="DistilledClassifier instance is not fitted yet"):
        DistilledClassifier(LogisticRegression()).predict(X)


class Keeps(Callback):
    """Keeps the net that it is told of."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.net_ = net


@pytest.mark.parametrize("make", [StudentNet, NeuralNetClassifier])
def test_a_callback_that_keeps_its_net_keeps_no_rows(make):
    sizes = []
    for callbacks in (None, [Keeps()]):
        student = make(MLP, callbacks=callbacks, **QUICK)
        model = DistilledClassifier(FOREST, student, random_state=0).fit(X, LABELS)
        sizes.append(len(pickle.dumps(model.student_)))
    n_weights = sum(parameter.nbytes for parameter in model.student_.module_.parameters())
    assert sizes[1] < sizes[0] + 2 * n_weights + 5_000
