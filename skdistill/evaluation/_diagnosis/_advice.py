"""What to do next, in a sentence and in code that runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from skdistill._frames import is_table
from skdistill.evaluation._diagnosis import _rules as rules
from skdistill.evaluation._diagnosis._code import is_network, refit_line, student_net, wider
from skdistill.evaluation._diagnosis._figures import Figures
from skdistill.evaluation._recipes import ALONE
from skdistill.teachers._fit import is_fitted
from skdistill.training import HoldOut
from skdistill.training._net import StudentNet
from skdistill.transfer._registry import get_augmenter

#: A student is not trained out if its training loss still falls by more than this share over the
#: last quarter of the epochs.
STILL_FALLING = 0.02
MIN_EPOCHS = 20
#: Rows that are held back of a set that is too small for the default share.
SMALL_HOLD_OUT = "HoldOut(size=0.2, min_samples=10)"

#: Rows that each class needs to be cross-fitted by `CalibratedClassifierCV`.
N_FOLDS = 5

_ALONE = ", ".join(f"{name}={value!r}" for name, value in ALONE.items() if name != "teacher")
_CLONE = "from sklearn.base import clone"


class Advice(NamedTuple):
    """A sentence, and lines of code about `model`, `X_train`, `y_train`, `X_test`, `y_test`."""

    sentence: str
    code: str


def advise(
    model: Any,
    finding: rules.Finding,
    figures: Figures,
    *,
    X: Any,
    y: np.ndarray,
    history: list[dict[str, Any]],
) -> Advice:
    """Choose the next step for this very model.

    Parameters
    ----------
    model : DistilledClassifier
        The model, fitted or not.
    finding : Finding
        The verdict, and the controls where they were asked for.
    figures : Figures
        What was measured.
    X : array-like of shape (n_train, ...)
        Training rows.
    y : ndarray of shape (n_train,), int
        Positions of their labels.
    history : list of dict
        The epochs of the student.

    Returns
    -------
    advice : Advice
    """
    verdict = finding.verdict
    if verdict in (rules.UNDERFIT, rules.OVERFIT) and not is_network(model.student):
        return _of_an_estimator(model, verdict)
    if verdict == rules.UNDERFIT:
        return _against_underfitting(model, history, len(X.shape))
    if verdict == rules.OVERFIT:
        return _against_overfitting(model, figures, len(y), len(X.shape))
    if verdict == rules.TOO_SMALL:
        return _more_rows(model, X)
    if verdict == rules.LIMIT:
        return _better_targets(model, figures)
    if verdict == rules.MEMORISED:
        return _out_of_fold(model)
    if verdict == rules.REGULARISATION:
        return _without_teacher(finding, np.bincount(y).min())
    if verdict == rules.FINE:
        return _ship(model)
    return Advice(
        "Measure again with several seeds, and with more test rows where there are more.",
        "from skdistill.evaluation import distillation_report\n"
        "report = distillation_report(model, X_train, y_train, X_test, y_test, n_seeds=5)",
    )


def _against_underfitting(model: Any, history: list[dict[str, Any]], n_axes: int) -> Advice:
    net = student_net(model.student)
    width = wider(net, n_axes)
    if width and not _still_falling(history):
        return Advice("Give the student wider layers.", refit_line(model, {}, width, n_axes))
    epochs = max(4 * net.max_epochs, MIN_EPOCHS)
    return Advice(
        "Train the student for longer"
        + (": its training loss was still falling." if _still_falling(history) else "."),
        refit_line(model, {}, {"max_epochs": str(epochs)}, n_axes),
    )


def _of_an_estimator(model: Any, verdict: str) -> Advice:
    if verdict == rules.OVERFIT and model.alpha < 1:
        return Advice(
            "Let the teacher alone teach, and restrain the student: fewer leaves, a stronger "
            "penalty.",
            refit_line(model, {"alpha": "1.0"}, {}),
        )
    hint = "less" if verdict == rules.OVERFIT else "more"
    return Advice(
        f"Give the student {hint} freedom (leaves, members, penalty), or let a network learn.",
        refit_line(model, {"student": "None", "temperature": "'auto'"}, {}),
    )


def _still_falling(history: list[dict[str, Any]]) -> bool:
    losses = [epoch["train_loss"] for epoch in history if "train_loss" in epoch]
    if len(losses) < 4:
        return True
    return losses[-1] < (1 - STILL_FALLING) * losses[-1 - len(losses) // 4]


def _against_overfitting(model: Any, figures: Figures, n_train: int, n_axes: int) -> Advice:
    steps, changes = [], {}
    if figures.excess.is_positive and model.alpha < 1:
        alpha = 0.5 if model.alpha < 0.5 else round((1 + model.alpha) / 2, 3)
        steps.append("let the teacher's term weigh more")
        changes["alpha"] = str(alpha)
    net = student_net(model.student)
    settings, split = net.get_params(deep=False), net.train_split
    keeps_best = isinstance(net, StudentNet) and settings.get("callbacks__keep_best", True)
    if keeps_best:
        if not split or n_train < getattr(split, "min_samples", 0):
            enough = n_train >= HoldOut().min_samples
            steps.append("hold rows back to choose the best epoch by")
            student = {"train_split": "HoldOut()" if enough else SMALL_HOLD_OUT}
        else:
            decay = settings.get("optimizer__weight_decay", 0.1)
            steps.append("give the student more weight decay")
            student = {"optimizer__weight_decay": str(max(0.3, round(3 * decay, 3)))}
    else:
        steps.append("train the student for fewer epochs")
        student = {"max_epochs": str(max(1, net.max_epochs // 4))}
    sentence = " and ".join(steps)
    return Advice(
        f"{sentence[0].upper()}{sentence[1:]}.", refit_line(model, changes, student, n_axes)
    )


def _better_targets(model: Any, figures: Figures) -> Advice:
    if model.alpha == 0:
        return Advice(
            "Leave this teacher out, or find a better one: the student does without it already.",
            refit_line(model, {"teacher": "None", "cv": "None"}, {}),
        )
    calibrated = figures.teacher_test.value - figures.calibrated.value
    if (
        not model.calibrate
        and figures.calibrated.is_positive
        and calibrated < figures.plain_test.value
    ):
        return Advice(
            f"Calibrate the teacher: one temperature lowers its log-loss to {calibrated:.3f}.",
            refit_line(model, {"calibrate": "True"}, {}),
        )
    return Advice(
        "Find a better teacher; until then the student does no worse with labels alone.",
        refit_line(model, {"alpha": "0.0"}, {}),
    )


def _out_of_fold(model: Any) -> Advice:
    # Out of fold a forest is timid, and a student that copies the doubt may well be worse.
    changes = {} if model.calibrate else {"calibrate": "True"}
    if isinstance(model.cv, str):
        return Advice(
            "Ask the teacher out of fold, and calibrate what it says.",
            refit_line(model, {"cv": "None", **changes}, {}),
        )
    if _can_be_fitted_anew(model.teacher):
        is_frozen = isinstance(model.teacher, FrozenEstimator)
        source = "model.teacher.estimator" if is_frozen else "model.teacher"
        return Advice(
            "Pass the teacher unfitted, for out-of-fold targets, and calibrate them.",
            refit_line(model, {"teacher": f"clone({source})", **changes}, {}),
        )
    return Advice(
        "This teacher cannot be fitted anew here: let it weigh less, or give rows that it has not "
        "been fitted on.",
        refit_line(model, {"alpha": str(round(model.alpha / 2, 3))}, {}),
    )


def _can_be_fitted_anew(teacher: Any) -> bool:
    inner = teacher.estimator if isinstance(teacher, FrozenEstimator) else teacher
    try:
        return not isinstance(inner, nn.Module) and not is_fitted(clone(inner))
    except TypeError:  # it has no get_params
        return False


def _without_teacher(finding: rules.Finding, smallest_class: int) -> Advice:
    beyond = finding.controls
    if beyond["temperature"].value < beyond["smoothing"].value and smallest_class >= N_FOLDS:
        return Advice(
            "Keep it, or have the gain without a teacher: calibrate the plain student by one "
            "temperature.",
            f"{_CLONE}\n"
            "from sklearn.calibration import CalibratedClassifierCV\n"
            f"plain = clone(model).set_params(teacher=None, alpha=0.0, {_ALONE})\n"
            'model = CalibratedClassifierCV(plain, method="temperature", ensemble=False)\n'
            "model.fit(X_train, y_train)",
        )
    return Advice(
        "Keep it, or have the gain without a teacher: a uniform one with alpha 0.1 is label "
        "smoothing.",
        f"{_CLONE}\n"
        "from sklearn.dummy import DummyClassifier\n"
        "model = clone(model).set_params(\n"
        '    teacher=DummyClassifier(strategy="uniform"), loss="kd", alpha=0.1, temperature=1.0,\n'
        f"    {_ALONE},\n"
        ").fit(X_train, y_train)",
    )


def _ship(model: Any) -> Advice:
    fitted = "model" if is_fitted(model) else "clone(model).fit(X_train, y_train)"
    imports = [] if is_fitted(model) else [_CLONE]
    return Advice(
        "Nothing to cure: the student is a classifier of its own and holds no teacher.",
        "\n".join([*imports, f"student = {fitted}.student_"]),
    )


def _more_rows(model: Any, X: Any) -> Advice:
    if len(X.shape) == 1:  # texts, of which none are generated
        return Advice(
            "Let the teacher label more rows: texts without labels, X_unlabeled.",
            f"{_CLONE}\nmodel = clone(model).fit(X_train, y_train, X_unlabeled=X_unlabeled)",
        )
    factor = getattr(get_augmenter(model.augment), "factor", 0)
    rows = "Spunge" if is_table(X) or (X.ndim == 2 and not issparse(X)) else "GaussianNoise"
    code = refit_line(model, {"augment": f"{rows}(factor={max(10, 4 * factor)})"}, {})
    return Advice(
        "Let the teacher label more rows: generated ones, or better real ones without labels, "
        "fit(X_train, y_train, X_unlabeled=...).",
        f"from skdistill.transfer import {rows}\n{code}",
    )
