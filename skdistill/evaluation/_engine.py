"""The engine of every comparison: arms are fitted in cells, and each fit leaves a record.

`run` goes through the cells (`skdistill.evaluation._problem`). In each it asks every distinct
teacher once, however many arms learn from it, fits the arms, and hands them one by one, as a `Fit`,
to ``measure(problem, cell, fit)``: what that returns is the value of a `Record`. Records come in
the order of cells and arms, and whatever is reported (a table of arms, a curve, a decomposition) is
a function of them.

Cells are parts (`skdistill.evaluation._parts`): they run at the same time with `n_jobs`, on which
the result does not depend; with `memory` each is kept as soon as it is finished, and found again by
the content of its rows, arms and seed, so that what was interrupted goes on where it was.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._fitting._halves import fit_told
from skdistill._generators import seeded
from skdistill._interrupts import whole_trainings
from skdistill._names import own_rows
from skdistill._progress import Progress
from skdistill._torch import resolve_device
from skdistill._unwrap import last_step
from skdistill._versions import package_versions
from skdistill._words import one_line
from skdistill.evaluation._fit_params import groups_keyword
from skdistill.evaluation._parts import Work, run_parts
from skdistill.evaluation._problem import (
    LABELS,
    NOTHING,
    OWN,
    SMOOTHED_LABELS,
    TARGETS,
    TOLD,
    Cell,
    Fit,
    Problem,
    Record,
)
from skdistill.evaluation._tasks import task_of
from skdistill.evaluation._teaching import (
    AskedTeacher,
    Placed,
    is_distilled,
    teacher_key,
)
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._adapters import holds_net, parts_of
from skdistill.teachers._as_teacher import as_teacher
from skdistill.teachers._fit import is_fitted
from skdistill.teachers._key import check_key, content_key

SMOOTHING = 0.1
"""Share of the weight that label smoothing spreads over all classes."""

Measure = Callable[[Problem, Cell, Fit], Any]
"""What is kept of a fit; a function of a module, or a partial of one, so that workers find it."""


def run(
    work: Work,
    problem: Problem,
    cells: Sequence[Cell],
    measure: Measure,
    *,
    seeding: Callable[[Any, int], Any] | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Fit the arms of all cells, and keep what is measured of each.

    Parameters
    ----------
    work : Work
        Its parts are the cells.
    problem : Problem
    cells : sequence of Cell
    measure : callable
        Called as ``measure(problem, cell, fit)``; see `Measure`.
    seeding : callable, default=None
        From an estimator and a seed to a clone that is seeded; None is `with_seed`.
    progress : Progress, default=None
        Of a longer work that the cells are part of; None begins one, if `work.verbose`.

    Returns
    -------
    list of Record
        In the order of the cells, and of the arms in each.
    """
    seeding = with_seed if seeding is None else seeding
    models = {id(arm.model): arm.model for cell in cells for arm in cell.arms}.values()
    found = run_parts(
        work,
        partial(_run_cell, problem, measure, seeding),
        cells,
        key=key_of(work.owner, problem, measure, seeding, *models) if work.folder else "",
        known_as=partial(replace, tags={}),
        progress=progress,
    )
    return [Record(cell, *kept) for cell, values in found for kept in values.items()]


def with_seed(estimator: Any, seed: int) -> Any:
    """A clone with that `random_state`."""
    return clone(estimator).set_params(random_state=seed)


def seeded_clone(estimator: Any, seed: int) -> Any:
    """A clone whose every `random_state`, those of its parts too, is set anew.

    The value depends on the seed and on the name of the parameter alone, so that two estimators
    with the same part get it with the same seed. The inside of a fitted teacher is left alone.
    """
    copy = clone(estimator)
    parameters = copy.get_params(deep=True)
    fitted = tuple(
        f"{name}__"
        for name, part in parameters.items()
        if hasattr(part, "get_params") and is_fitted(part)
    )
    for name in sorted(parameters):
        if name.rpartition("__")[2] == "random_state" and not name.startswith(fitted):
            state = np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0]
            copy.set_params(**{name: int(state % np.iinfo(np.int32).max)})
    return copy


