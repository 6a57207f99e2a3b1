"""An ONNX graph as arrays and a list of steps, for a bundle that needs NumPy alone."""

import io
import json

import numpy as np

from skdistill.deployment._bundle._serve import OPERATORS
from skdistill.exceptions import ExportError
from skdistill.teachers._file_teacher import import_extra
from skdistill.teachers._onnx_rows import KEY


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
    onnx = import_extra("onnx", "onnx", "export")
    graph = written.model.graph
    unknown = sorted({node.op_type for node in graph.node} - OPERATORS.keys())
    if unknown:
        raise ExportError(
            f"This student cannot be served by NumPy alone: its graph has the operators {unknown}; "
            f"expected a network of linear layers, or a linear model. Set runtime='onnx'."
        )
    steps = [
        [
            node.op_type,
            list(node.input),
            node.output[0],
            {one.name: _plain(onnx.helper.get_attribute_value(one)) for one in node.attribute},
        ]
        for node in graph.node
    ]
    description = {
        "steps": steps,
        "arrays": [one.name for one in graph.initializer],
        "shape": list(written.parts.shape),
        "said": next(one.value for one in written.model.metadata_props if one.key == KEY),
    }
    arrays = [onnx.numpy_helper.to_array(one) for one in graph.initializer]
    arrays = [array.astype(np.str_) if array.dtype == object else array for array in arrays]
    named = {f"array {i}": array for i, array in enumerate(arrays)}
    file = io.BytesIO()
    np.savez(file, description=np.array(json.dumps(description)), **named)
    return file.getvalue()


def _plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, int | float | str) else [_plain(one) for one in value]
