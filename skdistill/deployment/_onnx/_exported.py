"""Modules that nothing here can follow, as `torch.onnx.export` writes them."""

import contextlib
import copy
import importlib
import io
import logging
import warnings
from typing import Any

import torch

from skdistill._torch import as_tensor
from skdistill._words import one_line
from skdistill.deployment._onnx._graph import OPSET
from skdistill.exceptions import ExportError


def write_exported(graph, module, x, rows, reason):
    """Add a whole module as one node, which becomes torch's own nodes in the model.

    Parameters
    ----------
    graph : Graph
    module : torch.nn.Module
    x : str
        What it reads, in its own dtype.
    rows : ndarray of shape (n_samples, ...)
        Some rows as it gets them.
    reason : ExportError
        Why it is not written layer by layer.

    Returns
    -------
    str

    Raises
    ------
    ExportError
        Where torch cannot write it either, or cannot be asked.
    """
    try:
        importlib.import_module("onnxscript")
    except ImportError as error:
        raise ExportError(
            f"{reason} torch.onnx.export writes more of them, and needs onnxscript, which cannot "
            f"be imported ({one_line(error)}): pip install onnxscript."
        ) from reason
    module = copy.deepcopy(module).cpu().eval()
    sample = as_tensor(rows, module)
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module,
                (sample,),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=({0: torch.export.Dim("rows")},),
                verbose=False,
            )
    except Exception as error:  # whatever torch raises for a module that it cannot follow
        raise ExportError(
            f"{reason} Nor can torch.onnx.export write it ({type(error).__name__})."
        ) from error
    finally:
        logging.disable(disabled)
    model = program.model_proto
    others = [one.domain for one in model.opset_import if (one.domain, one.version) != ("", OPSET)]
    if others or model.functions or (len(model.graph.input), len(model.graph.output)) != (1, 1):
        raise ExportError(
            f"{reason} torch.onnx.export writes it with operators of {others or 'its own'}, or "
            f"with several inputs or outputs."
        )
    return graph.add("Module", x, model=model.graph)
