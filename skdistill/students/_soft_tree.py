"""A decision tree whose nodes send each row both ways, and which therefore learns by gradients."""

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from skdistill.students._settings import check_columns, check_settings


class PenalizedOutputs(tuple):
    """What a module with a penalty of its own returns in training mode: outputs, and the penalty.

    Whoever reads the first of several outputs reads the outputs; a criterion adds the penalty to
    its loss. It is no NamedTuple: skorch makes tuples of a type from an iterable.
    """

    __slots__ = ()

    @property
    def penalty(self) -> torch.Tensor:
        """A scalar."""
        return self[1]


class SoftDecisionTree(nn.Module):
    r"""A soft decision tree: few linear questions, and an answer at each leaf that can be read.

    ``DistilledClassifier(teacher, SoftDecisionTree(depth=4))`` puts a `TablePreprocessor` before
    it; `evaluation.explain_tree` shows what it has learnt.

    Parameters
    ----------
    n_features : int, default=None
        Width of the rows, category codes last. None leaves all widths to the data: the tree is
        then a recipe, of which `StudentNet` makes one.
    n_classes : int, default=None
        Number of classes, or of numbers that are learnt. `StudentNet` infers it.
    depth : int, default=4
        Number of questions on each way; there are 2**depth leaves.
    beta : float, default=10.0
        Inverse temperature of the nodes and of the leaves. The first weights are divided by it: it
        is how fast both learn.
    penalty : float, default=0.1
        Strength at the root of what keeps both sides of each node in use.
    cardinalities : tuple of int, default=()
        Number of codes of each trailing column, code 0 being "unknown"; each code has weights of
        its own. Inferred from rows that come from `TablePreprocessor`.
    leaf_mean : {"probabilities", "outputs"}, default="probabilities"
        What of the leaves is averaged. `StudentNet` infers "probabilities", `StudentNetRegressor`
        "outputs".

    Notes
    -----
    Node i of the 2**depth - 1 inner ones sends a row to its right with the probability
    :math:`p_i(x) = \sigma(\beta (w_i \cdot x + b_i))`. :math:`P^\ell(x)`, the product of these
    along the way to leaf :math:`\ell`, mixes what the leaves hold,

    .. math:: p(x) = \sum_\ell P^\ell(x) \, \mathrm{softmax}(\beta \phi_\ell),

    and the module returns log p, or for numbers :math:`\sum_\ell P^\ell(x) \beta \phi_\ell`. So it
    learns by every loss. (The article minimises the mean over the leaves of their cross-entropies,
    and answers by the leaf of greatest probability.) While it learns, this is added to the loss:

    .. math:: -\lambda \sum_i 2^{-d_i} \tfrac12 \left(\log \alpha_i + \log(1 - \alpha_i)\right),
        \qquad \alpha_i = \frac{\sum_x P^i(x) p_i(x)}{\sum_x P^i(x)},

    with :math:`d_i` the depth of the node, 0 at the root, and the sums over the rows of the batch,
    each of which counts alike. (The article takes running averages.)

    References
    ----------
    Frosst & Hinton 2017, "Distilling a Neural Network Into a Soft Decision Tree",
    arXiv 1711.09784.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.students import SoftDecisionTree
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, random_state=0)
    >>> model = DistilledClassifier(forest, SoftDecisionTree(depth=2), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        n_features: int | None = None,
        n_classes: int | None = None,
        depth: int = 4,
        beta: float = 10.0,
        penalty: float = 0.1,
        cardinalities: tuple[int, ...] = (),
        leaf_mean: str = "probabilities",
    ) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {"depth": depth, "beta": beta, "penalty": penalty}
        widths = {} if n_features is None else {"n_features": n_features, "n_classes": n_classes}
        check_settings(
            type(self).__name__,
            **widths,
            **self.settings,
            cardinalities=cardinalities,
            leaf_mean=leaf_mean,
        )
        self.n_features, self.depth, self.beta, self.penalty = n_features, depth, beta, penalty
        self.mean = leaf_mean
        if n_features is None or n_classes is None:  # the latter is refused above
            return
        check_columns(type(self).__name__, n_features, 0, cardinalities)
        self.n_codes = len(cardinalities)
        self.takes_sparse = self.n_codes == 0
        n_nodes = 2**depth - 1
        bound = n_features**-0.5 / beta  # as nn.Linear starts, after beta
        n_plain = n_features - self.n_codes
        self.weight = nn.Parameter(torch.empty(n_nodes, n_plain).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_nodes).uniform_(-bound, bound))
        self.categories = nn.ModuleList(
            nn.Embedding(n_codes, n_nodes, padding_idx=0) for n_codes in cardinalities
        )
        with torch.no_grad():
            for embed in self.categories.parameters():
                embed.mul_(bound)
        self.leaves = nn.Parameter(torch.empty(2**depth, n_classes).uniform_(-1 / beta, 1 / beta))

    def extra_repr(self) -> str:
        """Return the settings, for the representation."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())

    def questions(self, X: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of going right.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, 2**depth - 1)
            Of the nodes level by level, each from left to right.
        """
        plain = X[:, : -self.n_codes] if self.n_codes else X
        odds = F.linear(plain.to(self.weight.dtype), self.weight, self.bias)
        for i, embed in enumerate(self.categories):
            odds = odds + embed(X[:, i - self.n_codes].long())
        return self.beta * odds

    def paths(self, X: torch.Tensor) -> list[torch.Tensor]:
        """Return the log-probability of reaching each node.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        list of torch.Tensor of shape (n_samples, 2**level)
            From the root, level 0, to the leaves.
        """
        odds = self.questions(X)
        levels = [odds.new_zeros(odds.shape[0], 1)]  # of len() an export would make a constant
        for level in range(self.depth):
            here = odds[:, 2**level - 1 : 2 ** (level + 1) - 1]
            ways = F.logsigmoid(torch.stack((-here, here), dim=2))
            levels.append((levels[-1].unsqueeze(2) + ways).flatten(1))
        return levels

    def answers(self) -> torch.Tensor:
        """Return what a row would get that is wholly in one leaf.

        Returns
        -------
        torch.Tensor of shape (2**depth, n_classes)
            Log-probabilities, or numbers.
        """
        leaves = self.beta * self.leaves
        return leaves if self.mean == "outputs" else torch.log_softmax(leaves, dim=1)

    def forward(self, X: torch.Tensor) -> torch.Tensor | PenalizedOutputs:
        """Return log-probabilities, or numbers.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_classes)
            In training mode a tuple of it and of the penalty, a scalar.
        """
        if self.n_features is None:
            raise ValueError(
                "SoftDecisionTree has no widths yet; expected a student that makes a tree of it. "
                "Give n_features and n_classes, or pass it to a StudentNet."
            )
        if X.ndim != 2:
            raise ValueError(
                f"SoftDecisionTree reads rows of shape (n_features,); got {tuple(X.shape[1:])}. "
                f"Flatten them: X.reshape(len(X), -1)."
            )
        levels = self.paths(X)
        reached, answers = levels[-1].exp(), self.answers()
        if self.mean == "outputs":
            outputs = reached @ answers
        else:
            tiny = torch.finfo(reached.dtype).tiny
            outputs = (reached @ answers.exp()).clamp_min(tiny).log()
        return PenalizedOutputs((outputs, self._imbalance(levels))) if self.training else outputs

    def _imbalance(self, levels):
        """Return the penalty, by the logarithm of how many rows of the batch reach each node."""
        reached = [level.logsumexp(dim=0) for level in levels]
        total = levels[0].new_zeros(())
        for level, (here, below) in enumerate(pairwise(reached)):
            log_alphas = below.unflatten(0, (-1, 2)) - here.unsqueeze(1)
            total = total - self.penalty * 2.0**-level * log_alphas.sum() / 2
        return total


def with_open_widths(module: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a module and its settings; of a tree without widths its class and all its settings.

    Parameters
    ----------
    module : torch.nn.Module or type
    given : dict
        The settings that stand beside it, which count more than the tree's.
    """
    if isinstance(module, SoftDecisionTree) and module.n_features is None:
        return SoftDecisionTree, module.settings | given
    return module, given
