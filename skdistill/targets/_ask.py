"""Asking a teacher: a fitted one about all rows, clones of an unfitted one each about its fold."""

from functools import cache, partial
from typing import NamedTuple

import numpy as np
from sklearn.utils.parallel import delayed

from skdistill._compat import safe_indexing, validate_parameter_constraints
from skdistill._parallel import results_of
from skdistill._progress import SECONDS, Progress
from skdistill._random import draw_seeds
from skdistill.targets._memory import alone, remember
from skdistill.targets._warnings import warn_of_feature_names
from skdistill.teachers._chunks import ask_in_chunks
from skdistill.teachers._fit import fit_teacher
from skdistill.teachers._key import content_key, teacher_key
from skdistill.teachers._panel import Panel
from skdistill.teachers._weights import MeanAnswers


class Desk(NamedTuple):
    """How a teacher is asked: the settings that do not change from one question to the next.

    Attributes
    ----------
    device : str or torch.device
        Where a torch teacher runs.
    memory : joblib.Memory or None
        Where replies are kept.
    n_jobs : int or None
        Folds at a time.
    verbose : int
        1 prints how far it is.
    """

    device: object = "auto"
    memory: object = None
    n_jobs: int | None = None
    verbose: int = 0


class Fitting(NamedTuple):
    """How an unfitted teacher is fitted.

    Attributes
    ----------
    seed : int
        Seeds what the teacher leaves unseeded.
    sample_weight : ndarray of shape (n_samples,) or None
    fit_params : dict or None
        What metadata routing brings; None is no routing.
    """

    seed: int
    sample_weight: np.ndarray | None = None
    fit_params: dict | None = None


def check_verbose(verbose, owner):
    """Refuse a `verbose` that is none.

    Parameters
    ----------
    verbose : object
    owner : str
        The function that the error names.

    Raises
    ------
    ValueError
    """
    validate_parameter_constraints({"verbose": ["verbose"]}, {"verbose": verbose}, owner)


def ask_fitted(teacher, X, *, desk, key=None):
    """Ask a fitted teacher, each of its members about all rows.

    Parameters
    ----------
    teacher : Examined
        Fitted.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)
        Rows.
    desk : Desk
    key : str, default=None
        What the teacher is known by in memory; None is its content.

    Returns
    -------
    list of Reply
        One, or that of each member.
    """
    for member in teacher.members or (teacher,):
        warn_of_feature_names(member.teacher, X)
    speakers, keys = teacher.speakers, None
    if not speakers:
        teacher.adapter.ask(X)  # says why it cannot answer
    if desk.memory is not None and key is None:
        keys = [teacher_key(speaker.teacher) for speaker in speakers]
    elif desk.memory is not None:
        keys = [content_key(key, number) for number in range(len(speakers))]
    return _ask_each(speakers, lambda: speakers, X, desk, keys)


def ask_one(teacher, task, X, ask, columns):
    """Ask one fitted teacher about all labelled rows; return its answer and what it speaks.

    Parameters
    ----------
    teacher, task, X
        As in `compute_targets`.
    ask : callable
        From rows to the reply of each member.
    columns : ndarray of shape (n_columns,) or None

    Returns
    -------
    values : ndarray of shape (n_samples, n_columns)
    kinds : tuple of str
    """
    explicit = columns is not None
    known = columns if explicit else teacher.labels
    task.check_columns(known, explicit=explicit)
    replies = ask(X)
    kinds = task.asks.find_kinds([replies])
    values, named = task.read(replies, kinds, teacher.panel, columns)
    if known is None:  # an answer may name its columns where the teacher does not
        task.check_columns(named, explicit=False)
    task.without_strangers(values, task.y, named)
    return values, kinds


def _ask_each(speakers, get_fitted, X, desk, keys):
    """Ask each member about all rows; `get_fitted`, called if need be, returns them fitted."""
    replies = []
    for number, speaker in enumerate(speakers):

        def get_adapter(number=number):
            return get_fitted()[number].adapter

        size = speaker.adapter.chunk_size if speaker.is_fitted else None
        known_by = None if keys is None else keys[number]
        remembered = _remembering(desk.memory, known_by, speaker.asks)
        with _progress(X.shape[0], "rows", desk) as say:
            replies.append(ask_in_chunks(get_adapter, X, size, remembered, say))
    return replies


