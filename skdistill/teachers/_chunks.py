"""Rows cut into chunks, and the replies to them put together again."""

import numpy as np

from skdistill._compat import safe_indexing
from skdistill.exceptions import TeacherError
from skdistill.teachers._align import find_columns

CHUNK = 2048
"""Rows that are kept at once. A forest is a third slower in such chunks than in one go; boosted
trees and networks, which have batches of their own, are not."""


def chunk_slices(n_rows, size):
    """Cut rows into chunks of one size.

    Parameters
    ----------
    n_rows : int
        At least 1.
    size : int
        Rows of a chunk.

    Returns
    -------
    list of slice
    """
    starts = list(range(0, n_rows, size))
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], n_rows], strict=True)]


def stack_replies(replies):
    """Put the replies of one teacher to chunks of rows together.

    Parameters
    ----------
    replies : list of Reply

    Returns
    -------
    Reply
        With the columns and the kind that any of them names.

    Raises
    ------
    TeacherError
        When the chunks have different numbers of columns, or name them differently.
    """
    first = replies[0]
    if len(replies) == 1:
        return first
    widths = sorted({reply.values.shape[1] for reply in replies})
    if len(widths) > 1:
        raise TeacherError(
            f"{first.source} gave {widths} columns for different rows; expected the same number "
            f"for all. It may leave out the classes that it does not see among the rows."
        )
    columns, values = first.columns, [first.values]
    for reply in replies[1:]:
        values.append(reply.values)
        both = columns is not None and reply.columns is not None
        if both and not np.array_equal(reply.columns, columns):
            values[-1] = reply.values[:, find_columns(reply.columns, columns, first.source)]
    kind = next((reply.kind for reply in replies if reply.kind is not None), None)
    return first._replace(values=np.concatenate(values), kind=kind)


def ask_in_chunks(get_adapter, X, size=None, remember=None, say=None):
    """Ask about some rows at a time.

    Parameters
    ----------
    get_adapter : callable
        Returns the `Adapter`. Not called if all replies are remembered.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)
        Rows.
    size : int, default=None
        Rows that the teacher takes at once; None is any number, and `CHUNK` where replies are
        remembered.
    remember : callable, default=None
        Gets a function that asks, and the rows that it asks about, and returns the reply, asked
        for now or before. None asks.
    say : callable, default=None
        Gets the number of rows that are answered, after each chunk.

    Returns
    -------
    Reply
    """
    n_rows = X.shape[0]
    if size is not None:
        chunks = chunk_slices(n_rows, size)
    elif remember is not None:
        chunks = chunk_slices(n_rows, CHUNK)
    else:
        chunks = [slice(0, n_rows)]
    replies = []
    for chunk in chunks:
        rows = X if len(chunks) == 1 else safe_indexing(X, chunk)

        def ask(rows=rows):
            return get_adapter().ask(rows)

        replies.append(ask() if remember is None else remember(ask, rows))
        if say is not None:
            say(chunk.stop)
    return stack_replies(replies)


def ask_each(adapters, X):
    """Ask several teachers, each about all rows.

    Parameters
    ----------
    adapters : list of Adapter
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)

    Returns
    -------
    list of Reply
    """
    return [ask_in_chunks(lambda a=adapter: a, X, adapter.chunk_size) for adapter in adapters]
