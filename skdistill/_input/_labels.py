"""The labels of a classifier: one for each row, none missing, of one type."""

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skdistill._input._columns import is_gap
from skdistill._input._tensors import array_of
from skdistill._warn import warn
from skdistill.exceptions import DistillationWarning

NO_LABEL = (
    "rows without a label are passed apart from the others: fit(X[has_label], y[has_label], "
    "X_unlabeled=X[~has_label])"
)


def read_labels(y):
    """Check the labels of a classifier.

    Parameters
    ----------
    y : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        For labels that are missing, continuous, or several for a row.

    Warns
    -----
    DistillationWarning
        When the label -1, by which scikit-learn's semi-supervised estimators mark rows without a
        label, stands among 0, 1, 2 and so on.
    """
    if y is None:
        raise ValueError("y is None; expected a label for each row. Pass y.")
    y = array_of(y, "y") if hasattr(y, "detach") else y
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
    check_classification_targets(y)
    if y.dtype.kind == "i" and len(y) and y.min() == -1:
        others = np.unique(y[y >= 0])
        if len(others) > 1 and np.array_equal(others, np.arange(len(others))):
            warn(
                f"y holds -1 for {(y == -1).sum()} rows, and it is learnt as a class like the "
                f"others. If it stands for no label, as in scikit-learn's semi-supervised "
                f"estimators, {NO_LABEL}.",
                DistillationWarning,
            )
    return y


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
    y = read_labels(y)
    unknown = np.unique(y[~np.isin(y, classes)])
    if len(unknown):
        raise ValueError(
            f"y holds the labels {unknown.tolist()[:6]}, and the classes are "
            f"{classes.tolist()[:6]}; expected labels among them. Leave these rows out, or fit "
            f"anew; a first partial_fit takes all classes that will come, classes=[...]."
        )
    return np.searchsorted(classes, y)
