"""A student, from the columns of its rows to its answers, as a graph of plain data."""

from typing import Any, NamedTuple

from skdistill.deployment._onnx._answers import onnx_labels
from skdistill.deployment._onnx._graph import Graph
from skdistill.deployment._onnx._inputs import columns_of, enter
from skdistill.deployment._onnx._steps import write_step
from skdistill.teachers._onnx_rows import FORMATS, OnnxColumn


class StudentGraph(NamedTuple):
    """The graph of a student.

    Attributes
    ----------
    graph : Graph
    columns : list of OnnxColumn
        Those that have inputs of their own; none where one input takes all.
    said : dict
        What the graph says of itself.
    """

    graph: Graph
    columns: list[OnnxColumn]
    said: dict[str, Any]


def write_graph(parts, write_body):
    """Write all that a student computes.

    Parameters
    ----------
    parts : Parts
    write_body : callable
        Adds the nodes of its body to a graph, behind some rows; returns the outputs.

    Returns
    -------
    StudentGraph
    """
    columns = columns_of(parts)
    graph = Graph()
    rows = enter(graph, columns, parts.shape)
    for step in parts.steps:
        rows = write_step(graph, step, rows)
    answers = parts.answers
    answers.write(graph, write_body(graph, parts, rows))
    said = {
        "format": FORMATS[answers.task],
        "task": answers.task,
        "classes": None if answers.names is None else onnx_labels(answers.names).tolist(),
        "columns": [column._asdict() for column in columns],
        "named": parts.names is not None,
    }
    return StudentGraph(graph, columns, said)
