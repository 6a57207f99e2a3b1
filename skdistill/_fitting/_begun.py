"""A fit between two of its stages, as a value: prepared, and begun; and its clock."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sklearn.pipeline import Pipeline

from skdistill._fitting._fit_rows import Rows
from skdistill._unwrap import ending_in


class Clock:
    """Measures what the seconds of a fit go into: `fit_seconds_`.

    A part that is measured within another counts for itself alone.
    """

    def __init__(self) -> None:
        self._seconds = {"teacher": 0.0, "student": 0.0}
        self._running: list[str] = []
        self._since = 0.0

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Measure the block, as some part of a fit."""
        self._count()
        self._running.append(part)
        try:
            yield
        finally:
            self._count()
            self._running.pop()

    def add(self, part: str, seconds: float) -> None:
        """Add seconds that were measured elsewhere."""
        self._seconds[part] = self._seconds.get(part, 0.0) + seconds

    def read(self) -> dict[str, float]:
        """Return the seconds of each part, up to now."""
        self._count()
        return dict(self._seconds)

    def _count(self):
        now = time.perf_counter()
        if self._running:
            self.add(self._running[-1], now - self._since)
        self._since = now


class Prepared(NamedTuple):
    """What a fit has made before its teacher is asked.

    Attributes
    ----------
    rows : Rows
    student : Pipeline
        Its preprocessing is fitted, its net is made and has read a few rows.
    parts : list of {ndarray, CSR matrix}
        The rows as the net reads them.
    """

    rows: Rows
    student: Pipeline
    parts: list


class Begun(NamedTuple):
    """A fit of which all is done but the training of the student.

    Attributes
    ----------
    estimator : estimator
        Itself, with its fitted steps where it is a Pipeline.
    model : DistilledClassifier or DistilledRegressor
        Its last step.
    student : Pipeline
    rows : Rows
    targets : Targets or None
    lesson : Lesson
    clock : Clock
    """

    estimator: Any
    model: Any
    student: Pipeline
    rows: Rows
    targets: Any
    lesson: Any
    clock: Clock

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return sum(self.clock.read().values())

    def learn(self) -> Any:
        """Train the student alone, and end the fit; return the fitted estimator."""
        self.lesson.learn()
        return self.end()

    def end(self, seconds: float = 0.0) -> Any:
        """Return the fitted estimator, whose student has learnt the lesson.

        Parameters
        ----------
        seconds : float, default=0.0
            How long that has taken, where the clock does not know.
        """
        self.clock.add("student", seconds)
        self.model._keep_student(self.student, self.lesson.learner, self.rows)
        self.model.fit_seconds_ = self.clock.read()
        return self.estimator

    def warn_if_known(self) -> None:
        """Warn of a teacher that came fitted on the very rows, when the fit has ended."""
        teacher, targets = self.rows.teacher, self.targets
        if targets is not None and teacher is not None and teacher.is_fitted:
            self.rows.task.warn_if_known(targets, self.model.history_)

    def with_student(self, learner: Any) -> Any:
        """Return a fitted estimator like this one's, with a learner that has learnt the lesson.

        Parameters
        ----------
        learner : object
            In place of the one that the lesson is for.

        Returns
        -------
        estimator
        """
        model = copy.copy(self.model)
        model._keep_student(ending_in(self.student, learner), learner, self.rows)
        return ending_in(self.estimator, model)
