"""From a fitted student to an ONNX graph that is still to be proved."""

import json
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_regressor

from skdistill._input._inputs import name_form
from skdistill._torch import module_dtype
from skdistill.deployment._onnx._estimators import (
    check_estimator,
    write_all_classes,
    write_as_probabilities,
    write_estimator,
)
from skdistill.deployment._onnx._exported import write_exported
from skdistill.deployment._onnx._graph import FLOAT64, Graph
from skdistill.deployment._onnx._modules import write_network
from skdistill.deployment._onnx._proof import made_rows
from skdistill.deployment._onnx._student import write_graph
from skdistill.deployment._parts import StudentParts, take_apart
from skdistill.exceptions import ExportError
from skdistill.teachers._file_teacher import import_extra
from skdistill.teachers._onnx_rows import KEY, OnnxColumn
from skdistill.training._estimator_base import EstimatorBody


class Written(NamedTuple):
    """A student as an ONNX graph.

    Attributes
    ----------
    model : onnx.ModelProto
    parts : StudentParts
        Of the student.
    columns : list of OnnxColumn
        Those that have inputs of their own; none where one input takes all.
    graph : Graph
        What the model is made of.
    said : dict
        What the graph says of itself.
    """

    model: Any
    parts: StudentParts
    columns: list[OnnxColumn]
    graph: Graph
    said: dict[str, Any]


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
    form = getattr(getattr(parts.body, "rows", None), "form", None)
    if isinstance(form, dict):
        raise ExportError(
            f"The student reads {name_form(form)}, and a graph that is written here reads columns "
            f"or one array; expected such rows. Put the inputs side by side (numpy.hstack) and let "
            f"the module take them apart, or write the module alone: torch.onnx.export."
        )
    onnx = import_extra("onnx", "onnx", who)
    graph, columns, said = write_graph(parts, _write_body)
    return Written(graph.to_model(onnx, {KEY: json.dumps(said)}), parts, columns, graph, said)


def _write_body(graph, parts, rows):
    if not isinstance(parts.body, EstimatorBody):
        net = getattr(parts.body, "net", None)
        module = parts.body.module if net is None else net.module_
        return _write_module(graph, parts, module, rows)
    estimator = parts.body.estimator
    check_estimator(estimator)
    x = graph.cast(rows.whole(graph), FLOAT64)
    task, names = parts.answers.task, parts.answers.names
    if task == "numbers":
        return write_estimator(graph, estimator, x)
    if task == "labels":
        shares = write_estimator(graph, estimator, x)
        return graph.add("Clip", shares, np.array(0.0), np.array(1.0))
    if is_regressor(estimator):
        are_logits = parts.body.ask.args[-1]
        return write_as_probabilities(graph, estimator, x, len(names), are_logits)
    return write_all_classes(graph, estimator, x, names)


def _write_module(graph, parts, module, rows):
    """Add a network layer by layer, or as torch writes it."""
    dtype = str(module_dtype(module)).removeprefix("torch.")
    n_nodes = len(graph.nodes)
    try:
        return write_network(graph, module, rows, 1 + len(parts.shape), dtype)
    except ExportError as error:
        graph.undo(n_nodes)
        x = graph.cast(rows.whole(graph), dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # these rows have no names
            encoded = made_rows(parts)[:3]
            for step in parts.steps:
                encoded = step.transform(encoded)
        return write_exported(graph, module, x, encoded, error)
