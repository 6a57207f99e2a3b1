"""The figures that the rules read, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from skdistill.evaluation._diagnosis._measure import Evidence
from skdistill.evaluation._tasks import ClassScoring, Scoring
from skdistill.targets import fit_temperature
from skdistill.teachers._clip import apply_temperature, log_probabilities

#: A difference counts if it is more than this many of its standard errors.
N_ERRORS = 2.0
#: Fewer rows than this have no standard error worth the name: they show nothing.
MIN_ROWS = 10


class Figure(NamedTuple):
    """A mean over rows, or a difference of two, and its standard error."""

    value: float
    error: float

    @property
    def is_positive(self) -> bool:
        """Whether it is shown to be above 0."""
        return self.value > N_ERRORS * self.error

    @property
    def is_negative(self) -> bool:
        """Whether it is shown to be below 0."""
        return -self.value > N_ERRORS * self.error


@dataclass(frozen=True)
class Figures:
    """What the rules read.

    The losses are log-losses in nats. Of numbers they are squared errors in units of the variance
    of the training rows' numbers, so that a constant loses about 1.

    Attributes
    ----------
    student_train, student_test, teacher_train, teacher_test, plain_test : Figure
        Losses. The teacher's on the training rows is that of the targets.
    class_rates : Figure
        Loss, on the test rows, of the class rates or the mean of the training rows.
    kl_train, kl_test : Figure
        KL(teacher ‖ student), of numbers their squared distance; on the training rows that to the
        targets.
    excess : Figure
        Student minus teacher, test rows, paired.
    excess_train : Figure
        Student on its training rows minus teacher on the test rows.
    gap, teacher_gap : Figure
        Test minus training rows, of the student and of the teacher.
    lead : Figure
        Plain student minus teacher, test rows, paired.
    gain : Figure
        Plain student minus student, test rows, paired.
    kept : float
        The student's share of what the teacher knows beyond the class rates.
    teacher_ece : float
        Calibration error of the teacher on the test rows.
    calibrated : Figure
        Teacher minus the teacher softened by the temperature of its training rows, test rows.
    task : type, default=ClassScoring
        What is predicted.
    """

    student_train: Figure
    student_test: Figure
    teacher_train: Figure
    teacher_test: Figure
    plain_test: Figure
    class_rates: Figure
    kl_train: Figure
    kl_test: Figure
    excess: Figure
    excess_train: Figure
    gap: Figure
    teacher_gap: Figure
    lead: Figure
    gain: Figure
    kept: float
    teacher_ece: float
    calibrated: Figure
    task: type[Scoring] = ClassScoring

    @property
    def loss(self) -> str:
        """What the loss is called."""
        return self.task.loss_name

    @property
    def distance(self) -> str:
        """What the distance of student and teacher is called."""
        return self.task.distance_name


def compute_figures(evidence: Evidence) -> Figures:
    """Reduce evidence to figures.

    Parameters
    ----------
    evidence : Evidence
        Those of student, teacher and plain student.

    Returns
    -------
    figures : Figures
    """
    task, y_train, y = evidence.task, evidence.y_train, evidence.y_test
    teacher = evidence.teacher_test
    unit = task.unit(y_train)
    losses = partial(task.floored_losses, unit=unit)
    distances = partial(task.floored_distances, unit=unit)
    told = ~np.isnan(evidence.teacher_train.reshape(len(y_train), -1)).any(axis=1)
    taught = evidence.teacher_train[told]
    calibrated = task.calibrated(teacher, evidence.teacher_temperature)

    student = losses(y, evidence.student_test)
    student_train = losses(y_train, evidence.student_train)
    teacher_test = losses(y, teacher)
    teacher_train = losses(y_train[told], taught)
    plain = losses(y, evidence.plain_test)
    prior = losses(y, task.constant(y_train, len(y)))
    known = prior.mean() - teacher_test.mean()
    return Figures(
        student_train=mean(student_train),
        student_test=mean(student),
        teacher_train=mean(teacher_train),
        teacher_test=mean(teacher_test),
        plain_test=mean(plain),
        class_rates=mean(prior),
        kl_train=mean(distances(taught, evidence.student_train[told])),
        kl_test=mean(distances(teacher, evidence.student_test)),
        excess=mean(student - teacher_test),
        excess_train=difference(student_train, teacher_test),
        gap=difference(student, student_train),
        teacher_gap=difference(teacher_test, teacher_train),
        lead=mean(plain - teacher_test),
        gain=mean(plain - student),
        kept=float((prior.mean() - student.mean()) / known) if known > 0 else np.nan,
        teacher_ece=task.calibration_error(y, teacher),
        calibrated=mean(teacher_test - losses(y, calibrated)),
        task=type(task),
    )


def beyond_controls(evidence: Evidence) -> dict[str, Figure]:
    """Log-loss of each control minus the student's, test rows, paired.

    Parameters
    ----------
    evidence : Evidence
        Those of student and plain student.

    Returns
    -------
    beyond : dict
        Empty for numbers, which have no labels to soften. "temperature": the plain student
        softened by the one temperature that suits the test rows best, the most that calibration
        could give. "smoothing": the label-smoothed student.
    """
    if np.isnan(evidence.teacher_temperature):
        return {}
    y, losses = evidence.y_test, partial(evidence.task.floored_losses, unit=1.0)
    best = fit_temperature(log_probabilities(evidence.plain_test), y)
    student = losses(y, evidence.student_test)
    controls = {
        "temperature": apply_temperature(evidence.plain_test, best),
        "smoothing": evidence.smooth(),
    }
    return {name: mean(losses(y, p) - student) for name, p in controls.items()}


def mean(terms: np.ndarray) -> Figure:
    """The mean of terms of rows, and its standard error (nan for fewer than `MIN_ROWS`)."""
    error = np.std(terms, ddof=1) / np.sqrt(len(terms)) if len(terms) >= MIN_ROWS else np.nan
    return Figure(float(np.mean(terms)), float(error))


def difference(terms: np.ndarray, others: np.ndarray) -> Figure:
    """The difference of the means over two sets of rows, and its standard error."""
    a, b = mean(terms), mean(others)
    return Figure(a.value - b.value, float(np.hypot(a.error, b.error)))
