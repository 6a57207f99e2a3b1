"""Every row without a label that a fit learns from, brought together."""

from skdistill._columns import is_table
from skdistill._rows import as_rows
from skdistill.transfer._registry import get_augmenter
from skdistill.transfer._unlabeled import unwrap


def gather_rows(X, X_unlabeled, augment, seed):
    """Return the user's unlabelled rows and the generated ones.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        The labelled rows, from which rows are generated.
    X_unlabeled : {array-like, sparse matrix, DataFrame, Unlabeled} of shape (n_unlabeled, ...) \
or None
        Rows with the columns of X.
    augment : None, str or object
        See `get_augmenter`.
    seed : int
        Seeds the generated rows.

    Returns
    -------
    list of {ndarray, CSR matrix, DataFrame}

    Raises
    ------
    ValueError
        When the unlabelled rows are not of the kind or the columns of X.
    """
    parts = []
    if X_unlabeled is not None:
        rows = as_rows(unwrap(X_unlabeled))
        _check_alike(rows, X)
        parts.append(rows)
    augmenter = get_augmenter(augment)
    if augmenter is not None:
        parts.append(augmenter.rows(X, random_state=seed))
    return parts


def _check_alike(rows, X):
    if is_table(rows) != is_table(X):
        names = ["an array", "a DataFrame"]
        raise ValueError(
            f"X_unlabeled is {names[is_table(rows)]} and X is {names[is_table(X)]}; expected the "
            f"same of both, so that teacher and student read their columns alike."
        )
    if rows.shape[1:] != X.shape[1:]:
        raise ValueError(
            f"The rows of X_unlabeled have the shape {tuple(rows.shape[1:])} and those of X "
            f"{tuple(X.shape[1:])}; expected the same columns. Inside a Pipeline with steps before "
            f"this estimator, transform_input=['X_unlabeled'] brings them through the steps."
        )
    if is_table(rows) and list(rows.columns) != list(X.columns):
        raise ValueError(
            "X_unlabeled and X have different columns, or the same in another order; pass "
            "X_unlabeled[X.columns]."
        )