def ask_out_of_fold(teacher, task, X, splits, fitting, X_generated, *, desk, key=None):
    """Ask clones of a teacher about the rows that they were not fitted on.

    Parameters
    ----------
    teacher : Examined
        Cloned for every split, never fitted itself.
    task : ClassTask or NumberTask
        With y.
    X : array-like of shape (n_samples, ...)
        Rows.
    splits : list of (train, test)
        See `make_splits`.
    fitting : Fitting
        Each split's clone gets a seed of its own from its seed.
    X_generated : dict of int to array-like
        By the number of a split, further rows that its clone is asked about.
    desk : Desk
    key : str, default=None
        What the teacher, the rows, labels and weights are known by in memory.

    Returns
    -------
    values : ndarray of shape (n_samples, n_columns), float64
        The mean over the splits that leave a row out; NaN for a row that no split leaves out,
        and for a row whose own class no clone of its splits had seen.
    kinds : tuple of str
        What the members of the teacher speak, found out by all that they said.
    generated : dict of int to ndarray of shape (n_generated_i, n_columns), float64
        The answers for `X_generated`.
    pool : dict of str to object, or None
        How the members of an ensemble that learns it by these very answers are made one.
    """
    each = teacher.learns_pool
    asked = teacher.unpooled() if each else teacher
    folds = _ask_folds(asked, task, X, splits, fitting, X_generated, desk, key)
    kinds = task.asks.find_kinds([fold.replies for fold in folds])
    told, generated = MeanAnswers(len(kinds) if each else 1, len(task.y), task.n_columns), {}
    for number, ((train, test), fold) in enumerate(zip(splits, folds, strict=True)):
        if fold.generated is not None:
            generated[number] = np.stack(_read(task, fold.generated, kinds, fold.panel, each))
        answers = _read(task, fold.replies, kinds, fold.panel, each)
        for i, values in enumerate(answers):
            task.without_strangers(values, task.y[test], task.y[train])
            told.add(i, test, values)
    answers = told.mean()
    if not each:
        return answers[0], kinds, {n: said[0] for n, said in generated.items()}, None
    ensemble = teacher.teacher
    pool = ensemble._find_pool(answers, task.hard, fitting.sample_weight)
    generated = {n: ensemble._pool_answers(said, pool) for n, said in generated.items()}
    return ensemble._pool_answers(answers, pool), kinds, generated, pool


def _ask_folds(teacher, task, X, splits, fitting, X_generated, desk, key):
    """Return what the clone of each split said."""
    seeds = draw_seeds(fitting.seed, len(splits))
    tasks = (
        delayed(_ask_left_out)(
            teacher,
            task,
            X,
            train,
            test,
            fitting._replace(seed=seeds[number]),
            X_generated.get(number),
            desk,
            key,
        )
        for number, (train, test) in enumerate(splits)
    )
    folds = []
    with _progress(len(splits), "folds", desk, n_jobs=desk.n_jobs) as progress:
        for fold in results_of(tasks, desk.n_jobs):
            folds.append(fold)
            progress.add()
    return folds


def _progress(n_parts, parts, desk, **settings):
    said = {"what": "teacher", "shown": desk.verbose, "every": SECONDS}
    return Progress("skdistill", n_parts, parts, **said, **settings)


def _read(task, replies, kinds, panel, each):
    """Return the replies read as one answer, or each as one."""
    if not each:
        return [task.read(replies, kinds, panel)[0]]
    return [task.read([r], [kind])[0] for r, kind in zip(replies, kinds, strict=True)]


def fit_on_all_rows(teacher, task, X, fitting, pool=None, *, desk, key=None):
    """Fit the teacher itself on all rows, or find the fitted one in memory.

    Parameters
    ----------
    teacher, task, X, fitting, desk, key
        As in `ask_out_of_fold`.
    pool : dict of str to object, default=None
        What `ask_out_of_fold` has found.

    Returns
    -------
    Examined
    """
    alone = teacher if pool is None else teacher.unpooled()
    if pool is not None and key is not None:
        key = content_key(key, "unpooled")
    fit = partial(fit_teacher, alone, X, task.y, **fitting._asdict())
    fitted = remember(desk.memory, fit, "fit", key)
    if desk.verbose:
        print("[skdistill] teacher: fitted on all rows", flush=True)
    fitted = alone.refitted(fitted, desk.device)
    return fitted if pool is None else teacher.pooled(fitted, pool)


class _Fold(NamedTuple):
    """What the clone of a split said."""

    replies: list
    generated: list | None
    panel: Panel | None


def _ask_left_out(teacher, task, X, train, test, fitting, X_generated, desk, key):
    @cache
    def get_fitted():
        weight, fit_params = fitting.sample_weight, fitting.fit_params
        fitted = fit_teacher(
            teacher,
            safe_indexing(X, train),
            task.y[train],
            seed=fitting.seed,
            classes=task.classes,
            sample_weight=None if weight is None else weight[train],
            fit_params=fit_params
            and {name: safe_indexing(value, train) for name, value in fit_params.items()},
        )
        return teacher.refitted(fitted, desk.device)

    speakers, keys = teacher.speakers, None
    if desk.memory is not None:
        key = content_key(key, train, fitting.seed)
        keys = [content_key(key, number) for number in range(len(speakers))]

    def ask(rows):
        quiet = desk._replace(verbose=0)
        return _ask_each(speakers, lambda: get_fitted().speakers, rows, quiet, keys)

    with alone(desk.memory, key):
        replies = ask(safe_indexing(X, test))
        generated = None if X_generated is None else ask(X_generated)
        panel = remember(desk.memory, lambda: get_fitted().panel, "panel", key)
    return _Fold(replies, generated, panel)


def _remembering(memory, key, asks):
    """Return how replies are remembered; None where they are not."""
    if memory is None:
        return None
    return lambda ask, rows: remember(memory, ask, "reply", asks.name, key, rows)
