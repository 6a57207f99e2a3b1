"""From a fitted student to an ONNX graph that is still to be proved."""

import json
from typing import Any, NamedTuple

from sklearn.base import is_regressor

from skdistill.deployment._onnx._estimators import (
    check_estimator,
    write_all_classes,
    write_as_probabilities,
    write_estimator,
)
from skdistill.deployment._onnx._graph import FLOAT64, Graph
from skdistill.deployment._onnx._inputs import columns_of, enter
from skdistill.deployment._onnx._links import onnx_labels, write_classes, write_numbers
from skdistill.deployment._onnx._modules import write_network
from skdistill.deployment._onnx._steps import write_step
from skdistill.deployment._parts import Parts, take_apart
from skdistill.teachers._file_teacher import import_extra
from skdistill.teachers._onnx_rows import FORMAT, KEY, OnnxColumn
from skdistill.training._estimator_base import EstimatorBody


class Written(NamedTuple):
    """A student as an ONNX graph.

    Attributes
    ----------
    model : onnx.ModelProto
    parts : Parts
        Of the student.
    columns : list of OnnxColumn
        Those that have inputs of their own; none where one input takes all.
    """

    model: Any
    parts: Parts
    columns: list[OnnxColumn]


def write_student(model, who):
    """Write a student as an ONNX graph, without a proof.

    Parameters
    ----------
    model : estimator
        See `take_apart`.
    who : str
        The function that does it, for an error.

    Returns
    -------
    Written
    """
    parts = take_apart(model, who)
    onnx = import_extra("onnx", "onnx", who)
    columns = columns_of(parts)
    graph = Graph(onnx)
    rows = enter(graph, columns, parts.shape)
    for step in parts.steps:
        rows = write_step(graph, step, rows)
    outputs = _write_body(graph, parts, rows)
    if parts.classes is None:
        write_numbers(graph, parts.link, outputs)
    else:
        write_classes(graph, parts.link, outputs)
    classes = None if parts.classes is None else onnx_labels(parts.classes).tolist()
    metadata = {
        "format": FORMAT,
        "task": "numbers" if classes is None else "classes",
        "classes": classes,
        "columns": [column._asdict() for column in columns],
        "named": parts.names is not None,
    }
    return Written(graph.to_model({KEY: json.dumps(metadata)}), parts, columns)


def _write_body(graph, parts, rows):
    if not isinstance(parts.body, EstimatorBody):
        net = getattr(parts.body, "net", None)
        module = parts.body.module if net is None else net.module_
        return write_network(graph, module, rows, n_axes=1 + len(parts.shape))
    estimator = parts.body.estimator
    check_estimator(estimator)
    x = graph.cast(rows.whole(graph), FLOAT64)
    if parts.classes is None:
        return write_estimator(graph, estimator, x)
    if is_regressor(estimator):
        are_logits = parts.body.ask.args[-1]
        return write_as_probabilities(graph, estimator, x, len(parts.classes), are_logits)
    return write_all_classes(graph, estimator, x, parts.classes)
