"""Steps up a gradient that stay near where they began, for attacks and for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def projected_ascent(
    gradient: Callable[[torch.Tensor], torch.Tensor],
    X: torch.Tensor,
    *,
    radius: Any,
    step: Any,
    n_steps: int,
    start: torch.Tensor,
    bounds: tuple[float, float],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps along the sign of a gradient that stay in a box around each row.

    Parameters
    ----------
    gradient : callable
        From rows to a tensor of their shape.
    X : torch.Tensor of shape (n_samples, ...)
        The rows as they are.
    radius, step : float or torch.Tensor of the shape of a row
        Half the width of the box, and the length of a step, in each feature.
    n_steps : int
        Number of steps. One from `X` with the length of the radius is FGSM.
    start : torch.Tensor of shape (n_samples, ...)
        What is added to the rows before the first step.
    bounds : tuple of two floats
        The least and greatest value of a number.

    Returns
    -------
    rows : torch.Tensor of shape (n_samples, ...)
    has_gradient : torch.Tensor of shape (n_samples,), bool
        Whether the gradient was other than 0 at a step.
    """
    least = (X - radius).clamp_min(bounds[0])
    most = (X + radius).clamp_max(bounds[1])
    rows = torch.clamp(X + start, least, most)
    has_gradient = torch.zeros(len(X), dtype=torch.bool, device=X.device)
    for _ in range(n_steps):
        sign = gradient(rows).sign()
        has_gradient |= (sign != 0).reshape(len(X), -1).any(dim=1)
        rows = torch.clamp(rows + step * sign, least, most)
    return rows, has_gradient


def error_margin(
    outputs: torch.Tensor, own: torch.Tensor, kind: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return by how much each row is named wrongly, in double precision.

    That is ``log(sum of exp(z_c) over the other classes) - z_y`` for logits z. The cross-entropy is
    ``log(1 + exp(margin))``, so its gradient has the same sign; but it rounds to 0 where a network
    is sure, and this one does not.

    Parameters
    ----------
    outputs : torch.Tensor of shape (n_samples, n_classes)
    own : torch.Tensor of shape (n_samples,), int64
        The column of each row's class.
    kind : {"logits", "probabilities"}
        What the outputs are.

    Returns
    -------
    margin : torch.Tensor of shape (n_samples,), float64
    is_lost : torch.Tensor of shape (n_samples,), bool
        Whether the probabilities of all other classes round to 0: the margin says nothing then.
    """
    own, logits = own[:, None], outputs.double()
    is_lost = torch.zeros(len(outputs), dtype=torch.bool, device=outputs.device)
    if kind == "probabilities":
        least = torch.finfo(outputs.dtype).tiny
        is_lost = (logits.scatter(1, own, 0.0) <= least).all(dim=1)
        logits = logits.clamp_min(least).log()
    others = torch.logsumexp(logits.scatter(1, own, -torch.inf), dim=1)
    return others - logits.gather(1, own)[:, 0], is_lost
