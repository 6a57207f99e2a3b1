"""What an ONNX graph reads: an input for each column, or one for rows that have no names."""

from skdistill.deployment._bundle._serve import GAPS_OF_TABLES
from skdistill.deployment._onnx._answers import LABEL, PREDICTION, PROBABILITIES
from skdistill.deployment._onnx._graph import FLOAT64, TEXT
from skdistill.deployment._onnx._graph_rows import GraphRows
from skdistill.deployment._onnx._steps import gap_of
from skdistill.students import TablePreprocessor
from skdistill.teachers._onnx_rows import NUMBERS, TEXTS, OnnxColumn

ROWS = "X"
"""The input of rows without names of columns."""

TAKEN = (LABEL, PROBABILITIES, PREDICTION)


def columns_of(parts):
    """Return the columns that have inputs of their own; none where one input takes all.

    Parameters
    ----------
    parts : Parts

    Returns
    -------
    list of OnnxColumn
    """
    first = parts.steps[0] if parts.steps else None
    known = {}
    if isinstance(first, TablePreprocessor) and not hasattr(first, "scaler_"):
        found = zip(first.categorical_.tolist(), first.categories_, strict=True)
        known = dict(found)
    if parts.names is None and not known:
        return []
    names = parts.names or [f"x{position}" for position in range(parts.shape[0])]
    columns, used = [], {*TAKEN, *parts.answers.outputs}
    for position, name in enumerate(names):
        own = name or f"column_{position}"
        own = f"_{own}" if own.startswith("/") else own  # as the graph's own values do
        while own in used:
            own += "_"
        used.add(own)
        if position not in known:
            columns.append(OnnxColumn(name, own, NUMBERS))
            continue
        no_gaps = [gap for gap in GAPS_OF_TABLES if gap in known[position]]
        columns.append(OnnxColumn(name, own, TEXTS, gap_of(known[position]), no_gaps))
    return columns


def enter(graph, columns, shape):
    """Declare the inputs of a graph.

    Parameters
    ----------
    graph : Graph
    columns : list of OnnxColumn
    shape : tuple of int
        That of a row.

    Returns
    -------
    GraphRows
    """
    if not columns:
        return GraphRows(graph.input(ROWS, FLOAT64, shape))
    numbers, texts = {}, {}
    for position, column in enumerate(columns):
        if column.kind == NUMBERS:
            numbers[position] = graph.input(column.input, FLOAT64)
        else:
            texts[position] = graph.input(column.input, TEXT)
    return GraphRows(columns=numbers, texts=texts)
