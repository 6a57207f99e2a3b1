"""What to do next, in a sentence and in code that runs."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from skorch import NeuralNet
from torch import nn

from skdistill._compat import CALIBRATION
from skdistill._fitting._halves import ALONE
from skdistill._input._frames import is_table
from skdistill._unwrap import unfrozen, unwrap
from skdistill.evaluation._diagnosis import _rules as rules
from skdistill.evaluation._diagnosis._figures import Figures
from skdistill.evaluation._tasks import task_of
from skdistill.students._default import is_default
from skdistill.teachers._fit import is_fitted
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._student import as_student
from skdistill.transfer._registry import get_augmenter

#: Rows that each class needs to be cross-fitted by `CalibratedClassifierCV`.
N_FOLDS = 5

#: Where the names come from that the code may use.
_HOMES = {
    "StudentNet": "skdistill",
    "StudentNetRegressor": "skdistill",
    "distillation_report": "skdistill.evaluation",
    "HoldOut": "skdistill.training",
    "GaussianNoise": "skdistill.transfer",
    "Spunge": "skdistill.transfer",
    "clone": "sklearn.base",
    "CalibratedClassifierCV": "sklearn.calibration",
    "DummyClassifier": "sklearn.dummy",
    "DummyRegressor": "sklearn.dummy",
}
#: What the methods of `CalibratedClassifierCV` fit; see `CALIBRATION`.
_FITS = {
    "temperature": "one temperature",
    "sigmoid": "a sigmoid (one temperature, as tried here, needs scikit-learn 1.8 or later)",
}
_FREEDOM = "freedom (leaves, members, penalty), or let a network learn."

#: Settings of a model, by name the source of the new value.
_Settings = dict[str, str]


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

    Returns
    -------
    advice : Advice
    """
    verdict, n_axes = finding.verdict, len(X.shape)
    settings: _Settings = {}
    code = ""
    if verdict in (rules.UNDERFIT, rules.OVERFIT):
        sentence, settings = _against_misfit(model, verdict, figures, len(y), n_axes)
    elif verdict == rules.TOO_SMALL and n_axes == 1:  # texts, of which none are generated
        sentence = "Let the teacher label more rows: texts without labels, X_unlabeled."
        code = "model = clone(model).fit(X_train, y_train, X_unlabeled=X_unlabeled)"
    elif verdict == rules.TOO_SMALL:
        sentence = (
            "Let the teacher label more rows: generated ones, or better real ones without labels, "
            "fit(X_train, y_train, X_unlabeled=...)."
        )
        factor = max(10, 4 * getattr(get_augmenter(model.augment), "factor", 0))
        rows = "Spunge" if is_table(X) or (n_axes == 2 and not issparse(X)) else "GaussianNoise"
        settings = {"augment": f"{rows}(factor={factor})"}
    elif verdict == rules.LIMIT:
        sentence, settings = _against_limit(model, figures)
    elif verdict == rules.MEMORISED:
        sentence, settings = _against_memory(model)
    elif verdict == rules.REGULARISATION:
        sentence, code = _without_teacher(model, finding, y)
    elif verdict == rules.FINE:
        sentence = "Nothing to cure: the student is a model of its own and holds no teacher."
        fitted = "model" if is_fitted(model) else "clone(model).fit(X_train, y_train)"
        code = f"student = {fitted}.student_"
    else:
        sentence = "Measure again with several seeds, and with more test rows where there are more."
        code = "report = distillation_report(model, X_train, y_train, X_test, y_test, n_seeds=5)"
    code = code or f"model = {_changed(settings)}.fit(X_train, y_train)"
    used = [name for name in _HOMES if re.search(rf"\b{name}\b", code)]
    return Advice(sentence, "\n".join([*(f"from {_HOMES[n]} import {n}" for n in used), code]))


def _changed(settings: _Settings) -> str:
    """The source of a clone of `model` with other parameters."""
    if all(name.isidentifier() for name in settings):
        arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
    else:  # the steps of a Pipeline may have any names
        arguments = "**{" + ", ".join(f"{n!r}: {v}" for n, v in settings.items()) + "}"
    return f"clone(model).set_params({arguments})"


