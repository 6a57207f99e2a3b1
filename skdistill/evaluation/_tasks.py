"""What differs between the evaluation of models of classes and of models of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from skdistill._estimators._regressor import DistilledRegressor
from skdistill.evaluation._arguments import read_outputs, read_rows, rows_and_labels
from skdistill.evaluation._arm_names import ARM_NAMES, NUMBER_ARM_NAMES
from skdistill.evaluation._metrics import (
    calibration_error,
    check_probabilities,
    class_index,
    ranking_scores,
    row_terms,
)
from skdistill.evaluation._split import stratified_order
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.teachers._align import align_columns
from skdistill.teachers._asks import CLASSES, NUMBERS

N_BINS = 15
"""Bins of the calibration error of a report."""

Terms = dict[str, np.ndarray]
"""By name an array of shape (n_samples,)."""

Rates = dict[str, tuple[Terms, np.ndarray]]
"""By metric the terms of each arm, and which rows it is a mean over."""


class ClassScoring:
    """Models name classes, and give them probabilities.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted: the columns of every answer.
    """

    regresses = False
    asks = CLASSES
    metrics = ("log_loss", "accuracy", "brier")
    """What curves show."""
    higher_is_better = ("accuracy",)
    loss_name, loss_format = "log-loss", ".3f"
    memorised = "are over-confident"
    estimator = "DistilledClassifier"
    report_arms = ARM_NAMES
    compared = ("accuracy", "log_loss", "brier")
    """The metrics of which differences have intervals."""
    names = None
    to_learn = ClassTask

    def __init__(self, y: np.ndarray) -> None:
        self.classes = self.known(y)

    @staticmethod
    def known(y: np.ndarray) -> np.ndarray:
        """The classes of some rows: the columns of a teacher that is fitted on them."""
        return np.unique(y)

    read_rows = staticmethod(rows_and_labels)

    @property
    def counted(self) -> dict[str, int]:
        """How many of what there are."""
        return {"classes": len(self.classes)}

    def encode(self, y: np.ndarray) -> np.ndarray:
        """The column of each label, int; an error for one that is not among the classes."""
        return class_index(y, self.classes)

    def nested_order(self, y: np.ndarray, seed: int) -> np.ndarray:
        """An order of rows of which every beginning has the classes in proportion."""
        return stratified_order(self.encode(y), seed)

    def target(self, y: np.ndarray) -> np.ndarray:
        """One-hot labels of shape (n_samples, n_classes)."""
        return np.eye(len(self.classes))[self.encode(y)]

    def ask(self, model: Any, X: Any, name: Any, kind: str | None = None) -> np.ndarray:
        """Checked probabilities of a fitted model, or for "classes" one-hot rows of what it names.

        Parameters
        ----------
        model : estimator
        X : array-like of shape (n_samples, ...)
        name : hashable
            What an error calls it.
        kind : {"probabilities", "classes"}, default=None
            None is probabilities.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        if kind == "classes":
            return self.target(np.asarray(model.predict(X)))
        return self.read(model.predict_proba(X), model.classes_, name)

    terms = staticmethod(row_terms)
    """Of each row the terms of the means: of encoded labels, answers, and the teacher's."""

    def losses(self, encoded: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """The log-loss of each row."""
        return row_terms(encoded, answer, answer)["log_loss"]

    def scores(self, encoded: np.ndarray, answer: np.ndarray) -> dict[str, float]:
        """The `metrics` of checked answers for rows with these encoded labels."""
        terms = row_terms(encoded, answer, answer)
        return {metric: float(terms[metric].mean()) for metric in self.metrics}

    def all_scores(
        self, encoded: np.ndarray, answer: np.ndarray, teacher: np.ndarray
    ) -> dict[str, float]:
        """The scores of a report, those that compare with the teacher's answers too."""
        terms = row_terms(encoded, answer, teacher)
        means = {name: float(values.mean()) for name, values in terms.items()}
        return {
            **{name: means[name] for name in ("accuracy", "log_loss", "brier")},
            "ece": calibration_error(encoded, answer, n_bins=N_BINS),
            **ranking_scores(encoded, answer),
            **{name: means[name] for name in ("agreement", "kl")},
        }

    @staticmethod
    def segment(teacher: Terms, distilled: Terms, rows: list[int]) -> dict[str, float]:
        """What a report says of some rows, given the `terms` of teacher and distilled student."""
        return {
            "agreement": float(distilled["agreement"][rows].mean()),
            "teacher_accuracy": float(teacher["accuracy"][rows].mean()),
            "distilled_accuracy": float(distilled["accuracy"][rows].mean()),
        }

    def rates(self, encoded: np.ndarray, answers: dict[str, list[np.ndarray]]) -> Rates:
        """The terms of the rates that groups of rows are compared by, and the rows they are of.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples,)
        answers : dict of str to list of ndarray
            Of each arm those of its seeds, over which the terms are averaged.

        Returns
        -------
        dict of str to tuple (dict of str to ndarray of shape (n_samples,), ndarray)
            By metric: of each arm the terms, and which rows are looked at.
        """
        named = {arm: [p.argmax(axis=1) for p in own] for arm, own in answers.items()}
        right = {arm: np.mean([n == encoded for n in own], axis=0) for arm, own in named.items()}
        found: Rates = {"accuracy": (right, np.ones(len(encoded), dtype=bool))}
        if len(self.classes) == 2:
            taken = {arm: np.mean([n == 1 for n in own], axis=0) for arm, own in named.items()}
            found["selection_rate"] = (taken, np.ones(len(encoded), dtype=bool))
            found["true_positive_rate"] = (taken, encoded == 1)
            found["false_positive_rate"] = (taken, encoded == 0)
        return found

    def read(self, answer: Any, columns: Any, name: Any) -> np.ndarray:
        """Probabilities whose columns are the given labels, checked and in the order of ours."""
        answer = check_probabilities(answer, name=f"The answer of {name!r}")
        return align_columns(answer, columns, self.classes)


class NumberScoring:
    """Models predict numbers, of one output or several.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The numbers that are learnt from.
    names : ndarray of shape (n_outputs,), default=None
        The names of their columns.

    Attributes
    ----------
    scale : ndarray of shape (n_outputs,)
        The units that errors are told in: those of y if it has one output, else of each output
        its standard deviation, so that the outputs count alike.
    """

    regresses = True
    asks = NUMBERS
    classes = None
    metrics = ("mse", "mae", "r2")
    higher_is_better = ("r2",)
    loss_name, loss_format = "squared error", ".3g"
    memorised = "repeat the noise of y"
    estimator = "DistilledRegressor"
    report_arms = NUMBER_ARM_NAMES
    compared = ("mse", "mae")

    def __init__(self, y: np.ndarray, names: np.ndarray | None = None) -> None:
        self.shape, self.names = (-1, *y.shape[1:]), names
        columns = y.reshape(len(y), -1)
        spread = columns.std(axis=0)
        self.scale = np.where((spread > 0) & (len(spread) > 1), spread, 1.0)

    @staticmethod
    def read_rows(X_name: str, X: Any, y_name: str, y: Any) -> tuple[Any, np.ndarray]:
        """Rows and numbers, one for each row, or an error that names them."""
        X, y = read_rows(X_name, X), read_outputs(y_name, y)
        if X.shape[0] != len(y):
            raise ValueError(
                f"{X_name} has {X.shape[0]} rows and {y_name} has {len(y)}; pass a number, or a "
                f"row of numbers, for each row."
            )
        return X, y

    def to_learn(self, y: np.ndarray) -> NumberTask:
        """The task of a fit on some of the numbers."""
        return NumberTask(y.reshape(len(y), -1), names=self.names)

    known = to_learn
    """What stands for the columns of a teacher; see `ClassScoring.known`."""

    @property
    def counted(self) -> dict[str, int]:
        """How many of what there are."""
        return {"outputs": len(self.scale)}

    def encode(self, y: np.ndarray) -> np.ndarray:
        """The numbers as they are."""
        return y

    target = encode

    def nested_order(self, y: np.ndarray, seed: int) -> np.ndarray:
        """Any order of rows."""
        return np.random.default_rng(seed).permutation(len(y))

    def terms(self, y: np.ndarray, answer: np.ndarray, teacher: np.ndarray) -> Terms:
        """Of each row the terms whose means are mse, mae and the square of rmse_to_teacher."""
        error, distance = (
            (answer - other).reshape(len(y), -1) / self.scale for other in (y, teacher)
        )
        return {
            "mse": (error**2).mean(axis=1),
            "mae": np.abs(error).mean(axis=1),
            "mse_to_teacher": (distance**2).mean(axis=1),
        }

    def losses(self, y: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """The squared error of each row."""
        return self.terms(y, answer, answer)["mse"]

    def scores(self, y: np.ndarray, answer: np.ndarray) -> dict[str, float]:
        """The `metrics` of checked answers for rows with these numbers."""
        terms = self.terms(y, answer, answer)
        means = {metric: float(terms[metric].mean()) for metric in ("mse", "mae")}
        return {**means, "r2": float(r2_score(y, answer)) if len(y) > 1 else np.nan}

    def all_scores(
        self, y: np.ndarray, answer: np.ndarray, teacher: np.ndarray
    ) -> dict[str, float]:
        """The scores of a report, those that compare with the teacher's answers too."""
        distance = self.terms(y, answer, teacher)["mse_to_teacher"].mean()
        scores = self.scores(y, answer)
        named = {name: scores[name] for name in ("r2", "mse", "mae")}
        return {**named, "rmse_to_teacher": float(np.sqrt(distance))}

    @staticmethod
    def segment(teacher: Terms, distilled: Terms, rows: list[int]) -> dict[str, float]:
        """What a report says of some rows; see `ClassScoring.segment`."""
        terms = {
            "rmse_to_teacher": distilled["mse_to_teacher"],
            "teacher_rmse": teacher["mse"],
            "distilled_rmse": distilled["mse"],
        }
        return {name: float(np.sqrt(values[rows].mean())) for name, values in terms.items()}

    def rates(self, y: np.ndarray, answers: dict[str, list[np.ndarray]]) -> Rates:
        """The terms that groups of rows are compared by; see `ClassScoring.rates`."""
        errors = {
            arm: np.mean([self.losses(y, one) for one in own], axis=0)
            for arm, own in answers.items()
        }
        return {"mse": (errors, np.ones(len(y), dtype=bool))}

    def variance(self, y: np.ndarray) -> float:
        """The variance of numbers, in the squared units of the errors."""
        return float((y.reshape(len(y), -1) / self.scale).var(axis=0).mean())

    def ask(self, model: Any, X: Any, name: Any, kind: str | None = None) -> np.ndarray:
        """Checked numbers of a fitted model, see `ClassScoring.ask`; of the shape that y has."""
        return self.read(model.predict(X), None, name)

    def read(self, answer: Any, columns: Any, name: Any) -> np.ndarray:
        """Numbers, or an error where they are not finite."""
        values = np.asarray(answer, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"The answer of {name!r} has values that are not finite.")
        return values.reshape(self.shape)


Scoring = ClassScoring | NumberScoring


def task_of(model: Any) -> type[Scoring]:
    """The task of a distilled estimator."""
    return NumberScoring if isinstance(model, DistilledRegressor) else ClassScoring


def score_names(metrics: tuple[str, ...]) -> list[str]:
    """The names of the metrics on the rows that were learnt from, and on others."""
    return [f"{part}_{metric}" for metric in metrics for part in ("train", "test")]
