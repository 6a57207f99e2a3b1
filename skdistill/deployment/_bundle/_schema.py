"""What a row of a student looks like, as a JSON schema, and rows of our own."""

import numpy as np

from skdistill.students import TablePreprocessor
from skdistill.teachers._onnx_rows import NUMBERS

MOST_EXAMPLES = 100
"""Categories of a column that a schema names."""


def schema_of(parts, columns):
    """Return the JSON schema of a row.

    Parameters
    ----------
    parts : Parts
    columns : list of OnnxColumn

    Returns
    -------
    dict
    """
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A row"}
    if not columns:
        body: dict = {"type": ["number", "null"] if _takes_gaps(parts) else "number"}
        for n_items in reversed(parts.shape):
            body = {"type": "array", "items": body, "minItems": n_items, "maxItems": n_items}
        return head | body
    first = parts.steps[0] if parts.steps else None
    flags, categories = [], {}
    if isinstance(first, TablePreprocessor):
        flags = first.flags_.tolist()
        categories = dict(zip(first.categorical_.tolist(), first.categories_, strict=True))
    properties = {}
    for position, column in enumerate(columns):
        if column.kind == NUMBERS:
            kinds = ["number"] + ["boolean"] * (position in flags)
            described: dict = {"type": kinds + ["null"] * _takes_gaps(parts)}
        else:
            known = [name for name in categories[position] if name is not None]
            described = {"type": ["string", "null"], "examples": known[:MOST_EXAMPLES]}
        properties[column.name] = described
    return head | {"type": "object", "properties": properties, "required": list(properties)}


def as_json_rows(rows, columns):
    """Return rows as a service gets them.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, ...)
    columns : list of OnnxColumn

    Returns
    -------
    list of dict or list of list
    """
    values = rows.tolist()
    if not columns:
        return values
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in values]


def _takes_gaps(parts):
    """Whether numbers may be missing."""
    return bool(parts.steps) and isinstance(parts.steps[0], TablePreprocessor)


def rounded(rows):
    """Return rows with numbers of six digits, which a file holds exactly."""

    def shorten(value):
        return float(f"{value:.6g}") if isinstance(value, float) else value

    if rows.dtype != object:
        return np.vectorize(shorten, otypes=[np.float64])(rows)
    return np.array([[shorten(value) for value in row] for row in rows], dtype=object)
