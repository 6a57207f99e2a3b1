"""Where in an estimator a teacher is, what it says of rows, and fits on what it has said."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._estimators._classifier import DistilledClassifier
from skdistill._estimators._regressor import DistilledRegressor
from skdistill._fitting._alpha_choice import AUTO
from skdistill._fitting._halves import ask, learn
from skdistill._input._rows import as_rows
from skdistill._names import own_rows
from skdistill._unwrap import before_last, ending_in, last_step, named_steps
from skdistill.targets import Targets, teacher_probabilities, teacher_targets
from skdistill.targets._ask import Desk, ask_fitted
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import check_teacher
from skdistill.targets._tasks import NumberTask
from skdistill.teachers._fit import identity_of, is_fitted
from skdistill.teachers._key import content_key
from skdistill.training._views import views_of


def is_distilled(estimator: Any) -> bool:
    """Whether it is a distilled estimator itself, and no Pipeline."""
    return isinstance(estimator, DistilledClassifier | DistilledRegressor)


def find_distilled(estimator: Any) -> Any:
    """The distilled estimator that asks a teacher: the estimator, or the last step of a Pipeline.

    None where there is none, and where alpha is 0.
    """
    last = last_step(estimator)
    asks = is_distilled(last) and last.teacher is not None and last.alpha != 0
    return last if asks else None


def takes_targets(estimator: Any) -> bool:
    """Whether what its teacher says can stand for the teacher.

    Not for generated rows or views, nor where rows that no teacher has seen choose alpha.
    """
    model = find_distilled(estimator)
    return model is not None and answers_suffice(model)


def answers_suffice(model: Any) -> bool:
    """The same of a distilled estimator, whether it asks a teacher or not."""
    return model.augment is None and not views_of(model.student) and model.alpha != AUTO


def has_unreachable_teacher(estimator: Any) -> bool:
    """Whether an estimator fits a teacher for which targets cannot stand."""
    reached = find_distilled(estimator) if takes_targets(estimator) else None
    return any(
        part is not reached and find_distilled(part) is part and not is_fitted(part.teacher)
        for part in (estimator, *estimator.get_params(deep=True).values())
        if is_distilled(part)
    )


def with_memory(estimator: Any, memory: Any) -> Any:
    """A clone whose teacher's answers are kept there, unless it has a memory of its own."""
    copy = clone(estimator)
    last = last_step(copy)
    if memory is not None and is_distilled(last) and last.memory is None:
        last.set_params(memory=memory)
    return copy


def layers_of(model: Any) -> list[str]:
    """The layers of its teacher that a distilled estimator learns from."""
    return [loss.teacher_layer for loss in model.feature_losses or ()]


def ask_teacher(
    model: Any, X: Any, y: Any, seed: int, *, of_fit: bool, **changes: Any
) -> tuple[Targets, Any]:
    """What a model's teacher says of rows that are learnt from, and the fitted teacher.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    seed : int
        Seeds the teacher, and its cross-fitting.
    of_fit : bool
        Whether the model is fitted and its own teacher is wanted, where it has kept one.
    **changes
        Parameters that are others for the question, and further arguments of `ask`.
    """
    teacher = model.teacher_ if of_fit else None
    changes |= {"augment": None, "random_state": seed}
    if teacher is not None and isinstance(model.cv, str):
        changes |= {"teacher": teacher, "cv": None}  # rather than one more fit
    targets, fitted = ask(model, X, y, refit=teacher is None, **changes)
    return targets, fitted if teacher is None else teacher


