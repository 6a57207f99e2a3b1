"""Which rows have which label, to draw one of those that have it."""

import numpy as np

__all__ = ["RowsByLabel"]


class RowsByLabel:
    """The rows of each label.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), int

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer._rows_by_label import RowsByLabel
    >>> rows = RowsByLabel(np.array([7, 3, 3]))
    >>> rows.draw(np.array([7, 7, 3]), np.random.default_rng(0)).tolist()
    [0, 0, 2]
    """

    def __init__(self, labels):
        self._order = np.argsort(labels, kind="stable")
        self._labels, self._start, self._count = np.unique(
            labels[self._order], return_index=True, return_counts=True
        )

    def draw(self, labels, rng):
        """Draw a row for each label, those that have it being as likely.

        Parameters
        ----------
        labels : ndarray of shape (n_rows,), int
            Each of them one that a row has.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of shape (n_rows,), int
        """
        place = np.searchsorted(self._labels, labels)
        return self._order[self._start[place] + rng.integers(self._count[place])]
