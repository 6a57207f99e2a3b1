"""What would be shipped, a teacher or a student: kept when it has learnt, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from skdistill.evaluation._cost import count_parameters, pickled_bytes, prediction_times
from skdistill.evaluation._engine import key_of
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import Cell, Fit, Problem
from skdistill.evaluation._tasks import Scoring
from skdistill.evaluation._teaching import ask_teacher
from skdistill.targets import Targets
from skdistill.targets._memory import remember
from skdistill.teachers._as_teacher import as_teacher
from skdistill.teachers._examined import examine
from skdistill.teachers._fit import is_fitted


class Asked(NamedTuple):
    """A teacher that has been asked about the rows that are learnt from.

    Attributes
    ----------
    targets : Targets
        What it says of them.
    teacher : object
        The fitted one.
    seconds : float
        What its fits and answers took; nan if it came fitted.
    n_bytes : float
        Of its pickle.
    """

    targets: Targets
    teacher: Any
    seconds: float
    n_bytes: float

    @property
    def on_train(self) -> np.ndarray | None:
        """What the fitted teacher says of these rows; None where clones of it were asked.

        A row whose class it does not know has no target, and no share of its class.
        """
        targets = self.targets
        if targets.out_of_fold:
            return None
        said = targets.values if targets.said is None else targets.said
        said = np.where(np.isnan(said), 0.0, said)
        return said[:, 0] if targets.kind == "numbers" and said.shape[1] == 1 else said


class KeptStudent(NamedTuple):
    """What is kept of a student: itself, the bytes of its pickle, and its answers by test set.

    The bytes are counted where it was fitted: a pickle that has been read again is another.
    """

    model: Any
    n_bytes: float
    answers: dict[Any, np.ndarray]


def ask_once(work: Work, model: Any, problem: Problem, seed: int, *, fitted: bool = False) -> Asked:
    """Ask a model's teacher about all rows of a problem, or find what it has said before.

    Parameters
    ----------
    work : Work
        In its memory is kept what a teacher says that has to be fitted.
    model : DistilledClassifier or DistilledRegressor
    problem : Problem
    seed : int
        Seeds the teacher, and its cross-fitting.
    fitted : bool, default=False
        Whether the model is fitted and its own teacher is wanted.
    """
    folder = None if is_fitted(model.teacher) else work.folder
    question = (model, *problem.to_learn(), problem.more, seed, fitted)
    (targets, teacher, seconds), n_bytes = remember(
        folder,
        lambda: _ask_teacher(*question),
        "" if folder is None else key_of(work.owner, *question),
    )
    return Asked(targets, teacher, seconds, n_bytes)


def _ask_teacher(
    model: Any, X: Any, y: Any, more: Any, seed: int, fitted: bool
) -> tuple[tuple[Any, Any, float], float]:
    """The targets, the fitted teacher, the seconds of its fits (nan if it came so); its bytes."""
    start = perf_counter()
    targets, teacher = ask_teacher(model, X, y, seed, of_fit=fitted, X_unlabeled=more)
    seconds = perf_counter() - start
    if is_fitted(model.teacher):
        seconds = float("nan")
    elif fitted and model.teacher_ is not None:
        seconds = model.fit_seconds_["teacher"]
    return (targets, teacher, seconds), pickled_bytes(teacher)


def keep_student(problem: Problem, cell: Cell, fit: Fit) -> KeptStudent:
    """What `run` keeps of a fitted student."""
    parts = problem.tests if cell.test is None else ["test"]
    answers = {part: fit.answer(part) for part in parts}
    return KeptStudent(fit.model, pickled_bytes(fit.model.student_), answers)


def costs(
    shipped: Any, n_bytes: float, timed: Callable[[Any], Any], X: Any, fit_seconds: float
) -> dict[str, float]:
    """``n_parameters``, ``n_bytes``, ``us_per_row``, ``us_single_row`` and ``fit_seconds``."""
    us_per_row, us_single_row = prediction_times(timed, X)
    return {
        "n_parameters": count_parameters(shipped),
        "n_bytes": n_bytes,
        "us_per_row": us_per_row,
        "us_single_row": us_single_row,
        "fit_seconds": fit_seconds,
    }


def costs_of_teacher(task: Scoring, model: Any, asked: Asked, X: Any) -> dict[str, float]:
    """See `costs`. What is timed are the bare answers, without the order of the columns."""

    def bare(X: Any) -> Any:
        return examine(as_teacher(asked.teacher, asks=task.asks), task.asks, model.device).ask(X)

    return costs(asked.teacher, asked.n_bytes, bare, X, asked.seconds)


def costs_of_student(task: Scoring, student: KeptStudent, X: Any) -> dict[str, float]:
    """See `costs`."""
    shipped, took = student.model.student_, student.model.fit_seconds_["student"]
    return costs(shipped, student.n_bytes, getattr(shipped, task.response_method), X, took)
