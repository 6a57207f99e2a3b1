"""An ONNX graph that reads rows as its student does."""

import numpy as np

from skdistill._input._frames import is_table
from skdistill.deployment._onnx._inputs import ROWS
from skdistill.exceptions import ExportError
from skdistill.teachers._file_teacher import import_extra
from skdistill.teachers._onnx_rows import NUMBERS, make_feeds

AT_ONCE, MOST_CELLS = 2048, 2**24
"""Rows of a call, fewer of large ones."""


class Runner:
    """A graph, and what runs it.

    Parameters
    ----------
    written : Written
    session : object, default=None
        With `run(outputs, feeds)`; None is onnxruntime.
    """

    def __init__(self, written, session=None):
        self.session = open_session(written.model) if session is None else session
        self.parts = written.parts
        self.columns = written.columns

    def feeds(self, X):
        """Return rows as the inputs of the graph."""
        if self.columns:
            return make_feeds(X, self.columns, self.parts.names is not None)
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
        return {ROWS: X.astype(np.float64)}

    def run(self, X):
        """Return what the graph makes of rows, by the names of its outputs."""
        names = list(self.parts.answers.outputs)
        parts = [self.session.run(names, batch) for batch in self._batches(X)]
        joined = [np.concatenate(values) for values in zip(*parts, strict=True)]
        return dict(zip(names, joined, strict=True))

    def _batches(self, X):
        """Yield the feeds of some rows at a time; of sparse ones no more are made dense at once."""
        if not self.columns:
            size = max(1, min(AT_ONCE, MOST_CELLS // int(np.prod(self.parts.shape))))
            yield from (self.feeds(X[i : i + size]) for i in range(0, X.shape[0], size))
            return
        feeds = self.feeds(X)
        for start in range(0, X.shape[0], AT_ONCE):
            yield {name: rows[start : start + AT_ONCE] for name, rows in feeds.items()}

    def plain_rows(self, X, n_rows):
        """Return the first rows as an array: of numbers, or of numbers, texts and None."""
        feeds = self.feeds(_head(X, n_rows))
        if not self.columns:
            return feeds[ROWS]
        if all(column.kind == NUMBERS for column in self.columns):
            return np.hstack([feeds[column.input] for column in self.columns])
        first = next(iter(feeds.values()))
        rows = np.empty((len(first), len(self.columns)), dtype=object)
        for i, column in enumerate(self.columns):
            values = feeds[column.input][:, 0].tolist()
            rows[:, i] = [None if value == column.gap else value for value in values]
        return rows


def open_session(model):
    """Return a session of onnxruntime for a model."""
    runtime = import_extra("onnxruntime", "onnx", "The proof of an ONNX graph")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        return runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # classes of its own, for an operator that lacks a precision
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"onnxruntime cannot run the graph of this student ({reason:.200}); expected "
            f"layers that it has in the precision of the network. Fit one of dtype='float32'; "
            f"skdistill.deployment.save keeps this one as it is."
        ) from error


def _head(X, n_rows):
    if not is_table(X):
        return X[:n_rows]
    return X.iloc[:n_rows] if hasattr(X, "iloc") else X[:n_rows]
