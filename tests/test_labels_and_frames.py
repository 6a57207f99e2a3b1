"""Labels of any kind, tables as they come, folds that lack a class, rows that are no table."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import shuffle
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP, TablePreprocessor
from skdistill.targets import teacher_targets

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)


def quick_student(**settings):
    return StudentNet(
        **{"max_epochs": 3, "lr": 0.01, "module__hidden_units": (16,), "batch_size": 32, **settings}
    )


def default_student(**settings):
    return make_pipeline(TablePreprocessor(), quick_student(**settings))


def quick_model(teacher=None, student=None, **settings):
    student = quick_student() if student is None else student
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def tree():
    return DecisionTreeClassifier(max_depth=3, random_state=0)


def assert_same_model(model, other, rows=X):
    np.testing.assert_array_equal(model.predict_proba(rows), other.predict_proba(rows))


# Labels

THREE_CLASSES = {
    "strings": np.array(["a", "b", "c"]),
    "strings of any length": np.array(["1 setosa", "10", "2"]),
    "objects": np.array(["x", "y", "z"], dtype=object),
    "integers with gaps": np.array([3, 7, 2000]),
    "negative integers": np.array([-7, -1, 0]),
    "small unsigned integers": np.array([0, 1, 255], dtype=np.uint8),
    "floats that are integers": np.array([1.0, 2.0, 5.0]),
}
TWO_CLASSES = {
    "booleans": np.array([False, True]),
    "signs": np.array([-1, 1]),
    "strings": np.array(["no", "yes"]),
    "floats that are integers": np.array([0.0, 1.0]),
}
LABELS = {
    **{f"three classes, {name}": names for name, names in THREE_CLASSES.items()},
    **{f"two classes, {name}": names for name, names in TWO_CLASSES.items()},
}


@pytest.mark.parametrize("fitted", [False, True], ids=["unfitted", "fitted"])
@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS)
def test_kinds_of_labels(names, fitted):
    some = len(names) > Y
    rows, y = X[some], Y[some]
    labels = names[y]
    teacher = tree().fit(rows, labels) if fitted else tree()
    model = quick_model(teacher).fit(rows, labels)
    positions = quick_model(tree().fit(rows, y) if fitted else tree()).fit(rows, y)
    assert_same_model(model, positions, rows)
    np.testing.assert_array_equal(model.classes_, names)
    assert model.classes_.dtype == names.dtype
    predicted = model.predict(rows)
    assert predicted.dtype == names.dtype
    np.testing.assert_array_equal(predicted, names[positions.predict(rows)])
    assert model.score(rows, labels) == positions.score(rows, y)


CONTAINERS = {
    "list": list,
    "column": lambda y: y[:, None],
    "Series": lambda y: pd.Series(y, index=np.arange(len(y))[::-1]),
    "Series of strings": lambda y: pd.Series(y, dtype="string"),
    "categories": lambda y: pd.Series(pd.Categorical(y, categories=["c", "a", "b"])),
}


@pytest.mark.filterwarnings("ignore:A column-vector y:sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_of_labels(wrap):
    labels = np.array(["a", "b", "c"])[Y]
    model = quick_model(tree()).fit(X, wrap(labels))
    np.testing.assert_array_equal(model.classes_, ["a", "b", "c"])
    assert_same_model(model, quick_model(tree()).fit(X, labels))


def test_many_classes():
    rows, y = make_blobs(26 * 12, 3, centers=26, random_state=0)
    letters = np.array([chr(ord("A") + k) for k in range(26)])[y]
    model = quick_model(GaussianNB(), default_student(max_epochs=20, lr=0.03)).fit(rows, letters)
    assert model.predict_proba(rows).shape == (312, 26)
    assert "".join(model.classes_) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert model.score(rows, letters) > 0.5
    assert_same_model(model, quick_model(GaussianNB(), model.student).fit(rows, y), rows)


def test_the_teachers_columns_are_aligned_by_label():
    class Reordered(ClassifierMixin, BaseEstimator):
        classes_ = np.array(["c", "a", "b"])

        def fit(self, X, y):
            raise AssertionError("a fitted teacher is not fitted again")

        def predict_proba(self, X):
            return known.predict_proba(X)[:, [2, 0, 1]]

        def __sklearn_is_fitted__(self):
            return True

    labels = np.array(["a", "b", "c"])[Y]
    known = tree().fit(X, labels)
    assert_same_model(quick_model(Reordered()).fit(X, labels), quick_model(known).fit(X, labels))


# Tables


def make_table(n=150):
    """A table with every kind of column, gaps in each, that says something of Y."""
    rng = np.random.default_rng(0)
    y = Y[:n]
    words = np.array(["low", "mid", "high"])
    flags = pd.array(y == 2, dtype="boolean")
    whole = pd.array(y + rng.integers(0, 2, n), dtype="Int64")
    whole[3::20] = pd.NA
    flags[4::20] = pd.NA
    table = pd.DataFrame(
        {
            "number": X[:n, 0],
            "whole": whole,
            "constant": 1.0,
            "word": words[(y + (rng.random(n) < 0.1)) % 3],
            "kind": pd.Categorical(words[rng.integers(0, 3, n)]),
            "truth": y == 0,
            "flag": flags,
        },
    )
    table.loc[::10, "number"] = np.nan
    table.loc[1::10, "word"] = None
    table.loc[2::10, "kind"] = None
    return table


def table_teacher():
    return make_pipeline(TablePreprocessor(), LogisticRegression(max_iter=500))


def test_a_table_of_every_kind_of_column():
    table = make_table()
    model = quick_model(table_teacher(), default_student()).fit(table, Y)
    assert model.n_features_in_ == 7
    np.testing.assert_array_equal(model.feature_names_in_, table.columns)
    # The same by hand: its preprocessing before it, and its targets as an array.
    preprocessor = TablePreprocessor(dtype="float32").fit(table)  # as its network reads it
    numbers = preprocessor.transform(table)
    assert np.isfinite(numbers).all()
    targets = teacher_targets(table_teacher(), table, Y)
    by_hand = quick_model().fit(numbers, Y, soft_targets=targets)
    np.testing.assert_array_equal(model.predict_proba(table), by_hand.predict_proba(numbers))


def test_the_default_student_reads_a_table():
    table = make_table()
    model = DistilledClassifier(table_teacher(), random_state=0).fit(table, Y)
    assert model.score(table, Y) > 0.8


def test_the_columns_that_a_table_becomes():
    table = pd.DataFrame(
        {
            "number": [1.0, np.nan, 3.0, 5.0],
            "truth": [True, False, True, False],
            "word": ["red", None, "blue", "red"],
        }
    )

    def clipped(z):
        return z / np.sqrt(1 + (z / 3) ** 2)

    expected = np.column_stack(
        [
            clipped(np.array([-1, 0, 0, 1])),  # median 3, which fills the gap; range 2 to 4
            clipped(np.array([0.5, -0.5, 0.5, -0.5])),
            [0, 1, 0, 0],  # the gap of "number"
            [0, 0, 1, 0],  # blue
            [1, 0, 0, 1],  # red
            [0, 1, 0, 0],  # none
        ]
    )
    preprocessor = TablePreprocessor()
    np.testing.assert_allclose(preprocessor.fit_transform(table), expected)
    np.testing.assert_allclose(preprocessor.transform(table), expected)


@pytest.mark.parametrize("as_table", [False, True], ids=["array", "table"])
def test_objects_are_columns_of_their_own_kind(as_table):
    rows = np.array(
        [[1, "red", True], [3.5, None, None], [None, "blue", False], [2, None, True]], dtype=object
    )
    rows = np.vstack([rows] * 10)
    y = np.tile([0, 1, 1, 0], 10)
    given = pd.DataFrame(rows) if as_table else rows
    model = quick_model(alpha=0, student=default_student()).fit(given, y)
    preprocessor = model.student_[0]
    np.testing.assert_array_equal(preprocessor.numeric_, [0])
    np.testing.assert_array_equal(preprocessor.flags_, [2])
    np.testing.assert_array_equal(preprocessor.categorical_, [1])
    assert model.predict_proba(given).shape == (40, 2)


def test_renamed_and_reordered_columns_are_refused():
    table = make_table()
    model = quick_model(alpha=0, student=default_student()).fit(table, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.rename(columns={"number": "other"}))
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(table[table.columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.drop(columns="number"))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.assign(more=1.0))


@pytest.mark.filterwarnings("ignore:X .* feature names, but StudentNet:UserWarning")
def test_names_at_predict_alone_or_at_fit_alone_are_warned_of():
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    with_names, without = quick_model(tree()).fit(frame, Y), quick_model(tree()).fit(X, Y)
    assert not hasattr(without, "feature_names_in_")
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Distilled"):
        p = with_names.predict_proba(X)
    with pytest.warns(UserWarning, match="X has feature names, but DistilledClassifier"):
        np.testing.assert_array_equal(without.predict_proba(frame), p)


def test_a_teacher_that_knows_other_names_is_warned_of():
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    teacher = tree().fit(frame, Y)
    with pytest.warns(TeacherWarning, match=r"fitted with the feature names \['sl'"):
        quick_model(teacher).fit(X, Y)


def test_the_index_of_a_table_does_not_matter():
    table = make_table()
    direct = quick_model(table_teacher(), default_student()).fit(table, Y)
    odd = table.set_index(pd.Index(np.arange(150) // 7))
    model = quick_model(table_teacher(), default_student()).fit(odd, pd.Series(Y))
    assert_same_model(model, direct, table)


def test_unseen_categories_and_gaps_at_predict():
    table = make_table().drop(columns="kind")
    table["word"] = table["word"].fillna("mid")
    model = quick_model(table_teacher(), default_student()).fit(table, Y)
    unseen, other, gap = (table.assign(word=word) for word in ("new", "newer", None))
    np.testing.assert_array_equal(model.predict_proba(unseen), model.predict_proba(other))
    np.testing.assert_array_equal(model.predict_proba(unseen), model.predict_proba(gap))
    assert not np.allclose(model.predict_proba(unseen), model.predict_proba(table))
    # A gap in a column that had none is filled with the median.
    p = model.predict_proba(table.assign(constant=np.nan))
    np.testing.assert_array_equal(p, model.predict_proba(table))


def test_rows_are_left_as_they_are():
    table, y = make_table(), pd.Series(Y)
    before = table.copy(deep=True)
    quick_model(table_teacher(), default_student()).fit(table, y).predict(table)
    pd.testing.assert_frame_equal(table, before)
    rows = X.copy()
    rows.setflags(write=False)
    quick_model(tree()).fit(rows, Y).predict(rows)


@pytest.mark.filterwarnings("ignore:.*it is timid")  # a forest of few trees
def test_folds_of_a_table():
    table = make_table()
    folds = StratifiedKFold(2)
    model = quick_model(table_teacher(), default_student(), cv=2)
    p = cross_val_predict(model, table, Y, cv=folds, method="predict_proba")
    train, test = next(folds.split(table, Y))
    alone = quick_model(table_teacher(), default_student(), cv=2)
    alone.fit(table.iloc[train], Y[train])
    np.testing.assert_array_equal(p[test], alone.predict_proba(table.iloc[test]))


class RecordingTeacher(ClassifierMixin, BaseEstimator):
    """A constant teacher that writes down the rows that it is shown, in every clone."""

    shown = []

    def fit(self, X, y):
        self.shown.append(X)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        self.shown.append(X)
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_the_teacher_sees_the_rows_that_fit_got():
    table = make_table().iloc[::-1]
    RecordingTeacher.shown.clear()
    model = quick_model(RecordingTeacher(), default_student(), cv=2).fit(table, Y)
    assert len(RecordingTeacher.shown) == 5  # two folds, fitted and asked, and the fit on all
    for rows in RecordingTeacher.shown:
        assert isinstance(rows, pd.DataFrame)
        pd.testing.assert_frame_equal(rows, table.loc[rows.index])
    assert RecordingTeacher.shown[-1] is table
    # The student sees what its own preprocessing makes of them.
    assert model.student_[-1].module_.n_features == model.student_[0].transform(table).shape[1]


@pytest.mark.parametrize("fitted", [False, True])
def test_other_rows_reach_the_teacher_as_arrays(fitted):
    RecordingTeacher.shown.clear()
    for rows in (X, X.tolist(), torch.tensor(X)):
        teacher = RecordingTeacher()
        teacher = teacher.fit(X, Y) if fitted else teacher
        assert_same_model(quick_model(teacher).fit(rows, Y), quick_model(teacher).fit(X, Y))
    assert all(isinstance(rows, np.ndarray) for rows in RecordingTeacher.shown)


# Folds that lack a class, rows that no fold leaves out


def targets_by_hand(splits, rows, y, n_classes=3):
    """Out-of-fold answers of the tree in plain numpy: means over the splits, NaN where none."""
    total, count = np.zeros((len(y), n_classes)), np.zeros(len(y))
    for train, test in splits:
        teacher = tree().fit(rows[train], y[train])
        p = np.zeros((len(test), n_classes))
        p[:, teacher.classes_] = teacher.predict_proba(rows[test])
        known = np.isin(y[test], teacher.classes_)
        total[test[known]] += p[known]
        count[test[known]] += 1
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)


SPLITTERS = {
    "default": (None, StratifiedKFold(5)),
    "number": (3, StratifiedKFold(3)),
    "splitter": (KFold(4, shuffle=True, random_state=1),) * 2,
    "time series": (TimeSeriesSplit(3),) * 2,
    "repeated": (RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0),) * 2,
    "some rows never": (ShuffleSplit(2, test_size=0.3, random_state=0),) * 2,
    "predefined": (PredefinedSplit(np.arange(150) % 4 - 1),) * 2,
}


@pytest.mark.parametrize(("cv", "splitter"), SPLITTERS.values(), ids=SPLITTERS)
def test_targets_are_out_of_fold(cv, splitter):
    targets = teacher_targets(tree(), X, Y, cv=cv)
    expected = targets_by_hand(splitter.split(X, Y), X, Y)
    np.testing.assert_allclose(targets, expected, rtol=1e-12)
    model = quick_model(tree(), cv=cv).fit(X, Y)
    assert_same_model(model, quick_model().fit(X, Y, soft_targets=targets))


def test_splits_as_a_list():
    splits = list(StratifiedKFold(3).split(X, Y))
    targets = teacher_targets(tree(), X, Y, cv=splits)
    np.testing.assert_array_equal(targets, teacher_targets(tree(), X, Y, cv=3))


def test_rows_that_no_split_leaves_out_learn_from_their_label_alone():
    targets = teacher_targets(tree(), X, Y, cv=TimeSeriesSplit(3))
    uncovered = np.isnan(targets).all(axis=1)
    first_test = next(TimeSeriesSplit(3).split(X))[1]
    np.testing.assert_array_equal(np.flatnonzero(uncovered), np.arange(first_test[0]))
    # With the teacher's term alone, what these rows are labelled does not matter.
    relabelled = np.where(uncovered, (Y + 1) % 3, Y)
    student = quick_student(train_split=None)
    with pytest.warns(TeacherWarning, match="39 of the 150 labelled rows have no soft target"):
        model = quick_model(student=student, alpha=1.0).fit(X, Y, soft_targets=targets)
        other = quick_model(student=student, alpha=1.0).fit(X, relabelled, soft_targets=targets)
    assert_same_model(model, other)
    half = quick_model(student=student).fit(X, Y, soft_targets=targets)
    other = quick_model(student=student).fit(X, relabelled, soft_targets=targets)
    assert not np.allclose(half.predict_proba(X), other.predict_proba(X))


def singleton():
    """Two classes, and a third of a single row."""
    rows, y = X[Y < 2], Y[Y < 2].copy()
    y[17] = 2
    return rows, y


def test_a_class_of_a_single_row_with_an_unfitted_teacher():
    rows, y = singleton()
    targets = teacher_targets(tree(), rows, y)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(targets).any(axis=1)), [17])
    with pytest.warns(UserWarning, match="The least populated class"):
        splits = list(StratifiedKFold(2).split(rows, y))
    np.testing.assert_allclose(targets, targets_by_hand(splits, rows, y), rtol=1e-12)
    model = quick_model(tree()).fit(rows, y)
    assert_same_model(model, quick_model().fit(rows, y, soft_targets=targets), rows)
    assert model.predict_proba(rows).shape == (100, 3)


def test_a_class_that_a_fitted_teacher_does_not_know():
    rows, y = singleton()
    others = np.arange(100) != 17
    teacher = tree().fit(rows[others], y[others])
    targets = teacher_targets(teacher, rows, y)
    expected = np.column_stack([teacher.predict_proba(rows), np.zeros(100)])
    np.testing.assert_array_equal(targets[others], expected[others])
    assert np.isnan(targets[17]).all()
    model = quick_model(teacher).fit(rows, y)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert_same_model(model, quick_model().fit(rows, y, soft_targets=targets), rows)
    with pytest.warns(TeacherWarning, match=r"1 of the 100 labelled rows have no.*Lower alpha"):
        quick_model(teacher, alpha=1).fit(rows, y)


def test_a_class_that_only_the_teacher_knows():
    labels = np.array(["a", "b", "c"])[Y]
    teacher = GaussianNB().fit(X, labels)
    some = labels != "b"
    with pytest.warns(TeacherWarning, match=r"classes that y lacks \('b'\)"):
        model = quick_model(teacher).fit(X[some], labels[some])
    p = teacher.predict_proba(X[some])[:, [0, 2]]
    by_hand = quick_model().fit(
        X[some], labels[some], soft_targets=p / p.sum(axis=1, keepdims=True)
    )
    assert_same_model(model, by_hand)


@pytest.mark.filterwarnings("ignore:The teacher knows classes that y lacks")
@pytest.mark.parametrize("fitted", [False, True], ids=["unfitted", "fitted"])
def test_outer_folds_that_lack_a_class(fitted):
    order = np.argsort(Y, kind="stable")
    rows, y = X[order], np.array(["a", "b", "c"])[Y[order]]
    model = quick_model(GaussianNB().fit(rows, y) if fitted else GaussianNB())
    result = cross_validate(model, rows, y, cv=KFold(3), return_estimator=True)
    for estimator, lacking in zip(result["estimator"], "abc", strict=True):
        assert lacking not in estimator.classes_
        assert estimator.predict_proba(rows).shape == (150, 2)
    np.testing.assert_array_equal(result["test_score"], 0)


# Rows that are no table


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array])
def test_sparse_rows(make):
    rows = np.where(X > 2, X, 0.0)
    model = quick_model(tree(), quick_student(module=MLP)).fit(make(rows), Y)
    dense = quick_model(tree(), quick_student(module=MLP)).fit(rows, Y)
    # A sparse product adds up in another order.
    np.testing.assert_allclose(
        model.predict_proba(make(rows)), dense.predict_proba(rows), rtol=1e-4
    )
    np.testing.assert_allclose(model.predict_proba(rows), dense.predict_proba(rows), rtol=1e-4)


def test_the_default_student_reads_sparse_rows():
    rows = sparse.csr_matrix(np.where(X > 2, X, 0.0))
    model = quick_model(LogisticRegression(max_iter=500), default_student(max_epochs=20, lr=0.03))
    model.fit(rows, Y)
    assert model.score(rows, Y) > 0.8
    scaled = rows / np.median(rows.max(axis=0).toarray())  # all units are near one another
    np.testing.assert_allclose(model.student_[0].transform(rows).toarray(), scaled.toarray())
    np.testing.assert_allclose(
        model.predict_proba(rows.toarray()), model.predict_proba(rows), rtol=1e-5
    )


class TinyConvNet(nn.Module):
    def __init__(self, in_channels, n_classes, width=4):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.head = nn.Linear(width, n_classes)

    def forward(self, images):
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


class TinyRecurrentNet(nn.Module):
    def __init__(self, n_classes, input_size=3):
        super().__init__()
        self.cells = nn.GRU(input_size, 5, batch_first=True)
        self.head = nn.Linear(5, n_classes)

    def forward(self, steps):
        return self.head(self.cells(steps)[0][:, -1])


def bright_images(n=60):
    """Images of three channels; the class is the channel that is bright."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    images = rng.random((n, 3, 5, 4))
    images[np.arange(n), y] += 1
    return images, y


