"""Who is tested: named models, and the labels that their columns stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skdistill._estimators._classifier import DistilledClassifier
from skdistill._words import shorten
from skdistill.evaluation._arguments import read_class_names, read_rows, rows_and_labels
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._engine import key_of, run
from skdistill.evaluation._metrics import class_index, row_terms
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import Cell, Fit, Problem
from skdistill.evaluation._read_problem import check_numbers, check_same_columns
from skdistill.evaluation._recipes import seed_of, student_arms
from skdistill.evaluation._rows_of_fit import check_rows_of_fit
from skdistill.evaluation._tasks import ClassScoring
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_probabilities
from skdistill.teachers._as_teacher import as_teacher, labels_of
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._examined import examine
from skdistill.teachers._fit import is_fitted
from skdistill.teachers._key import teacher_key


@dataclass(frozen=True)
class Models:
    """Fitted models of any kind, asked in one way.

    Attributes
    ----------
    members : dict of str to object
        Teachers and students by name.
    columns : dict of str to ndarray of shape (n_columns,) or None
        The labels of a member's columns that it does not name itself.
    classes : ndarray of shape (n_classes,)
        The labels of the columns of every answer, sorted: those of the DistilledClassifier, or
        all that a member knows.
    device : str or torch.device
        Where torch modules run.
    memory : str or joblib.Memory, default=None
        Where the answers of the member "teacher" are kept.
    """

    members: dict[str, Any]
    columns: dict[str, Any]
    classes: np.ndarray
    device: Any
    memory: Any = None

    def ask(self, name: str, X: Any) -> np.ndarray:
        """The probabilities of one member, shape (n_samples, n_classes)."""
        try:
            return teacher_probabilities(
                self.members[name],
                X,
                self.classes,
                teacher_classes=self.columns.get(name),
                device=self.device,
                memory=self.memory if name == TEACHER else None,
            )
        except TeacherError as error:
            error.add_note(f"This was found with the model {name!r}.")
            raise

    def own_columns(self, name: str) -> np.ndarray:
        """The labels of a member's own columns, in its order."""
        named = self.columns.get(name)
        if named is None:
            named = labels_of(as_teacher(self.members[name]))
        return self.classes if named is None else np.asarray(named)

    def with_plain(self, work: Work, model: DistilledClassifier, X: Any, y: np.ndarray) -> Models:
        """The same and, before the distilled student, a plain fit of its recipe."""
        problem = Problem(X, y, ClassScoring(y))
        cell = Cell({}, student_arms(clone(model), [PLAIN]), seed_of(model), np.arange(len(y)))
        (plain,) = run(replace(work, n_jobs=None, verbose=0), problem, [cell], _keep)
        distilled = self.members[DISTILLED]
        others = {name: m for name, m in self.members.items() if name != DISTILLED}
        return replace(self, members={**others, PLAIN: plain.value, DISTILLED: distilled})


def _keep(problem: Problem, cell: Cell, fit: Fit) -> Any:
    return fit.model


@dataclass(frozen=True)
class Given:
    """Checked models and rows; `X_train` and `y_train` are None where they did not come."""

    models: Models
    X_test: Any
    y_test: np.ndarray
    y_index: np.ndarray
    X_train: Any
    y_train: np.ndarray | None

    def key(self, owner: str, *settings: Any) -> str:
        """What results are kept under that depend on models, rows and further settings.

        Parameters
        ----------
        owner : str
            The function that errors name.
        *settings : object
        """
        asked = self.models
        models = [
            (name, teacher_key(model, f"to {owner} with memory"), asked.columns.get(name))
            for name, model in asked.members.items()
        ]
        how = asked.classes, str(asked.device)
        rows = self.X_test, self.y_test, self.X_train, self.y_train
        return key_of(owner, models, *how, *rows, *settings)


