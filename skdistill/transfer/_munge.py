"""Munge: rows between real rows and their nearest neighbours."""

from numbers import Integral, Real

import numpy as np

from skdistill._compat import Interval
from skdistill.transfer._base import BaseAugmenter, refuse_sparse_and_images
from skdistill.transfer._neighbors import encode_distances, find_neighbors
from skdistill.transfer._table import UNCHANGED, build_table, read_columns


class Munge(BaseAugmenter):
    r"""Generate rows between real rows and their nearest neighbours.

    Each new row starts as a copy of a real row :math:`e`, whose nearest other row is
    :math:`e'`. With probability `p`, each for itself, a category becomes the neighbour's, and a
    number :math:`a` is drawn from

    .. math:: N(a',\ |a - a'| / s).

    So a number that both share stays, and new rows lie where the real ones do. A number stays
    within its column's range, and whole where all of the column's numbers are; numbers of two
    values are exchanged like categories, and so is a gap on either side. Distances are Euclidean,
    numbers scaled to [0, 1], two different categories 1 apart. The paper changes row and
    neighbour in one go, one pair after the other; here each new row is made for itself.

    Parameters
    ----------
    factor : float, default=1
        New rows for each row, greater than 0.
    p : float, default=0.5
        Probability of a cell to be changed, in [0, 1].
    s : float, default=1.0
        Greater than 0; the greater, the nearer the numbers are to the neighbour's.
    max_rows : int, default=100_000
        Greatest number of new rows.
    max_neighbors : int, default=10_000
        Neighbours are looked for among as many rows, drawn at random, so that the time grows with
        the number of rows and not with its square.

    See Also
    --------
    Spunge : Needs no neighbours.

    References
    ----------
    Bucilă, Caruana and Niculescu-Mizil 2006, "Model Compression", KDD.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import Munge
    >>> X = np.array([[1.5, 0.2], [2.0, 0.1], [8.0, 0.9], [9.5, 0.9]])
    >>> Munge().rows(X, random_state=0).round(1)
    array([[1.6, 0.2],
           [9.5, 0.9],
           [1.5, 0.1],
           [9.5, 0.9]])
    """

    _parameter_constraints: dict = {
        **BaseAugmenter._parameter_constraints,
        "p": [Interval(Real, 0, 1, closed="both")],
        "s": [Interval(Real, 0, None, closed="neither")],
        "max_neighbors": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        factor: float = 1,
        *,
        p: float = 0.5,
        s: float = 1.0,
        max_rows: int = 100_000,
        max_neighbors: int = 10_000,
    ) -> None:
        self.factor = factor
        self.p = p
        self.s = s
        self.max_rows = max_rows
        self.max_neighbors = max_neighbors

    def _refuse(self, X):
        refuse_sparse_and_images(X, self, "the distances of its neighbours are not meant for it")

    def _generate(self, X, base, rng):
        columns = list(read_columns(X))
        starts, where = np.unique(base, return_inverse=True)
        encoded = encode_distances(X, columns)
        neighbors = find_neighbors(encoded, starts, self.max_neighbors, rng)[where]
        changes = (self._change(column, base, neighbors, rng) for column in columns)
        return build_table(X, len(base), changes)

    def _change(self, column, base, neighbors, rng):
        chosen = rng.random(len(base)) < self.p
        if not column.is_quantity:
            return np.where(chosen, neighbors, base), *UNCHANGED
        own, other = column.numbers[base], column.numbers[neighbors]
        gap = np.isnan(own) | np.isnan(other)
        source = np.where(chosen & gap, neighbors, base)
        cells = np.flatnonzero(chosen & ~gap)
        own, other = own[cells], other[cells]
        drawn = rng.standard_normal(len(cells))
        return source, cells, column.keep_kind(other + np.abs(own - other) / self.s * drawn)
