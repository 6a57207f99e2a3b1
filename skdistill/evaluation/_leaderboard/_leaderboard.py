"""One asking, many students: which is worth its time and its bytes?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from skdistill._progress import Progress
from skdistill.evaluation._arguments import check_int
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._engine import run
from skdistill.evaluation._leaderboard._result import Leaderboard, Row, mark_fronts
from skdistill.evaluation._leaderboard._students import OWNER, recipes_of
from skdistill.evaluation._memorised import warn_if_memorised
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import Cell, Problem
from skdistill.evaluation._read_problem import check_same_kinds, read_problem
from skdistill.evaluation._recipes import (
    check_distilled,
    check_recipe,
    check_takes_answers,
    seed_of,
    student_arms,
)
from skdistill.evaluation._shipped import (
    KeptStudent,
    ask_once,
    costs_of_student,
    costs_of_teacher,
    keep_student,
)
from skdistill.evaluation._tables import means
from skdistill.evaluation._tasks import task_of
from skdistill.evaluation._teaching import AskedTeacher
from skdistill.targets._plan import check_teacher

TEST = "test"


def leaderboard(
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    students: Mapping[str, Any] | None = None,
    n_seeds: int = 1,
    n_jobs: int | None = None,
    verbose: int = 0,
    memory: Any = None,
) -> Leaderboard:
    """Hold many students of one teacher against what each costs.

    The teacher is asked once. Every student is fitted twice, on the labels alone ("plain") and on
    what the teacher has said ("distilled"), and scored on the test rows beside the teacher. Rows
    that no other beats in both loss and time, or in both loss and size, are marked: the best choice
    is one of them, whatever a microsecond or a byte is worth (they are Pareto optimal).

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe, with a teacher: its loss, temperature, alpha and all else but the student. It is
        not changed.
    X_train, y_train : array-like of shape (n_train, ...) and (n_train,)
        Rows, and labels or numbers, that every student learns from; numbers of several outputs
        have the shape (n_train, n_outputs).
    X_test, y_test : array-like of shape (n_test, ...) and (n_test,)
        Rows and labels that are scored, and rows that predictions are timed on.
    students : dict of str to student, default=None
        By a name of yours whatever ``student=`` of the model takes, `None` for the default student
        too. Without it, for rows of a table, one of each kind: "linear", "tree" (of 32 leaves),
        "boosting", "soft tree" (of depth 4) and "net", the default student.
    n_seeds : int, default=1
        Fits of every student, with the seeds ``random_state + i`` (from 0 where `random_state`
        of the model is no int). The teacher is fitted once.
    n_jobs : int, default=None
        Students at a time, through joblib. The scores do not depend on it; `fit_seconds` do, where
        fits share the processors. Predictions are timed afterwards, one after the other.
    verbose : int, default=0
        1 prints a line for every student, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished student is kept, what an unfitted teacher has said too, and
        found again by the content of rows, students and seed: a call that was interrupted goes on
        where it was.

    Returns
    -------
    board : Leaderboard
        Its ``rows`` are sorted by their loss, and hold the mean over the seeds of

        - ``student``, ``arm``: its name, and "plain" or "distilled"; both are "teacher" for that;
        - ``log_loss``, ``accuracy``: as in `distillation_report`; of a regressor ``rmse``, the root
          of its mean squared error there, and ``r2``;
        - ``us_per_row``, ``us_single_row``: microseconds of a prediction, per row in a batch of
          all test rows and for a call with one row;
        - ``n_bytes``: the pickle of what would be shipped;
        - ``fit_seconds``: a student's own training; the teacher's with its cross-fitting, nan for
          a teacher that came fitted;
        - ``front``: "time", "size", both or nothing: whether no other row has as low a loss in as
          short a ``us_per_row``, or in as few ``n_bytes``;

        and with ``n_seeds > 1`` the standard deviation of the scores (ddof=1) under
        ``<name>_std``, nan for the teacher. ``models`` holds the fitted students.

    Raises
    ------
    TypeError
        When `model` is no distilled estimator, or `students` no dict.
    ValueError
        For rows, labels and settings that do not fit, and for a student that `fit` would refuse
        (then a StudentError), before anybody is asked. A note names the student.

    Warns
    -----
    TeacherWarning
        When a fitted teacher has memorised the training rows; see `distillation_report`.

    See Also
    --------
    LeaderboardDisplay : The picture, with its front.
    distillation_report : One student, with intervals.

    Notes
    -----
    The least of many test losses is optimistic. Choose on one set of rows, and report on another.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.evaluation import leaderboard
    >>> X, y = make_classification(600, random_state=0)
    >>> model = DistilledClassifier(RandomForestClassifier(20, random_state=0), random_state=0)
    >>> students = {
    ...     "tree": DecisionTreeClassifier(max_leaf_nodes=8),
    ...     "linear": LogisticRegression(),
    ... }
    >>> board = leaderboard(model, X[:400], y[:400], X[400:], y[400:], students=students)
    >>> sorted((row["student"], row["arm"]) for row in board.rows)[:3]
    [('linear', 'distilled'), ('linear', 'plain'), ('teacher', 'teacher')]
    >>> board.models["tree", "distilled"].predict(X[:2]).shape
    (2,)
    """
    work = Work(OWNER, n_jobs, verbose, memory)
    check_int(OWNER, "n_seeds", n_seeds)
    check_distilled(OWNER, model)
    check_teacher(model.teacher, model.cv, task_of(model).asks)
    problem = read_problem(OWNER, model, X_train, y_train, {TEST: (X_test, y_test)})
    recipes = recipes_of(model, students, problem.X)
    for name, recipe in recipes.items():
        try:
            check_takes_answers(OWNER, recipe)
            check_same_kinds(recipe, problem.X, problem.tests[TEST][0])
            check_recipe(recipe, *problem.to_learn(), problem.asked)
        except ValueError as error:
            error.add_note(f"This was found with the student {name!r}.")
            raise
    seeds = [seed_of(model) + i for i in range(n_seeds)]
    return _board(work, model, problem, recipes, seeds)


def _board(
    work: Work, model: Any, problem: Problem, recipes: dict[str, Any], seeds: list[int]
) -> Leaderboard:
    """Ask, fit, score and time what has been checked."""
    task, (X_test, y_test) = problem.task, problem.tests[TEST]
    encoded, unseen = task.encode(y_test), replace(problem, tests={TEST: (X_test, None)})
    everything = np.arange(len(problem.y))
    n_parts = 1 + len(seeds) * len(recipes)
    with Progress(OWNER, n_parts, shown=work.verbose, n_jobs=work.n_jobs) as progress:
        asked = ask_once(work, model, problem, seeds[0])
        teacher = AskedTeacher(model, asked.teacher, task.known(problem.y))
        answer = task.ask(teacher, X_test, TEACHER)
        progress.add(TEACHER, like=False)
        cells = [
            Cell(
                {"student": name, "seed": seed},
                tuple(
                    replace(arm, name=(name, arm.name), answers=asked.targets)
                    for arm in student_arms(recipe, (PLAIN, DISTILLED))
                ),
                seed,
                everything,
            )
            for seed in seeds
            for name, recipe in recipes.items()
        ]
        records = run(work, unseen, cells, keep_student, progress=progress)
    fits: dict[Any, list[KeptStudent]] = {}
    for record in records:
        fits.setdefault(record.arm, []).append(record.value)
    if asked.on_train is not None:
        losses = task.losses(task.encode(problem.y), asked.on_train)
        warn_if_memorised(task, losses, task.losses(encoded, answer))
    samples = {
        (TEACHER, TEACHER): [
            task.board_scores(encoded, answer) | costs_of_teacher(task, model, asked, X_test)
        ]
    }
    for key, kept in fits.items():
        samples[key] = [
            task.board_scores(encoded, student.answers[TEST])
            | costs_of_student(task, student, X_test)
            for student in kept
        ]
    rows = [_row(*key, of, len(seeds)) for key, of in samples.items()]
    several = f", {len(seeds)} seeds" if len(seeds) > 1 else ""
    students = f"{len(recipes)} student{'s' * (len(recipes) > 1)}"
    return Leaderboard(
        rows=mark_fronts(rows, task.board_loss),
        title=f"Leaderboard: {len(y_test)} test rows, {students}{several}",
        loss=task.board_loss,
        models={key: kept[0].model for key, kept in fits.items()},
    )


def _row(student: str, arm: str, samples: list[dict[str, float]], n_seeds: int) -> Row:
    """Means over the seeds, and the spread of the scores where there are several."""
    costs = ("us_per_row", "us_single_row", "n_bytes", "fit_seconds")
    scores = [key for key in samples[0] if key not in (*costs, "n_parameters")]
    row: Row = {"student": student, "arm": arm, **means(samples, scores, spread=n_seeds > 1)}
    row |= means(samples, costs, spread=False)
    if np.isfinite(row["n_bytes"]):
        row["n_bytes"] = round(row["n_bytes"])
    return row
