"""Feature terms: how far a hidden layer of the student is from one of its teacher's."""

import torch
from sklearn.base import BaseEstimator
from torch import nn
from torch.nn.functional import normalize

from skdistill.exceptions import StudentError
from skdistill.losses._operands import NOT_NEGATIVE, check_features, check_row_weight


def hint_error(student_features: torch.Tensor, teacher_features: torch.Tensor) -> torch.Tensor:
    r"""Return the mean squared difference of each row's features.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n_samples, ...)
        Of one shape.

    Returns
    -------
    torch.Tensor of shape (n_samples,)
        NaN for a row with a NaN.

    Raises
    ------
    TypeError or ValueError
        For tensors that are no floats, or not of one shape.

    References
    ----------
    Romero et al. 2015, "FitNets: Hints for Thin Deep Nets", arXiv 1412.6550.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import hint_error
    >>> hint_error(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2))
    tensor([5.])
    """
    check_features(student_features, teacher_features, alike=True)
    return (student_features - teacher_features).square().flatten(start_dim=1).mean(dim=1)


def similarity_distance(
    student_features: torch.Tensor,
    teacher_features: torch.Tensor,
    row_weight: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""Return how differently two layers see which rows of a batch are alike.

    .. math:: \frac{1}{b^2} \lVert G_t - G_s \rVert_F^2, \qquad
        G_{ij} = \frac{f_i \cdot f_j}{\sqrt{\sum_k (f_i \cdot f_k)^2}}

    with :math:`f_i` the flattened features of row i out of b. Weights count a row as often in both
    sums: :math:`w_i w_j` in the first, :math:`w_k` in the second.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n_samples, ...)
        Their shapes need only agree in n_samples.
    row_weight : torch.Tensor of shape (n_samples,), default=None
        Weights whose mean over the data set is one. None weighs all rows with one.

    Returns
    -------
    torch.Tensor, a scalar

    Raises
    ------
    TypeError or ValueError
        For tensors that are no floats, or not of as many rows.

    References
    ----------
    Tung and Mori 2019, "Similarity-Preserving Knowledge Distillation", arXiv 1907.09682.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import similarity_distance
    >>> similarity_distance(torch.eye(2), torch.ones(2, 5))
    tensor(0.2929)
    """
    check_features(student_features, teacher_features, alike=False)
    check_row_weight(row_weight, len(student_features))
    root = None if row_weight is None else row_weight.sqrt()
    difference = _similarities(teacher_features, root) - _similarities(student_features, root)
    return difference.square().mean()


def _similarities(features, root_weight):
    """Return G, the rows and the columns of it weighted."""
    rows = features.flatten(start_dim=1)
    products = rows @ rows.t()
    if root_weight is None:
        return normalize(products, dim=1)
    return root_weight[:, None] * normalize(products * root_weight, dim=1)


class FeatureLoss(BaseEstimator):
    """Base class of the feature terms.

    A subclass has `mean`, and `adapter` where the student's features need one to be compared.

    Parameters
    ----------
    teacher_layer : str
        Name of a layer of the teacher's network, as its `named_modules` lists it.
    student_layer : str
        Name of a layer of the student's.
    weight : float, default=1.0
        Factor of the term, which alpha does not weigh.
    """

    _parameter_constraints: dict = {
        "teacher_layer": [str],
        "student_layer": [str],
        "weight": [NOT_NEGATIVE],
    }

    def __init__(self, teacher_layer: str, student_layer: str, weight: float = 1.0) -> None:
        self.teacher_layer = teacher_layer
        self.student_layer = student_layer
        self.weight = weight

    def check_settings(self) -> None:
        """Refuse settings out of their range.

        Raises
        ------
        ValueError
        """
        self._validate_params()

    def adapter(
        self, student_shape: tuple[int, ...], teacher_shape: tuple[int, ...]
    ) -> nn.Module | None:
        """Make what the student's features go through first; it is trained and then dropped.

        Parameters
        ----------
        student_shape, teacher_shape : tuple of int
            Shapes of the features of a row.

        Returns
        -------
        torch.nn.Module or None

        Raises
        ------
        StudentError
            When the two cannot be compared.
        """
        return None

    def mean(
        self,
        student_features: torch.Tensor,
        teacher_features: torch.Tensor,
        row_weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the term of a batch, its weight left out.

        Parameters
        ----------
        student_features, teacher_features : torch.Tensor of shape (n_samples, ...)
            The student's have been through the adapter.
        row_weight : torch.Tensor of shape (n_samples,) or None
            Weights whose mean over the data set is one. None weighs all rows with one.

        Returns
        -------
        torch.Tensor, a scalar
        """
        raise NotImplementedError


