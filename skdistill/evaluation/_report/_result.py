"""What a report shows, on one test set and on several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from skdistill.evaluation._arm_names import CASCADE, DISTILLED, PRINTED, TEACHER
from skdistill.evaluation._report._headline import headline
from skdistill.evaluation._report._html import render_joint_page, render_page, write_page
from skdistill.evaluation._report._render import Face, render_html, render_text
from skdistill.evaluation._report._segments import side_changes
from skdistill.evaluation._tables import rows_to_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(repr=False, eq=False)
class DistillationReport:
    """What `distillation_report` returns. ``print(report)`` shows it.

    Attributes
    ----------
    rows : list of dict
        One for each arm: "teacher", "plain", "plain + temperature", "label smoothing",
        "teacher's hard labels", "distilled"; of numbers "teacher", "plain", "teacher's numbers
        alone", "distilled"; and last "cascade" where it was asked for. The keys are described in
        `distillation_report`.
    intervals : list of dict
        ``comparison`` ("distilled - plain", "distilled - (plain + temperature)", "distilled -
        teacher", and so for each arm; "(plain + temperature) - plain"; "cascade - teacher" where
        there is one), ``metric`` (accuracy, log_loss, brier; of numbers r2, mse, mae),
        ``difference`` and the ends ``low`` and ``high`` of its 95 % interval. The first three and
        the cascade's are printed.
    verdict : str
        What the intervals show, a sentence on each line.
    per_class : list of dict or None
        ``arm``, ``class``, ``precision``, ``recall``, ``f1``, ``support`` (test rows of that
        class), with the first seed. nan where a ratio is 0/0. None for numbers.
    agreement_by_group : list of dict or None
        ``group``, ``n``, ``agreement``, ``teacher_accuracy``, ``distilled_accuracy``; of numbers
        ``rmse_to_teacher``, ``teacher_rmse``, ``distilled_rmse``. With the terms averaged over the
        seeds, the largest group first. None without `groups`.
    group_gaps : list of dict or None
        ``metric``; under ``teacher``, ``plain`` and ``distilled`` the gap, which is the largest
        less the smallest rate of a group; ``difference``, the distilled student's gap less the
        teacher's, and the ends ``low`` and ``high`` of its 95 % interval. The metrics are
        accuracy and, of two classes, how often a group is given the second one: of all rows
        (selection_rate), of those that are of it (true_positive_rate) and of the others
        (false_positive_rate); of numbers mse. With the terms averaged over the seeds. nan where
        fewer than two groups have such rows. None without `groups`.
    probabilities : dict of str to ndarray of shape (n_test, n_classes), or None
        Each arm's probabilities on the test rows, with the first seed. None for numbers.
    predictions : dict of str to ndarray of shape (n_test,) or (n_test, n_outputs), or None
        Each arm's numbers on the test rows, with the first seed. None for classes.
    classes : ndarray of shape (n_classes,) or None
        The label of each column. None for numbers.
    y_index : ndarray of shape (n_test,) or None
        The positions of the test labels in `classes`. None for numbers.
    temperature : float
        The temperature of "plain + temperature". nan for numbers.
    n_seeds : int
        Fits of each student.
    settings : dict of str to dict
        What it was made with: ``model`` (the repr of each parameter), ``data`` (numbers of rows
        and classes or outputs), ``versions`` of the packages, ``machine``.
    """

    rows: list[dict[str, Any]]
    intervals: list[dict[str, Any]]
    verdict: str
    per_class: list[dict[str, Any]] | None
    agreement_by_group: list[dict[str, Any]] | None
    group_gaps: list[dict[str, Any]] | None
    probabilities: dict[str, np.ndarray] | None
    predictions: dict[str, np.ndarray] | None
    classes: np.ndarray | None
    y_index: np.ndarray | None
    temperature: float
    n_seeds: int
    settings: dict[str, dict[str, Any]]

    @property
    def headline(self) -> str:
        """Size, time and score beside teacher and plain student, and what to do, in one line."""
        return headline(self.rows, self.intervals)

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame, indexed by the arm (needs pandas).

        Returns
        -------
        frame : pandas.DataFrame
        """
        return rows_to_frame(self.rows, type(self).__name__).set_index("arm")

    def side_changes(self, threshold: float = 0.5) -> dict[str, Any]:
        """Who changes sides between teacher and distilled student (two classes only).

        A row is on the positive side when the probability of the second class is at least
        `threshold`. Of a row that changes sides exactly one of the two is right.

        Parameters
        ----------
        threshold : float, default=0.5
            In the range (0, 1).

        Returns
        -------
        changes : dict
            ``threshold``, ``positive_class``, and under ``positive_to_negative`` (the teacher
            says positive, the student negative) and ``negative_to_positive`` a dict each: ``n``,
            ``teacher_right``, ``student_right`` and ``rows``, the positions of the test rows.
            Of the first seed.
        """
        if self.probabilities is None or self.y_index is None or self.classes is None:
            raise ValueError(
                "side_changes needs the probabilities of two classes, and this is a report on "
                "numbers. Look at report.predictions."
            )
        return side_changes(
            self.probabilities[TEACHER],
            self.probabilities[DISTILLED],
            self.y_index,
            self.classes,
            threshold,
        )

    def to_html(self, path: Any) -> None:
        """Write the report with pictures and settings as one HTML page that loads nothing else.

        Without matplotlib (``pip install "skdistill[plot]"``) the page has no pictures, and says
        so.

        Parameters
        ----------
        path : str or path-like
            The file; an existing one is replaced.
        """
        write_page(partial(render_page, self), path)

    def __repr__(self) -> str:
        return render_text(self._face())

    def _repr_html_(self) -> str:
        return render_html(self._face())

    def _face(self) -> Face:
        seeds = "1 seed" if self.n_seeds == 1 else f"{self.n_seeds} seeds"
        data = self.settings["data"]
        if "classes" in data:
            counted = f"{data['classes']} classes"
        else:
            counted = "1 output" if data["outputs"] == 1 else f"{data['outputs']} outputs"
        return Face(
            rows=self.rows,
            intervals=[e for e in self.intervals if e["comparison"] in PRINTED],
            title=f"Distillation report: {data['test rows']} test rows, {counted}, {seeds}",
            headline=self.headline,
            verdict=self.verdict,
            students=[row["arm"] for row in self.rows if row["arm"] not in (TEACHER, CASCADE)],
        )


