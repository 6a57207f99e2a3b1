"""From a teacher of numbers and rows to the numbers that the student learns."""

import warnings
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from skdistill._random import draw_seeds
from skdistill.exceptions import TeacherWarning
from skdistill.targets._ask import ask_in_chunks
from skdistill.targets._crossfit import fit_on_all_rows, out_of_fold
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import plan_splits
from skdistill.targets._warnings import warn_of_feature_names
from skdistill.teachers._ensemble import as_teacher, members_of
from skdistill.teachers._fit import is_fitted
from skdistill.teachers._key import content_key, teacher_key
from skdistill.teachers._regressors import KIND, adapt_regressor


@dataclass
class Values:
    """A teacher's numbers and where they come from.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs), float64
        What the teacher predicts. A row of NaN has none: it carries its target alone.
    cross_fitted : bool
        Whether each row was answered by a teacher that had not been fitted on it.
    teacher : object or None
        The fitted teacher.
    more : list of ndarray of shape (n_more_i, n_outputs)
        Its numbers for rows without targets, and those of its clones for generated ones.
    """

    values: np.ndarray
    cross_fitted: bool
    teacher: object
    more: list = field(default_factory=list)


def compute_values(
    teacher,
    X,
    y,
    *,
    cv=None,
    sample_weight=None,
    groups=None,
    memory=None,
    device="auto",
    n_jobs=None,
    random_state=None,
    verbose=0,
    fit_params=None,
    X_more=(),
    X_generated=None,
):
    """Ask a teacher for its numbers, and fit it where it is not.

    Parameters
    ----------
    teacher, X, cv, sample_weight, groups, memory, device, n_jobs, random_state, verbose, \
fit_params, X_more, X_generated
        As in `compute_targets`.
    y : ndarray of shape (n_samples, n_outputs)
        Targets.

    Returns
    -------
    Values
    """
    teacher = as_teacher(teacher, regresses=True)
    n_outputs = y.shape[1]
    y = y[:, 0] if n_outputs == 1 else y
    splits = plan_splits(teacher, X, y, cv, groups, regresses=True)
    fitted = is_fitted(teacher)
    memory = open_memory(memory)
    seed = draw_seeds(random_state, 1)[0]
    key = None
    if memory is not None:
        key = content_key(KIND, teacher_key(teacher))
        if not fitted:
            key = content_key(key, X, y, seed, sample_weight, fit_params)
    generated = {}
    if splits is not None:
        values, _, generated = out_of_fold(
            teacher,
            X,
            y,
            None,
            splits,
            seed,
            sample_weight,
            fit_params,
            device,
            X_generated=X_generated,
            memory=memory,
            key=key,
            n_jobs=n_jobs,
            verbose=verbose,
            adapt=partial(adapt_regressor, n_outputs=n_outputs),
        )
    if not fitted:
        how = {"memory": memory, "key": key, "verbose": verbose}
        teacher = fit_on_all_rows(teacher, X, y, seed, sample_weight, fit_params, **how)
    adapter = adapt_regressor(teacher, device=device, n_outputs=n_outputs)

    def ask(rows):
        for member in members_of(teacher):
            warn_of_feature_names(member, rows)
        size = adapter.chunk_size
        return ask_in_chunks(lambda: adapter, rows, key, memory=memory, size=size, verbose=verbose)[
            0
        ]

    if splits is None:
        values = ask(X)
    more = [*map(ask, X_more), *generated.values()]
    return Values(values, splits is not None, teacher, more)


def values_from_array(soft_targets, n_samples, n_outputs):
    """Check numbers that the user brings in place of a teacher.

    Parameters
    ----------
    soft_targets : array-like of shape (n_samples,) or (n_samples, n_outputs)
        A row of NaN has none.
    n_samples, n_outputs : int
        What they must be.

    Returns
    -------
    Values

    Raises
    ------
    ValueError
    """
    try:
        values = np.array(soft_targets, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"soft_targets is of type {type(soft_targets).__name__}, which is no array of numbers "
            f"({error}); expected an array of shape ({n_samples}, {n_outputs})."
        ) from error
    came = values.shape
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (n_samples, n_outputs):
        raise ValueError(
            f"soft_targets has shape {came}; expected ({n_samples}, {n_outputs}): a row per row of "
            f"X and a column per column of y."
        )
    if np.isinf(values).any():
        raise ValueError(
            "soft_targets holds infinite values; expected finite numbers, and NaN for a row that "
            "has none."
        )
    return Values(values, False, None)


def warn_of_poor_values(values, y, sample_weight=None, level=None):
    """Warn when the best constant prediction is nearer to the targets than the teacher is.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        What the teacher predicts; rows of NaN are left out.
    y : ndarray of shape (n_samples, n_outputs)
        Targets.
    sample_weight : ndarray of shape (n_samples,), default=None
    level : float, default=None
        The quantile that is learnt, judged by the pinball loss; None is the mean, judged by the
        squared error.

    Warns
    -----
    TeacherWarning
    """
    told = ~np.isnan(values).any(axis=1)
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    told &= weight > 0
    if not told.any():
        return
    values, y, weight = values[told], y[told], weight[told]
    constant = _best_constant(y, weight, level)
    of_teacher = np.average(_errors(values, y, level), axis=0, weights=weight)
    of_constant = np.average(_errors(constant, y, level), axis=0, weights=weight)
    poor = (of_teacher > of_constant) & (of_constant > 0)
    if not poor.any():
        return
    worst = int(np.argmax(of_teacher / np.where(poor, of_constant, np.inf)))
    name = "squared error" if level is None else "pinball loss"
    best = "mean" if level is None else f"quantile {level:g}"
    column = f" in column {worst} of y" if y.shape[1] > 1 else ""
    reason = (
        "it would teach nonsense. Was it fitted on rows prepared otherwise, or on targets in "
        "another unit? Put the preprocessing into the teacher's own Pipeline, a change of unit "
        "into a TransformedTargetRegressor."
    )
    if level not in (None, 0.5):
        reason = (
            f"a teacher of the mean does not teach a quantile. Give one of that quantile, such as "
            f"HistGradientBoostingRegressor(loss='quantile', quantile={level:g})."
        )
    warnings.warn(
        f"The teacher's {name} on the labelled rows is {of_teacher[worst]:.4g}{column}, worse than "
        f"the {of_constant[worst]:.4g} of the {best} of y alone: {reason}",
        TeacherWarning,
        stacklevel=2,
    )


def _errors(values, y, level):
    if level is None:
        return (y - values) ** 2
    return np.maximum(level * (y - values), (level - 1) * (y - values))


def _best_constant(y, weight, level):
    if level is None:
        return np.average(y, axis=0, weights=weight)
    order = np.argsort(y, axis=0)
    shares = np.cumsum(weight[order], axis=0) / weight.sum()
    position = (shares < level).sum(axis=0).clip(max=len(y) - 1)
    return np.take_along_axis(y, order, axis=0)[position, np.arange(y.shape[1])]
