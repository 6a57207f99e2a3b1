"""From a student's outputs to the outputs of an ONNX graph."""

import numpy as np

from skdistill.deployment._onnx._graph import FLOAT32, FLOAT64, TEXT

LABEL, PROBABILITIES, PREDICTION = "label", "probabilities", "prediction"


def write_classes(graph, link, x):
    """Add the label and the probabilities of each row.

    Parameters
    ----------
    graph : Graph
    link : ClassLink or ProbabilityLink
    x : str
        Outputs of shape (n_samples, n_classes).
    """
    x = graph.cast(x, FLOAT64)
    if hasattr(link, "temperature"):
        if link.from_probabilities:
            tiny = np.array(np.finfo(np.float64).tiny)
            x = graph.add("Log", graph.add("Max", x, tiny))
        if link.temperature != 1:
            x = graph.add("Div", x, np.array(float(link.temperature)))
        probabilities = graph.add("Softmax", x, axis=1)
    else:
        probabilities = x
    best = graph.add("ArgMax", x, dtype=np.int64, axis=1, keepdims=0)
    labels = onnx_labels(link.classes)
    graph.output(LABEL, graph.add("Gather", labels, best))
    graph.output(PROBABILITIES, graph.cast(probabilities, FLOAT32), (len(labels),))


def onnx_labels(classes):
    """Return labels as an array that ONNX can hold: texts, whole numbers, floats or flags."""
    kind = classes.dtype.kind
    if kind in "iu":
        return classes.astype(np.int64)
    if kind in "bf":
        return classes.astype(np.bool_ if kind == "b" else np.float64)
    return np.array([str(label) for label in classes.tolist()], dtype=TEXT)


def write_numbers(graph, link, x):
    """Add the number or numbers of each row, in the unit of y.

    Parameters
    ----------
    graph : Graph
    link : NumberLink
    x : str
        Outputs of shape (n_samples, n_outputs).
    """
    x = graph.add("Mul", graph.cast(x, FLOAT64), link.scale.astype(FLOAT64))
    x = graph.add("Add", x, link.mean.astype(FLOAT64))
    n_outputs = len(link.scale)
    if n_outputs == 1:
        x = graph.add("Squeeze", x, np.array([1]))
    graph.output(PREDICTION, x, () if n_outputs == 1 else (n_outputs,))