class DistillationReports(Mapping):
    """What `distillation_report` returns for several test sets. ``print(reports)`` shows it.

    A mapping: ``reports["2019"]`` is the `DistillationReport` on the test set of that name.

    Parameters
    ----------
    reports : dict of str to DistillationReport
        By the names of the test sets.
    """

    def __init__(self, reports: dict[Any, DistillationReport]) -> None:
        if not isinstance(reports, Mapping) or not all(
            isinstance(report, DistillationReport) for report in reports.values()
        ):
            raise TypeError(
                "DistillationReports holds a dict of names and reports, as distillation_report "
                f"returns them. Got {type(reports).__name__} of something else instead."
            )
        self._reports = reports

    def __getitem__(self, test_set: Any) -> DistillationReport:
        if test_set not in self._reports:
            raise KeyError(
                f"There is no report on a test set {test_set!r}; there are those on "
                f"{', '.join(map(repr, self._reports))}."
            )
        return self._reports[test_set]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of all reports, each with the name of its ``test_set`` before the arm."""
        return [{"test_set": test_set, **row} for test_set in self for row in self[test_set].rows]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame, indexed by test set and arm (needs pandas).

        Returns
        -------
        frame : pandas.DataFrame
        """
        return rows_to_frame(self.rows, type(self).__name__).set_index(["test_set", "arm"])

    def to_html(self, path: Any) -> None:
        """Write all reports as one HTML page that loads nothing else.

        The scores on all test sets stand side by side, then each report with its pictures. Costs
        and settings, which are the same for all, come once. Without matplotlib
        (``pip install "skdistill[plot]"``) the page has no pictures, and says so.

        Parameters
        ----------
        path : str or path-like
            Where; an existing file is replaced.
        """
        write_page(partial(render_joint_page, self), path)

    def __repr__(self) -> str:
        return "\n\n\n".join(map(render_text, self._faces()))

    def _repr_html_(self) -> str:
        return "".join(map(render_html, self._faces()))

    def _faces(self) -> Iterator[Face]:
        """What each report shows; the costs, which are the same for all, once."""
        for i, (test_set, report) in enumerate(self.items()):
            face = report._face()
            yield face._replace(title=f"Test set {test_set}. {face.title}", costs=i == 0)
