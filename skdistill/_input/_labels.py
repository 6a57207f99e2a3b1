"""The labels of a classifier: one for each row, none missing, of one type."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skdistill._input._columns import is_gap
from skdistill._input._tensors import array_of
from skdistill._warn import warn
from skdistill._words import shorten
from skdistill.exceptions import DistillationWarning

NO_LABEL = (
    "rows without a label are passed apart from the others: fit(X[has_label], y[has_label], "
    "X_unlabeled=X[~has_label])"
)

MANY = 100
"""Classes that are worth a second look: more different values than these may well be amounts."""

FEW_ROWS = 10
"""A class of so many rows has enough to be learnt from."""

LEAST_ROWS = 20
"""Of fewer rows, how many classes they have says nothing."""

BOOLS = (bool, np.bool_)

FOR_NUMBERS = "Numbers are learnt by regressors, such as DistilledRegressor"


def read_labels(y):
    """Check the labels that a classifier is to learn.

    Parameters
    ----------
    y : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        For labels that are missing, continuous, or several for a row, and for numbers that look
        like amounts; see `refuse_amounts`.

    Warns
    -----
    DistillationWarning
        When the label -1, by which scikit-learn's semi-supervised estimators mark rows without a
        label, stands among 0, 1, 2 and so on, and for many whole numbers of which some stand in
        one row alone.
    """
    y = label_column(y)
    if y.dtype.kind in "iuf":
        labels, counts = np.unique(y, return_counts=True)
        refuse_amounts(labels, len(y))
        if len(labels) > MANY and counts.min() == 1:
            warn(
                f"y holds {len(labels)} different numbers, {(counts == 1).sum()} of them in one "
                f"row alone, and each is learnt as a class. If they are amounts, take a regressor, "
                f"such as DistilledRegressor.",
                DistillationWarning,
            )
    _refuse_objects(y)
    check_classification_targets(y)
    _warn_of_no_label(y)
    return y


def lists_of(y):
    """Return y as a list where a row of it is a list or a set, of any length; None for others.

    Parameters
    ----------
    y : array-like of shape (n_samples, ...), list of lists or list of sets

    Returns
    -------
    list or None
        None where the lists are the rows of an array.
    """
    try:
        values = np.asarray(y)
    except ValueError:  # lists of different lengths
        return list(y)
    is_flat = values.dtype == object and values.ndim == 1
    rows = values.tolist() if is_flat else []
    nested = any(isinstance(row, list | tuple | set | frozenset | np.ndarray) for row in rows)
    return rows if nested else None


def _refuse_objects(y):
    """Refuse an array of objects that are no texts, such as truth values that had gaps."""
    if y.dtype.kind != "O" or isinstance(y[0], str):
        return
    names = sorted({type(label).__name__ for label in y})
    kinds = {"bool": BOOLS, "int": (*BOOLS, Integral), "float": (*BOOLS, Real)}
    dtype = next((n for n, kind in kinds.items() if all(isinstance(v, kind) for v in y)), "str")
    raise ValueError(
        f"Unknown label type: unknown. y is an array of objects of the types {names}; expected a "
        f"dtype of labels. Give it one: y.astype({dtype})."
    )


def check_labels(y):
    """Check labels whose classes are known, or a part of them; see `read_labels`."""
    y = label_column(y)
    _warn_of_no_label(y)
    return y


def label_column(y):
    """Check labels, and say nothing of what they may be meant for; see `read_labels`."""
    if y is None:
        raise ValueError("y is None; expected a label for each row. Pass y.")
    y = array_of(y, "y") if hasattr(y, "detach") else y
    lists = lists_of(y)
    if lists is not None:
        raise ValueError(
            f"y holds lists, tuples or sets, such as {shorten(lists[:3])}; expected a label for "
            f"each row. Several labels of a row are learnt by DistilledMultilabelClassifier, as "
            f"MultiLabelBinarizer().fit_transform(y) writes them."
        )
    try:
        y = column_or_1d(y, warn=True)
    except ValueError as error:
        if "1d array" not in str(error):
            raise
        raise ValueError(
            f"{error} Expected a label for each row. Several labels of a row, 0 and 1, are for "
            f"DistilledMultilabelClassifier; several outputs of other values are learnt one at a "
            f"time: sklearn.multioutput.MultiOutputClassifier(model)."
        ) from error
    n_missing = _count_missing(y)
    if n_missing:
        raise ValueError(
            f"y contains NaN or None, for {n_missing} of {len(y)} rows; expected labels: "
            f"{NO_LABEL}."
        )
    assert_all_finite(y, input_name="y")
    kinds = {str if isinstance(label, str) else object for label in y if y.dtype.kind == "O"}
    if len(kinds) > 1:
        names = sorted({type(label).__name__ for label in y})
        raise ValueError(
            f"y holds labels of the types {names}, which have no order; expected one type. Make "
            f"them texts: y.astype(str)."
        )
    refuse_fractions(y)
    return y


def _warn_of_no_label(y):
    if y.dtype.kind == "i" and len(y) and y.min() == -1:
        others = np.unique(y[y >= 0])
        if len(others) > 1 and np.array_equal(others, np.arange(len(others))):
            warn(
                f"y holds -1 for {(y == -1).sum()} rows, and it is learnt as a class like the "
                f"others. If it stands for no label, as in scikit-learn's semi-supervised "
                f"estimators, {NO_LABEL}.",
                DistillationWarning,
            )


def refuse_fractions(y, name="y"):
    """Refuse labels that are numbers with fractions.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Finite.
    name : str, default="y"

    Raises
    ------
    ValueError
    """
    fractions = y[y != np.trunc(y)] if y.dtype.kind == "f" else y[:0]
    if len(fractions):
        raise ValueError(
            f"Unknown label type: continuous. {name} holds numbers such as {fractions[0]:.6g}; "
            f"expected the labels of classes. {FOR_NUMBERS}; to learn classes, make labels of "
            f"them, such as {name} > {np.median(y):.6g}."
        )


def refuse_amounts(labels, n_rows, name="y"):
    """Refuse numbers that are no labels by the look of them: each would be learnt as a class.

    They look like amounts where they are many for their rows, more than half as many as rows or
    than a hundred with less than ten rows each, and are floats or leave out more numbers than they
    take.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        Those that occur, sorted. Texts are left alone.
    n_rows : int
    name : str, default="y"

    Raises
    ------
    ValueError
    """
    if labels.dtype.kind not in "iuf":
        return
    n_labels = len(labels)
    are_few_rows = n_rows < FEW_ROWS * n_labels
    are_many = n_labels > MANY or (n_rows > LEAST_ROWS and n_labels > n_rows / 2)
    if not (are_few_rows and are_many):
        return
    if labels.dtype.kind == "f" or float(labels[-1]) - float(labels[0]) >= 2 * n_labels:
        raise ValueError(
            f"{name} holds {n_labels} different numbers in {n_rows} rows, such as "
            f"{labels.tolist()[n_labels // 2]}, and each would be learnt as a class; expected the "
            f"labels of classes. {FOR_NUMBERS}. If they do stand for classes, make them texts: "
            f"{name}.astype(str)."
        )


def _count_missing(y):
    if y.dtype.kind in "fc":
        return int(np.isnan(y).sum())
    if y.dtype.kind == "O":
        return sum(is_gap(label) for label in y)
    return 0


def encode(y, classes):
    """Return the position of each label among the classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n_samples,), int

    Raises
    ------
    ValueError
        For a label that is none of them.
    """
    y = check_labels(y)
    unknown = np.unique(y[~np.isin(y, classes)])
    if len(unknown):
        raise ValueError(
            f"y holds the labels {shorten(unknown.tolist()[:6])}, and the classes are "
            f"{classes.tolist()[:6]}; expected labels among them. Leave these rows out, or fit "
            f"anew; a first partial_fit takes all classes that will come, classes=[...]."
        )
    return np.searchsorted(classes, y)
