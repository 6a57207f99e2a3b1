"""Out-of-fold answers: each row answered by a teacher that was not fitted on it."""

import time
import warnings
from functools import cache, partial

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, check_cv
from sklearn.utils.parallel import Parallel, delayed

from skdistill._compat import safe_indexing
from skdistill._random import draw_seeds
from skdistill.exceptions import TeacherError
from skdistill.targets._ask import ask_in_chunks
from skdistill.targets._memory import alone, remember
from skdistill.teachers._adapters import adapt_teacher
from skdistill.teachers._align import align_columns
from skdistill.teachers._fit import fit_teacher
from skdistill.teachers._key import content_key

DEFAULT_FOLDS = 5


def make_splits(cv, X, y, groups=None, *, regresses=False):
    """Return the train and test positions of every split.

    Parameters
    ----------
    cv : None, int, splitter or iterable
        None is `DEFAULT_FOLDS` stratified folds, fewer where a class has fewer rows (two at
        least); for numbers, folds of shuffled rows, of None and of an int. Both keep the rows of
        a group together where there are groups.
    X, y : array-like of shape (n_samples, ...) and (n_samples,) or (n_samples, n_outputs)
        The rows and their labels, or numbers.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group may not stand on both sides of a split.
    regresses : bool, default=False
        Whether y holds numbers, by which nothing is stratified.

    Returns
    -------
    list of (train, test) pairs of int ndarrays

    Raises
    ------
    ValueError
        When the splitter needs groups and there are none, or when it tears a group apart.
    TeacherError
        When the training rows of a split hold a single class.
    """
    splitter = _shuffled_folds(cv, y, groups) if regresses else _stratified_folds(cv, y, groups)
    with warnings.catch_warnings():
        # A fold that lacks a class is provided for: its rows keep their hard label alone.
        warnings.filterwarnings("ignore", message="The least populated class")
        try:
            positions = np.arange(len(y))  # of which a split may be a list or a mask
            splits = [(positions[a], positions[b]) for a, b in splitter.split(X, y, groups)]
        except (ValueError, TypeError) as error:
            if groups is None and "groups" in str(error):
                raise ValueError(
                    f"cv={splitter!r} needs groups and got none ({error}); pass "
                    f"fit(X, y, groups=...), through metadata routing inside another estimator."
                ) from error
            raise ValueError(
                f"cv={splitter!r} cannot split these {len(y)} rows ({error}); expected more rows "
                f"of each {'' if regresses else 'class and '}group, or fewer splits. Set cv, or "
                f"cv='in-sample'."
            ) from error
    if not splits:
        raise ValueError(
            f"cv={cv!r} gives no split; expected at least one (train, test) pair. cv=5 makes five."
        )
    if groups is not None:
        groups = np.asarray(groups)
    for number, (train, test) in enumerate(splits):
        if groups is not None and np.isin(groups[test], groups[train]).any():
            raise ValueError(
                f"groups were passed, but cv={splitter!r} puts rows of one group on both sides "
                f"of split {number}; expected a splitter that keeps groups whole, such as "
                f"GroupKFold() or cv=5."
            )
        if not regresses and len(np.unique(y[train])) < 2:
            raise TeacherError(
                f"The training rows of split {number} of cv={splitter!r} hold one class only, "
                f"{y[train][0]!r}; expected at least two. Use a stratified splitter or fewer "
                f"splits."
            )
    return splits


def _stratified_folds(cv, y, groups):
    if cv is None:
        unit = y if groups is None else groups
        counts = np.unique(unit, return_counts=True)[1]
        cv = int(np.clip(counts.min() if groups is None else len(counts), 2, DEFAULT_FOLDS))
    if groups is not None and isinstance(cv, int | np.integer):
        return StratifiedGroupKFold(cv)
    return check_cv(cv, y, classifier=True)


def _shuffled_folds(cv, y, groups):
    if cv is None:
        n_units = len(y) if groups is None else len(np.unique(groups))
        cv = int(np.clip(n_units, 2, DEFAULT_FOLDS))
    if not isinstance(cv, int | np.integer):
        return check_cv(cv)
    # Rows in the order of y, or of a map, would have each fold's teacher extrapolate.
    return KFold(cv, shuffle=True, random_state=0) if groups is None else GroupKFold(cv)


