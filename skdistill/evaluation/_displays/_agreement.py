"""Agreement of teacher and student, class by class."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

from skdistill.evaluation._arm_names import DISTILLED, TEACHER
from skdistill.evaluation._displays._base import Display, check_axes, check_table
from skdistill.evaluation._displays._probabilities import (
    estimator_probabilities,
    report_probabilities,
)
from skdistill.evaluation._plots._agreement import (
    agreement_by_class,
    draw_agreement,
    figure_height,
)

_KEYS = ("class", "n", "agreement", "agreement_low", "teacher_accuracy", "student_accuracy")


class AgreementDisplay(Display):
    """Where teacher and student part: agreement and accuracies by class, the lowest at the top.

    Make one with `from_estimator`, `from_predictions`, `from_report` or `from_result`. Of more than
    40 classes those with the lowest agreement are drawn. A new figure is higher with more classes.

    Parameters
    ----------
    rows : list of dict
        What `agreement_by_class` returns.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Classes against shares of their rows.
    figure_ : matplotlib.figure.Figure
        Its figure.

    See Also
    --------
    skdistill.evaluation.agreement_by_class : The numbers alone; needs no matplotlib.

    Examples
    --------
    >>> from skdistill.evaluation import AgreementDisplay
    >>> teacher = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]
    >>> student = [[0.6, 0.4], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]]
    >>> display = AgreementDisplay.from_predictions([0, 0, 1, 1], teacher, student)
    >>> display.ax_.get_xlabel()
    'share of the rows of the class'
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        check_table("AgreementDisplay", rows, _KEYS, "agreement_by_class")
        self.rows = rows

    @classmethod
    def from_predictions(
        cls, y_true: Any, teacher_proba: Any, y_proba: Any, *, labels: Any = None, ax: Any = None
    ) -> Self:
        """Draw the agreement of given probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        teacher_proba : array-like of shape (n_samples, n_classes)
            The teacher's probabilities.
        y_proba : array-like of shape (n_samples, n_classes)
            The student's probabilities, with the same columns.
        labels : array-like of shape (n_classes,), default=None
            The label of each column. None: the sorted labels of `y_true`.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : AgreementDisplay
        """
        compute = partial(agreement_by_class, y_true, teacher_proba, y_proba, labels=labels)
        return cls._compute_and_plot(compute, ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Any = None) -> Self:
        """Draw the agreement of a DistilledClassifier with its teacher.

        Parameters
        ----------
        estimator : DistilledClassifier
            A fitted one, with a teacher.
        X : array-like of shape (n_samples, ...)
            Rows that neither teacher nor student was fitted on.
        y : array-like of shape (n_samples,)
            Their labels.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : AgreementDisplay
        """
        check_axes(ax, cls.__name__)
        answers = estimator_probabilities(estimator, X, y)
        if TEACHER not in answers:
            raise ValueError(
                f"The estimator must be a DistilledClassifier with a teacher. Got "
                f"{type(estimator).__name__} without one; pass the probabilities of both to "
                "AgreementDisplay.from_predictions."
            )
        teacher, student = answers[TEACHER], answers[DISTILLED]
        return cls.from_predictions(y, teacher, student, labels=estimator.classes_, ax=ax)

    @classmethod
    def from_report(cls, report: Any, *, arm: str = DISTILLED, ax: Any = None) -> Self:
        """Draw the agreement of an arm of a report with the teacher, on its test rows.

        Parameters
        ----------
        report : DistillationReport
            What `distillation_report` returns.
        arm : str, default="distilled"
            Which of its arms.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : AgreementDisplay
        """
        answers = report_probabilities("AgreementDisplay", report, [TEACHER, arm])
        y_true = report.classes[report.y_index]
        return cls.from_predictions(
            y_true, answers[TEACHER], answers[arm], labels=report.classes, ax=ax
        )

    def _figsize(self) -> tuple[float, float]:
        return 6.4, figure_height(self.rows)

    def _draw(self, ax: Any) -> None:
        draw_agreement(ax, self.rows)
