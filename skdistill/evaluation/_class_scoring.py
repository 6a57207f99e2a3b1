"""The evaluation of models that name classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill.evaluation._arguments import check_classes, rows_and_labels
from skdistill.evaluation._arm_names import (
    ARM_NAMES,
    DISTILLED,
    PLAIN,
    SCALED,
    SMOOTHED,
    TEACHER,
)
from skdistill.evaluation._metrics import (
    calibration_error,
    check_probabilities,
    class_index,
    ranking_scores,
    row_terms,
)
from skdistill.evaluation._split import stratified_order
from skdistill.evaluation._task_terms import Differences, Rates, Terms
from skdistill.evaluation._teaching import ask_fitted_teacher
from skdistill.evaluation._verdict import verdict_sentences
from skdistill.targets import Targets, fit_temperature
from skdistill.targets._tasks import ClassTask
from skdistill.targets._warnings import FLOOR
from skdistill.teachers._align import align_columns
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._clip import apply_temperature, log_probabilities
from skdistill.training._net import StudentNet

N_BINS = 15
"""Bins of the calibration error of a report."""


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

    asks = CLASSES
    kind = "classes"
    """What `teacher_targets` calls it."""
    response_method = "predict_proba"
    """How a student is asked for what is scored."""
    metrics = ("log_loss", "accuracy", "brier")
    """What curves show."""
    higher_is_better = ("accuracy",)
    loss_name, loss_format = "log-loss", ".3f"
    distance_name, constant_name = "KL", "class rates"
    """What a diagnosis calls the distance to the teacher, and the same answer for all rows."""
    too_close, softened = "surer of", "softer"
    """How a teacher speaks of rows that it knows by heart, and what its targets are beside y."""
    memorised = "are over-confident"
    estimator = "DistilledClassifier"
    report_arms = ARM_NAMES
    curve_arms = (PLAIN, SMOOTHED, DISTILLED)
    compared = ("accuracy", "log_loss", "brier")
    """The metrics of which differences have intervals."""
    board_loss = "log_loss"
    """What a leaderboard is sorted by."""
    net, tree, boosting = StudentNet, DecisionTreeClassifier, HistGradientBoostingClassifier
    """Students that learn such a y."""
    names = None
    to_learn = ClassTask

    def __init__(self, y: np.ndarray) -> None:
        self.classes = self.known(y)

    @classmethod
    def to_be_learnt(cls, y: np.ndarray, names: Any, y_name: str, owner: str) -> ClassScoring:
        """The task of labels that are learnt from, or an error; they have no names."""
        check_classes(y_name, y, owner)
        return cls(y)

    @staticmethod
    def known(y: np.ndarray) -> np.ndarray:
        """The classes of some rows: the columns of a teacher that is fitted on them."""
        return np.unique(y)

    read_rows = staticmethod(rows_and_labels)

    @staticmethod
    def are_enough(y: np.ndarray) -> bool:
        """Whether rows with these labels can be learnt from: they are of two classes at least."""
        return len(np.unique(y)) > 1

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

    def ask_teacher(self, model: Any, X: Any, y: np.ndarray, layers: list[str]) -> Targets:
        """What the fitted teacher of a model says of rows, and these layers of it.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
        X : array-like of shape (n_samples, ...)
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        layers : list of str
        """
        targets = ask_fitted_teacher(self.kind, model, X, layers)
        return targets if targets.classes is not None else targets.replace(classes=self.classes)

    @staticmethod
    def as_answers(values: np.ndarray) -> np.ndarray:
        """The values of targets in the shape of what `ask` returns."""
        return values

    @staticmethod
    def temperature(answers: np.ndarray, encoded: np.ndarray) -> float:
        """The temperature that calibrates answers."""
        return fit_temperature(log_probabilities(answers), encoded)

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
            "ece": self.calibration_error(encoded, answer),
            **ranking_scores(encoded, answer),
            **{name: means[name] for name in ("agreement", "kl")},
        }

    def board_scores(self, encoded: np.ndarray, answer: np.ndarray) -> dict[str, float]:
        """The scores of a leaderboard."""
        scores = self.scores(encoded, answer)
        return {name: scores[name] for name in ("log_loss", "accuracy")}

    @staticmethod
    def verdict(found: Differences, encoded: np.ndarray, **others: Any) -> list[str]:
        """What the differences of a report show, in sentences; see `verdict_sentences`."""
        return verdict_sentences(
            found[DISTILLED, TEACHER],
            found[DISTILLED, PLAIN],
            found[DISTILLED, SCALED],
            found[SCALED, PLAIN]["log_loss"],
            **others,
        )

    @staticmethod
    def in_report(answers: dict[str, np.ndarray], encoded: np.ndarray) -> dict[str, Any]:
        """The attributes of a report that hold answers, and what they are held against."""
        return {"probabilities": answers, "predictions": None, "y_index": encoded}

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

    @staticmethod
    def unit(encoded: np.ndarray) -> float:
        """What a diagnosis divides losses by, given the labels to learn from: nats are nats."""
        return 1.0

    @staticmethod
    def floored_losses(encoded: np.ndarray, answer: np.ndarray, unit: float) -> np.ndarray:
        """-log p_y of each row, p at least `FLOOR`: a forest's exact zeros shall not decide."""
        return row_terms(encoded, np.maximum(answer, FLOOR), answer)["log_loss"]

    @staticmethod
    def floored_distances(p: np.ndarray, q: np.ndarray, unit: float) -> np.ndarray:
        """KL(p ‖ q) of each row, q at least `FLOOR`."""
        return row_terms(np.zeros(len(p), dtype=int), np.maximum(q, FLOOR), p)["kl"]

    def constant(self, encoded: np.ndarray, n_rows: int) -> np.ndarray:
        """The answer to so many rows that only knows the labels that are learnt from."""
        rates = np.bincount(encoded, minlength=len(self.classes)) / len(encoded)
        return np.tile(rates, (n_rows, 1))

    calibrated = staticmethod(apply_temperature)
    """Answers with a `temperature`."""

    @staticmethod
    def calibration_error(encoded: np.ndarray, answers: np.ndarray) -> float:
        """That of a report."""
        return calibration_error(encoded, answers, n_bins=N_BINS)

    def read(self, answer: Any, columns: Any, name: Any) -> np.ndarray:
        """Probabilities whose columns are the given labels, checked and in the order of ours."""
        answer = check_probabilities(answer, name=f"The answer of {name!r}")
        return align_columns(answer, columns, self.classes)
