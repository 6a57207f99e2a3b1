"""The figures that the rules read, each with its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from skdistill.evaluation._diagnosis._measure import Evidence
from skdistill.evaluation._metrics import calibration_error, row_terms
from skdistill.targets import fit_temperature
from skdistill.targets._warnings import FLOOR
from skdistill.teachers._clip import apply_temperature, log_probabilities

N_BINS = 15

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
    of_numbers : bool, default=False
        Whether numbers are predicted, and no classes.
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
    of_numbers: bool = False

    @property
    def loss(self) -> str:
        """What the loss is called."""
        return "squared error" if self.of_numbers else "log-loss"

    @property
    def distance(self) -> str:
        """What the distance of student and teacher is called."""
        return "The squared distance" if self.of_numbers else "KL"


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
    y_train, y, teacher = evidence.y_train, evidence.y_test, evidence.teacher_test
    variance = np.var(y_train) if evidence.of_numbers else None
    losses = partial(row_losses, variance=variance)
    distances = partial(row_distances, variance=variance)
    told = ~np.isnan(evidence.teacher_train.reshape(len(y_train), -1)).any(axis=1)
    taught = evidence.teacher_train[told]
    if evidence.of_numbers:
        constant, calibrated, ece = np.full(len(y), y_train.mean()), teacher, np.nan
    else:
        rates = np.bincount(y_train, minlength=teacher.shape[1]) / len(y_train)
        constant = np.tile(rates, (len(y), 1))
        calibrated = apply_temperature(teacher, evidence.teacher_temperature)
        ece = calibration_error(y, teacher, n_bins=N_BINS)

    student = losses(y, evidence.student_test)
    student_train = losses(y_train, evidence.student_train)
    teacher_test = losses(y, teacher)
    teacher_train = losses(y_train[told], taught)
    plain = losses(y, evidence.plain_test)
    prior = losses(y, constant)
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
        teacher_ece=ece,
        calibrated=mean(teacher_test - losses(y, calibrated)),
        of_numbers=evidence.of_numbers,
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
    if evidence.of_numbers:
        return {}
    y = evidence.y_test
    best = fit_temperature(log_probabilities(evidence.plain_test), y)
    student = row_losses(y, evidence.student_test)
    controls = {
        "temperature": apply_temperature(evidence.plain_test, best),
        "smoothing": evidence.smooth(),
    }
    return {name: mean(row_losses(y, p) - student) for name, p in controls.items()}


def row_losses(y: np.ndarray, answer: np.ndarray, variance: float | None = None) -> np.ndarray:
    """-log p_y of each row, p at least `FLOOR`: a forest's exact zeros shall not decide.

    With a variance the squared error of numbers, in units of it.
    """
    if variance is not None:
        return (y - answer) ** 2 / variance
    return row_terms(y, np.maximum(answer, FLOOR), answer)["log_loss"]


def row_distances(p: np.ndarray, q: np.ndarray, variance: float | None = None) -> np.ndarray:
    """KL(p ‖ q) of each row, q at least `FLOOR`; with a variance that of numbers, squared."""
    if variance is not None:
        return row_losses(p, q, variance)
    return row_terms(np.zeros(len(p), dtype=int), np.maximum(q, FLOOR), p)["kl"]


def mean(terms: np.ndarray) -> Figure:
    """The mean of terms of rows, and its standard error (nan for fewer than `MIN_ROWS`)."""
    error = np.std(terms, ddof=1) / np.sqrt(len(terms)) if len(terms) >= MIN_ROWS else np.nan
    return Figure(float(np.mean(terms)), float(error))


def difference(terms: np.ndarray, others: np.ndarray) -> Figure:
    """The difference of the means over two sets of rows, and its standard error."""
    a, b = mean(terms), mean(others)
    return Figure(a.value - b.value, float(np.hypot(a.error, b.error)))
