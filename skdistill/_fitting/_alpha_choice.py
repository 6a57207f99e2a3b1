"""The weight of the teacher, chosen on rows that neither a student nor its teacher has seen."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from skdistill._compat import safe_indexing
from skdistill._fitting._same_rows import SameRows, learn_begun
from skdistill._progress import SECONDS, Progress
from skdistill._random import draw_seeds
from skdistill._warn import warn
from skdistill.exceptions import TeacherWarning, TrainingWarning
from skdistill.targets._plan import plan_splits

AUTO = "auto"

ALPHAS = (0.25, 0.5, 0.75)
"""What is tried beside the plain student."""

N_FOLDS = 5

ENOUGH_ROWS = 4_000
"""No further fold is judged when so many rows are."""

STANDARD_ERRORS = 1.0
"""By how many of them a taught student must be better than the plain one."""


@dataclass(frozen=True, eq=False)
class AlphaChoice:
    """What `alpha="auto"` has chosen, and by which figures.

    Students were fitted with each weight on a part of the rows, and judged on the others, which
    neither they nor their teachers had seen. The best of those that were taught is chosen where it
    is better than the plain student by more than a standard error, and the plain one otherwise.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        The weights that were tried; the first is 0, the plain student.
    losses : ndarray of shape (n_alphas,)
        Their mean loss on the rows that judge: the log-loss, or a regressor's own loss in standard
        deviations of y.
    differences : ndarray of shape (n_alphas,)
        The same, less the plain student's.
    standard_errors : ndarray of shape (n_alphas,)
        Of the differences, over the rows.
    n_rows : int
        How many rows have judged.

    Attributes
    ----------
    alpha : float
        The weight that was chosen.
    runner_up : float
        The best of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import AlphaChoice
    >>> choice = AlphaChoice(
    ...     alphas=np.array([0, 0.5, 0.9]),
    ...     losses=np.array([0.32, 0.30, 0.31]),
    ...     differences=np.array([0, -0.02, -0.01]),
    ...     standard_errors=np.array([0, 0.005, 0.005]),
    ...     n_rows=1000,
    ... )
    >>> choice.alpha, choice.runner_up
    (0.5, 0.9)
    >>> print(choice)
    alpha 0.5: loss 0.3000 on 1000 rows, 0.0200 +- 0.0050 below the plain student; next 0.9: 0.3100
    """

    alphas: np.ndarray
    losses: np.ndarray
    differences: np.ndarray
    standard_errors: np.ndarray
    n_rows: int

    @property
    def alpha(self) -> float:
        return float(self.alphas[self._chosen])

    @property
    def runner_up(self) -> float:
        others = np.delete(self.alphas, self._chosen)
        return float(others[np.delete(self.losses, self._chosen).argmin()])

    @property
    def _chosen(self) -> int:
        best = 1 + int(self.losses[1:].argmin())
        surely = self.differences[best] < -STANDARD_ERRORS * self.standard_errors[best]
        return best if surely else 0

    def __str__(self) -> str:
        best = 1 + int(self.losses[1:].argmin())
        difference, error = self.differences[best], self.standard_errors[best]
        side = f"{abs(difference):.4f} +- {error:.4f} {'below' if difference < 0 else 'above'}"
        head = f"alpha {self.alpha:g}: loss {self.losses[self._chosen]:.4f} on {self.n_rows} rows"
        if self._chosen == 0:
            tried = f"{self.alphas[best]:g}: {self.losses[best]:.4f}, {side}"
            return f"{head}, the plain student; next {tried}"
        rival = self.runner_up
        loss = self.losses[self.alphas == rival][0]
        return f"{head}, {side} the plain student; next {rival:g}: {loss:.4f}"


def trial_of(model, soft_targets):
    """Return what stands for a model in the choice: a clone with its very teacher, and an int seed.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    soft_targets : object or None
        As given to `fit`.

    Raises
    ------
    ValueError
        For settings by which nothing can be chosen.
    """
    seed = model.random_state
    if not isinstance(seed, Integral):
        seed = draw_seeds(seed, 1)[0]
    _refuse(model, soft_targets)
    return model._clone_with(teacher=model.teacher, random_state=seed)


def choose_alpha(model, rows, y, given):
    """Choose the weight of the teacher.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        What `trial_of` returned; not changed.
    rows : Rows
        All of them, with what is known of the teacher.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    given : dict of str to object
        What `fit` gets besides.

    Returns
    -------
    AlphaChoice

    Raises
    ------
    ValueError
        For all that `fit` would refuse, before anything is trained, and for answers that tell what
        the rows that judge have taught.

    Warns
    -----
    TeacherWarning
        Where the plain student is chosen, of what speaks against the teacher on the first part.
    """
    splits = _split(rows, model.random_state)
    _check_parts(model, rows, splits)
    _with_alpha(model, ALPHAS[-1])._prepare(rows.at(ALPHAS[-1]))
    students, doubts = _learn(model, rows, y, given, splits)
    losses = [
        np.stack([_losses(student, rows, test) for student in each])
        for each, (_, test) in zip(students, splits, strict=True)
    ]
    weight = np.ones(len(rows.task.y)) if rows.sample_weight is None else rows.sample_weight
    weight = weight[np.concatenate([test for _, test in splits])]
    choice = _compare(np.concatenate(losses, axis=1), weight)
    if model.verbose:
        print(f"[skdistill] {choice}", flush=True)
    if choice.alpha == 0:  # else the fit on all rows says so again
        for doubt in doubts:
            warn(
                f"alpha='auto' chose the plain student. On a part of the rows: {doubt}",
                TeacherWarning,
            )
    return choice


def _learn(model, rows, y, given, splits):
    """Fit students with each weight on each part of the rows, all of them in the same stacks.

    Returns
    -------
    students : list of list of estimator
        For each part those of the weights, the plain one first.
    doubts : list of str
        What is said against the teacher on the first part.
    """
    begun = []
    if model.verbose:
        parts = f"each of {len(splits)} parts" if len(splits) > 1 else "a part"
        print(
            f"[skdistill] alpha: {1 + len(ALPHAS)} students on {parts} of the rows choose it, then "
            f"comes the fit on all rows",
            flush=True,
        )
    all_doubts: list[list[str]] = []
    for number, (train, _) in enumerate(splits, 1):
        part = SameRows(**_slice(rows, y, given, train), verbose=model.verbose)
        if model.verbose and rows.teacher is not None:
            where = f"part {number} of {len(splits)}, {len(train)} rows"
            print(f"[skdistill] alpha: the teacher of {where}", flush=True)
        with _teacher_warnings() as doubts:
            begun.append([part.begin(_with_alpha(model, alpha)) for alpha in (0.0, *ALPHAS)])
        all_doubts.append(doubts)
    fits = [fit for each in begun for fit in each]
    said = {"what": "alpha", "shown": model.verbose, "every": SECONDS}
    students = Progress("skdistill", len(fits), "students", **said)
    with students, _teacher_warnings() as doubts:
        for learnt in learn_begun(fits, students)[0]:
            if learnt.error is not None:
                raise learnt.error
        begun[0][1].warn_if_known()
    return [[fit.model for fit in each] for each in begun], all_doubts[0] + doubts


def _with_alpha(model, alpha):
    return model._clone_with(teacher=model.teacher, alpha=alpha, verbose=0)


@contextmanager
def _teacher_warnings():
    """Silence warnings of teacher and training; yield a list that gets those of the teacher."""
    doubts: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", TeacherWarning)
        warnings.simplefilter("ignore", TrainingWarning)
        yield doubts
    for record in said:
        if issubclass(record.category, TeacherWarning):
            doubts.append(str(record.message))
        else:
            warnings.warn_explicit(record.message, record.category, record.filename, record.lineno)


def _refuse(model, soft_targets):
    if model.feature_losses:
        raise ValueError(
            "alpha='auto' was given with feature_losses, which teach at alpha=0 too, so that there "
            "is no plain student to choose; expected a number. Try some: "
            "GridSearchCV(model, {'alpha': [0.0, 0.5, 0.9]})."
        )
    if getattr(soft_targets, "out_of_fold", False):
        raise ValueError(
            "alpha='auto' was given with soft_targets that are out of fold: the teachers behind "
            "them were fitted on the very rows that would judge; expected the teacher itself. Pass "
            "teacher=..., or a number as alpha."
        )
    if not (model.cv is None or isinstance(model.cv, int | np.integer | str)) and not hasattr(
        model.cv, "split"
    ):
        raise ValueError(
            "alpha='auto' was given with cv as a list of splits, which name rows of X, and the "
            "teacher is fitted on parts of them; expected an int or a splitter. Set cv=5."
        )


def _split(rows, seed):
    """Return (train, test) pairs, of as many parts as it takes; the rows of test judge.

    Where train would lack a class, or all weight of it, its rows learn instead of judging, and so
    do those of their groups: a part's teacher and students know all classes.
    """
    n_rows, groups = len(rows.task.y), rows.groups
    kinds = np.zeros(n_rows, int) if rows.task.classes is None else rows.task.hard
    units = np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    counts = np.ones(n_rows, bool) if rows.sample_weight is None else rows.sample_weight > 0
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            folds = list(_folds(rows, seed).split(np.zeros(n_rows), kinds, groups))
    except ValueError:
        folds = []
    splits, n_judges = [], 0
    for train, test in folds:
        lacking = np.union1d(
            np.setdiff1d(kinds[test], kinds[train]),
            np.setdiff1d(kinds[test[counts[test]]], kinds[train[counts[train]]]),
        )
        kept = np.isin(units[test], units[test[np.isin(kinds[test], lacking)]])
        train, test = np.sort(np.concatenate([train, test[kept]])), test[~kept]
        if n_judges < ENOUGH_ROWS and counts[test].any():
            splits.append((train, test))
            n_judges += counts[test].sum()
    if splits:
        return splits
    raise ValueError(
        f"alpha='auto' finds no rows of these {n_rows} that can be left out to judge: the others "
        f"would lack a class or hold none of weight; expected two rows of some class, and two "
        f"groups where there are groups. Give a number as alpha."
    )


def _check_parts(model, rows, splits):
    """Refuse a cross-fitting of the teacher that a part of the rows does not allow."""
    if rows.teacher is None or rows.teacher.is_fitted:
        return
    for train, _ in splits:
        part = type(rows.task).from_y(rows.task.y[train])
        groups = None if rows.groups is None else safe_indexing(rows.groups, train)
        try:
            cv = clone(model.cv, safe=False)
            plan_splits(False, part, safe_indexing(rows.X, train), cv, groups)
        except ValueError as error:
            raise type(error)(
                f"alpha='auto' fits the teacher on parts of the rows too, and here on {len(train)} "
                f"of {len(rows.task.y)}: {error} Or give a number as alpha."
            ) from error


def _folds(rows, seed):
    """Return the splitter by which the rows that judge are left out."""
    unit = rows.task.hard if rows.groups is None else rows.groups
    if rows.task.classes is None:
        n_units = len(rows.task.y) if rows.groups is None else len(np.unique(rows.groups))
        folds = KFold if rows.groups is None else GroupKFold
    else:
        counts = np.unique(unit, return_counts=True)[1]
        # A class of few rows is no reason for few parts: `_split` lets it learn where it must.
        n_units = counts.max() if rows.groups is None else len(counts)
        folds = StratifiedKFold if rows.groups is None else StratifiedGroupKFold
    n_folds = int(np.clip(n_units, 2, N_FOLDS))
    return folds(n_folds, shuffle=True, random_state=seed)


def _slice(rows, y, given, train):
    """Return the arguments of `fit` for a part of the rows, and what is known of the teacher."""
    part = dict(given, X=safe_indexing(rows.X, train), known=rows.teacher)
    part["y"] = rows.task.y[train] if rows.task.classes is not None else safe_indexing(y, train)
    for name, values in [("sample_weight", rows.sample_weight), ("groups", rows.groups)]:
        part[name] = None if values is None else safe_indexing(values, train)
    soft_targets = rows.soft_targets
    part["soft_targets"] = None if soft_targets is None else safe_indexing(soft_targets, train)
    return part


def _losses(model, rows, test):
    """Return a student's loss of each row that judges."""
    X, task = safe_indexing(rows.X, test), rows.task
    if task.classes is None:
        unit = task.hard.std(axis=0)
        unit[unit == 0] = 1.0
        values = model.predict(X).reshape(len(test), -1)
        pair = (torch.as_tensor(part / unit) for part in (values, task.hard[test]))
        return model._find_loss(model.loss).errors(*pair).mean(-1).numpy()
    log_p = model.predict_log_proba(X)[np.arange(len(test)), task.hard[test]]
    return -np.maximum(log_p, np.log(np.finfo(float).eps))


def _compare(losses, weight):
    told = weight > 0
    losses, weight = losses[:, told], weight[told]
    share = weight / weight.sum()
    differences = losses - losses[0]
    mean = differences @ share
    errors = np.sqrt((differences - mean[:, None]) ** 2 @ share**2)
    return AlphaChoice(np.array([0.0, *ALPHAS]), losses @ share, mean, errors, len(weight))
