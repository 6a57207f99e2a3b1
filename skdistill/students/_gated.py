"""Several networks and a gate that weighs them, as one module."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import nn


class GatedClasses(nn.Module):
    r"""Networks that each know some of the classes, and a gate that knows which of them is asked.

    It returns :math:`\log p(c) = \log p(g(c)) + \log p(c \mid g(c))` with g(c) the group of a
    class: the gate's probabilities of a group's classes are added up, and the group's network
    shares them out.

    Parameters
    ----------
    gate : torch.nn.Module
        Returns a logit for each class, those of a group side by side.
    experts : sequence of torch.nn.Module
        Each returns a logit for each class of its group.
    groups : sequence of sequence of int
        The classes of each group, all of them once.
    """

    places: torch.Tensor

    def __init__(
        self, gate: nn.Module, experts: Sequence[nn.Module], groups: Sequence[Sequence[int]]
    ) -> None:
        super().__init__()
        self.gate, self.experts = gate, nn.ModuleList(experts)
        self.sizes = [len(group) for group in groups]
        self.takes_sparse = getattr(gate, "takes_sparse", False)
        places = torch.tensor([c for group in groups for c in group]).argsort()
        self.register_buffer("places", places.to(next(gate.parameters()).device))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, ...)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_classes)
        """
        shares = torch.log_softmax(self.gate(X), dim=1)
        answers = [
            torch.log_softmax(expert(X), dim=1)
            + torch.logsumexp(shares[:, start:end], dim=1, keepdim=True)
            for expert, start, end in _with_ranges(self)
        ]
        return torch.cat(answers, dim=1).index_select(1, self.places)


class GatedColumns(nn.Module):
    r"""Networks that each see some of the columns, and a gate that sees all and weighs them.

    It returns :math:`\sum_k \mathrm{softmax}(a(x))_k \, z_k(x_k)`, with a the gate, and
    :math:`z_k(x_k)` what network k makes of its columns.

    Parameters
    ----------
    gate : torch.nn.Module
        Returns a logit for each network.
    experts : sequence of torch.nn.Module
        Each returns logits, or numbers.
    groups : sequence of sequence of int
        The columns that each reads.
    """

    places: torch.Tensor

    def __init__(
        self, gate: nn.Module, experts: Sequence[nn.Module], groups: Sequence[Sequence[int]]
    ) -> None:
        super().__init__()
        self.gate, self.experts = gate, nn.ModuleList(experts)
        self.sizes = [len(group) for group in groups]
        places = torch.tensor([column for group in groups for column in group])
        self.register_buffer("places", places.to(next(gate.parameters()).device))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return logits, or numbers.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs)
        """
        columns = X.index_select(1, self.places)
        answers = [expert(columns[:, start:end]) for expert, start, end in _with_ranges(self)]
        weights = torch.softmax(self.gate(X), dim=1)
        return (weights.unsqueeze(2) * torch.stack(answers, dim=1)).sum(dim=1)


def _with_ranges(module):
    """Return the experts of a gated module, each with where its group begins and ends."""
    ends = list(accumulate(module.sizes))
    return list(zip(module.experts, [0, *ends[:-1]], ends, strict=True))