def _against_misfit(
    model: Any, verdict: str, figures: Figures, n_train: int, n_axes: int
) -> tuple[str, _Settings]:
    """More freedom for a student that underfits, less for one that overfits."""
    net = _net(model, n_axes)
    if verdict == rules.UNDERFIT and net is None:
        return f"Give the student more {_FREEDOM}", {"student": "None"}
    if verdict == rules.UNDERFIT:
        sentence, change = "Train the student for longer", {"max_epochs": str(4 * net.max_epochs)}
        if widths := net.get_params(deep=False).get("module__hidden_units"):
            sentence += ", with wider layers"
            wider = type(widths)(max(2 * width, 64) for width in widths)
            change["module__hidden_units"] = repr(wider)
        return f"{sentence}.", _of_net(model, change)
    if figures.excess.is_positive and model.alpha < 1:
        alpha = str(round((1 + model.alpha) / 2, 3))
        return "Let the teacher's term weigh more.", {"alpha": alpha}
    if net is None:
        return f"Give the student less {_FREEDOM}", {"student": "None"}
    split = net.train_split
    if not isinstance(net, BaseStudentNet):
        sentence = "Train the student for fewer epochs."
        change = {"max_epochs": str(max(1, net.max_epochs // 4))}
    elif not split or n_train < getattr(split, "min_samples", 0):
        sentence = "Hold rows back to choose the best epoch by."
        change = {"train_split": "HoldOut(size=0.2, min_samples=10)"}
    else:
        sentence = "Give the student more weight decay."
        decay = net.get_params(deep=False).get("optimizer__weight_decay", 0.1)
        change = {"optimizer__weight_decay": str(max(0.3, 3 * decay))}
    return sentence, _of_net(model, change)


def _net(model: Any, n_axes: int) -> Any:
    """The net of the student as given, with its settings; None of a scikit-learn estimator."""
    last = unwrap(model.student).core
    if is_default(last) or isinstance(last, nn.Module | type):
        last = as_student(last, type(model)._task, n_axes=n_axes)[-1]
    return last if isinstance(last, NeuralNet) else None


def _of_net(model: Any, changes: _Settings) -> _Settings:
    """The settings of the model that change its student's net."""
    last, _, path = unwrap(model.student)
    name = f"student__{path}" if path else "student"
    source = "model.student" + "[-1]" * name.count("__")
    if isinstance(last, NeuralNet) or is_default(last):
        return {f"{name}__{key}": value for key, value in changes.items()}
    kind = task_of(model).net.__name__
    arguments = ", ".join(f"{key}={value}" for key, value in changes.items())
    return {name: f"{kind}({source}, {arguments})"}


def _against_limit(model: Any, figures: Figures) -> tuple[str, _Settings]:
    calibrated = figures.teacher_test.value - figures.calibrated.value
    helps = figures.calibrated.is_positive and calibrated < figures.plain_test.value
    if helps and model.alpha > 0 and not model.calibrate:
        sentence = (
            f"Calibrate the teacher: one temperature lowers its log-loss to {calibrated:.3f}."
        )
        return sentence, {"calibrate": "True"}
    sentence = "Find a better teacher; until then the student does no worse with labels alone."
    return sentence, {"alpha": "0.0"} if model.alpha > 0 else {"teacher": "None", "cv": "None"}


def _against_memory(model: Any) -> tuple[str, _Settings]:
    teacher = unfrozen(model.teacher)
    try:
        can_be_fitted = not isinstance(teacher, nn.Module) and not is_fitted(clone(teacher))
    except TypeError:  # it has no get_params
        can_be_fitted = False
    if not can_be_fitted:
        sentence = "Let this teacher weigh less, or give rows that it has not been fitted on."
        return sentence, {"alpha": str(round(model.alpha / 2, 3))}
    source = "model.teacher" if teacher is model.teacher else "model.teacher.estimator"
    change = {"cv": "None"} if isinstance(model.cv, str) else {"teacher": f"clone({source})"}
    if "calibrate" not in model.get_params(deep=False):  # numbers have no probabilities
        return "Ask the teacher out of fold.", change
    # Out of fold a forest is timid, and a student that copies the doubt may well be worse.
    sentence = "Ask the teacher out of fold, and calibrate what it says."
    return sentence, change | {"calibrate": "True"}


def _without_teacher(model: Any, finding: rules.Finding, y: np.ndarray) -> tuple[str, str]:
    keep = "Keep it, or have the gain without a teacher:"
    known = model.get_params(deep=False)
    alone = {name: repr(value) for name, value in ALONE.items() if name in known}
    fit = "fit(X_train, y_train)"
    if not finding.controls:  # numbers have no labels to soften
        mean = _changed({**alone, "teacher": "DummyRegressor()", "alpha": "0.1"})
        return f"{keep} one that says the mean of y shrinks the student.", f"model = {mean}.{fit}"
    beyond = finding.controls
    if beyond["temperature"].value < beyond["smoothing"].value and np.bincount(y).min() >= N_FOLDS:
        plain = _changed({**alone, "alpha": "0.0"})
        calibrated = f'CalibratedClassifierCV({plain}, method="{CALIBRATION}", ensemble=False)'
        sentence = f"{keep} calibrate the plain student by {_FITS[CALIBRATION]}."
        return sentence, f"model = {calibrated}.{fit}"
    smoothing = {"loss": "'kd'", "alpha": "0.1", "temperature": "1.0"}
    smoothed = {**alone, "teacher": 'DummyClassifier(strategy="uniform")', **smoothing}
    sentence = f"{keep} a uniform one with alpha 0.1 is label smoothing."
    return sentence, f"model = {_changed(smoothed)}.{fit}"
