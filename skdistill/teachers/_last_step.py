"""What a network's last step says of its outputs, where their values could mean two things."""

import torch
from torch import nn

from skdistill._input._inputs import map_inputs
from skdistill._torch import as_tensor, evaluating, first_output, run_module

_RESHAPES = {
    *("AliasBackward0", "CloneBackward0", "ExpandBackward0", "PermuteBackward0", "SelectBackward0"),
    *("SliceBackward0", "SqueezeBackward0", "SqueezeBackward1", "SqueezeBackward2", "TBackward0"),
    *("ToCopyBackward0", "TransposeBackward0", "UnsafeViewBackward0", "UnsqueezeBackward0"),
    *("ViewBackward0", "ReshapeAliasBackward0"),
}
_KINDS = {
    "SigmoidBackward0": "probabilities",
    "SoftmaxBackward0": "probabilities",
    "LogSoftmaxBackward0": "logits",
    "AddmmBackward0": "logits",
    "MmBackward0": "logits",
    "ConvolutionBackward0": "logits",
}


def kind_of_module(module: nn.Module, X) -> str | None:
    """Read off the graph of a forward pass whether a module returns logits or probabilities.

    A value of .3 may be either; that it comes from a sigmoid, or from a linear layer, says which.

    Parameters
    ----------
    module : torch.nn.Module
        Run where it is, in evaluation mode.
    X : array-like of shape (n_samples, ...)
        Rows that it can read.

    Returns
    -------
    {"logits", "probabilities"} or None
        None where the last step is another, or leaves no trace.
    """
    home = next((p.device for p in module.parameters()), torch.device("cpu"))
    rows = map_inputs(_with_gradient, as_tensor(X[:1], module, copy=True))
    with evaluating(module), torch.enable_grad():
        output = first_output(run_module(module, rows, home))
    node = getattr(output, "grad_fn", None)
    while node is not None and node.name() in _RESHAPES and node.next_functions:
        node = node.next_functions[0][0]
    return None if node is None else _KINDS.get(node.name())


def _with_gradient(rows):
    return rows.requires_grad_() if rows.is_floating_point() else rows
