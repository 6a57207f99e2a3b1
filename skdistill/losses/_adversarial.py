"""Losses of rows that the student's own gradient has made as bad as a small step can."""

from numbers import Integral

import numpy as np
import torch

from skdistill._compat import Interval
from skdistill._words import shorten
from skdistill.losses._base import Loss
from skdistill.losses._kd import KD, divergence
from skdistill.losses._operands import POSITIVE, check_logits, check_temperature


class AdversarialLoss(Loss):
    """What the losses of adversarial rows share: kd, and how far a row may be moved.

    A subclass says which rows each term reads.

    Parameters
    ----------
    weight, epsilon, step, n_steps, bounds
        See `ARD`.
    """

    needs_labels = True

    clean_share: float = 1.0
    """The share of the teacher's term that reads the rows of the batch."""

    moves_all_terms: bool = False
    """Whether these rows are moved themselves, for the labels' term too."""

    _parameter_constraints = {
        **Loss._parameter_constraints,
        "epsilon": [POSITIVE],
        "step": [POSITIVE, None],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        weight: float = 1.0,
        epsilon: float = 8 / 255,
        step: float | None = None,
        n_steps: int = 10,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(weight)
        self.epsilon = epsilon
        self.step = step
        self.n_steps = n_steps
        self.bounds = bounds

    def check_settings(self) -> None:
        """Refuse settings out of their range; see `Loss.check_settings`."""
        super().check_settings()
        low, high = self.range_of_numbers()
        if not low < high:
            raise ValueError(
                f"The 'bounds' parameter of {type(self).__name__} must be None or (low, high), two "
                f"numbers with the lower one first. Got {shorten(self.bounds)} instead."
            )

    def range_of_numbers(self) -> tuple[float, float]:
        """Return the bounds as two numbers, NaN where they are none."""
        if self.bounds is None:
            return -np.inf, np.inf
        try:
            low, high = (float("nan" if isinstance(end, str) else end) for end in self.bounds)
        except (TypeError, ValueError):
            return np.nan, np.nan
        return low, high

    def of_moved_rows(self) -> KD:
        """Return the part of the teacher's term that reads the moved rows."""
        return KD(self.weight * (1 - self.clean_share))

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:
        """Return T² · KL(teacher‖student) of each row, whichever rows these are."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        return divergence(student_logits, teacher_logits, temperature)


class AdversarialTraining(AdversarialLoss):
    r"""Learn every row as an attack on the student has moved it: plain adversarial training.

    .. math:: (1 - \alpha) \cdot \mathrm{CE}(y, S(x + \delta))
        + \alpha \cdot T^2 \, \mathrm{KL}(T(x) \| S(x + \delta))

    With :math:`\delta` as in `ARD`. At alpha 0 no teacher is needed, and it is what robust
    distillation has to beat.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    epsilon : float, default=8/255
        The greatest change of a number, in the units of the rows that the module reads; see `ARD`.
    step : float, default=None
        Size of a step. None is ``epsilon / 4``.
    n_steps : int, default=10
        Steps. Each costs a forward and a backward pass of a batch.
    bounds : tuple of two floats, default=None
        The least and the greatest value that a number can have, (0, 1) for images.

    References
    ----------
    Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", arXiv
    1706.06083.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.losses import AdversarialTraining
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:300] / 16, y[:300]
    >>> net = StudentNet(module__hidden_units=(32,), max_epochs=5)
    >>> loss = AdversarialTraining(epsilon=0.1, n_steps=3, bounds=(0, 1))
    >>> model = DistilledClassifier(student=net, alpha=0, loss=loss, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    moves_all_terms = True


class ARD(AdversarialLoss):
    r"""Adversarially robust distillation: the teacher's answer for a row, in a ball around it.

    .. math:: (1 - \alpha) \cdot \mathrm{CE}(y, S(x))
        + \alpha \cdot T^2 \, \mathrm{KL}(T(x) \| S(x + \delta)), \qquad
        \delta = \arg\max_{\|\delta\|_\infty \le \epsilon} \;
        \log \sum_{c \neq y} e^{z_c(x + \delta)} - z_y(x + \delta)

    The maximum is climbed as the "pgd" of `skdistill.evaluation.adversarial_accuracy` climbs: steps
    along the sign of the gradient, of the student in evaluation mode, from a drawn start. The paper
    climbs the cross-entropy, whose gradient has the same sign where it does not round to 0. A row
    without a label takes its teacher's most probable class. The teacher is asked about the rows as
    they are alone, so it may be of any kind.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    epsilon : float, default=8/255
        The greatest change of a number, in the units of the rows that the module reads: behind a
        StandardScaler standard deviations. The default is the usual one for images in [0, 1].
    step : float, default=None
        Size of a step. None is ``epsilon / 4``.
    n_steps : int, default=10
        Steps. Each costs a forward and a backward pass of a batch.
    bounds : tuple of two floats, default=None
        The least and the greatest value that a number can have, (0, 1) for images.

    References
    ----------
    Goldblum et al. 2020, "Adversarially Robust Distillation", arXiv 1905.09747.

    Examples
    --------
    >>> from skdistill.losses import ARD
    >>> ARD(epsilon=0.1, bounds=(0, 1)).default_temperature("logits", n_classes=10)
    4.0
    """

    clean_share = 0.0

    def default_temperature(self, kind: str, n_classes: int) -> float:
        """Return that of kd; see `KD.default_temperature`."""
        return KD().default_temperature(kind, n_classes)


class RSLAD(AdversarialLoss):
    r"""Robust soft labels: the teacher's answer for a row and for the worst one near it.

    .. math:: (1 - \alpha) \cdot \mathrm{CE}(y, S(x)) + \alpha \cdot T^2 \Big[
        \tfrac56 \mathrm{KL}(T(x) \| S(x + \delta)) + \tfrac16 \mathrm{KL}(T(x) \| S(x)) \Big],
        \qquad \delta = \arg\max_{\|\delta\|_\infty \le \epsilon} \mathrm{KL}(T(x) \| S(x + \delta))

    The paper's own has no labels, ``alpha=1``. How the maximum is climbed says `ARD`.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    epsilon : float, default=8/255
        The greatest change of a number, in the units of the rows that the module reads; see `ARD`.
    step : float, default=None
        Size of a step. None is ``epsilon / 4``.
    n_steps : int, default=10
        Steps. Each costs a forward and a backward pass of a batch.
    bounds : tuple of two floats, default=None
        The least and the greatest value that a number can have, (0, 1) for images.

    References
    ----------
    Zi et al. 2021, "Revisiting Adversarial Robustness Distillation: Robust Soft Labels Make Student
    Better", arXiv 2108.07969.

    Examples
    --------
    >>> from skdistill.losses import RSLAD
    >>> RSLAD(epsilon=0.1, bounds=(0, 1)).default_temperature("logits", n_classes=10)
    1.0
    """

    needs_labels = False
    clean_share = 1 / 6
