"""Several networks in one: members that share their weights but for a scaling and a last layer."""

import torch
from torch import nn

from skdistill.students._dropout import Dropout
from skdistill.students._mlp import MLP


class MemberOutputs(tuple):
    """What a module of several members returns in training mode: their mean, and their outputs.

    Whoever reads the first of several outputs, as a callback that scores does, reads the mean of
    shape (n_samples, n_outputs), which is that of evaluation mode and has no gradient. A criterion
    learns from the members. It is no NamedTuple: skorch makes tuples of a type from an iterable.
    """

    __slots__ = ()

    @property
    def members(self) -> torch.Tensor:
        """The outputs of each, a tensor of shape (n_samples, n_members, n_outputs)."""
        return self[1]


def mean_of_probabilities(logits: torch.Tensor) -> torch.Tensor:
    r"""Return the logarithm of the mean of the members' probabilities, which are logits of it.

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_members, n_classes)

    Returns
    -------
    torch.Tensor of shape (n_samples, n_classes)
        :math:`\log \frac1k \sum_m \mathrm{softmax}(z_m)`.
    """
    sums = torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=1)
    return torch.log_softmax(sums, dim=-1)  # k is what they sum to


def mean_of_outputs(values: torch.Tensor) -> torch.Tensor:
    """Return the mean of the members' outputs.

    Parameters
    ----------
    values : torch.Tensor of shape (n_samples, n_members, n_outputs)

    Returns
    -------
    torch.Tensor of shape (n_samples, n_outputs)
    """
    return values.mean(dim=1)


MEANS = {"probabilities": mean_of_probabilities, "outputs": mean_of_outputs}
"""What the members of a module can be brought together by."""


class MemberLinear(nn.Module):
    """Wx + b with weights of its own for each member.

    Parameters
    ----------
    n_members, n_features, n_outputs : int
    """

    def __init__(self, n_members: int, n_features: int, n_outputs: int) -> None:
        super().__init__()
        bound = n_features**-0.5  # as nn.Linear starts
        weight = torch.empty(n_members, n_features, n_outputs).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.empty(n_members, 1, n_outputs).uniform_(-bound, bound))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (n_samples, n_members, n_outputs)."""
        return torch.baddbmm(self.bias, X.transpose(0, 1), self.weight).transpose(0, 1)


class MemberMLP(nn.Module):
    """Multi-layer perceptrons that differ in a scaling of the input and in the last layer alone.

    Parameters
    ----------
    widths : sequence of int
        Of the parts of a row, one for each column: a member scales each of them by one number at
        first, drawn from the standard normal distribution.
    n_outputs : int
        Number of logits, or numbers.
    hidden_units : tuple of int
        Width of each hidden layer.
    dropout : float
        Share of hidden units that are left out of each training step, drawn for each member.
    n_members : int
        How many they are.
    mean : {"probabilities", "outputs"}
        A key of `MEANS`.
    """

    def __init__(
        self,
        widths: list[int],
        n_outputs: int,
        hidden_units: tuple[int, ...],
        dropout: float,
        n_members: int,
        mean: str,
    ) -> None:
        super().__init__()
        self.mean = mean
        scale = torch.empty(n_members, len(widths)).normal_()
        self.scale = nn.Parameter(scale.repeat_interleave(torch.tensor(widths), dim=1))
        self.shared = nn.Sequential()
        n_features = sum(widths)
        if hidden_units:
            *before, last = hidden_units
            self.shared.append(MLP(n_features, last, tuple(before), dropout))
            self.shared.append(nn.ReLU())
            if dropout:
                self.shared.append(Dropout(dropout))
            n_features = last
        self.heads = MemberLinear(n_members, n_features, n_outputs)

    def forward(self, X: torch.Tensor) -> torch.Tensor | MemberOutputs:
        """Return the mean of the members, and in training mode their outputs too.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs), or MemberOutputs
        """
        members = self.heads(self.shared(X.unsqueeze(1) * self.scale))
        if not self.training:
            return MEANS[self.mean](members)
        with torch.no_grad():
            mean = MEANS[self.mean](members)
        return MemberOutputs((mean, members))
