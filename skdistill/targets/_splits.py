"""The folds of a cross-fitting: each row left out of the fit of the teacher that answers for it."""

import warnings

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, check_cv

from skdistill._words import one_line, shorten
from skdistill.exceptions import TeacherError

DEFAULT_FOLDS = 5


def make_splits(task, cv, X, groups=None, *, in_sample=True):
    """Return the train and test positions of every split.

    Parameters
    ----------
    task : ClassTask or NumberTask
        With y.
    cv : None, int, splitter or iterable
        None is `DEFAULT_FOLDS` folds, of an int as many: stratified by the labels (and no more
        than a class has rows, two at least), of shuffled rows for numbers. Both keep the rows of a
        group together where there are groups.
    X : array-like of shape (n_samples, ...)
    groups : array-like of shape (n_samples,), default=None
        Rows of one group may not stand on both sides of a split.
    in_sample : bool, default=True
        Whether errors may advise to set ``cv="in-sample"``.

    Returns
    -------
    list of (train, test) pairs of int ndarrays

    Raises
    ------
    ValueError
        When the splitter needs groups and there are none, when it tears a group apart, or leaves
        no row out.
    TeacherError
        When the training rows of a split hold a single class.
    """
    y, splitter = task.y, task.folds(cv, groups)
    with warnings.catch_warnings():
        # A fold that lacks a class is provided for: its rows keep their hard label alone.
        warnings.filterwarnings("ignore", message="The least populated class")
        try:
            positions = np.arange(len(y))  # of which a split may be a list or a mask
            splits = [(positions[a], positions[b]) for a, b in splitter.split(X, y, groups)]
            splits = [(train, test) for train, test in splits if len(test)]
        except (ValueError, TypeError, IndexError) as error:
            raise _refused_split(task, splitter, groups, error, in_sample) from error
    if not splits:
        raise ValueError(
            f"cv={shorten(cv)} gives no split; expected at least one (train, test) pair. cv=5 "
            "makes five."
        )
    groups = None if groups is None else np.asarray(groups)
    name = "The list of cv" if isinstance(cv, list | tuple) else f"cv={shorten(splitter)}"
    for number, (train, test) in enumerate(splits):
        _check_split(task, name, number, train, test, groups, in_sample)
    return splits


def _refused_split(task, splitter, groups, error, in_sample):
    """Return the error for a splitter that fails."""
    if groups is None and "groups" in str(error):
        return ValueError(
            f"cv={shorten(splitter)} needs groups and got none ({one_line(error)}); pass fit(X, y, "
            "groups=...), through metadata routing inside another estimator."
        )
    other = ", or cv='in-sample'" if in_sample else " to a number or a splitter"
    return ValueError(
        f"cv={shorten(splitter)} cannot split these {len(task.y)} rows ({one_line(error)}); "
        f"expected more rows of each {task.units}, or fewer splits. Set cv{other}."
    )


def _check_split(task, name, number, train, test, groups, in_sample):
    both = np.intersect1d(train, test)
    if len(both):
        own = " To ask one teacher about its own training rows, set cv='in-sample'."
        raise ValueError(
            f"{name} puts {len(both)} rows on both sides of split {number} (the first is "
            f"row {both[0]}); expected test rows that are no training rows, for out-of-fold "
            f"answers.{own if in_sample else ' cv=5 makes such splits.'}"
        )
    if groups is not None and np.isin(groups[test], groups[train]).any():
        raise ValueError(
            f"groups were passed, but {name} puts rows of one group on both sides of "
            f"split {number}; expected a splitter that keeps groups whole, such as GroupKFold() or "
            f"cv=5."
        )
    task.check_training_rows(train, f"split {number} of {name}", in_sample)


def check_two_classes(y, train, where, in_sample=True):
    """Refuse a split whose training rows hold a single class, from which nobody can learn.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    train : ndarray of int
        Positions of the training rows.
    where : str
        Which split it is.
    in_sample : bool, default=True
        See `make_splits`.

    Raises
    ------
    TeacherError
    """
    if len(np.unique(y[train])) >= 2:
        return
    few = f"one class only, {shorten(y[train][:1].tolist()[0])}" if len(train) else "no row"
    classes, counts = np.unique(y, return_counts=True)
    advice = "Use a stratified splitter or fewer splits."
    if counts.min() == 1:
        others = (
            "Set cv='in-sample', give a fitted teacher" if in_sample else "Give a fitted ensemble"
        )
        advice = (
            f"The class {shorten(classes.tolist()[np.argmin(counts)])} has a single row, which no "
            f"split can both leave out and learn from. {others}, or more rows of it."
        )
    raise TeacherError(
        f"The training rows of {where} hold {few}; expected at least two classes. {advice}"
    )


def stratified_folds(cv, y, groups):
    """Return the splitter of labels that `cv` stands for; see `make_splits`."""
    if cv is None:
        unit = y if groups is None else groups
        counts = np.unique(unit, return_counts=True)[1]
        cv = int(np.clip(counts.min() if groups is None else len(counts), 2, DEFAULT_FOLDS))
    if groups is not None and isinstance(cv, int | np.integer):
        return StratifiedGroupKFold(cv)
    return check_cv(cv, y, classifier=True)


def shuffled_folds(cv, y, groups):
    """Return the splitter of numbers that `cv` stands for; see `make_splits`."""
    if cv is None:
        n_units = len(y) if groups is None else len(np.unique(groups))
        cv = int(np.clip(n_units, 2, DEFAULT_FOLDS))
    if not isinstance(cv, int | np.integer):
        return check_cv(cv)
    # Rows in the order of y, or of a map, would have each fold's teacher extrapolate.
    return KFold(cv, shuffle=True, random_state=0) if groups is None else GroupKFold(cv)
