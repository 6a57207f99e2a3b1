"""A student of a file at work without torch, which takes seconds to import."""

import json
from types import SimpleNamespace

import numpy as np

from skdistill.deployment._bundle._serve import AT_ONCE, OPERATORS, NumpyGraph
from skdistill.deployment._compact import read_weights
from skdistill.deployment._file import read_file
from skdistill.deployment._golden import golden_rows
from skdistill.deployment._header import NEEDS_MODULE
from skdistill.deployment._inspect import check_file
from skdistill.deployment._onnx._modules import write_network
from skdistill.deployment._onnx._student import write_graph
from skdistill.deployment._parts import StudentParts
from skdistill.deployment._plain_modules import PlainModule
from skdistill.deployment._steps import build_step
from skdistill.deployment._values import decode_labels
from skdistill.students import TablePreprocessor
from skdistill.teachers._onnx_rows import make_feeds

TOLERANCE = 5e-5
"""How far a probability may lie from what torch gives, or a number in units of its size."""


class NumpyStudent:
    """A student whose graph NumPy computes.

    Parameters
    ----------
    graph : StudentGraph
    parts : StudentParts
        Of the student; the body is a `PlainModule`.
    """

    def __init__(self, graph, parts):
        self.columns, self.named = graph.columns, parts.names is not None
        self.answers = parts.answers
        nodes, constants = graph.graph.nodes, graph.graph.constants
        self.graph = NumpyGraph(nodes, constants, json.dumps(graph.said), list(parts.shape))

    def predict(self, X):
        """Return the class, or the labels or numbers, of rows of a table."""
        if self.answers.task == "classes":
            return self.answers.names[np.argmax(self.predict_proba(X), axis=1)]
        return self._run(self.answers.outputs[0], X)

    def predict_proba(self, X):
        """Return probabilities, ndarray of shape (n_samples, n_outputs), float64."""
        return self._run(self.answers.outputs[-1], X).astype(np.float64)

    def _run(self, output, X):
        if self.columns:
            feeds = make_feeds(X, self.columns, self.named)
        else:
            feeds = {"X": np.asarray(X, dtype=np.float64)}
        parts = []
        for start in range(0, len(X), AT_ONCE):
            batch = {name: rows[start : start + AT_ONCE] for name, rows in feeds.items()}
            parts += self.graph.run([output], batch)
        return np.concatenate(parts)


def load_without_torch(path):
    """Return the student of a file that `save` has written, as far as NumPy alone can serve it.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    NumpyStudent or None
        None where torch is needed, and where `load` has a reason to refuse the file. What is
        returned gives the answers that the file brings for rows of its own.
    """
    found = check_file(path)
    description, arrays = read_file(found)
    try:
        student, first = _build(description["student"], arrays)
        if student is None or description["golden"] is None:
            return None
        wanted = arrays.get_array(description["golden"])
        rows = golden_rows(first)
        got, size = student.answers.ask(student, rows), 1.0
        if student.answers.task == "numbers":
            size = np.abs(wanted).max(axis=0).clip(1e-300)
        off = np.abs(got.reshape(len(got), -1) - wanted) / size
    except Exception:  # of a file that is damaged or made by hand: load tells why
        return None
    return student if got.size == wanted.size and np.max(off) <= TOLERANCE else None


def _build(content, arrays):
    """Return a student and its first step, or None and None."""
    steps, last = _flat(content)
    if last[NEEDS_MODULE] or "module" not in last or any(s["class"] == "skops" for _, s in steps):
        return None, None
    built = [build_step(step, name, arrays) for name, step in steps]
    built = [step for step in built if step != "passthrough"]
    if not built or type(built[0]) is not TablePreprocessor:
        return None, None
    weights = read_weights(last, arrays)
    module = PlainModule(last["module"], weights)
    names = getattr(built[0], "feature_names_in_", None)
    names = None if names is None else names.tolist()
    parts = StudentParts(
        built, module, _link(last["link"], arrays), names, (built[0].n_features_in_,)
    )
    dtype = next(str(values.dtype) for values in weights.values() if values.dtype.kind == "f")
    graph = write_graph(
        parts, lambda graph, parts, rows: write_network(graph, parts.body, rows, 2, dtype)
    )
    if not {node.op for node in graph.graph.nodes} <= OPERATORS.keys():
        return None, None
    return NumpyStudent(graph, parts), built[0]


def _flat(content, path="steps"):
    """Return the steps of a description with their names in the file, and the last one."""
    if content["class"] != "Pipeline":
        return [], content
    *before, (last_name, last) = content["steps"]
    more, last = _flat(last, f"{path}.{last_name}")
    return [*((f"{path}.{name}", step) for name, step in before), *more], last


def _link(content, arrays):
    if content["class"] == "NumberLink":
        parts = {name: arrays.get_array(content[name]) for name in ("mean", "scale")}
        return SimpleNamespace(**parts)
    labels = decode_labels(content["classes"])
    if content["class"] == "LabelLink":
        return SimpleNamespace(names=labels, threshold=0.0)
    return SimpleNamespace(
        classes=labels,
        temperature=float(content["temperature"]),
        from_probabilities=content["from_probabilities"],
    )
