"""A fitted model whose network keeps its weights in fewer bits."""

import copy
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from skdistill._compat import StrOptions
from skdistill._estimators._base import BaseDistilled
from skdistill.deployment._compact import FEWEST, find_compact, to_float16, to_int8
from skdistill.deployment._inside import replace_inside, trained_net
from skdistill.deployment._parts import take_apart
from skdistill.exceptions import StudentError
from skdistill.students import PiecewiseLinearEmbedding, SoftDecisionTree
from skdistill.students._members import MemberLinear
from skdistill.students._settings import check_settings
from skdistill.students._sparse import SparseLinear

SHARED: dict[type[nn.Module], tuple[int, ...]] = {
    nn.Linear: (1,),
    nn.Conv1d: (1, 2),
    nn.Conv2d: (1, 2, 3),
    nn.Conv3d: (1, 2, 3, 4),
    nn.Embedding: (1,),
    SparseLinear: (1,),  # which is stored as an embedding is
    PiecewiseLinearEmbedding: (2,),
    MemberLinear: (1,),
    SoftDecisionTree: (1,),
}
"""Layers whose weight is rounded, and the axes along which its numbers share a scale."""


def quantize(model: Any, weights: Literal["int8", "float16"] = "int8") -> Any:
    r"""Return a fitted model whose network has its weights in 8 or 16 bits.

    What `save`, `to_onnx` and `export` write of it is a quarter, or half, as large. It predicts
    as before, in the precision of the network and at its speed: the weights are rounded, and a
    file keeps the rounded ones in fewer bytes. It can be fitted further, after which its weights
    are of full precision again.

    Parameters
    ----------
    model : distilled estimator, student or Pipeline
        Fitted, with a network as its student; not changed. A Pipeline ends in one of the others,
        as `student_` does. Of a search it is the best estimator whose weights are rounded.
    weights : {"int8", "float16"}, default="int8"
        What the weights are rounded to.

    Returns
    -------
    estimator
        Of the class of `model`. It shares with it all but the student.

    Raises
    ------
    StudentError
        For a student without a network, for one without a layer that is large enough, for weights
        that the precision cannot hold, and for a model that was quantized before.
    NotFittedError
        When the model is not fitted.
    TypeError
        When it is no student.
    ValueError
        For other `weights`.

    See Also
    --------
    prune : Leaves whole units out.
    save : Writes the file.

    Notes
    -----
    For int8 each row of a weight matrix has a scale, :math:`s = \max_j |w_j| / 127`, and

    .. math:: q_j = \mathrm{round}(w_j / s), \qquad |w_j - s q_j| \le s / 2.

    A row belongs to one unit of a linear layer, one filter of a convolution, one category of an
    embedding. The scale is rounded up to 17 bits, so that its product with 8 bits is a float32
    without a further rounding: the same number wherever it is computed. Rounded are linear and
    convolutional layers, embeddings and soft trees of 256 weights or more. Biases, norms and
    smaller layers stay as they are.

    References
    ----------
    Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference", arXiv
    1806.08342 (symmetric, for each channel).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import StudentNet
    >>> from skdistill.deployment import inspect, quantize, save
    >>> X, y = load_iris(return_X_y=True)
    >>> net = StudentNet(max_epochs=2).fit(X, y)
    >>> small = quantize(net)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     before = inspect(save(net, Path(folder) / "before.safetensors"))
    ...     after = inspect(save(small, Path(folder) / "after.safetensors"))
    >>> after.weights, after.n_bytes < 0.3 * before.n_bytes
    ('int8', True)
    >>> bool(abs(small.predict_proba(X) - net.predict_proba(X)).max() < 0.01)
    True
    """
    check_settings("quantize", {"weights": [StrOptions({"int8", "float16"})]}, weights=weights)
    take_apart(model, "quantize")  # which refuses what is no fitted student

    def change(inner):
        if isinstance(inner, BaseDistilled):
            found = copy.copy(inner)
            found.student_ = replace_inside(inner.student_, change)
            return found
        trained_net(inner, "quantize")
        learner = copy.deepcopy(inner)
        _round(trained_net(learner, "quantize").module_, weights)
        return learner

    return replace_inside(model, change)


def _round(module, precision):
    """Round the weights of a module in place."""
    name, found = type(module).__name__, {}
    for path, part in module.named_modules():
        axes = next((axes for kind, axes in SHARED.items() if isinstance(part, kind)), None)
        weight = dict(part.named_parameters(recurse=False)).get("weight")
        if axes is not None and weight is not None and weight.numel() >= FEWEST:
            found[path] = (weight, axes)
    if not found:
        raise StudentError(
            f"The network {name} has no layer to quantize; expected a linear or convolutional "
            f"layer or an embedding of {FEWEST} weights or more. save(model) keeps it as it is."
        )
    before = {path: weight.detach().cpu().numpy() for path, (weight, _) in found.items()}
    known = [find_compact(values) for values in before.values()]
    if all(known):
        raise StudentError(
            f"The weights of the network {name} are {known[0].values.dtype} already; expected "
            f"those of a training. Quantize the model that was fitted."
        )
    with torch.no_grad():
        for path, (weight, axes) in found.items():
            values = _rounded(before[path], axes, precision)
            if values is None:
                raise StudentError(
                    f"The layer {path!r} of the network {name} has a weight of "
                    f"{np.abs(before[path]).max():.3g}; expected numbers that {precision} can "
                    f"hold. Set weights='int8', or scale the columns that the network reads."
                )
            weight.copy_(torch.from_numpy(values))


def _rounded(values, axes, precision):
    """Return weights as a precision holds them; None where it does not hold them."""
    if not np.isfinite(values).all():
        return None
    compact = to_int8(values, axes) if precision == "int8" else to_float16(values)
    rounded = compact.restore(values.dtype)
    return rounded if np.isfinite(rounded).all() else None
