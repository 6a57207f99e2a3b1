"""The plain call that every bad input changes, and how: rows, labels, teachers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

N_TRAIN = 280


class Answers(ClassifierMixin, BaseEstimator):
    """A fitted teacher that answers by a function of the rows; another fit changes nothing."""

    def __init__(self, answer, classes=(0, 1)):
        self.answer = answer
        self.classes = classes
        self.classes_ = np.array(classes)

    def fit(self, X, y=None, **params):
        """Return itself."""
        return self

    def predict_proba(self, X):
        """Return the function's answer."""
        return self.answer(X)

    def __sklearn_is_fitted__(self):
        return True


def plain():
    """Return the call that every case changes: ten columns, two classes, a good teacher."""
    data = load_breast_cancer(as_frame=True)
    table = data.data.iloc[:, :10].rename(columns=lambda name: name[5:].replace(" ", "_"))
    return _split(table, data.target.to_numpy())


def _split(table, y):
    table = StandardScaler().set_output(transform="pandas").fit_transform(table)
    order = np.random.default_rng(0).permutation(len(y))
    fit, test = order[: min(N_TRAIN, len(y) // 2)], order[min(N_TRAIN, len(y) // 2) :]
    return SimpleNamespace(
        X=table.iloc[fit].reset_index(drop=True),
        y=y[fit],
        X_test=table.iloc[test].reset_index(drop=True),
        y_test=y[test],
    )


def forest():
    """Return the usual teacher, not fitted: it reads gaps and sparse rows."""
    return RandomForestClassifier(30, random_state=0)


def good(rows):
    """Answer rows with the probabilities of a logistic regression."""
    d = plain()
    model = LogisticRegression().fit(d.X.to_numpy(), d.y)
    return model.predict_proba(np.asarray(rows, dtype=float))


def both(d, change):
    """Apply a change to the rows of the fit and to those of the test."""
    return {"X": change(d.X), "X_test": change(d.X_test)}


def cell(table, value, row=3, column=0):
    """Return the table with another value in a cell."""
    table = table.astype(object) if isinstance(value, str) else table.copy()
    table.iloc[row, column] = value
    return table


def with_column(table, values, name="more"):
    """Return the table with another column."""
    return table.assign(**{name: values})


def some(values, value, every=7):
    """Return values as objects or floats, every seventh replaced."""
    values = values.astype(float if isinstance(value, float) else object)
    values[::every] = value
    return values


def with_kind(d):
    """Return rows of noise beside a column of texts that alone knows the class."""
    random = np.random.default_rng(1)

    def change(table, y):
        noise = pd.DataFrame(random.normal(size=(len(table), 3)), columns=list("abc"))
        return with_column(noise, np.where(y == 1, "red", "blue"), "kind")

    X, X_test = change(d.X, d.y), change(d.X_test, d.y_test)
    return {"X": X, "X_test": X_test, "teacher": Answers(lambda rows: _by_kind(rows))}


def _by_kind(rows):
    red = (np.asarray(rows, dtype=object)[:, 3] == "red") * 0.9 + 0.05
    return np.column_stack([1 - red, red])


def three_classes(d, **more):
    """Return another table, of three classes."""
    wine = load_wine(as_frame=True)
    other = _split(wine.data.rename(columns=lambda name: name.replace("/", "_")), wine.target)
    other.y, other.y_test = np.asarray(other.y), np.asarray(other.y_test)
    return {**vars(other), "clean": (other.X, other.y), **more}


def one_row(d):
    """Return labels of which one row has a class of its own."""
    y = d.y.copy()
    y[0] = 2
    return {"y": y, "clean": (d.X, y)}


def teach(teacher):
    """Return a case's change: this teacher, and nothing but the teacher to learn from."""
    return lambda d: {
        "teacher": teacher(d) if callable(teacher) else teacher,
        "teacher_only": True,
    }


def answer(change):
    """Return a case's change: a teacher whose good probabilities are changed."""
    return teach(lambda d: Answers(lambda rows: change(good(rows), rows)))


def logits(p):
    """Return logits of probabilities."""
    p = np.clip(p, 1e-3, 1 - 1e-3)
    return np.log(p) - np.log(p).mean(axis=1, keepdims=True)


def wipe(p, rows):
    """Write zeros into the rows, as a scaler in place would, after having read them."""
    if hasattr(rows, "iloc"):
        rows.iloc[:, :] = 0.0
    else:
        rows[...] = 0.0
    return p


def sparsely(d):
    """Return sparse matrices."""
    return {"X": sparse.csr_matrix(d.X), "X_test": sparse.csr_matrix(d.X_test)}


def bytes_of(table):
    """Return the columns as whole numbers of one byte."""
    return (table.clip(-3, 3) + 3.5).astype(np.uint8)


def swapped(table):
    """Return the table with its columns in reverse."""
    return table.iloc[:, ::-1]


def half_wrong(d):
    """Return labels of which half are wrong, and weights that say which."""
    wrong = np.arange(len(d.y)) % 2 == 0
    return {"y": np.where(wrong, 1 - d.y, d.y), "sample_weight": (~wrong).astype(float)}


def named_targets(d):
    """Return soft targets whose columns are named and in another order."""
    frame = pd.DataFrame(good(d.X), columns=[0, 1])[[1, 0]]
    return {"soft_targets": frame, "teacher_only": True, "teacher": None}


def soft(change):
    """Return a case's change: soft targets in place of a teacher."""
    return lambda d: {"soft_targets": change(good(d.X)), "teacher_only": True, "teacher": None}


def two_of_three(d):
    """Return a teacher that knows two of three classes."""
    call = three_classes(d)
    known = call["y"] < 2
    return LogisticRegression().fit(call["X"][known], call["y"][known])