def out_of_fold(
    teacher,
    X,
    y,
    classes,
    splits,
    seed,
    sample_weight,
    fit_params,
    device,
    *,
    X_generated=None,
    memory=None,
    key=None,
    n_jobs=None,
    verbose=0,
    adapt=adapt_teacher,
):
    """Ask clones of a teacher about the rows that they were not fitted on.

    Parameters
    ----------
    teacher : estimator
        Cloned for every split, never fitted itself.
    X, y : array-like of shape (n_samples, ...) and ndarray of shape (n_samples, ...)
        Rows and labels, or numbers.
    classes : ndarray of shape (n_classes,) or None
        The order of the columns; None for the answers of regressors.
    splits : list of (train, test)
        See `make_splits`.
    seed : int
        Each split's teacher gets a seed of its own from it.
    sample_weight : ndarray of shape (n_samples,) or None
        Handed to the teacher's `fit` where that takes weights.
    fit_params : dict or None
        What metadata routing brings for the teacher's `fit`; None is no routing.
    device : str or torch.device
        Where a torch teacher runs.
    X_generated : dict of int to array-like, default=None
        By the number of a split, further rows that its clone is asked about.
    memory : joblib.Memory, default=None
        Where the answers of each split are kept.
    key : str, default=None
        What the teacher and the rows, labels and weights of its fits are known by in memory.
    n_jobs : int, default=None
        Splits at a time, through joblib.
    verbose : int, default=0
        1 prints a line for every split.
    adapt : callable, default=adapt_teacher
        Brings a fitted clone to its contract.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
        The mean over the splits that leave a row out; NaN for a row that no split leaves out,
        and for a row whose own class no teacher of its splits had seen.
    kind : {"logits", "probabilities", "values"}
    generated : dict of int to ndarray of shape (n_generated_i, n_classes), float64
        The answers for `X_generated`.
    """
    started = time.perf_counter()
    X_generated = X_generated or {}
    seeds = draw_seeds(seed, len(splits))
    tasks = (
        delayed(_ask_left_out)(
            teacher,
            X,
            y,
            classes,
            train,
            test,
            seeds[number],
            sample_weight,
            fit_params,
            device,
            memory,
            key,
            X_generated.get(number),
            adapt,
        )
        for number, (train, test) in enumerate(splits)
    )
    answers = np.zeros((len(y), y[0].size if classes is None else len(classes)))
    counts = np.zeros(len(y))
    generated = {}
    replies = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    for number, ((_, test), reply) in enumerate(zip(splits, replies, strict=True)):
        answer, kind, more = reply
        if more is not None:
            generated[number] = more
        told = ~np.isnan(answer).any(axis=1)
        answers[test[told]] += answer[told]
        counts[test[told]] += 1
        if verbose:
            seconds = time.perf_counter() - started
            print(f"[skdistill] teacher: fold {number + 1} of {len(splits)}, {seconds:.1f} s")
    answers[counts == 0] = np.nan
    return answers / np.maximum(counts, 1)[:, None], kind, generated


def fit_on_all_rows(
    teacher, X, y, seed, sample_weight, fit_params, *, memory=None, key=None, verbose=0
):
    """Fit the teacher itself, or find the fitted one in memory.

    Parameters
    ----------
    teacher, X, y, seed, sample_weight, fit_params, memory, key, verbose
        As in `out_of_fold`.

    Returns
    -------
    estimator
        The fitted teacher.
    """
    fit = partial(
        fit_teacher, teacher, X, y, seed=seed, sample_weight=sample_weight, fit_params=fit_params
    )
    teacher = remember(memory, fit, "fit", key)
    if verbose:
        print("[skdistill] teacher: fitted on all rows")
    return teacher


def _ask_left_out(
    teacher,
    X,
    y,
    classes,
    train,
    test,
    seed,
    sample_weight,
    fit_params,
    device,
    memory,
    key,
    more,
    adapt,
):
    @cache
    def fitted():
        return adapt(
            fit_teacher(
                teacher,
                safe_indexing(X, train),
                y[train],
                seed=seed,
                classes=classes,
                sample_weight=None if sample_weight is None else sample_weight[train],
                fit_params=fit_params
                and {name: safe_indexing(value, train) for name, value in fit_params.items()},
            ),
            device=device,
        )

    key = None if memory is None else content_key(key, train, seed)

    def ask(rows):
        answer, kind, columns = ask_in_chunks(fitted, rows, key, memory=memory)
        return answer if classes is None else align_columns(answer, columns, classes), kind

    with alone(memory, key):
        answer, kind = ask(safe_indexing(X, test))
        more = None if more is None else ask(more)[0]
    if classes is not None:
        answer[~np.isin(y[test], y[train])] = np.nan
    return answer, kind, more
