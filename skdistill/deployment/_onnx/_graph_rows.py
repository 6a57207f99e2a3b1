"""Rows on their way through a graph, from its inputs to the body of the student."""

import numpy as np

from skdistill.deployment._onnx._graph import FLOAT64


class GraphRows:
    """What a step or a network reads: one value, or several that stand side by side.

    Parameters
    ----------
    array : str, default=None
        The value that holds all columns, or all but the codes.
    codes : str, default=None
        Codes of categories, which follow it: whole numbers.
    columns : dict of int to str, default=None
        In place of these the value of each column of numbers, by its position.
    texts : dict of int to str, default=None
        The value of each column of texts.
    """

    def __init__(self, array=None, codes=None, columns=None, texts=None):
        self.array = array
        self.codes = codes
        self.columns = columns or {}
        self.texts = texts or {}

    def whole(self, graph):
        """Return all columns in one value, float64."""
        if self.columns:
            return graph.join([self.columns[position] for position in sorted(self.columns)])
        parts = [self.array] if self.array is not None else []
        if self.codes is not None:
            parts.append(graph.cast(self.codes, FLOAT64))
        return graph.join(parts)

    def numbers(self, graph, positions, width):
        """Return some columns of numbers, of so many in all, in one value."""
        if self.columns:
            return graph.join([self.columns[position] for position in positions.tolist()])
        x = self.whole(graph)
        if np.array_equal(positions, np.arange(width)):
            return x
        return graph.add("Gather", x, positions, axis=1)
