"""Which rows of a split are learnt from: nested subsets that keep the classes' proportions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skdistill._compat import safe_indexing
from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.evaluation._curves._input import CurveInput
from skdistill.targets._splits import make_splits


class RowSubset(NamedTuple):
    """Rows of one split.

    Attributes
    ----------
    split : int
        Its number.
    size : int
        The tick of the curve that these rows stand for.
    train : ndarray of shape (n_train,), int
        Positions of the rows that are learnt from, in ascending order.
    test : ndarray of shape (n_test,), int
        Positions of the rows that are scored.
    is_largest : bool
        Whether no larger subset is learnt from.
    """

    split: int
    size: int
    train: np.ndarray
    test: np.ndarray
    is_largest: bool


def whole_splits(given: CurveInput) -> list[RowSubset]:
    """All training rows of each split, for curves over something else than rows."""
    size = min(len(train) for train, _ in given.splits)
    subsets = [
        RowSubset(number, size, train, test, True)
        for number, (train, test) in enumerate(given.splits)
    ]
    _check_cross_fitting(given, subsets)
    return subsets


def nested_subsets(
    given: CurveInput, sizes: Any, random_state: Any, *, parameter: str
) -> list[RowSubset]:
    """The subsets of every split, the smaller ones parts of the larger ones.

    Parameters
    ----------
    given : CurveInput
    sizes : array-like of int or float
        Numbers of rows, or shares in (0, 1] of the training rows of the smallest split.
    random_state : int, RandomState instance or None
        Seeds the draw; None takes the seed of the fits.
    parameter : str
        What the errors call `sizes`.

    Returns
    -------
    subsets : list of RowSubset
        Split by split, sizes ascending; equal sizes are one.

    Raises
    ------
    ValueError
        When a size is out of range, or its rows cannot be cross-fitted.
    """
    ticks = _count_rows(sizes, min(len(train) for train, _ in given.splits), parameter)
    seed = given.seed if random_state is None else random_state
    subsets = []
    for (number, (train, test)), split_seed in zip(
        enumerate(given.splits), draw_seeds(seed, len(given.splits)), strict=True
    ):
        order = train[given.problem.task.nested_order(given.problem.y[train], split_seed)]
        subsets += [
            RowSubset(number, size, np.sort(order[:size]), test, size == ticks[-1])
            for size in ticks
        ]
    _check_cross_fitting(given, subsets)
    return subsets


def _count_rows(sizes: Any, n_max: int, parameter: str) -> list[int]:
    ticks = np.asarray(sizes)
    if ticks.ndim != 1 or len(ticks) == 0 or ticks.dtype.kind not in "iuf":
        raise ValueError(
            f"The '{parameter}' parameter must be a list of numbers of rows, or of shares of them. "
            f"Got {shorten(sizes)} instead."
        )
    is_share = ticks.dtype.kind == "f"
    n_rows = np.unique(np.nan_to_num(ticks * n_max).astype(int) if is_share else ticks)
    bounds = "shares in (0, 1]" if is_share else f"numbers of rows in [2, {n_max}]"
    if not (n_rows[0] >= 2 and n_rows[-1] <= n_max):
        raise ValueError(
            f"The '{parameter}' parameter must hold {bounds} of the {n_max} training rows of a "
            f"split, at least two rows each. Got {ticks.tolist()} instead."
        )
    return n_rows.tolist()


def _check_cross_fitting(given: CurveInput, subsets: list[RowSubset]) -> None:
    """Refuse rows of one class, and rows that the teacher's cross-fitting cannot split."""
    model, problem = given.model, given.problem
    in_sample = given.teacher_is_fitted or (isinstance(model.cv, str) and model.cv == "in-sample")
    for subset in subsets:
        X, y = safe_indexing(problem.X, subset.train), problem.y[subset.train]
        try:
            if not problem.task.are_enough(y):
                raise ValueError("They hold one class only; expected at least two.")
            if not in_sample:
                make_splits(problem.task.to_learn(y), model.cv, X)
        except ValueError as error:
            raise ValueError(
                f"{len(y)} training rows of split {subset.split} are too few to learn from: {error}"
            ) from error
