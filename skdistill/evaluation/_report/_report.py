"""Was the distillation worth it? Teacher and students side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from skdistill.evaluation._arguments import check_int
from skdistill.evaluation._arm_names import (
    CASCADE,
    COMPARISONS,
    DISTILLED,
    PLAIN,
    TEACHER,
)
from skdistill.evaluation._memorised import warn_if_memorised
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import Problem
from skdistill.evaluation._read_problem import read_problem, read_unlabelled
from skdistill.evaluation._recipes import check_distilled, check_recipe, seed_of
from skdistill.evaluation._report._arms import Arms, run_arms
from skdistill.evaluation._report._cascade import read_held_back
from skdistill.evaluation._report._group_gaps import ARMS, group_gaps
from skdistill.evaluation._report._result import DistillationReport, DistillationReports
from skdistill.evaluation._report._scoring import (
    differences,
    mean_terms,
    per_class,
    score_arm,
)
from skdistill.evaluation._report._segments import by_group, rows_of_groups
from skdistill.evaluation._report._settings import describe_settings
from skdistill.evaluation._report._test_sets import pair_test_sets, read_groups
from skdistill.evaluation._rows_of_fit import check_rows_of_fit
from skdistill.evaluation._verdict import cascade_sentences
from skdistill.teachers._fit import is_fitted

OWNER = "distillation_report"


def distillation_report(
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    X_unlabeled: Any = None,
    n_seeds: int = 1,
    groups: Any = None,
    cascade: Any = None,
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
    - ``distilled``: the model;
    - ``cascade``, where `cascade` is given: the model where it is sure, the teacher elsewhere.

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
        have the shape (n_train, n_outputs). Where `X_train` is a dict of inputs, so is `X_test`, or
        each of several.
    X_test, y_test : array-like of shape (n_test, ...) and (n_test,), or dicts of such
        Rows and labels that are scored. Classes may be missing, unknown ones may not occur. Two
        dicts with the same names are several test sets: every student is fitted once and scored
        on each. The first set is the one on which the costs are measured.
    X_unlabeled : array-like of shape (n_unlabeled, ...) or Unlabeled, default=None
        Rows without labels that the students of a teacher learn from too, as in `fit`: distilled,
        and those of the teacher's hard labels or numbers. To a fitted model pass those of its fit.
    n_seeds : int, default=1
        Fits of every student, with the seeds ``random_state + i`` (from 0 where `random_state`
        of the model is no int). The teacher is fitted once.
    groups : array-like of shape (n_test,), or dict of such, default=None
        A segment of each test row, for `DistillationReport.agreement_by_group` and `group_gaps`:
        a region, or a sensitive feature. With several test sets a dict; it may leave sets out.
    cascade : tuple (X, y), default=None
        Rows and labels that no student learns from and none is tested on, for one more arm: a
        `TunedCascadeClassifier` of the distilled student and the teacher. They choose below which
        margin a row goes to the teacher, so that the accuracy is within 0.005 of the teacher's
        with 95 % confidence. The teacher is asked about them once, and no second time about a test
        row. Classes only.
    n_jobs : int, default=None
        Fits at a time, through joblib. The scores do not depend on it; `fit_seconds` do, where
        fits share the processors. Predictions are timed afterwards, one arm after the other.
    verbose : int, default=None
        1 shows how far it is, by fits, with the time that is left. None is the model's `verbose`.
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
        - ``deferred_share``: the share of rows that the teacher is asked about, where there is a
          cascade;
        - ``n_parameters``: learned numbers (nodes of trees), nan where not counted;
        - ``n_bytes``: the pickle of what would be shipped, ``teacher_`` or ``student_``;
        - ``us_per_row``, ``us_single_row``: microseconds of `predict_proba` per row in a batch
          of all test rows, and for a call with one row (median);
        - ``fit_seconds``: a student's own training; the teacher's with its cross-fitting stand
          in the row of the teacher, nan for a teacher that came fitted. The cascade is as large
          as student and teacher, and takes the time of the student and its share of the teacher's;

        of a regressor in the place of the scores

        - ``r2``: `sklearn.metrics.r2_score`, of several outputs the mean;
        - ``rmse``, ``mae``: root mean squared and mean absolute error, in the units of y if it
          has one output, and ``mse``, the square of the first. Of several outputs each is divided
          by its standard deviation over the training rows, and all count alike;
        - ``rmse_to_teacher``: root of the mean squared distance to the teacher, in these units;

        and with ``n_seeds > 1`` the standard deviation over the seeds (ddof=1) under
        ``<name>_std``, nan for the teacher.

    Raises
    ------
    TypeError
        When `model` is no distilled estimator, or `cascade` no pair.
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
    log-loss with and without it. Of numbers the margin is 0.01 of R², which is a squared error of
    0.01 of the variance of the test targets: a share of what is to be predicted, as accuracy is of
    the rows, and not of the teacher's own error, which for a very good one no student could meet.
    Sample weights, and the groups of a splitter, are not passed on.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import distillation_report
    >>> X, y = make_classification(300, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> report = distillation_report(model, X[:200], y[:200], X[200:], y[200:])
    >>> [row["arm"] for row in report.rows][:3]
    ['teacher', 'plain', 'plain + temperature']
    >>> sorted(report.side_changes())
    ['negative_to_positive', 'positive_class', 'positive_to_negative', 'threshold']
    """
    check_distilled(OWNER, model)
    work = Work(OWNER, n_jobs, model.verbose if verbose is None else verbose, memory)
    tests, segments = pair_test_sets(X_test, y_test, groups, X_train)
    check_int(OWNER, "n_seeds", n_seeds)
    problem = read_problem(OWNER, model, X_train, y_train, tests)
    if X_unlabeled is not None:
        problem = replace(problem, more=read_unlabelled(model, problem.X, X_unlabeled))
    fitted = n_seeds == 1 and is_fitted(model)
    if fitted:
        check_rows_of_fit(model, problem.X, problem.y)
    segments = {
        name: read_groups(of_set, len(problem.tests[name][1]))
        for name, of_set in segments.items()
        if of_set is not None
    }
    held_back = None if cascade is None else read_held_back(model, problem, cascade)
    if not fitted:
        held = {} if held_back is None else {"cascade[0]": held_back.X}
        check_recipe(model, *problem.to_learn(), problem.asked | held)
    base = seed_of(model)
    arms = run_arms(
        work,
        model,
        replace(problem, tests={name: (X, None) for name, (X, _) in problem.tests.items()}),
        seeds=[base + i for i in range(n_seeds)],
        fitted=fitted,
        held_back=held_back,
    )
    if arms.teacher_on_train is not None:  # another set than the first may be harder as it is
        task, first = problem.task, next(iter(tests))
        warn_if_memorised(
            task,
            task.losses(task.encode(problem.y), arms.teacher_on_train),
            task.losses(task.encode(problem.tests[first][1]), arms.runs[TEACHER][0].answers[first]),
        )
    reports = {
        name: _score(
            model,
            arms,
            problem,
            name,
            segments.get(name),
            n_seeds,
            base,
            fitted=fitted,
            n_held_back=None if held_back is None else len(held_back.encoded),
        )
        for name in tests
    }
    return DistillationReports(reports) if isinstance(y_test, Mapping) else reports["test"]