class Placed:
    """An estimator beside rows: its steps are fitted, and the rows are as they reach its last.

    Parameters
    ----------
    estimator : estimator
        A seeded clone: a distilled estimator, or a Pipeline that ends in one.
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    groups : ndarray of shape (n_samples,), default=None
        Rows that stay together in a cross-fitting.
    """

    def __init__(self, estimator: Any, X: Any, y: np.ndarray, groups: Any = None) -> None:
        self.estimator, self.model = estimator, last_step(estimator)
        self.X, self.y, self.groups = X, y, groups
        self.steps: Any = before_last(estimator)
        if self.steps is not None:
            self.steps = clone(self.steps)
            self.X = self.steps.fit_transform(own_rows(self.steps, X), y)

    def ask(self, *, refit: bool = False, **changes: Any) -> tuple[Targets, Any]:
        """What the `fit` of the last step would ask; see `_fitting._halves.ask`."""
        return ask(self.model, self.X, self.y, groups=self.groups, refit=refit, **changes)

    def learn(self, targets: Targets | None, **changes: Any) -> Any:
        """The fitted estimator, its last step taught by targets; see `_fitting._halves.learn`."""
        fitted = learn(self.model, self.X, self.y, targets, groups=self.groups, **changes)
        if self.estimator is self.model:
            return fitted
        whole = ending_in(clone(self.estimator), fitted)
        if self.steps is not None:
            whole.steps[:-1] = self.steps.steps
        return whole

    def reference(self, X: Any, columns: Any) -> np.ndarray:
        """What a teacher that is fitted, or was fitted on all rows, says about other rows."""
        X = X if self.steps is None else self.steps.transform(X)
        teacher = self.model.teacher
        if not is_fitted(teacher):
            # One fit: what it says about its own rows is not looked at.
            once: dict[str, Any] = {"cv": "in-sample"}
            if not isinstance(columns, NumberTask):
                once["calibrate"] = False
            teacher = self.ask(refit=True, **once)[1]
        return teacher_answer(self.model, teacher, X, columns)


def teacher_answer(model: Any, teacher: Any, X: Any, columns: Any) -> np.ndarray:
    """What a fitted teacher says about rows, columns in the order of the classes or outputs.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Says how it is asked.
    teacher : object
    X : array-like of shape (n_samples, ...)
    columns : ndarray of shape (n_classes,) or NumberTask
        The classes, or what numbers are learnt.

    Returns
    -------
    ndarray of shape (n_samples, n_classes) or (n_samples, n_outputs), float64
    """
    if not isinstance(columns, NumberTask):
        how = {name: getattr(model, name) for name in ("device", "memory", "teacher_classes")}
        return teacher_probabilities(teacher, as_rows(X), columns, **how)
    asked = check_teacher(teacher, None, columns.asks, None, model.device)
    replies = ask_fitted(asked, as_rows(X), desk=Desk(model.device, open_memory(model.memory)))
    values, _ = columns.read(replies, columns.asks.find_kinds([replies]), asked.panel)
    return values[:, 0] if values.shape[1] == 1 else values


def ask_fitted_teacher(kind: str, model: Any, X: Any, layers: list[str]) -> Targets:
    """What the fitted teacher of a model says of rows, in the order of its own columns.

    Parameters
    ----------
    kind : {"classes", "numbers"}
    model : DistilledClassifier or DistilledRegressor
    X : array-like of shape (n_samples, ...)
    layers : list of str
        Those whose outputs are wanted too.
    """
    how = {name: getattr(model, name) for name in ("teacher_classes", "device", "memory")}
    return teacher_targets(model.teacher, X, layers=layers, task=kind, **how)


class AskedTeacher:
    """A fitted teacher, asked as a fitted estimator is.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Says how it is asked.
    teacher : object
    columns : ndarray of shape (n_classes,) or NumberTask
        The labels of the columns, or what numbers are learnt.
    """

    def __init__(self, model: Any, teacher: Any, columns: Any) -> None:
        self.model, self.teacher, self.classes_ = model, teacher, columns

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, or numbers."""
        return teacher_answer(self.model, self.teacher, X, self.classes_)

    predict = predict_proba


def teacher_key(estimator: Any) -> Any:
    """Equal for estimators that get the same targets for the same rows.

    Parameters
    ----------
    estimator : estimator
        A seeded clone: a distilled estimator, or a Pipeline that ends in one.
    """
    model = last_step(estimator)
    steps = named_steps(estimator)[:-1]
    layers = layers_of(model)
    settings = (model.cv, model.calibrate, model.teacher_classes, str(model.device), layers)
    try:
        return content_key(identity_of(model.teacher), steps, settings, model.random_state)
    except (pickle.PicklingError, AttributeError, TypeError):
        return object()  # a lambda among them, say: equal to nothing else
