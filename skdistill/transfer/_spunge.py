"""Spunge: real rows, some cells of which are drawn anew from their columns."""

from numbers import Real

import numpy as np

from skdistill._compat import Interval
from skdistill.transfer._base import BaseAugmenter, refuse_sparse_and_images
from skdistill.transfer._table import build_table, read_columns


class Spunge(BaseAugmenter):
    r"""Generate rows by drawing some cells of real rows anew from their columns.

    Of each new row, a copy of a real one, max(1, round(`resample` · n_features)) cells drawn at
    random are exchanged for those of other rows, each drawn for itself, so that they follow their
    column's marginal distribution; gaps are drawn like other cells. Then a number x becomes,
    with probability `noise_probability`,

    .. math:: x + \mathrm{noise} \cdot \sigma \cdot \varepsilon, \qquad \varepsilon \sim N(0, 1),

    :math:`\sigma` the standard deviation of its column. It stays within the column's range, and
    whole where all of the column's numbers are. Categories, booleans and numbers of two values
    get no noise. It is a simple stand-in for `Munge` that needs no neighbours, and what AutoGluon
    does when it distils.

    Parameters
    ----------
    factor : float, default=5
        New rows for each row, greater than 0.
    max_rows : int, default=100_000
        Greatest number of new rows.
    resample : float, default=0.1
        Share of a row's cells that are drawn anew, in [0, 1]. At least one cell is, except for 0.
    noise : float, default=0.1
        Standard deviation of the noise, in standard deviations of the column; not negative.
    noise_probability : float, default=0.1
        Of a cell of numbers to get noise, in [0, 1].

    See Also
    --------
    Munge : Rows between neighbours; they keep more of how the columns hang together.

    References
    ----------
    Fakoor et al. 2020, "Fast, Accurate, and Simple Models for Tabular Data via Augmented
    Distillation", arXiv 2006.14284.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import Spunge
    >>> X = np.array([[1, 10], [2, 20], [3, 30]])
    >>> Spunge(factor=1, noise=0).rows(X, random_state=0)
    array([[ 1, 20],
           [ 3, 30],
           [ 2, 10]])
    """

    _parameter_constraints: dict = {
        **BaseAugmenter._parameter_constraints,
        "resample": [Interval(Real, 0, 1, closed="both")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "noise_probability": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        factor: float = 5,
        *,
        max_rows: int = 100_000,
        resample: float = 0.1,
        noise: float = 0.1,
        noise_probability: float = 0.1,
    ) -> None:
        self.factor = factor
        self.max_rows = max_rows
        self.resample = resample
        self.noise = noise
        self.noise_probability = noise_probability

    def _refuse(self, X):
        refuse_sparse_and_images(X, self, "cells drawn one by one would be nonsense there")

    def _generate(self, X, base, rng):
        return build_table(X, len(base), self._changes(X, base, rng))

    def _changes(self, X, base, rng):
        n_samples, n_features = X.shape
        # Column by column, a cell is chosen with probability (still to choose) / (columns left):
        # each row ends with exactly as many, and each choice of columns is as likely.
        wanted = max(1, round(self.resample * n_features)) if self.resample > 0 else 0
        missing = np.full(len(base), wanted)
        for position, column in enumerate(read_columns(X)):
            chosen = rng.random(len(base)) * (n_features - position) < missing
            missing -= chosen
            source = np.where(chosen, rng.integers(n_samples, size=len(base)), base)
            yield source, *column.jitter(source, self.noise, rng, self.noise_probability)