def _score(
    model: Any,
    arms: Arms,
    problem: Problem,
    test_set: Any,
    groups: list[Any] | None,
    n_seeds: int,
    seed: int,
    *,
    fitted: bool,
    n_held_back: int | None,
) -> DistillationReport:
    """Hold the arms against the labels, or numbers, of one test set."""
    runs, task = arms.runs, problem.task
    encoded = task.encode(problem.tests[test_set][1])
    answers = {name: own[0].answers[test_set] for name, own in runs.items()}
    teacher = answers[TEACHER]
    terms = {name: mean_terms(task, own, test_set, encoded, teacher) for name, own in runs.items()}
    rows = [
        score_arm(task, name, own, test_set, encoded, teacher, n_seeds)
        for name, own in runs.items()
    ]
    found = differences(task, terms, seed)
    scores = {row["arm"]: row for row in rows}
    helps = any(
        scores[TEACHER][metric] < scores[PLAIN][metric]
        for metric in task.compared
        if metric not in task.higher_is_better
    )
    sentences = task.verdict(found, encoded, teacher_helps=helps, n_seeds=n_seeds)
    if CASCADE in runs:
        sentences += cascade_sentences(
            found[CASCADE, TEACHER],
            scores[CASCADE]["deferred_share"],
            {name: scores[name]["us_per_row"] for name in (CASCADE, DISTILLED, TEACHER)},
        )
    sentences += [f"The teacher's weight was chosen: {choice}." for choice in arms.choices]
    segments = gaps = None
    if groups is not None:
        members = rows_of_groups(groups)
        segments = by_group(members, partial(task.segment, terms[TEACHER], terms[DISTILLED]))
        of_seeds = {arm: [run.answers[test_set] for run in runs[arm]] for arm in ARMS}
        gaps = group_gaps(list(members.values()), task.rates(encoded, of_seeds), seed)
    return DistillationReport(
        rows=rows,
        intervals=[
            {
                "comparison": COMPARISONS[pair],
                "metric": metric,
                **interval._asdict(),
            }
            for pair, by_metric in found.items()
            for metric, interval in by_metric.items()
        ],
        verdict="\n".join(sentences),
        per_class=None if task.classes is None else per_class(answers, encoded, task.classes),
        agreement_by_group=segments,
        group_gaps=gaps,
        **task.in_report(answers, encoded),
        classes=task.classes,
        temperature=arms.temperature,
        n_seeds=n_seeds,
        settings=describe_settings(
            model, problem, test_set, fitted=fitted, n_held_back=n_held_back
        ),
    )
