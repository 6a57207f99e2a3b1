"""What all generators of rows share."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone

from skdistill._compat import Interval, fit_context
from skdistill._input._columns import refuse_unreadable
from skdistill._input._frames import is_table
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill._words import shorten


class BaseAugmenter(BaseEstimator):
    """A generator of rows: how many, from which, and the checks before.

    A subclass has `_generate(X, base, rng)`, which returns a new row for each row of X that `base`
    names, and `_refuse(X)` where it cannot take all kinds of rows.
    """

    _parameter_constraints: dict = {
        "factor": [Interval(Real, 0, None, closed="neither")],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
    }

    def check_settings(self) -> None:
        """Raise a ValueError where a setting is out of its range."""
        self._validate_params()

    @fit_context(prefer_skip_nested_validation=True)
    def rows(self, X: Any, *, random_state: int | np.random.RandomState | None = None) -> Any:
        """Generate rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
            The rows to start from; not changed.
        random_state : int, RandomState instance or None, default=None
            An int gives the same rows each time, bit for bit.

        Returns
        -------
        {ndarray, CSR matrix, DataFrame} of shape (n_rows, n_features) or more axes
            Rows of the same kind, columns and dtypes as X, n_rows the lesser of `max_rows` and
            `factor` times n_samples. Each row of X is the start of equally many, give or take
            one. A DataFrame has a new index.

        Raises
        ------
        ValueError
            For a setting out of its range, and for rows that cannot be used.
        """
        X = as_rows(X)
        if len(X.shape) == 1:
            form = form_of(X)
            came = "holds texts" if form is None else f"is {name_form(form)}"
            raise ValueError(
                f"{type(self).__name__} changes the columns of a row, and X {came}; expected rows "
                f"of numbers or categories. Pass such rows without labels as X_unlabeled."
            )
        refuse_unreadable(X)
        self._refuse(X)
        rng = np.random.default_rng(draw_seeds(random_state, 1)[0])
        n_rows = min(self.max_rows, max(1, round(self.factor * X.shape[0])))
        return self._generate(X, np.resize(rng.permutation(X.shape[0]), n_rows), rng)

    @fit_context(prefer_skip_nested_validation=True)
    def share_max_rows(self, sizes: Sequence[int]) -> list[Self | None]:
        """Make a generator for each part of some rows, so that together they keep to `max_rows`.

        Parameters
        ----------
        sizes : list of int
            Number of rows of each part, greater than 0.

        Returns
        -------
        list of BaseAugmenter or None
            Copies with `max_rows` in proportion to the sizes; None for a share of no row.
        """
        shares = np.diff(self.max_rows * np.cumsum([0, *sizes]) // sum(sizes)).tolist()
        return [clone(self).set_params(max_rows=n) if n else None for n in shares]

    def _refuse(self, X):
        """Raise where rows of this kind cannot be used."""


def refuse_sparse_and_images(X, augmenter, reason):
    """Refuse rows that are no table of columns.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame}
        See `skdistill._input._rows.as_rows`.
    augmenter : BaseAugmenter
        The one that cannot take them.
    reason : str
        Why, the end of a sentence.

    Raises
    ------
    ValueError
    """
    if is_table(X) or (not sparse.issparse(X) and X.ndim == 2):
        return
    got = "a sparse matrix" if sparse.issparse(X) else "an array"
    raise ValueError(
        f"{type(augmenter).__name__} needs a table of columns of shape (n_samples, n_features). "
        f"Got {got} of shape {X.shape} instead, and {reason}. Use GaussianNoise, or pass rows "
        f"without labels as X_unlabeled."
    )


def check_n_samples(n_samples):
    """Refuse a number of rows to sample that is none.

    Parameters
    ----------
    n_samples : object

    Raises
    ------
    ValueError
    """
    if not isinstance(n_samples, Integral) or isinstance(n_samples, bool) or n_samples < 1:
        raise ValueError(
            f"n_samples is {shorten(n_samples)}; expected a number of rows, 1 or more."
        )
