"""What fit_dataset refuses of data sets of torch."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
)
from skdistill.exceptions import StudentError, TeacherError
from skdistill.students import MLP
from skdistill.teachers import ClassGraphTeacher

N = 2000
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, N)
X = RNG.standard_normal((N, 5)) + 1.2 * np.eye(3, 5)[Y]
TEACHER = GaussianNB().fit(X, Y)
PAIRS = TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))


class InTurn(IterableDataset):
    """Pairs of rows and labels, one after the other."""

    def __init__(self, rows, labels):
        self.rows, self.labels = rows, labels

    def __iter__(self):
        return zip(self.rows, self.labels, strict=True)


def made_net(make):
    """Return a module whose weights are drawn from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


def model(n_epochs=3, teacher=TEACHER, **settings):
    net = StudentNet(MLP, module__hidden_units=(16,), max_epochs=n_epochs, **settings)
    return DistilledClassifier(teacher, net, random_state=0, device="cpu")


# Bad input.


class Once(IterableDataset):
    """A data set that can be gone through once."""

    def __init__(self):
        self.pairs = zip(X, Y.tolist(), strict=True)

    def __iter__(self):
        return self.pairs


class Changing(IterableDataset):
    """A data set that gives other rows, or in another order, after its first passes."""

    def __init__(self, later):
        self.later, self.n_passes = later, 0

    def __iter__(self):
        self.n_passes += 1
        which = np.arange(N) if self.n_passes < 4 else self.later
        return zip(X[which], Y[which].tolist(), strict=True)


class Records(Dataset):
    """Rows and labels by name."""

    def __len__(self):
        return N

    def __getitem__(self, place):
        return {"row": X[place], "label": Y[place]}


class NoLength(Dataset):
    """Pairs at any place."""

    def __getitem__(self, place):
        return X[place], Y[place]


def of(rows, labels=None):
    labels = Y.tolist() if labels is None else labels
    return InTurn(rows, list(labels)[: len(rows)])


def changed(values, value, place=7):
    values = list(values)
    values[place] = value
    return values


def fit(pairs, model=model, **given):
    return lambda: model().fit_dataset(pairs, **given)


def using(**settings):
    return lambda: model(1).set_params(**settings)


def regressor():
    return DistilledRegressor(LinearRegression().fit(X, X[:, 0]))


