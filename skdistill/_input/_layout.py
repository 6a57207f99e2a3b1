"""Rows of numbers that say which of their columns are what."""

import numpy as np

__all__ = ["EncodedTable", "read_layout"]


class EncodedTable(np.ndarray):
    """An array whose first columns are quantities and whose last ones are category codes.

    Preprocessing knows this and a network needs it, and an array is all that a step of a
    Pipeline hands to the next. Slices of rows and pickles keep the knowledge.

    Attributes
    ----------
    layout : dict
        "n_numeric", the number of leading columns that hold quantities; "cardinalities", a tuple
        with the number of codes of each trailing column; "width", the number of columns.
    """

    layout: dict | None

    def __new__(cls, values, n_numeric, cardinalities):
        """Look at an array as an encoded table; nothing is copied."""
        table = values.view(cls)
        table.layout = {
            "n_numeric": n_numeric,
            "cardinalities": tuple(cardinalities),
            "width": values.shape[1],
        }
        return table

    def __array_finalize__(self, source):
        self.layout = getattr(source, "layout", None)

    def __reduce__(self):
        rebuild, arguments, state = tuple(super().__reduce__())
        return rebuild, arguments, (self.layout, state)

    def __setstate__(self, state):
        self.layout, state = state
        super().__setstate__(state)


def read_layout(X):
    """Return what rows say of their columns.

    Parameters
    ----------
    X : object
        Rows.

    Returns
    -------
    dict
        "n_numeric" and "cardinalities" of an `EncodedTable` that has the columns it was made
        with; empty for all else.
    """
    if not isinstance(X, EncodedTable):
        return {}
    layout = dict(X.layout or {})
    width = layout.pop("width", None)
    return layout if X.ndim == 2 and X.shape[1] == width else {}
