"""Rows without labels, wrapped so that no fold cuts them."""

from typing import Any, NamedTuple

__all__ = ["Unlabeled", "plain_rows"]


class Unlabeled(NamedTuple):
    """Rows without labels that cross-validation hands on whole.

    scikit-learn takes each argument of `fit` that is as long as X for one value per row, and cuts
    it for every fold: in a cross-validation, a search, or a calibration. As many unlabelled rows
    as labelled ones would be cut as well, in silence. Wrapped, they are one object.

    A Pipeline with ``transform_input=["X_unlabeled"]`` transforms what is wrapped, for this is a
    tuple, and it transforms the members of tuples.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_unlabeled, n_features) or more axes
        The rows; kept as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import Unlabeled
    >>> Unlabeled(np.zeros((100, 4)))
    Unlabeled(ndarray of shape (100, 4))
    """

    X: Any

    def __repr__(self) -> str:
        shape = f" of shape {self.X.shape}" if hasattr(self.X, "shape") else ""
        return f"Unlabeled({type(self.X).__name__}{shape})"


def plain_rows(X_unlabeled):
    """Return the rows of an `Unlabeled`, or of what a Pipeline makes of one.

    Parameters
    ----------
    X_unlabeled : object
        Rows, wrapped or not, or None.

    Returns
    -------
    object
        Rows, or None.

    Raises
    ------
    ValueError
        For rows that are wrapped twice.
    """
    if isinstance(X_unlabeled, Unlabeled):
        if isinstance(X_unlabeled.X, Unlabeled):
            raise ValueError(
                "X_unlabeled is an Unlabeled inside of an Unlabeled; expected rows. Write "
                "Unlabeled(X) once."
            )
        return X_unlabeled.X
    # A Pipeline that transforms an Unlabeled gives a plain tuple.
    if isinstance(X_unlabeled, tuple) and len(X_unlabeled) == 1:
        return X_unlabeled[0]
    return X_unlabeled