def flat(images):
    return np.asarray(images).reshape(len(images), -1)


@pytest.mark.parametrize("fitted", [False, True])
def test_images_with_a_module_class(fitted):
    images, y = bright_images()
    teacher = make_pipeline(FunctionTransformer(flat), GaussianNB())
    teacher = teacher.fit(images, y) if fitted else teacher
    student = StudentNet(TinyConvNet, max_epochs=40, lr=0.05, module__width=6)
    model = quick_model(teacher, student).fit(images, y)
    assert model.n_features_in_ == 3
    assert model.student_.module_.conv.in_channels == 3
    assert model.student_.module_.head.out_features == 3
    assert model.student_.module_.conv.out_channels == 6
    with torch.no_grad():
        logits = model.student_.module_(torch.tensor(images, dtype=torch.float32))
    np.testing.assert_allclose(model.predict_proba(images), softmax(logits.numpy(), axis=1), 1e-5)
    assert model.score(images, y) > 0.9


def test_images_with_a_bare_class_and_soft_targets():
    images, y = bright_images()
    soft = 0.1 + 0.7 * np.eye(3)[y]
    model = DistilledClassifier(student=TinyConvNet, random_state=0)
    model.fit(images.astype(np.float32), y, soft_targets=soft)
    assert model.predict_proba(images[:2]).shape == (2, 3)
    assert isinstance(model.student_.module_, TinyConvNet)


