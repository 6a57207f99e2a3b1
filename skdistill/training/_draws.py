"""What a training draws: first weights, the order of the rows, dropout and views."""

import contextlib

import torch

from skdistill._generators import (
    DrawWeights,
    drawing_from,
    draws_globally,
    is_ours,
    make_generator,
    make_streams,
    seeded,
)
from skdistill.training._ranks import current_ranks


@contextlib.contextmanager
def drawing_weights(net, seed):
    """Draw a net's first weights from a seed, and leave torch's own generator alone.

    Parameters
    ----------
    net : skorch.NeuralNet
        Not initialised yet.
    seed : int or None
        None draws from torch's own generator.
    """
    if seed is None:
        yield
        return
    # Somebody else's module may draw anything, when it is made and when it is first asked.
    module = net.module
    is_known = module is None or is_ours(module)
    if isinstance(module, torch.nn.Module):
        is_known = not draws_globally(module)
    # Nothing can be compiled inside a mode, and torch's own generator draws the same weights.
    apart = seeded(seed, _device_of(net)) if net.compile else DrawWeights(make_generator(seed))
    lent = contextlib.nullcontext() if is_known else seeded(seed, _device_of(net))
    with lent, apart:
        yield


@contextlib.contextmanager
def drawing(net, seed):
    """Draw the order of the rows, dropout and views from a seed, likewise.

    Parameters
    ----------
    net : skorch.NeuralNet
        Initialised, with the criterion to minimise.
    seed : int or None
    """
    if seed is None:
        yield
        return
    device, ranks = _device_of(net), current_ranks()
    rank = 0 if ranks is None else ranks.rank
    objective = net.criterion_
    losses = [loss for term in objective.terms for loss in term.losses]
    losses += [] if objective.loss is None else [objective.loss]
    apart = getattr(net, "draws_apart", lambda losses: False)(losses)
    is_known = apart and not draws_globally(net.module_)
    lent = contextlib.nullcontext() if is_known else seeded(seed + (4 * rank << 32), device)
    with lent, drawing_from(make_streams(seed, device, rank)):
        yield


def _device_of(net):
    return torch.device(net.device or "cpu")