def check_models_and_rows(
    models: Any,
    X_test: Any,
    y_test: Any,
    *,
    X_train: Any = None,
    y_train: Any = None,
    teacher_classes: Any = None,
) -> Given:
    """Check what `robustness_curve` and `adversarial_accuracy` share, before any work.

    Parameters
    ----------
    models, X_test, y_test, X_train, y_train, teacher_classes
        As in `robustness_curve`.

    Raises
    ------
    TypeError
        When `models` is neither a dict nor a DistilledClassifier.
    ValueError
        When a model is not fitted, or rows and labels do not fit.
    """
    if teacher_classes is not None:
        teacher_classes = read_class_names("teacher_classes", teacher_classes)
    members, columns, device = _name_members(models, teacher_classes)
    X_test, y_test = rows_and_labels("X_test", X_test, "y_test", y_test)
    if y_train is not None:
        if not isinstance(models, DistilledClassifier) or X_train is None:
            raise ValueError(
                "y_train is for the fit of the plain student, which needs X_train and a "
                "DistilledClassifier as models. Leave it out, or add the plain student to the "
                "dict: DistilledClassifier(..., alpha=0).fit(X_train, y_train)."
            )
        X_train, y_train = rows_and_labels("X_train", X_train, "y_train", y_train)
        check_rows_of_fit(models, X_train, y_train)
    if X_train is not None:
        X_train = read_rows("X_train", X_train)
        check_same_columns(X_train, X_test)
        check_numbers(X_train, X_test)
    if isinstance(models, DistilledClassifier):
        classes = models.classes_
    else:
        named = [*columns.values(), *(labels_of(as_teacher(m)) for m in members.values())]
        known = [np.asarray(labels) for labels in named if labels is not None]
        classes = np.unique(np.concatenate(known or [y_test]))
    try:
        y_index = class_index(y_test, classes)
    except ValueError as error:
        raise ValueError(f"y_test does not fit the models. {error}") from None
    memory = models.memory if isinstance(models, DistilledClassifier) else None
    asked = Models(members, columns, classes, device, memory)
    return Given(asked, X_test, y_test, y_index, X_train, y_train)


def mean_scores(y_index: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Accuracy and log-loss of answers of shape (n_samples, n_classes)."""
    terms = row_terms(y_index, probabilities, probabilities)
    return {name: float(terms[name].mean()) for name in ("accuracy", "log_loss")}


def _as_member(name: Any, model: Any) -> Any:
    try:
        member = as_teacher(model)
        examine(member, CLASSES)
    except TeacherError as error:
        error.add_note(f"This was found with the model {name!r}.")
        raise
    return member


def _name_members(models: Any, teacher_classes: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Models by name, the labels of columns that a model does not name itself, the device."""
    device: Any = "auto"
    if isinstance(models, DistilledClassifier):
        check_is_fitted(models)
        device = models.device
        teacher = models.teacher_
        if teacher is None and models.teacher is not None and is_fitted(models.teacher):
            teacher = as_teacher(models.teacher)
        named = models.teacher_classes if teacher_classes is None else teacher_classes
        columns = {TEACHER: named, DISTILLED: None}
        members = {DISTILLED: models}
        if teacher is not None:
            members = {TEACHER: teacher, **members}
    elif isinstance(models, Mapping) and models:
        members = {str(name): _as_member(name, model) for name, model in models.items()}
        for name, model in members.items():
            if not is_fitted(model):
                raise ValueError(
                    f"The model {name!r} is a {type(model).__name__} that is not fitted; nothing "
                    "is fitted here. Call its fit first."
                )
        columns = {
            name: teacher_classes if labels_of(as_teacher(model)) is None else None
            for name, model in members.items()
        }
    else:
        raise TypeError(
            "The 'models' parameter must be a dict of names and fitted classifiers, such as "
            "{'teacher': teacher, 'distilled': model}, or one fitted DistilledClassifier. Got "
            f"{shorten(models)} instead; a single model is {{'model': model}}."
        )
    return members, columns, device
