"""Some rows of a dataset, and what a first look through all of them finds."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np


class Part(NamedTuple):
    """Some rows of a dataset.

    Attributes
    ----------
    X : {DataFrame, ndarray} of shape (n_rows, ...)
    y : list of pyarrow.ChunkedArray of length n_rows, or ndarray of shape (n_rows, ...)
        The columns of the target, or labels or numbers.
    answers : ndarray of shape (n_rows, n_answers), float64
        What a teacher says; without columns where that is not known.
    """

    X: Any
    y: Any
    answers: np.ndarray


class Seen(NamedTuple):
    """What a first look through all rows has found.

    Attributes
    ----------
    sample, held : Part or None
        Rows drawn for the preprocessing, and those that are held back; None without any.
    n_learnt : int
        The number of rows that are not held back.
    labels : ndarray or None
        The different values of the target; None for numbers.
    with_gaps : list of str or int
        The features in which a value is missing somewhere.
    blocks : callable or None
        Begins a pass through all rows that are not held back: an iterator over parts of them, in an
        order drawn from the training's generator. None where the rows were looked at alone.
    """

    sample: Part
    held: Part | None
    n_learnt: int
    labels: np.ndarray | None
    with_gaps: list
    blocks: Callable[[], Iterator[Part]] | None


class Told(NamedTuple):
    """What is learnt of the rows, when the teacher can be heard.

    Attributes
    ----------
    what : DatasetTask
        Makes `Packed` of parts.
    seen : Seen
        Its parts have answers, where a teacher is heard.
    targets : Targets or None
        The answers for the sample.
    """

    what: Any
    seen: Seen
    targets: Any
