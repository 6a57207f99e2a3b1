"""Was the distillation worth it? Teacher and students side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from skdistill.evaluation._arm_names import COMPARISONS, DISTILLED, PLAIN, SCALED, TEACHER
from skdistill.evaluation._checks import check_n_jobs
from skdistill.evaluation._engine import Problem
from skdistill.evaluation._memorised import warn_if_memorised
from skdistill.evaluation._report._arms import Arms, run_arms
from skdistill.evaluation._report._checks import ReportInput, check_test_sets
from skdistill.evaluation._report._html import render_joint_page, render_page, write_page
from skdistill.evaluation._report._render import render_html, render_text
from skdistill.evaluation._report._scoring import (
    distilled_differences,
    mean_terms,
    per_class,
    score_arm,
)
from skdistill.evaluation._report._segments import by_group, side_changes
from skdistill.evaluation._report._settings import describe_settings
from skdistill.evaluation._report._verdict import number_verdict, verdict_sentences
from skdistill.evaluation._tables import rows_to_frame
from skdistill.evaluation._tasks import NumberScoring
from skdistill.targets._memory import open_memory

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
        alone", "distilled". The keys are described in `distillation_report`.
    intervals : list of dict
        ``comparison`` ("distilled - plain", "distilled - (plain + temperature)", "distilled -
        teacher"), ``metric`` (accuracy, log_loss, brier; of numbers mse, mae), ``difference`` and
        the ends ``low`` and ``high`` of its 95 % interval.
    verdict : str
        What the intervals show, a sentence on each line.
    per_class : list of dict or None
        ``arm``, ``class``, ``precision``, ``recall``, ``f1``, ``support`` (test rows of that
        class), with the first seed. nan where a ratio is 0/0. None for numbers.
    agreement_by_group : list of dict or None
        ``group``, ``n``, ``agreement``, ``teacher_accuracy``, ``distilled_accuracy``; of numbers
        ``rmse_to_teacher``, ``teacher_rmse``, ``distilled_rmse``. With the terms averaged over the
        seeds, the largest group first. None without `groups`.
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
    probabilities: dict[str, np.ndarray] | None
    predictions: dict[str, np.ndarray] | None
    classes: np.ndarray | None
    y_index: np.ndarray | None
    temperature: float
    n_seeds: int
    settings: dict[str, dict[str, Any]]

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

        Without matplotlib (``pip install skdistill[plot]``) the page has no pictures, and says so.

        Parameters
        ----------
        path : str or path-like
            The file; an existing one is replaced.
        """
        write_page(partial(render_page, self), path)

    def __repr__(self) -> str:
        return render_text(**self._face())

    def _repr_html_(self) -> str:
        return render_html(**self._face())

    def _face(self) -> dict[str, Any]:
        seeds = "1 seed" if self.n_seeds == 1 else f"{self.n_seeds} seeds"
        data = self.settings["data"]
        if "classes" in data:
            counted = f"{data['classes']} classes"
        else:
            counted = "1 output" if data["outputs"] == 1 else f"{data['outputs']} outputs"
        return {
            "rows": self.rows,
            "intervals": self.intervals,
            "title": f"Distillation report: {data['test rows']} test rows, {counted}, {seeds}",
            "verdict": self.verdict,
            "students": [row["arm"] for row in self.rows if row["arm"] != TEACHER],
        }


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
        (``pip install skdistill[plot]``) the page has no pictures, and says so.

        Parameters
        ----------
        path : str or path-like
            Where; an existing file is replaced.
        """
        write_page(partial(render_joint_page, self), path)

    def __repr__(self) -> str:
        return "\n\n\n".join(render_text(**face) for face in self._faces())

    def _repr_html_(self) -> str:
        return "".join(render_html(**face) for face in self._faces())

    def _faces(self) -> Iterator[dict[str, Any]]:
        """What each report shows; the costs, which are the same for all, once."""
        for i, (test_set, report) in enumerate(self.items()):
            face = report._face()
            yield {**face, "title": f"Test set {test_set}. {face['title']}", "costs": i == 0}


def distillation_report(
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    n_seeds: int = 1,
    groups: Any = None,
    n_jobs: int | None = None,
    verbose: int | None = None,
    memory: Any = None,
) -> DistillationReport | DistillationReports:
    """Compare teacher, plain, calibrated, label-smoothed and distilled student on test rows.

    All students are fits of the same recipe with the same budget; only the targets differ:

    - ``teacher``: the fitted teacher;
    - ``plain``: hard labels alone (alpha = 0);
    - ``plain + temperature``: the same fit, its probabilities softened by one temperature. That
      is fitted on the training rows, each third predicted by a plain fit on the other two;
    - ``label smoothing``: cross-entropy with 0.9 of the weight on the label and 0.1 spread
      evenly over all classes;
    - ``teacher's hard labels``: cross-entropy with the class that the teacher names;
    - ``distilled``: the model.

    Of a DistilledRegressor the arms are ``teacher``, ``plain``, ``teacher's numbers alone`` (alpha
    = 1) and ``distilled``. No arm is given a test label.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With a teacher, fitted or not. A fitted model with ``n_seeds=1`` is itself the arm
        "distilled", and nothing of it is fitted again; `X_train` and `y_train` must then be the
        rows of its fit, in their order. For the arm "teacher's hard labels" the teacher's answers
        are computed once: a fitted teacher is asked, an unfitted one is cross-fitted. Otherwise
        the targets are computed once for all seeds, and the model is left as it is. It is never
        changed.
    X_train, y_train : array-like of shape (n_train, ...) and (n_train,)
        Rows, and labels or numbers, that every student learns from; numbers of several outputs
        have the shape (n_train, n_outputs).
    X_test, y_test : array-like of shape (n_test, ...) and (n_test,), or dicts of such
        Rows and labels that are scored. Classes may be missing, unknown ones may not occur. Two
        dicts with the same names are several test sets: every student is fitted once and scored
        on each. The first set is the one on which the costs are measured.
    n_seeds : int, default=1
        Fits of every student, with the seeds ``random_state + i`` (from 0 where `random_state`
        of the model is no int). The teacher is fitted once.
    groups : array-like of shape (n_test,), or dict of such, default=None
        A segment of each test row, for `DistillationReport.agreement_by_group`. With several
        test sets a dict; it may leave sets out.
    n_jobs : int, default=None
        Fits at a time, through joblib. The scores do not depend on it; `fit_seconds` do, where
        fits share the processors. Predictions are timed afterwards, one arm after the other.
    verbose : int, default=None
        1 prints a line for every fit, with the time that is left. None is the model's `verbose`.
    memory : str or joblib.Memory, default=None
        A folder in which every finished fit is kept, that of an unfitted teacher too, and found
        again by the content of rows, model and seed: a call that was interrupted goes on where it
        was.

    Returns
    -------
    report : DistillationReport, or DistillationReports for several test sets
        The latter maps the name of each test set to its DistillationReport. ``rows`` hold for
        each arm the mean over the seeds of

        - ``arm``: its name;
        - ``accuracy``: of the class with the largest probability, as in all that follows;
        - ``log_loss``: scikit-learn's, in nats;
        - ``brier``: mean over the rows of the sum over the classes of (p - [c = y])², in [0, 2]:
          `sklearn.metrics.brier_score_loss` with ``scale_by_half=False``;
        - ``ece``: `expected_calibration_error`, 15 bins;
        - ``roc_auc``, ``average_precision``: of the second class, with more than two classes
          the mean over the classes, each against the rest; nan where a class has no test row;
        - ``agreement``, ``kl``: `agreement` with the teacher and `kl_to_teacher`;
        - ``n_parameters``: learned numbers (nodes of trees), nan where not counted;
        - ``n_bytes``: the pickle of what would be shipped, ``teacher_`` or ``student_``;
        - ``us_per_row``, ``us_single_row``: microseconds of `predict_proba` per row in a batch
          of all test rows, and for a call with one row (median);
        - ``fit_seconds``: a student's own training; the teacher's with its cross-fitting stand
          in the row of the teacher, nan for a teacher that came fitted;

        of a regressor in the place of the scores

        - ``r2``: `sklearn.metrics.r2_score`, of several outputs the mean;
        - ``mse``, ``mae``: mean squared and mean absolute error, in the units of y if it has one
          output. Of several, each is divided by its standard deviation over the training rows,
          and all count alike;
        - ``rmse_to_teacher``: root of the mean squared distance to the teacher, in these units;

        and with ``n_seeds > 1`` the standard deviation over the seeds (ddof=1) under
        ``<name>_std``, nan for the teacher.

    Raises
    ------
    TypeError
        When `model` is no distilled estimator.
    ValueError
        For rows, labels and settings that do not fit, and for a recipe that `fit` would refuse,
        before anything is trained. Of a fitted model also when the features, the classes or the
        labels are not those of its fit.

    Warns
    -----
    TeacherWarning
        When the targets are no out-of-fold ones (a fitted teacher, or ``cv="in-sample"``) and
        the teacher's log-loss on the training rows is below half of that on the test rows, by
        more than two standard errors of the latter: it has memorised the rows that it teaches.
        Of several test sets the first is looked at.

    Notes
    -----
    The intervals are percentile intervals of 2000 paired bootstrap resamples of the test rows,
    their terms averaged over the seeds: they hold the draw of the test rows. The margin of "not
    inferior" is 0.5 points of accuracy. A temperature that is fitted on few rows is noisy and can
    do harm, so the verdict speaks of a gain beyond calibration only where distilled has the lower
    log-loss with and without it. Of numbers the margin is a squared error of 0.01 of the variance
    of the test targets, which is 0.01 of R²: a share of what is to be predicted, as accuracy is of
    the rows, and not of the teacher's own error, which for a very good one no student could meet.
    Sample weights, and the groups of a splitter, are not passed on.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import distillation_report
    >>> X, y = make_classification(400, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(20, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=10),
    ...     random_state=0,
    ... )
    >>> report = distillation_report(model, X[:300], y[:300], X[300:], y[300:])
    >>> [row["arm"] for row in report.rows][:3]
    ['teacher', 'plain', 'plain + temperature']
    >>> sorted(report.side_changes())
    ['negative_to_positive', 'positive_class', 'positive_to_negative', 'threshold']
    """
    check_n_jobs("distillation_report", n_jobs)
    open_memory(memory)
    sets = check_test_sets(model, X_train, y_train, X_test, y_test, n_seeds, groups)
    given = next(iter(sets.values()))
    base = int(model.random_state) if isinstance(model.random_state, int | np.integer) else 0
    tests = {test_set: (of_set.X_test, None) for test_set, of_set in sets.items()}
    arms = run_arms(
        model,
        Problem(given.X_train, given.y_train, given.task, tests),
        seeds=[base + i for i in range(n_seeds)],
        fitted=given.fitted,
        n_jobs=n_jobs,
        verbose=model.verbose if verbose is None else verbose,
        memory=memory,
    )
    reports = {}
    for name, of_set in sets.items():
        reports[name] = _score(model, arms, name, of_set, n_seeds, base, is_first=of_set is given)
    return DistillationReports(reports) if isinstance(X_test, Mapping) else reports[name]


def _score(
    model: Any,
    arms: Arms,
    test_set: Any,
    given: ReportInput,
    n_seeds: int,
    seed: int,
    *,
    is_first: bool,
) -> DistillationReport:
    """Hold the arms against the labels, or numbers, of one test set."""
    encoded, runs, task = given.test_index, arms.runs[test_set], given.task
    answers = {name: own[0].answers for name, own in runs.items()}
    teacher = answers[TEACHER]
    terms = {name: mean_terms(task, own, encoded, teacher) for name, own in runs.items()}
    if is_first and arms.teacher_on_train is not None:  # another set may be harder as it is
        on_train = task.losses(given.train_index, arms.teacher_on_train)
        warn_if_memorised(task, on_train, task.losses(encoded, teacher))
    rows = [score_arm(task, name, own, encoded, teacher, n_seeds) for name, own in runs.items()]
    intervals = distilled_differences(task, terms, seed)
    scores = {row["arm"]: row for row in rows}
    helps = any(
        scores[TEACHER][metric] < scores[PLAIN][metric]
        for metric in task.compared
        if metric not in task.higher_is_better
    )
    if isinstance(task, NumberScoring):
        sentences = number_verdict(
            intervals[TEACHER]["mse"],
            intervals[PLAIN]["mse"],
            variance=task.variance(encoded),
            teacher_helps=helps,
            n_seeds=n_seeds,
        )
    else:
        sentences = verdict_sentences(
            intervals[TEACHER],
            intervals[PLAIN],
            intervals[SCALED],
            teacher_helps=helps,
            n_seeds=n_seeds,
        )
    segments = None
    if given.groups is not None:
        describe = partial(task.segment, terms[TEACHER], terms[DISTILLED])
        segments = by_group(given.groups, describe)
    of_classes = not task.regresses
    return DistillationReport(
        rows=rows,
        intervals=[
            {"comparison": COMPARISONS[arm], "metric": metric, **interval._asdict()}
            for arm, by_metric in intervals.items()
            for metric, interval in by_metric.items()
        ],
        verdict="\n".join(sentences),
        per_class=per_class(answers, encoded, given.classes) if of_classes else None,
        agreement_by_group=segments,
        probabilities=answers if of_classes else None,
        predictions=None if of_classes else answers,
        classes=given.classes if of_classes else None,
        y_index=encoded if of_classes else None,
        temperature=arms.temperature,
        n_seeds=n_seeds,
        settings=describe_settings(model, given),
    )
