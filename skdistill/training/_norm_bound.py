"""A bound on the norms of weights, held after each step of a training."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch
from skorch.callbacks import Callback

from skdistill._words import shorten
from skdistill.exceptions import StudentError


class NormBound(Callback):
    r"""Hold each weight of a net to a multiple of a norm, that of its teacher's layer for one.

    .. math:: \lVert W_l \rVert_F \le \kappa \cdot \lVert W_{t,l} \rVert_F

    After each step of the optimiser a weight that is beyond its bound is scaled back to it. For a
    student that `students.shrink` or `students.truncate` has cut from its teacher::

        bound = NormBound(weight_norms(teacher), factor=0.9)
        StudentNet(shrink(teacher, width=0.5), callbacks=[bound])

    The temperature that a StudentNet finds when the training has ended is taken into its last layer
    all the same; ``callbacks__calibrate=None`` leaves it out.

    Parameters
    ----------
    norms : dict of str to float
        By the names of parameters, what `students.weight_norms` returns. Those that the net does
        not have are left out, and names of a truncated teacher are found in the ``body``.
    factor : float, default=1.0
        :math:`\kappa` > 0.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.students import MLP, shrink, weight_norms
    >>> from skdistill.training import NormBound
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:300] / 16, y[:300]
    >>> net = StudentNet(MLP, module__hidden_units=(32,), max_epochs=5)
    >>> teacher = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, y).student_
    >>> norms = weight_norms(teacher.module_)
    >>> cut = StudentNet(shrink(teacher.module_), callbacks=[NormBound(norms)], max_epochs=5)
    >>> cut = cut.set_params(callbacks__calibrate=None)
    >>> student = DistilledClassifier(teacher, cut, random_state=0).fit(X, y).student_
    >>> held = weight_norms(student.module_)
    >>> all(held[name] <= 1.0001 * norms[name] for name in held)
    True
    """

    def __init__(self, norms: Mapping[str, float], factor: float = 1.0) -> None:
        self.norms = norms
        self.factor = factor

    def initialize(self) -> "NormBound":
        """Refuse settings that are no bound."""
        if not _is_norm(self.factor) or self.factor == 0:
            raise ValueError(
                f"factor={shorten(self.factor)} of NormBound; expected a finite number above 0"
            )
        is_dict = isinstance(self.norms, Mapping)
        if not is_dict or not self.norms or not all(map(_is_norm, self.norms.values())):
            came = dict(list(self.norms.items())[:4]) if is_dict else type(self.norms).__name__
            raise ValueError(
                f"norms of NormBound: {came}; expected a dict of finite numbers from 0 on by the "
                f"names of parameters, such as weight_norms(teacher)"
            )
        return self

    def check_net(self, net: Any) -> None:
        """Refuse a net of whose weights none is bounded.

        Parameters
        ----------
        net : skorch.NeuralNet
            Initialised.

        Raises
        ------
        StudentError
        """
        if not self._bounds(net.module_):
            own = [name for name, weight in net.module_.named_parameters() if weight.ndim > 1]
            raise StudentError(
                f"NormBound has norms of {list(self.norms)[:4]}, and the student's module "
                f"{type(net.module_).__name__} has the weights {own[:4]}; expected one at least of "
                f"one name. Give weight_norms of the teacher that it was cut from."
            )

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Bound the weights after each step that the optimiser takes."""
        bounds = self._bounds(net.module_)

        def hold(*args):
            with torch.no_grad():
                for weight, bound in bounds:
                    norm = torch.linalg.vector_norm(weight)
                    weight.mul_((bound / norm).clamp(max=1.0).nan_to_num(1.0))

        self.handle_ = net.optimizer_.register_step_post_hook(hold)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Let go of the optimiser."""
        self.handle_.remove()
        self.handle_ = None

    def _bounds(self, module):
        found = []
        for name, weight in module.named_parameters():
            norm = self.norms.get(name, self.norms.get(name.removeprefix("body.")))
            if norm is not None:
                found.append((weight, self.factor * norm))
        return found


def _is_norm(value):
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and 0 <= value < float("inf")
