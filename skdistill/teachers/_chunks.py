"""Rows cut into chunks, and the answers to them put together again."""

import numpy as np

from skdistill.exceptions import TeacherError


def chunk_slices(n_rows, size, least=1):
    """Cut rows into chunks of one size.

    Parameters
    ----------
    n_rows : int
        At least 1.
    size : int
        Rows of a chunk.
    least : int, default=1
        A last chunk of fewer rows than this is added to the one before it.

    Returns
    -------
    list of slice
    """
    starts = list(range(0, max(n_rows - least, 0) + 1, size))
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], n_rows], strict=True)]


def stack_answers(answers):
    """Put the answers to chunks together.

    Parameters
    ----------
    answers : list of ndarray of shape (n_rows_i, n_columns)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)

    Raises
    ------
    TeacherError
        When the chunks have different numbers of columns.
    """
    widths = sorted({answer.shape[1] for answer in answers})
    if len(widths) > 1:
        raise TeacherError(
            f"The teacher gave {widths} columns for different rows; expected the same number "
            f"for all. It may leave out the classes that it does not see among the rows."
        )
    return np.concatenate(answers)
