"""What is left of a fit answers for the student as it is now."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import FunctionTransformer

from skdistill import DistilledClassifier

X, Y = load_iris(return_X_y=True)
ANSWERS = np.where(Y[:, None] == range(3), 0.8, 0.1)


def go_on(student):
    student[-1].partial_fit(student[0].transform(X), Y)


def replace_a_step(student):
    student.steps[0] = ("other", FunctionTransformer(lambda rows: rows / 10))


def change_weights(student):
    student[-1].module_.mlp[-1].bias.data[0] += 1


def fit_anew(student):
    student.fit(X, Y)


@pytest.fixture(scope="module")
def fitted():
    return DistilledClassifier(random_state=0).fit(X, Y, soft_targets=ANSWERS)


def the_model(model):
    return model


def pickled(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.changes_global_rng  # from which a student alone draws
@pytest.mark.parametrize("sent", [the_model, copy.deepcopy, pickled])
@pytest.mark.parametrize("change", [go_on, replace_a_step, change_weights, fit_anew])
def test_a_changed_student_is_heard(change, sent, fitted):
    model = sent(copy.deepcopy(fitted))
    before = model.predict_proba(X)
    np.testing.assert_array_equal(before, fitted.predict_proba(X))
    change(model.student_)
    after = model.predict_proba(X)
    np.testing.assert_array_equal(after, model.student_.predict_proba(X))
    assert not np.array_equal(after, before)


@pytest.mark.parametrize("sent", [the_model, pickled])
def test_a_pickle_holds_the_network_once(sent, fitted):
    assert len(pickle.dumps(sent(fitted))) < 1.5 * len(pickle.dumps(fitted.student_))
