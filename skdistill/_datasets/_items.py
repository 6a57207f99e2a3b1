"""The items of a data set, pairs of a row and its label, put together as arrays."""

from typing import Any, NamedTuple

import numpy as np
import torch

from skdistill._input._tensors import array_of


class Items(NamedTuple):
    """Rows and labels of some items that follow each other.

    Attributes
    ----------
    X : ndarray of shape (n_rows, ...)
        Texts as objects.
    y : ndarray of shape (n_rows,), or (n_rows, n_outputs) for numbers
    """

    X: np.ndarray
    y: np.ndarray

    def take(self, which: np.ndarray) -> "Items":
        """Return some of them, by positions or by bool."""
        return Items(self.X[which], self.y[which])


def below(parts: list) -> Items:
    """Return items below one another."""
    if len(parts) == 1:
        return parts[0]
    rows, labels = zip(*parts, strict=True)
    return Items(np.concatenate(rows), np.concatenate(labels))


def cells_of(row: Any) -> int:
    """Return how many numbers of four bytes a row takes, about."""
    return 1 + len(row) // 4 if isinstance(row, str) else row.size


def read_items(items: list, positions: Any, task: Any, first: Items | None = None) -> Items:
    """Check items, and put them together.

    Parameters
    ----------
    items : list of (row, label)
    positions : sequence of int of length n_items
        Where they are in the data set, for errors.
    task : type of ItemTask
        It says what a label is.
    first : Items, default=None
        The first of the data set, whose rows and labels these must be like.

    Returns
    -------
    Items

    Raises
    ------
    TypeError or ValueError
        For items that are no pair, and rows or labels that are none, or of several shapes.
    """
    rows, labels = [], []
    for position, item in zip(positions, items, strict=True):
        row, label = _as_pair(item, position)
        if not task.is_label(label):
            came = f"an array of shape {label.shape}" if hasattr(label, "shape") else repr(label)
            raise ValueError(
                f"Item {position} of dataset has the label {came}; expected {task.expected}. Leave "
                f"such items out, or change the label in the data set."
            )
        rows.append(row)
        labels.append(label)
    wanted = (rows[0], labels[0]) if first is None else (first.X[0], first.y[0])
    _check_shapes("row", rows, positions, wanted[0])
    if task.n_axes > 1:
        _check_shapes(
            "label", [np.ravel(label) for label in labels], positions, np.ravel(wanted[1])
        )
    X = np.array(rows, dtype=object) if isinstance(rows[0], str) else np.stack(rows)
    return Items(X, task.as_array(labels))


def _as_pair(item, position):
    """Return a row, an array or a text, and a label, of Python where it is a single value."""
    if not isinstance(item, tuple | list) or len(item) != 2:
        came = f"a {type(item).__name__}"
        came += f" of length {len(item)}" if isinstance(item, tuple | list) else ""
        raise TypeError(
            f"Item {position} of dataset is {came}; expected a pair (row, label). Let the data "
            f"set return these two, or wrap it in one that does."
        )
    row, label = item
    if not isinstance(row, str):
        row = _as_array(row, f"The row of item {position} of dataset")
        if row.dtype.kind not in "biuf" or not row.size or not row.ndim:
            raise TypeError(
                f"Item {position} of dataset has a row of type {type(item[0]).__name__} (shape "
                f"{row.shape}, dtype {row.dtype}); expected an array or a tensor of "
                f"numbers, one at least, with one axis or more, or a text. Make it one in the "
                f"data set."
            )
    if isinstance(label, torch.Tensor | np.ndarray | np.generic):
        label = _as_array(label, f"The label of item {position} of dataset")
        label = label if label.ndim else label.item()
    return row, label


def _as_array(value, source):
    return array_of(value, source) if isinstance(value, torch.Tensor) else np.asarray(value)


def _check_shapes(what, values, positions, wanted):
    shapes = [_shape_of(value) for value in values]
    expected = _shape_of(wanted)
    other = next((place for place, shape in enumerate(shapes) if shape != expected), None)
    if other is not None:
        raise ValueError(
            f"Item {positions[other]} of dataset has a {what} of shape {shapes[other]}, and those "
            f"before it had {expected}; expected one shape. Crop or pad them in the data set."
        )


def _shape_of(value):
    return "of a text" if isinstance(value, str) else value.shape


class KeptItems:
    """Of all items that are added, those with the least numbers.

    Parameters
    ----------
    n_most : int
        How many.
    """

    def __init__(self, n_most: int) -> None:
        self.n_most = n_most
        self._parts: list[tuple[Items, np.ndarray]] = []
        self._bound = np.inf

    def add(self, items: Items, numbers: np.ndarray) -> None:
        """Add items, each with its number, ndarray of shape (n_rows,)."""
        fit_in = numbers <= self._bound
        if self.n_most and fit_in.any():
            self._parts.append((items.take(fit_in), numbers[fit_in]))
        if sum(len(own) for _, own in self._parts) > 1.25 * self.n_most:
            self.leave(self.n_most)

    def leave(self, n_rows: int) -> tuple[Items | None, float]:
        """Leave the items of the least numbers; return them in their order, and the greatest."""
        if not self._parts or not n_rows:
            return None, -np.inf
        items = below([part for part, _ in self._parts])
        numbers = np.concatenate([own for _, own in self._parts])
        if n_rows < len(numbers):
            least = np.sort(np.argpartition(numbers, n_rows - 1)[:n_rows])
            items, numbers = items.take(least), numbers[least]
        self._parts, self._bound = [(items, numbers)], float(numbers.max())
        return items, self._bound
