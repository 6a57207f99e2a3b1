"""Rows as the inputs of the ONNX graphs that `skdistill.deployment.to_onnx` writes."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdistill._input._columns import as_floats, read_categories
from skdistill._input._frames import column_names, is_table
from skdistill._input._rows import as_rows
from skdistill._words import shorten
from skdistill.exceptions import TeacherError

KEY = "skdistill"
"""Of the metadata of a graph."""

FORMATS = {"classes": 1, "numbers": 1, "labels": 2}
"""Of what is said, by the task: the first that knows it."""

FORMAT = max(FORMATS.values())
"""The newest that is read."""

NUMBERS, TEXTS = "numbers", "texts"


class OnnxColumn(NamedTuple):
    """A column, and the input of the graph that it goes to.

    Attributes
    ----------
    name : str
        The column's name in a table.
    input : str
        The input's.
    kind : {"numbers", "texts"}
    gap : str or None
        How a gap is spelt, in a column of texts; in one of numbers it is NaN.
    no_gaps : sequence of str
        Categories that a reader of tables would take for gaps.
    """

    name: str
    input: str
    kind: str
    gap: str | None = None
    no_gaps: Sequence[str] = ()


def read_metadata(properties: Any) -> dict[str, Any] | None:
    """Return what a graph says of itself, None where another program has written it.

    Parameters
    ----------
    properties : dict of str to str
        The metadata of a model.

    Returns
    -------
    dict or None
        "task", "classes" (of several labels their names), "columns" as a list of OnnxColumn, empty
        where one input takes all, and "named", whether the columns have names that a table must
        have.
    """
    if KEY not in properties:
        return None
    try:
        found = json.loads(properties[KEY])
        found["columns"] = [OnnxColumn(**column) for column in found["columns"]]
        new = found["format"] > FORMAT
        found = {name: found[name] for name in ("task", "classes", "columns", "named")}
    except (KeyError, TypeError, ValueError) as error:
        raise TeacherError(
            f"its metadata {KEY!r} cannot be read ({shorten(error)}); expected what "
            f"skdistill.deployment.to_onnx writes. Write the file again"
        ) from error
    if new:
        raise TeacherError(
            f"its metadata {KEY!r} are of a later format than {FORMAT}; expected a file of this "
            f"version of skdistill or of an earlier one. Install a later skdistill"
        )
    return found


def make_feeds(X: Any, columns: Sequence[OnnxColumn], named: bool) -> dict[str, np.ndarray]:
    """Return rows as a graph reads them, column by column.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    columns : list of OnnxColumn
    named : bool
        Whether a table's columns are found by their names.

    Returns
    -------
    dict of str to ndarray of shape (n_samples, 1)
        float64, or objects that are str.

    Raises
    ------
    TeacherError
        For a table without one of the columns, and for another width.
    """
    X = as_rows(X)
    positions = _find(X, columns, named)
    feeds = {}
    for column, position in zip(columns, positions, strict=True):
        if column.kind == NUMBERS:
            feeds[column.input] = as_floats(X, np.array([position])).astype(np.float64)
        else:
            names, codes = read_categories(X, position)
            texts = [column.gap if name is None else name for name in names]
            feeds[column.input] = np.array(texts, dtype=object)[codes][:, None]
    return feeds


def _find(X, columns, named):
    names = [column.name for column in columns]
    if named and is_table(X):
        known = {name: position for position, name in enumerate(column_names(X))}
        missing = [name for name in names if name not in known]
        if missing:
            raise TeacherError(
                f"The ONNX model has the columns {names[:6]} and X has none called {missing[:6]}; "
                f"expected a table with all of them. Name its columns so."
            )
        return [known[name] for name in names]
    if len(X.shape) != 2 or X.shape[1] != len(columns):
        raise TeacherError(
            f"The ONNX model reads {len(columns)} columns, and X has the shape {tuple(X.shape)}; "
            f"expected (n_samples, {len(columns)}). Give the columns that its student learnt."
        )
    return range(len(columns))
