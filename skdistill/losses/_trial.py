"""A loss that a user has written, tried on two rows before anything is asked or trained."""

import copy

import torch

from skdistill._generators import is_ours
from skdistill._words import one_line
from skdistill.losses._regression import RegressionLoss


def try_loss(loss, n_columns):
    """Refuse a loss that cannot be called as it will be, or that makes no scalar of a batch.

    A copy is tried, and torch's generator put back. One that fails for another reason is left
    alone: it may read what goes with the rows of training.

    Parameters
    ----------
    loss : Loss or RegressionLoss
        Those of this package are believed.
    n_columns : int
        Of the student's outputs.

    Raises
    ------
    ValueError
    """
    if is_ours(loss):
        return
    name, numbers = type(loss).__name__, isinstance(loss, RegressionLoss)
    method = "errors(values, targets)" if numbers else "rows(student, teacher, labels, temperature)"
    shape = "(n_samples, n_outputs)" if numbers else "(n_samples,)"
    expected = f"expected a method {method} that returns a tensor of shape {shape}"
    outputs = torch.eye(2, n_columns, requires_grad=True)
    batch = (outputs, outputs.detach().flip(0))
    more = (None,) if numbers else (torch.arange(2) % n_columns, None, 1.0)
    with torch.random.fork_rng(devices=[]):
        try:
            found = copy.deepcopy(loss).mean(*batch, *more)
        except (TypeError, NotImplementedError) as error:
            raise ValueError(
                f"The loss {name} failed on a batch of two rows ({one_line(error)}); {expected}, "
                "or a mean of its own."
            ) from error
        except Exception:
            return
    if not isinstance(found, torch.Tensor) or found.numel() != 1 or not found.requires_grad:
        is_tensor = isinstance(found, torch.Tensor)
        came = f"tensor of shape {tuple(found.shape)}" if is_tensor else type(found).__name__
        raise ValueError(
            f"The loss {name} made a {came} of a batch of two rows; {expected} with a gradient."
        )
