"""A table read column by column, and a new one of the same kind made of its cells."""

import numpy as np

from skdistill._input._columns import as_floats, is_number
from skdistill._input._frames import is_table
from skdistill._input._layout import EncodedTable, read_layout
from skdistill._input._new_frames import build_frame, put_numbers, writable_columns

__all__ = ["Column", "build_table", "read_columns"]

UNCHANGED = np.empty(0, dtype=int), np.empty(0)


class Column:
    """A column of a table.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples,) or None
        Its numbers, gaps NaN; None for a category.

    Attributes
    ----------
    is_quantity : bool
        Whether it can be changed by a little: numbers of three values or more. Flags, booleans,
        constants and categories can only be exchanged.
    low, high : float
        Its least and its greatest number.
    std : float
        Standard deviation of its numbers; quantities only.
    whole : bool
        Whether all its numbers are whole; quantities only.
    """

    def __init__(self, numbers):
        self.numbers = numbers
        known = np.empty(0) if numbers is None else numbers[~np.isnan(numbers)].astype(np.float64)
        self.low: float = known.min(initial=np.inf)
        self.high: float = known.max(initial=-np.inf)
        self.is_quantity = bool(((known != self.low) & (known != self.high)).any())
        if self.is_quantity:
            self.std = known.std()
            self.whole = bool((known == np.rint(known)).all())
            # A float may be greater than the great integer that it stands for, and not fit.
            self.high = np.nextafter(self.high, 0) if self.high > 2**53 else self.high

    def keep_kind(self, numbers):
        """Bring numbers into the column's range, and round them where it holds whole ones.

        Parameters
        ----------
        numbers : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (n,)
        """
        numbers = np.clip(numbers, self.low, self.high)
        return np.rint(numbers) if self.whole else numbers

    def jitter(self, source, noise, rng, probability=1.0):
        """Add Gaussian noise to some cells of a quantity.

        Parameters
        ----------
        source : ndarray of shape (n_rows,), int
            The rows that the new column's cells come from.
        noise : float
            Standard deviation of the noise, in standard deviations of the column.
        rng : numpy.random.Generator
        probability : float, default=1.0
            Of a cell to be changed.

        Returns
        -------
        cells : ndarray of shape (n_changed,), int
            The positions that are changed; never a gap.
        numbers : ndarray of shape (n_changed,)
            What stands there.
        """
        if not self.is_quantity:
            return UNCHANGED
        old = self.numbers[source]
        chosen = ~np.isnan(old)
        if probability < 1:
            chosen &= rng.random(len(old)) < probability
        cells = np.flatnonzero(chosen)
        drawn = rng.standard_normal(len(cells))
        return cells, self.keep_kind(old[cells] + noise * self.std * drawn)


def read_columns(X):
    """Read the columns of a table.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
        As `skdistill._input._rows.as_rows` gives it.

    Yields
    ------
    Column
    """
    numeric = is_number(X)
    if is_table(X):
        numeric &= writable_columns(X)
    numeric[X.shape[1] - len(read_layout(X).get("cardinalities", ())) :] = False
    for position in range(X.shape[1]):
        yield Column(as_floats(X, np.array([position]))[:, 0] if numeric[position] else None)


def build_table(X, n_rows, changes):
    """Make a table of the cells of another one and of some new numbers.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
        Not changed.
    n_rows, changes
        See `skdistill._input._new_frames.build_frame`.

    Returns
    -------
    {ndarray, DataFrame} of shape (n_rows, n_features)
        Columns and dtypes are those of X.
    """
    if is_table(X):
        return build_frame(X, n_rows, changes)
    values = np.empty((n_rows, X.shape[1]), dtype=X.dtype)
    for position, (source, *new) in enumerate(changes):
        values[:, position] = put_numbers(np.asarray(X)[source, position], *new)
    layout = read_layout(X)
    return EncodedTable(values, **layout) if layout else values