class HintLoss(FeatureLoss):
    r"""Squared error between a hidden layer of the student and one of its teacher's.

    .. math:: \frac1d \sum_{k=1}^{d} (r(f_s)_k - f_{t,k})^2

    for a row with the d features :math:`f_t` of the teacher, averaged over the rows. r is a linear
    map from the student's width to the teacher's that is trained along with the student and
    dropped afterwards. Of maps (n, channels, height, width) it is a convolution of size 1, of
    tokens (n, tokens, width) it acts on the last axis; all but the width must then agree. The
    paper trains on the hint first and on the labels later; here both are one loss.

    Parameters
    ----------
    teacher_layer : str
        Name of a layer of the teacher's network, as its `named_modules` lists it.
    student_layer : str
        Name of a layer of the student's.
    weight : float, default=100.0
        Factor of the term, which alpha does not weigh.

    References
    ----------
    Romero et al. 2015, "FitNets: Hints for Thin Deep Nets", arXiv 1412.6550.

    Examples
    --------
    >>> from skdistill.losses import HintLoss
    >>> HintLoss("features.4", "mlp.1").adapter((32,), (64,))
    Linear(in_features=32, out_features=64, bias=True)
    """

    def __init__(self, teacher_layer: str, student_layer: str, weight: float = 100.0) -> None:
        super().__init__(teacher_layer, student_layer, weight)

    def adapter(
        self, student_shape: tuple[int, ...], teacher_shape: tuple[int, ...]
    ) -> nn.Module | None:
        """Make the map from the student's width to the teacher's."""
        if len(student_shape) == len(teacher_shape):
            if len(student_shape) in (1, 2) and student_shape[:-1] == teacher_shape[:-1]:
                return nn.Linear(student_shape[-1], teacher_shape[-1])
            if len(student_shape) == 3 and student_shape[1:] == teacher_shape[1:]:
                return nn.Conv2d(student_shape[0], teacher_shape[0], kernel_size=1)
        raise StudentError(
            f"HintLoss cannot compare the student's layer {self.student_layer!r}, with features of "
            f"shape {student_shape} for a row, with the teacher's {self.teacher_layer!r}, of shape "
            f"{teacher_shape}; expected (width,), (tokens, width) or (channels, height, width) of "
            f"both, the same but for width or channels. Name other layers, or use SimilarityLoss, "
            f"for which shapes do not matter."
        )

    def mean(
        self,
        student_features: torch.Tensor,
        teacher_features: torch.Tensor,
        row_weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the weighted mean of the rows; see `hint_error`."""
        errors = hint_error(student_features, teacher_features)
        check_row_weight(row_weight, len(errors))
        return errors.mean() if row_weight is None else (row_weight * errors).mean()


class SimilarityLoss(FeatureLoss):
    """Similarity-preserving distillation: rows alike to the teacher are to be alike to the student.

    See `similarity_distance`. Nothing maps one layer onto the other, so their widths and shapes
    are free. It compares the rows of a batch with each other, and wants some dozens of them.

    Parameters
    ----------
    teacher_layer : str
        Name of a layer of the teacher's network, as its `named_modules` lists it.
    student_layer : str
        Name of a layer of the student's.
    weight : float, default=3000.0
        Factor of the term, which alpha does not weigh.

    References
    ----------
    Tung and Mori 2019, "Similarity-Preserving Knowledge Distillation", arXiv 1907.09682.

    Examples
    --------
    >>> from skdistill.losses import SimilarityLoss
    >>> SimilarityLoss("features.7", "mlp.1").weight
    3000.0
    """

    def __init__(self, teacher_layer: str, student_layer: str, weight: float = 3000.0) -> None:
        super().__init__(teacher_layer, student_layer, weight)

    def mean(
        self,
        student_features: torch.Tensor,
        teacher_features: torch.Tensor,
        row_weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the distance within the batch; see `similarity_distance`."""
        return similarity_distance(student_features, teacher_features, row_weight)
