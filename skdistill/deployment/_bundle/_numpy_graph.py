"""An ONNX graph as arrays and a list of steps, for a bundle that needs NumPy alone."""

import io
import json

import numpy as np

from skdistill.deployment._bundle._serve import OPERATORS
from skdistill.exceptions import ExportError


def as_arrays(written):
    """Return a graph as the content of an .npz file.

    Parameters
    ----------
    written : Written

    Returns
    -------
    bytes

    Raises
    ------
    ExportError
        For an operator that the script of a bundle does not compute.
    """
    graph = written.graph
    unknown = sorted({node.op for node in graph.nodes} - OPERATORS.keys())
    if unknown:
        raise ExportError(
            f"This student cannot be served by NumPy alone: its graph has the operators {unknown}; "
            f"expected a network of linear layers, or a linear model. Set runtime='onnx'."
        )
    description = {
        "steps": graph.nodes,
        "arrays": list(graph.constants),
        "shape": list(written.parts.shape),
        "said": json.dumps(written.said),
    }
    arrays = graph.constants.values()
    arrays = [array.astype(np.str_) if array.dtype == object else array for array in arrays]
    named = {f"array {i}": array for i, array in enumerate(arrays)}
    file = io.BytesIO()
    np.savez(file, description=np.array(json.dumps(description)), **named)
    return file.getvalue()
