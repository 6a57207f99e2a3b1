"""Gaussian noise on the numbers of real rows."""

from numbers import Real

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from skdistill._compat import Interval
from skdistill._input._frames import is_table
from skdistill.transfer._base import BaseAugmenter
from skdistill.transfer._table import build_table, read_columns


class GaussianNoise(BaseAugmenter):
    r"""Generate rows by adding Gaussian noise to the numbers of real rows.

    A number x becomes

    .. math:: x + \mathrm{scale} \cdot \sigma \cdot \varepsilon, \qquad \varepsilon \sim N(0, 1),

    :math:`\sigma` the standard deviation of its column, or of its position in an image. It stays
    within the column's range, and whole where all of the column's numbers are. Gaps, categories,
    booleans and numbers of two values are left as they are, and of sparse rows the zeros: there
    range and wholeness are those of the other values.

    Parameters
    ----------
    factor : float, default=1
        New rows for each row, greater than 0.
    scale : float, default=0.1
        Standard deviation of the noise, in standard deviations of the column; not negative.
    max_rows : int, default=100_000
        Greatest number of new rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import GaussianNoise
    >>> X = np.array([[1.5, 0.0], [2.0, 1.0], [3.5, 0.0]])
    >>> GaussianNoise(scale=0.2).rows(X, random_state=0).round(2)
    array([[1.5, 0. ],
           [3.5, 0. ],
           [2.1, 1. ]])
    """

    _parameter_constraints: dict = {
        **BaseAugmenter._parameter_constraints,
        "scale": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, factor: float = 1, *, scale: float = 0.1, max_rows: int = 100_000) -> None:
        self.factor = factor
        self.scale = scale
        self.max_rows = max_rows

    def _generate(self, X, base, rng):
        if sparse.issparse(X):
            return self._generate_sparse(X, base, rng)
        table = X if is_table(X) or X.ndim == 2 else X.reshape(len(X), -1)
        changes = ((base, *column.jitter(base, self.scale, rng)) for column in read_columns(table))
        rows = build_table(table, len(base), changes)
        return rows if table is X else rows.reshape(len(base), *X.shape[1:])

    def _generate_sparse(self, X, base, rng):
        low, high, whole = _describe_stored(X)
        std = np.sqrt(mean_variance_axis(X, axis=0)[1])
        rows = X[base]
        columns = rows.indices
        numbers = rows.data + self.scale * std[columns] * rng.standard_normal(rows.nnz)
        numbers = np.clip(numbers, low[columns], high[columns])
        rows.data = np.where(whole[columns], np.rint(numbers), numbers).astype(X.dtype)
        return rows


def _describe_stored(X):
    """Return the least and greatest stored value of each column, and whether all are whole."""
    low, high = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    np.fmin.at(low, X.indices, X.data)
    np.fmax.at(high, X.indices, X.data)
    fractions = np.bincount(X.indices, weights=X.data != np.rint(X.data), minlength=X.shape[1])
    return low, high, fractions == 0
