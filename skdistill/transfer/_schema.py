"""SchemaSampler: rows made of what is known of the columns alone."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.transfer._base import check_n_samples
from skdistill.transfer._thresholds import collect_thresholds

LARGEST = 2**53
"""Whole numbers up to here are told apart by float64."""
MARGIN = 0.1
"""How far beyond its outermost thresholds a column is drawn, in their range."""


class SchemaSampler(BaseEstimator):
    """Make rows from ranges and categories, without a single row at hand.

    The rows spread evenly over each pair of columns: with :math:`p^2` rows, p a prime, each column
    is cut into p parts, and each pair of parts of two columns has just one row (an orthogonal array
    of strength 2). Other numbers of rows are drawn from the next such design, of which p is at
    least the number of columns less one. A teacher answers the rows, and a student learns from it
    without data and without labels.

    Parameters
    ----------
    schema : dict or list
        What each column holds, by its name, which makes a pandas DataFrame, or one after the
        other, which makes an array:

        - a **tuple** of numbers that do not fall, ``(17, 90)`` or ``(0, 1, 10, 100)``: the edges
          of bins. All bins are equally likely, and so is each number within a bin. Numbers are
          whole where all edges are integers.
        - a **list** of categories, ``["clerk", "nurse", None]``, all equally likely; one that is
          there twice is twice as likely.

    See Also
    --------
    Spunge : Needs real rows, and makes better ones.

    References
    ----------
    Bose 1938, "On the Application of the Properties of Galois Fields to the Problem of
    Construction of Hyper-Graeco-Latin Squares", Sankhya 3.
    Owen 1992, "Orthogonal Arrays for Computer Experiments, Integration and Visualization",
    Statistica Sinica 2.

    Examples
    --------
    >>> from skdistill.transfer import SchemaSampler
    >>> SchemaSampler([(0, 9), (0.0, 1.0)]).sample(4, random_state=0).round(2)
    array([[8.  , 0.67],
           [3.  , 0.83],
           [7.  , 0.15],
           [2.  , 0.45]])
    >>> sampler = SchemaSampler({"age": (17, 90), "job": ["clerk", "nurse"]})
    >>> sampler.sample(3, random_state=0)
       age    job
    0   79  clerk
    1   44  nurse
    2   70  nurse

    A student of a teacher alone:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0).fit(X, y)
    >>> rows = SchemaSampler.from_teacher(teacher).sample(1000, random_state=0)
    >>> model = DistilledClassifier(teacher, DecisionTreeClassifier(max_depth=4), random_state=0)
    >>> bool(model.fit(rows, None).score(X, y) > 0.9)
    True
    """

    def __init__(self, schema: Mapping[Any, tuple | list] | Sequence[tuple | list]) -> None:
        self.schema = schema

    @classmethod
    def from_teacher(cls, teacher: Any) -> Self:
        """Read the schema off a fitted teacher of trees.

        The bins of a column are those between neighbouring thresholds of the teacher's trees: its
        answer changes from bin to bin, and thresholds stand close where its training rows did. A
        column that no tree asks for is held at 0.

        Parameters
        ----------
        teacher : estimator
            A decision tree of scikit-learn, or an ensemble of them: a forest, boosting, bagging,
            or a vote. Those of histogram boosting without categorical columns too.

        Returns
        -------
        SchemaSampler
            By name where the teacher knows names.

        Raises
        ------
        ValueError
            For a teacher whose attributes tell no ranges.
        """
        thresholds = collect_thresholds(teacher)
        bins = [_bins_between(values) for values in thresholds]
        names = getattr(teacher, "feature_names_in_", None)
        return cls(bins if names is None else dict(zip(names.tolist(), bins, strict=True)))

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> Any:
        """Make rows.

        Parameters
        ----------
        n_samples : int, default=1
            The square of a prime spreads them most evenly.
        random_state : int, RandomState instance or None, default=None
            An int gives the same rows each time.

        Returns
        -------
        {DataFrame, ndarray} of shape (n_samples, n_columns)

        Raises
        ------
        ValueError
            For a schema that cannot be read, and for less than a row.
        """
        check_n_samples(n_samples)
        named = _read_schema(self.schema)
        rng = np.random.default_rng(draw_seeds(random_state, 1)[0])
        shares = _spread(n_samples, len(named), rng)
        columns = {n: _place(named[n], u) for n, u in zip(named, shares.T, strict=True)}
        if not isinstance(self.schema, Mapping):
            return np.column_stack(list(columns.values()))
        import pandas as pd

        return pd.DataFrame(columns)


def _read_schema(schema):
    """Return what each column holds, by its name or number."""
    if isinstance(schema, str) or not isinstance(schema, Mapping | Sequence):
        raise ValueError(
            f"The schema is a {type(schema).__name__}; expected a dict or a list with a tuple, the "
            f"range, or a list, the categories, for each column."
        )
    if len(schema) == 0:
        raise ValueError("The schema is empty; expected a column at least.")
    named = dict(schema if isinstance(schema, Mapping) else enumerate(schema))
    for name, entry in named.items():
        _check_entry(name, entry)
    return named


def _check_entry(name, entry):
    if isinstance(entry, list) and entry:
        return
    if isinstance(entry, tuple) and len(entry) > 1:
        are_numbers = all(isinstance(edge, Real) and math.isfinite(edge) for edge in entry)
        if are_numbers and all(a <= b for a, b in pairwise(entry)):
            _check_size(name, entry)
            return
    raise ValueError(
        f"The schema of column {name!r} is {shorten(entry)}; expected a tuple of two or more "
        "finite numbers that do not fall, such as (17, 90), or a list of categories, such as "
        "['clerk', 'nurse']."
    )


def _check_size(name, entry):
    """Refuse a range that is wider than the numbers in which it is drawn."""
    limit = LARGEST if _is_whole(entry) else float(np.finfo(float).max / 2)
    if max(abs(entry[0]), abs(entry[-1])) > limit:
        raise ValueError(
            f"The schema of column {name!r} goes from {entry[0]!r} to {entry[-1]!r}; expected "
            f"numbers from {-limit!r} to {limit!r}. Give the range in another unit."
        )


def _is_whole(edges):
    return all(isinstance(edge, Integral) for edge in edges)


def _spread(n_rows, n_columns, rng):
    """Return points of the unit cube that are spread over the pairs of its axes."""
    p = _next_prime(max(np.sqrt(n_rows), n_columns - 1))
    first, second = divmod(rng.choice(p * p, n_rows, replace=False), p)
    # The lines of the plane over the integers modulo p: two that are not parallel meet once.
    levels = [second, *((first + slope * second) % p for slope in range(n_columns - 1))]
    parts = np.stack([rng.permutation(p)[level] for level in levels], axis=1)
    return (parts + rng.random(parts.shape)) / p


def _next_prime(least):
    number = max(2, int(np.ceil(least)))
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number


def _place(entry, shares):
    """Return what stands at such shares, in [0, 1), of a column."""
    if isinstance(entry, list):
        values = np.empty(len(entry), dtype=object)
        values[:] = entry
        plain = np.array(entry)
        values = plain if plain.ndim == 1 and plain.dtype.kind in "biuf" else values
        return values[(shares * len(entry)).astype(int)]
    edges = np.array(entry, dtype=float)
    is_whole = _is_whole(entry)
    if is_whole:  # the first and the last number as likely as those between
        edges[0], edges[-1] = edges[0] - 0.5, edges[-1] + 0.5
    numbers = np.interp(shares * (len(edges) - 1), np.arange(len(edges)), edges)
    return np.clip(np.rint(numbers), entry[0], entry[-1]).astype(int) if is_whole else numbers


def _bins_between(thresholds):
    """Return edges whose bins hold one threshold's side each."""
    if len(thresholds) == 0:
        return (0.0, 0.0)
    margin = MARGIN * (thresholds[-1] - thresholds[0]) or max(1.0, MARGIN * abs(thresholds[0]))
    return (float(thresholds[0] - margin), *thresholds.tolist(), float(thresholds[-1] + margin))
