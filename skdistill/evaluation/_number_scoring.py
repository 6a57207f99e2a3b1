"""The evaluation of models that predict numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeRegressor

from skdistill.evaluation._arguments import read_outputs, read_rows
from skdistill.evaluation._arm_names import DISTILLED, NUMBER_ARM_NAMES, PLAIN, TEACHER
from skdistill.evaluation._task_terms import Differences, Rates, Terms
from skdistill.evaluation._teaching import ask_fitted_teacher, teacher_answer
from skdistill.evaluation._verdict import number_verdict
from skdistill.targets import Targets
from skdistill.targets._tasks import NumberTask
from skdistill.teachers._asks import NUMBERS
from skdistill.training._regressor_net import StudentNetRegressor


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

    asks = NUMBERS
    kind = "numbers"
    response_method = "predict"
    classes = None
    metrics = ("rmse", "mse", "mae", "r2")
    higher_is_better = ("r2",)
    loss_name, loss_format = "squared error", ".3g"
    distance_name, constant_name = "The squared distance", "mean of y"
    too_close, softened = "closer to", "smoother"
    memorised = "repeat the noise of y"
    estimator = "DistilledRegressor"
    report_arms = NUMBER_ARM_NAMES
    curve_arms = (PLAIN, DISTILLED)
    compared = ("r2", "mse", "mae")
    board_loss = "rmse"
    net, tree, boosting = StudentNetRegressor, DecisionTreeRegressor, HistGradientBoostingRegressor

    def __init__(self, y: np.ndarray, names: np.ndarray | None = None) -> None:
        self.shape, self.names = (-1, *y.shape[1:]), names
        columns = y.reshape(len(y), -1)
        spread = columns.std(axis=0)
        self.scale = np.where((spread > 0) & (len(spread) > 1), spread, 1.0)

    @classmethod
    def to_be_learnt(cls, y: np.ndarray, names: Any, y_name: str, owner: str) -> NumberScoring:
        """The task of numbers that are learnt from."""
        return cls(y, names)

    @staticmethod
    def are_enough(y: np.ndarray) -> bool:
        """Any numbers are; see `ClassScoring.are_enough`."""
        return True

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

    def ask_teacher(self, model: Any, X: Any, y: np.ndarray, layers: list[str]) -> Targets:
        """See `ClassScoring.ask_teacher`; without layers columns are read by their names."""
        if layers:
            return ask_fitted_teacher(self.kind, model, X, layers)
        values = teacher_answer(model, model.teacher, X, self.known(y))
        return Targets(values.reshape(len(values), -1), "numbers")

    def as_answers(self, values: np.ndarray) -> np.ndarray:
        """See `ClassScoring.as_answers`."""
        return values.reshape(self.shape)

    @staticmethod
    def temperature(answers: np.ndarray, y: np.ndarray) -> float:
        """Numbers have none."""
        return np.nan

    def terms(self, y: np.ndarray, answer: np.ndarray, teacher: np.ndarray) -> Terms:
        """Of each row the terms whose means are mse, mae, the square of rmse_to_teacher, r2 - 1."""
        error, distance = (
            (answer - other).reshape(len(y), -1) / self.scale for other in (y, teacher)
        )
        variance = (y.reshape(len(y), -1) / self.scale).var(axis=0)
        return {
            "r2": -(error**2 / np.where(variance > 0, variance, 1.0)).mean(axis=1),
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
        mse, mae = (float(terms[metric].mean()) for metric in ("mse", "mae"))
        r2 = float(r2_score(y, answer)) if len(y) > 1 else np.nan
        return {"rmse": float(np.sqrt(mse)), "mse": mse, "mae": mae, "r2": r2}

    def all_scores(
        self, y: np.ndarray, answer: np.ndarray, teacher: np.ndarray
    ) -> dict[str, float]:
        """The scores of a report, those that compare with the teacher's answers too."""
        distance = self.terms(y, answer, teacher)["mse_to_teacher"].mean()
        scores = self.scores(y, answer)
        named = {name: scores[name] for name in ("r2", "rmse", "mse", "mae")}
        return {**named, "rmse_to_teacher": float(np.sqrt(distance))}

    def board_scores(self, y: np.ndarray, answer: np.ndarray) -> dict[str, float]:
        """The scores of a leaderboard."""
        scores = self.scores(y, answer)
        return {name: scores[name] for name in ("rmse", "r2")}

    def verdict(self, found: Differences, y: np.ndarray, **others: Any) -> list[str]:
        """What the differences of a report show, in sentences; see `number_verdict`."""
        to_teacher, to_plain = (found[DISTILLED, other]["r2"] for other in (TEACHER, PLAIN))
        return number_verdict(to_teacher, to_plain, **others)

    @staticmethod
    def in_report(answers: dict[str, np.ndarray], y: np.ndarray) -> dict[str, Any]:
        """See `ClassScoring.in_report`."""
        return {"probabilities": None, "predictions": answers, "y_index": None}

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

    @staticmethod
    def unit(y: np.ndarray) -> float:
        """What a diagnosis divides losses by: a constant then loses about 1."""
        return float(np.var(y))

    @staticmethod
    def floored_losses(y: np.ndarray, answer: np.ndarray, unit: float) -> np.ndarray:
        """The squared error of each row, or distance to another answer; there is no floor."""
        return (y - answer) ** 2 / unit

    floored_distances = floored_losses

    @staticmethod
    def constant(y: np.ndarray, n_rows: int) -> np.ndarray:
        """The mean of y, for so many rows."""
        return np.full(n_rows, y.mean())

    @staticmethod
    def calibrated(answers: np.ndarray, temperature: float) -> np.ndarray:
        """The same: numbers have no temperature."""
        return answers

    @staticmethod
    def calibration_error(y: np.ndarray, answers: np.ndarray) -> float:
        """Numbers have none."""
        return np.nan

    def ask(self, model: Any, X: Any, name: Any, kind: str | None = None) -> np.ndarray:
        """Checked numbers of a fitted model, see `ClassScoring.ask`; of the shape that y has."""
        return self.read(model.predict(X), None, name)

    def read(self, answer: Any, columns: Any, name: Any) -> np.ndarray:
        """Numbers, or an error where they are not finite."""
        values = np.asarray(answer, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"The answer of {name!r} has values that are not finite.")
        return values.reshape(self.shape)