INFINITE = X.copy()
INFINITE[7, 1] = np.inf
GAPS = X.copy()
GAPS[7, 1] = np.nan
IMAGES = np.zeros((N, 1, 8, 8))
IMAGES[7, 0, 0, 0] = np.nan
SEARCH = DistillationSearchCV(model(), {"alpha": [0, 1]})
REFUSED = {
    "a loader": (
        TypeError,
        fit(DataLoader(PAIRS)),
        r"dataset is a DataLoader of torch.*expected the Dataset.*fit_dataset\(loader.dataset\)",
    ),
    "a target": (
        ValueError,
        fit(PAIRS, target="y", columns=["a"]),
        r"\['target', 'columns'\] were given with a TensorDataset.*Leave them out",
    ),
    "answers": (
        ValueError,
        fit(PAIRS, soft_targets=np.eye(3)[Y]),
        r"\['soft_targets'\] were given with a TensorDataset.*give the teacher to the Distilled",
    ),
    "files without a target": (
        ValueError,
        fit("rows"),
        r"target is None and dataset is a str; expected the name.*fit_dataset\(dataset, target=",
    ),
    "no pairs": (
        TypeError,
        fit(TensorDataset(torch.as_tensor(X))),
        r"Item 0 of dataset is a tuple of length 1; expected a pair \(row, label\). Let the data",
    ),
    "a dict": (
        TypeError,
        fit(Records()),
        "Item 0 of dataset is a dict; expected a pair",
    ),
    "a row that is none": (
        TypeError,
        fit(of(changed(X, {"a": 1.0}))),
        "Item 7 of dataset has a row of type dict .*expected an array or a tensor of numbers",
    ),
    "a row without an axis": (
        TypeError,
        fit(of(X[:, 0])),
        r"Item 0 of dataset has a row of type float64 \(shape \(\), .*with one axis or more",
    ),
    "a row without numbers": (
        TypeError,
        fit(of(X[:, :0])),
        r"Item 0 of dataset has a row of .*\(shape \(0,\), .*numbers, one at least",
    ),
    "a sparse row": (
        TypeError,
        fit(of(changed(torch.tensor(X), torch.tensor(X[7]).to_sparse()))),
        "row of item 7 of dataset is a tensor of .*layout torch.sparse_coo.*to_dense",
    ),
    "a whole number that no array holds": (
        ValueError,
        fit(of(X, changed(Y.tolist(), 2**70))),
        "Item 7 of dataset has the label 1180591620717411303424; .*at most 64 bits",
    ),
    "a number that no array holds": (
        ValueError,
        fit(of(X, changed(X[:, 0].tolist(), 10**400)), regressor),
        "Item 7 of dataset has the label 10000.*at most 64 bits",
    ),
    "rows of two shapes": (
        ValueError,
        fit(of(changed(X, X[7, :4]))),
        r"Item 7 of dataset has a row of shape \(4,\), and those before it had \(5,\); .*"
        r"Crop or pad",
    ),
    "no label": (
        ValueError,
        fit(of(X, changed(Y.tolist(), None))),
        "Item 7 of dataset has the label None; expected a number or a text.*Leave such items out",
    ),
    "labels in a row": (
        ValueError,
        fit(of(X, np.eye(3)[Y])),
        r"Item 0 of dataset has the label an array of shape \(3,\); expected a number or a text",
    ),
    "a label that is NaN": (
        ValueError,
        fit(of(X, changed(X[:, 0], np.nan)), regressor),
        "Item 7 of dataset has the label nan; expected a finite number, or an array of some",
    ),
    "a text as number": (
        ValueError,
        fit(of(X, changed(X[:, 0], "a")), regressor),
        "Item 7 of dataset has the label 'a'; expected a finite number",
    ),
    "numbers of two widths": (
        ValueError,
        fit(of(X, changed(X[:, :2], X[7, :3])), regressor),
        r"Item 7 of dataset has a label of shape \(3,\), and those before it had \(2,\)",
    ),
    "labels of two kinds": (
        ValueError,
        fit(of(X, changed(Y.tolist(), "a"))),
        "dataset has labels such as 'a' and .*no order; expected numbers or texts. Make them all",
    ),
    "one class": (ValueError, fit(of(X, [1] * N)), "y holds 1 class"),
    "numbers as labels": (ValueError, fit(of(X, X[:, 0])), "Unknown label type: continuous"),
    "amounts as labels": (
        ValueError,
        fit(of(X, 1000 * np.arange(len(X)))),
        "y holds (.*) different numbers in \\1 rows, .* learnt as a class.*DistilledRegressor",
    ),
    "an infinite number": (ValueError, fit(of(INFINITE)), "Input X contains infinity"),
    "gaps for a net alone": (
        StudentError,
        fit(of(GAPS)),
        r"columns \[1\] have gaps, and StudentNet reads numbers alone. Put a step before it",
    ),
    "images with gaps": (
        StudentError,
        fit(of(IMAGES), using(student=None)),
        "Some rows hold NaN, and ImagePreprocessor reads numbers alone. Fill the gaps in the data",
    ),
    "no rows": (
        ValueError,
        fit(of([])),
        "dataset, a InTurn, holds no rows; expected some to learn from",
    ),
    "no length": (
        TypeError,
        fit(NoLength()),
        "a NoLength, has no length; expected len.*IterableDataset. Give it a __len__",
    ),
    "rows that come once": (
        ValueError,
        fit(Once()),
        "a Once, gives no rows when it is gone through again; expected all of them each time. Let",
    ),
    "an unfitted teacher": (
        TeacherError,
        fit(PAIRS, using(teacher=GaussianNB())),
        "GaussianNB is not fitted, and fit_dataset fits none; expected a fitted one. Fit it first",
    ),
    "a teacher of labels": (
        TeacherError,
        fit(PAIRS, using(teacher=ClassGraphTeacher(np.eye(3)))),
        "answers from labels, and fit_dataset asks about rows; expected a teacher that answers",
    ),
    "a teacher of labels among others": (
        TeacherError,
        fit(PAIRS, using(teacher=[TEACHER, ClassGraphTeacher(np.eye(3))])),
        "answers from labels, and fit_dataset asks about rows",
    ),
    "no teacher": (ValueError, fit(PAIRS, using(teacher=None)), "There is no teacher"),
    "a teacher of other rows": (
        TeacherError,
        fit(PAIRS, using(teacher=made_net(lambda: torch.nn.Linear(4, 3)))),
        r"Linear cannot be asked about rows of shape \(5,\)",
    ),
    "a tree as student": (
        StudentError,
        fit(PAIRS, using(student=DecisionTreeClassifier())),
        "DecisionTreeClassifier reads all rows at once; expected None, a StudentNet",
    ),
    "alpha": (
        ValueError,
        fit(PAIRS, using(alpha="auto")),
        "alpha='auto' was given.*sample.*alpha_",
    ),
    "calibrate": (
        ValueError,
        fit(PAIRS, using(calibrate=True)),
        "calibrate=True was given to fit_dataset.*calibrate the teacher itself, or leave it out",
    ),
    "augment": (
        ValueError,
        fit(PAIRS, using(augment="munge")),
        "augment='munge' was given.*draw them in the data set itself",
    ),
    "views": (
        ValueError,
        fit(PAIRS, lambda: model(views="mixup")),
        "^A student with views was given .*drawn of rows in memory: draw them in the data set",
    ),
    "memory": (
        ValueError,
        fit(PAIRS, using(memory="kept")),
        "memory='kept' was given.*asked about the rows as they come.*leave it out",
    ),
    "a data set in a search": (
        TypeError,
        lambda: SEARCH.fit(PAIRS, Y),
        r"X is a TensorDataset of torch.*fit_dataset\(X\).*a search or .* gets a sample",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    error, act, message = REFUSED[case]
    refused(error, act, message)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (np.arange(N - 1), f"gave {N} rows in its first pass and {N - 1} in a later one; expected"),
        (np.append(np.arange(N), 0), f"{N} rows in its first pass and more than {N} in a later"),
        (np.arange(N)[::-1], "the label . in its first pass, and . at the same place of a later"),
    ],
    ids=["fewer rows", "more rows", "another order"],
)
def test_rows_that_change_between_passes_end_a_fit_that_leaves_the_student_as_it_was(
    later, message
):
    fitted = model(2).fit_dataset(PAIRS)
    before = fitted.predict_proba(X)
    with pytest.raises(ValueError, match=message):
        fitted.fit_dataset(Changing(later))
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_rows_may_come_in_any_order_where_none_is_held_back():
    fitted = model(6, train_split=None).fit_dataset(Changing(RNG.permutation(N)))
    assert fitted.score(X, Y) > 0.5


def test_labels_that_were_not_there_before():
    class Renamed(Changing):
        def __iter__(self):
            return ((row, label + 7 * (self.n_passes > 3)) for row, label in super().__iter__())

    fitted = model(train_split=None)
    with pytest.raises(ValueError, match=r"has the label \d+, which it did not have when it was"):
        fitted.fit_dataset(Renamed(np.arange(N)))