def key_of(owner: str, *known_by: Any) -> str:
    """What a result is kept under, or an error where a part of it has no content to know it by."""
    for part in (part for model in known_by for part in parts_of(model)):
        if is_distilled(part) and part.teacher is not None:
            check_key(as_teacher(part.teacher, asks=task_of(part).asks))
    try:
        return content_key(*known_by, package_versions())
    except Exception as error:  # whatever a part of it raises that cannot be pickled
        reason = next(iter(error.args), error)
        raise ValueError(
            f"{owner} was given memory, and what it compares has no key to keep results by "
            f"({one_line(reason)}). Give that part a name that can be imported, or leave memory "
            "out."
        ) from error


def _run_cell(
    problem: Problem, measure: Measure, seeding: Callable[[Any, int], Any], cell: Cell
) -> dict[Hashable, Any]:
    """What is measured of each arm of a cell, by its name; None of a teacher that knows no rows."""
    X, y = problem.to_learn(cell.train)
    groups = cell.train if cell.grouped else None
    judge_teachers = any(arm.learns == NOTHING for arm in cell.arms)
    heard: dict[Any, tuple[Targets, Any]] = {}
    values: dict[Hashable, Any] = {}
    for arm in cell.arms:
        model = seeding(arm.model, cell.seed)
        key = teacher_key(model) if is_distilled(last_step(model)) else None
        told = None
        if arm.learns == OWN:
            model.set_params(**arm.parameters)
            judged = arm.answers is not None or key in heard
            fitted = _fit(model, X, y, groups, problem.unlabelled(cell), cell.seed, judged=judged)
        elif arm.learns == TOLD:
            fitted, told = fit_told(model, X, y)
        else:
            place = Placed(model, X, y, groups)
            targets, teacher = arm.answers, None
            if targets is None and arm.learns not in (LABELS, SMOOTHED_LABELS):
                if key not in heard:
                    with doubts(wanted=cell.doubts):
                        heard[key] = place.ask(refit=judge_teachers, augment=None)
                targets, teacher = heard[key]
            if arm.learns != NOTHING:
                taught = _taught(arm.learns, y, targets)
                more = problem.more if taught is not None and taught.more else None
                fitted = place.learn(taught, X_unlabeled=more, **arm.parameters)
            elif targets is None or targets.from_labels:
                values[arm.name] = None
                continue
            else:
                fitted = AskedTeacher(
                    place.model, teacher, problem.task.known(problem.y[cell.train])
                )
        values[arm.name] = measure(problem, cell, Fit(arm.name, fitted, problem, cell, told))
    return values


def _fit(
    model: Any, X: Any, y: np.ndarray, groups: Any, more: Any, seed: int, *, judged: bool
) -> Any:
    """The model itself, fitted as it is."""
    given = {} if more is None else {"X_unlabeled": more}
    keyword = None if groups is None else groups_keyword(model)
    if keyword is not None:
        given[keyword] = groups
    is_ours = is_distilled(model)  # what seeds itself
    lend = holds_net(model) and not is_ours
    with (
        doubts(wanted=not judged),
        whole_trainings(),
        seeded(seed, resolve_device("auto")) if lend else nullcontext(),
    ):
        return model.fit(own_rows(model, X), y, **given)


def _taught(learns: str, y: np.ndarray, targets: Targets | None) -> Targets | None:
    """What stands for the teacher's answers in the fit of an arm."""
    if learns == LABELS:
        return None
    if learns == TARGETS:
        return targets
    task = ClassTask(y)
    one_hot, more = np.eye(task.n_columns), []
    if targets is None or learns == SMOOTHED_LABELS:
        values = (1.0 - SMOOTHING) * one_hot[task.positions] + SMOOTHING / task.n_columns
    else:
        values = one_hot[targets.values.argmax(axis=1)]
        values[~targets.has_target] = np.nan
        more = [one_hot[part.argmax(axis=1)] for part in targets.more]
    return Targets(values, from_labels=True, more=more)


@contextmanager
def doubts(*, wanted: bool) -> Iterator[None]:
    """Let warnings of a poor teacher through, or not; with them scikit-learn's of few rows."""
    with warnings.catch_warnings():
        if not wanted:
            warnings.simplefilter("ignore", TeacherWarning)
            warnings.filterwarnings("ignore", message="The number of unique classes")
        yield
