"""One recipe, fitted on different targets: what the arms of every comparison are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_memory

from skdistill._compat import BaseSearchCV
from skdistill._estimators._classifier import DistilledClassifier
from skdistill._estimators._ensemble_spread import DistilledEnsembleClassifier
from skdistill._estimators._multilabel import DistilledMultilabelClassifier
from skdistill._estimators._mutual import BaseMutual
from skdistill._estimators._quantiles import DistilledQuantileRegressor
from skdistill._estimators._regressor import DistilledRegressor
from skdistill._fitting._alpha_choice import AUTO
from skdistill._fitting._halves import called, try_fit
from skdistill._names import own_rows
from skdistill._unwrap import named_steps
from skdistill._words import shorten
from skdistill.evaluation._arm_names import (
    DISTILLED,
    PLAIN,
    SMOOTHED,
    TEACHER_LABELS,
    TEACHER_NUMBERS,
)
from skdistill.evaluation._problem import (
    LABELS,
    OWN,
    SMOOTHED_LABELS,
    TARGETS,
    TEACHER_CLASSES,
    Arm,
)
from skdistill.evaluation._tasks import task_of
from skdistill.evaluation._teaching import answers_suffice
from skdistill.losses._adversarial import AdversarialTraining
from skdistill.targets._plan import check_teacher
from skdistill.training._features import check_feature_losses
from skdistill.training._views import views_of
from skdistill.transfer._registry import get_augmenter

UNJUDGED = (
    DistilledEnsembleClassifier,
    DistilledMultilabelClassifier,
    DistilledQuantileRegressor,
)
"""Models of this package that answer with more than a class, or a mean, for each row."""


def check_distilled(owner: str, model: Any, *, numbers: bool = True) -> None:
    """Refuse what is no DistilledClassifier, nor, if `numbers` are taken, a DistilledRegressor.

    Parameters
    ----------
    owner : str
        The function that the error names.
    model : object
    numbers : bool, default=True

    Raises
    ------
    TypeError
        The message says what came and what to do.
    ValueError
        For a recipe without a teacher to compare with.
    """
    if isinstance(model, DistilledClassifier) or (
        numbers and isinstance(model, DistilledRegressor)
    ):
        if model.teacher is None:
            raise ValueError(
                f"{owner} needs a teacher, and model.teacher is None. Pass "
                f"{type(model).__name__}(teacher, ...); a teacher known only by its answers can be "
                f"a callable that returns the probabilities of given rows."
            )
        return
    other = " or a DistilledRegressor" if numbers else ""
    came = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    raise TypeError(
        f"The 'model' parameter of {owner} must be a DistilledClassifier{other}. Got {came} "
        f"instead; {_what_to_pass(model, numbers)}"
    )


def _what_to_pass(model: Any, numbers: bool) -> str:
    """Say what stands for a model that is no distilled one, as the end of a sentence."""
    if isinstance(model, BaseMutual):
        return "after its fit pass one of the students, each a model: model.students_[0]."
    if isinstance(model, Pipeline):
        return (
            "of a Pipeline pass its distilled step, model[-1]; the steps before it can stand in a "
            "Pipeline as student, and in one as teacher."
        )
    if isinstance(model, BaseSearchCV):
        return "of a search pass what it has found, model.best_estimator_."
    if isinstance(model, UNJUDGED):
        return "which is judged by its score, and by the metrics of scikit-learn."
    if isinstance(model, type) or not hasattr(model, "__sklearn_tags__"):
        return "pass DistilledClassifier(teacher, ...)."
    if not is_regressor(model):
        return (
            "a classifier that is not distilled: pass DistilledClassifier(teacher, ...), with it "
            "as teacher or as student. evaluation.compare takes any."
        )
    if numbers:
        return (
            "a regressor that is not distilled: pass DistilledRegressor(teacher, ...). "
            "evaluation.bias_variance_decomposition and compare take any."
        )
    return (
        "a regressor, and what is compared here are class probabilities. "
        "evaluation.distillation_report and learning_curves take a DistilledRegressor, "
        "bias_variance_decomposition and compare any."
    )


def check_takes_answers(owner: str, model: Any) -> None:
    """Refuse a recipe for which answers on the rows as they are cannot stand for a teacher.

    Parameters
    ----------
    owner : str
        The function that the error names.
    model : DistilledClassifier or DistilledRegressor

    Raises
    ------
    ValueError
        For generated rows, for views and for alpha="auto".
    """
    if model.augment is not None:
        raise ValueError(
            f"{owner} compares students on the same rows, and augment={shorten(model.augment)} "
            "generates others for the distilled one alone; pass "
            "clone(model).set_params(augment=None)."
        )
    if views_of(model.student):
        raise ValueError(
            f"{owner} asks the teacher once and hands its answers on, which say nothing of views; "
            f"pass a model whose StudentNet has views=None."
        )
    if model.alpha == AUTO:
        raise ValueError(
            f"{owner} asks the teacher once and hands its answers on, and alpha='auto' asks it "
            f"anew for each part of the rows; pass a number: "
            f"clone(model).set_params(alpha=0.5), or the alpha_ of a fit."
        )


def _nobody(X: Any) -> None:
    """Stand for a teacher that is not asked."""
    raise AssertionError("a recipe is checked before anybody is asked")


def check_recipe(estimator: Any, X: Any, y: Any, asked: Mapping[str, Any] | None = None) -> None:
    """Refuse, before anything is trained, what the `fit` of a distilled estimator would refuse.

    That checks parameters, rows and student before it asks its teacher.

    Parameters
    ----------
    estimator : estimator
        A DistilledClassifier, a DistilledRegressor, or a Pipeline that ends in one; any other
        estimator is left alone. It is not changed.
    X : array-like of shape (n_samples, ...)
        Rows to learn from.
    y : array-like of shape (n_samples,)
        Their labels or values.
    asked : dict of str to array-like of shape (n_rows, ...), default=None
        By what errors call them, rows that the fitted estimator is to be asked about, which its
        steps have to read, too.
    """
    steps = named_steps(estimator)
    model = steps[-1][1]
    if not isinstance(model, DistilledClassifier | DistilledRegressor):
        return
    check_memory(model.memory)
    get_augmenter(model.augment)
    check_feature_losses(model.feature_losses, model.teacher)
    if model.teacher is not None:
        check_teacher(model.teacher, model.cv, task_of(model).asks)
    if views_of(model.student):  # these need a fitted network, so that no teacher is trained first
        return
    changes: dict[str, Any] = {"teacher": _nobody, "cv": None, "augment": None}
    if model.feature_losses:
        changes["feature_losses"] = None
    if model.alpha == 0:  # nobody would be asked, and what the soft term is made of goes unheard
        unheard = {"alpha", "loss", "temperature"}
        changes |= {k: v for k, v in type(model)().get_params(deep=False).items() if k in unheard}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fits themselves will warn
        for _, step in steps[:-1]:
            if step is not None and step != "passthrough":
                fitted = clone(step)
                X = fitted.fit_transform(own_rows(step, X), y)
                asked = _transformed(fitted, asked or {})
        try_fit(model, X, y, asked, **changes)


def _transformed(step: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, rows in asked.items():
        with called(name):
            found[name] = step.transform(own_rows(step, rows))
    return found


def seed_of(model: Any) -> int:
    """The int that a recipe has as `random_state`, 0 where it has none."""
    state = model.random_state
    return int(state) if isinstance(state, int | np.integer) else 0


def student_arms(model: Any, names: Iterable[Any], **changes: Any) -> tuple[Arm, ...]:
    """The arms of a recipe that are fitted, by their names.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe.
    names : iterable of str
        Of `PLAIN`, `SMOOTHED`, `TEACHER_LABELS`, `TEACHER_NUMBERS` and `DISTILLED`.
    **changes
        Parameters of all of them that are not those of the model.

    Returns
    -------
    tuple of Arm
    """
    taught = TARGETS if answers_suffice(model) else OWN
    # Cross-entropy on soft labels is kd at T = 1, whatever loss the model itself uses; rows that an
    # attack has moved for the labels are moved for these, too.
    cross_entropy = {"loss": "kd", "alpha": 1.0, "temperature": 1.0}
    if isinstance(model.loss, AdversarialTraining):
        cross_entropy["loss"] = clone(model.loss).set_params(weight=1.0)
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        PLAIN: (LABELS, {"alpha": 0.0}),
        SMOOTHED: (SMOOTHED_LABELS, cross_entropy),
        TEACHER_LABELS: (TEACHER_CLASSES, cross_entropy),
        TEACHER_NUMBERS: (taught, {"alpha": 1.0}),
        DISTILLED: (taught, {}),
    }
    arms = []
    for name in names:
        learns, parameters = kinds[name]
        arms.append(Arm(name, model, learns, {"verbose": 0, **parameters, **changes}))
    return tuple(arms)