def test_images_in_cross_validation():
    images, y = bright_images()
    student = StudentNet(TinyConvNet, max_epochs=20, lr=0.05)
    teacher = make_pipeline(FunctionTransformer(flat), GaussianNB())
    result = cross_validate(quick_model(teacher, student, cv=2), images, y, cv=2)
    assert result["test_score"].mean() > 0.5


def test_sequences_with_a_module_class():
    rng = np.random.default_rng(0)
    steps, y = rng.random((40, 6, 3)), np.arange(40) % 2
    steps[y == 1, -1] += 1
    student = StudentNet(TinyRecurrentNet, max_epochs=30, lr=0.05, module__input_size=3)
    model = quick_model(make_pipeline(FunctionTransformer(flat), GaussianNB()), student, cv=2)
    assert model.fit(steps, y).score(steps, y) > 0.9


def test_boosted_trees_on_categories_as_teacher():
    table = make_table()[["number", "kind", "truth"]]
    teacher = HistGradientBoostingClassifier(
        max_iter=5, min_samples_leaf=5, categorical_features="from_dtype", random_state=0
    )
    model = quick_model(teacher, default_student()).fit(table, Y)
    targets = teacher_targets(teacher, table, Y)
    assert_same_model(
        model, quick_model(None, default_student()).fit(table, Y, soft_targets=targets), table
    )


def test_scaled_rows_before_a_teacher_of_raw_rows_are_warned_of():
    teacher = GaussianNB().fit(X * 10 + 100, Y)
    with pytest.warns(TeacherWarning, match="worse than the .* of the class rates alone"):
        make_pipeline(StandardScaler(), quick_model(teacher)).fit(X * 10 + 100, Y)
