"""The layer that a module's outputs come from."""

import torch
from torch import nn

from skdistill._torch import first_output, run_module


def find_last_layer(module, rows, device):
    """Return the linear layer whose output is the module's own.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    rows : torch.Tensor of shape (n_samples, ...) or SliceDict of them
        A few that it reads.
    device : torch.device or str
        Where it is.

    Returns
    -------
    torch.nn.Linear or None
        None where something follows it, where it is called twice or frozen, or where its weights
        are those of another layer too: nothing may be done to it then that is meant for the
        outputs.
    """
    calls = []
    handles = [
        part.register_forward_hook(lambda part, _, output: calls.append((part, output)))
        for part in module.modules()
        if type(part) is nn.Linear
    ]
    try:
        with torch.no_grad():
            outputs = first_output(run_module(module, rows, device))
    finally:
        for handle in handles:
            handle.remove()
    if not calls or calls[-1][1] is not outputs:
        return None
    last = calls[-1][0]
    called = sum(part is last for part, _ in calls)
    weights = [p for _, p in module.named_parameters(remove_duplicate=False) if p is last.weight]
    is_free = all(parameter.requires_grad for parameter in last.parameters())
    return last if is_free and called == len(weights) == 1 else None
