"""Gibbs: real rows, each cell of which is drawn anew from what the others make likely."""

from numbers import Integral

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill._compat import Interval
from skdistill._interrupts import whole_trainings
from skdistill.transfer._base import BaseAugmenter, refuse_sparse_and_images
from skdistill.transfer._codec import MAX_CODES, rank_categories
from skdistill.transfer._rows_by_label import RowsByLabel
from skdistill.transfer._table import UNCHANGED, build_table, read_columns


class Gibbs(BaseAugmenter):
    r"""Generate rows by drawing each cell of real rows anew, given the other cells.

    For each column a small tree predicts it from the others. A new row starts as a copy of a real
    one; then, column after column, the row goes down the column's tree with the cells that it has
    by now, and the cell becomes that of a real row in the leaf that it reaches, all of these being
    as likely: a draw of

    .. math:: x_j \sim \hat p(x_j \mid x_1, \ldots, x_{j-1}, x_{j+1}, \ldots, x_d).

    This is Gibbs sampling, with the trees for conditional distributions. Every cell is one that
    the column holds; numbers, categories and gaps are drawn alike, gaps being a value of their
    own. The order of the columns is drawn for each sweep. The time grows with the square of the
    number of columns.

    Parameters
    ----------
    factor : float, default=5
        New rows for each row, greater than 0.
    sweeps : int, default=1
        How often every column is drawn anew, 1 or more; the more, the farther from the real row.
    min_samples_leaf : int, default=5
        Least number of rows in a leaf, 1 or more: the fewer, the nearer the rows keep to the real
        ones.
    max_rows : int, default=100_000
        Greatest number of new rows.
    max_samples : int, default=10_000
        The trees are grown on as many rows, drawn at random.

    See Also
    --------
    Munge : Rows between neighbours.
    VAE : A density of whole rows, from which any number of rows can be drawn.

    References
    ----------
    Geman and Geman 1984, "Stochastic Relaxation, Gibbs Distributions, and the Bayesian
    Restoration of Images", IEEE PAMI 6.
    Fakoor et al. 2020, arXiv 2006.14284, draw rows by Gibbs sampling too, with a self-attention
    network for the conditional distributions.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import Gibbs
    >>> X = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    >>> Gibbs(factor=1, min_samples_leaf=2).rows(X, random_state=0)
    array([[ 1, 20],
           [ 3, 40],
           [ 2, 10],
           [ 3, 40]])
    """

    _parameter_constraints: dict = {
        **BaseAugmenter._parameter_constraints,
        "sweeps": [Interval(Integral, 1, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        factor: float = 5,
        *,
        sweeps: int = 1,
        min_samples_leaf: int = 5,
        max_rows: int = 100_000,
        max_samples: int = 10_000,
    ) -> None:
        self.factor = factor
        self.sweeps = sweeps
        self.min_samples_leaf = min_samples_leaf
        self.max_rows = max_rows
        self.max_samples = max_samples

    def _refuse(self, X):
        refuse_sparse_and_images(X, self, "a tree for each of its columns would take too long")

    def _generate(self, X, base, rng):
        codes, is_number = _encode(X)
        pool = rng.permutation(len(codes))[: self.max_samples]
        trees = [self._grow(codes[pool], j, is_number[j], rng) for j in range(codes.shape[1])]
        source = np.tile(base[:, None], codes.shape[1])
        state = codes[base]
        for _ in range(self.sweeps):
            for j in rng.permutation(codes.shape[1]):
                tree, leaves = trees[j]
                state[:, j] = 0  # as in the rows that the tree has learnt from
                source[:, j] = pool[leaves.draw(tree.apply(state), rng)]
                state[:, j] = codes[source[:, j], j]
        return build_table(X, len(base), ((column, *UNCHANGED) for column in source.T))

    def _grow(self, codes, column, is_number, rng):
        """Return the tree of a column, and the rows in its leaves."""
        kind = DecisionTreeRegressor if is_number else DecisionTreeClassifier
        wanted = codes[:, column] if is_number else np.minimum(codes[:, column], MAX_CODES - 1)
        tree = kind(min_samples_leaf=self.min_samples_leaf, random_state=int(rng.integers(2**31)))
        others = codes.copy()
        others[:, column] = 0
        with whole_trainings():
            tree.fit(others, wanted)
        return tree, RowsByLabel(tree.apply(others))


def _encode(X):
    """Return the rank of each cell in its column, and which columns are quantities.

    Trees ask for the order alone, and ranks are finite whatever the numbers are. A gap comes
    before the least, the most frequent category first.
    """
    columns = list(read_columns(X))
    codes = np.empty((X.shape[0], len(columns)), dtype=np.float32)
    for j, column in enumerate(columns):
        values = column.numbers
        if values is None:
            codes[:, j] = rank_categories(X, j)
        else:
            values = np.where(np.isnan(values), -np.inf, values)
            codes[:, j] = np.unique(values, return_inverse=True)[1]
    return codes, [column.is_quantity for column in columns]
