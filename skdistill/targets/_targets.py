"""From a teacher and rows to the array of soft targets that the student learns."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skdistill._random import draw_seeds
from skdistill._rows import as_rows
from skdistill.targets._ask import ask_aligned, leave_unknown_to_labels
from skdistill.targets._calibration import fit_calibration
from skdistill.targets._crossfit import fit_on_all_rows, out_of_fold
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import check_teacher, plan_splits
from skdistill.targets._warnings import warn_of_misleading_targets
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._align import align_columns, check_classes
from skdistill.teachers._contract import check_probabilities
from skdistill.teachers._ensemble import as_teacher, members_of
from skdistill.teachers._features import find_net
from skdistill.teachers._key import content_key, teacher_key


@dataclass
class Targets:
    """Soft targets and where they come from.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes), float64
        The teacher's probabilities in the order of the classes. A row of NaN has no target: it
        carries its hard label alone.
    kind : {"logits", "probabilities"}
        What the teacher speaks.
    cross_fitted : bool
        Whether each row was answered by a teacher that had not been fitted on it.
    teacher : object or None
        The fitted teacher, None when it was not wanted.
    more : list of ndarray of shape (n_more_i, n_classes)
        Its probabilities for rows without labels, and those of its clones for generated ones.
    features : dict of str to ndarray of shape (n_samples + sum of n_more_i, ...)
        What layers of it make of all rows.
    """

    probabilities: np.ndarray
    kind: str
    cross_fitted: bool
    teacher: object
    more: list = field(default_factory=list)
    features: dict = field(default_factory=dict)


def compute_targets(
    teacher,
    X,
    y,
    *,
    cv=None,
    calibrate=False,
    sample_weight=None,
    groups=None,
    teacher_classes=None,
    memory=None,
    device="auto",
    n_jobs=None,
    random_state=None,
    verbose=0,
    refit=True,
    fit_params=None,
    X_more=(),
    X_generated=None,
    layers=(),
):
    """Compute the soft targets of labelled rows, and fit the teacher where it is not.

    Parameters
    ----------
    teacher, X, y, cv, calibrate, sample_weight, groups, teacher_classes, memory, device, n_jobs, \
random_state, verbose
        As in `teacher_targets`.
    refit : bool, default=True
        Whether an unfitted teacher is fitted on all rows too, to be `Targets.teacher`.
    fit_params : dict, default=None
        What metadata routing brings for the teacher's `fit`; None is no routing.
    X_more : sequence of array-like, default=()
        Rows without labels that the teacher, fitted on all others, is asked about too.
    X_generated : dict of int to array-like, default=None
        For splits of a cross-fitting, by their number: rows made from those that the split leaves
        out, which its clone is asked about.
    layers : sequence of str, default=()
        Layers of a teacher that is a fitted network whose features are wanted for all rows.

    Returns
    -------
    Targets
    """
    y = np.asarray(y)
    classes, positions = np.unique(y, return_inverse=True)
    teacher = as_teacher(teacher, teacher_classes)
    fitted = check_teacher(teacher, cv)
    if answers_from_labels(teacher):
        if calibrate:
            raise ValueError(
                f"calibrate={calibrate!r} was given with the teacher {type(teacher).__name__}, "
                f"whose answers come from the labels; expected False: no label can judge them."
            )
        if len(X_more):
            raise ValueError(
                f"Rows without labels were given with the teacher {type(teacher).__name__}, whose "
                f"answers come from the labels; expected none, or a list of teachers of which one "
                f"answers for rows."
            )
        return Targets(teacher.soft_targets(y, classes), "probabilities", False, teacher)
    memory = open_memory(memory)
    splits = plan_splits(teacher, X, y, cv, groups)
    cross_fitted = splits is not None
    seed = draw_seeds(random_state, 1)[0]
    key = None
    if memory is not None:
        key = teacher_key(teacher)
        if not fitted:
            key = content_key(key, X, y, seed, sample_weight, fit_params)
    if cross_fitted:
        answer, kind, generated = out_of_fold(
            teacher,
            X,
            y,
            classes,
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
        )
    if not fitted and (refit or not cross_fitted):
        how = {"memory": memory, "key": key, "verbose": verbose}
        teacher = fit_on_all_rows(teacher, X, y, seed, sample_weight, fit_params, **how)
    ask = partial(
        ask_aligned,
        teacher,
        classes=classes,
        teacher_classes=teacher_classes,
        device=device,
        memory=memory,
        key=key,
        verbose=verbose,
    )
    if not cross_fitted:
        (answer, kind), generated = ask(X, y=y), {}
    calibration = fit_calibration(answer, positions, calibrate, sample_weight)
    answer = calibration(answer)
    warn_of_misleading_targets(answer, positions, sample_weight)
    more = [ask(rows)[0] for rows in X_more]
    more = [calibration(rows) for rows in [*more, *generated.values()]]
    if any(answers_from_labels(member) for member in members_of(teacher)):
        answer, kind = teacher.add_answers_from_labels(answer, y, classes), "probabilities"
    features = find_net(teacher, device).features(layers, [X, *X_more]) if layers else {}
    if verbose and layers:
        n_bytes = sum(values.nbytes for values in features.values())
        print(f"[skdistill] teacher: {n_bytes / 1e6:.1f} MB of features of hidden layers")
    return Targets(answer, kind, cross_fitted, teacher if fitted or refit else None, more, features)


def targets_from_array(
    soft_targets, y, *, teacher_classes=None, calibrate=False, sample_weight=None
):
    """Check soft targets that the user brings.

    Parameters
    ----------
    soft_targets : array-like of shape (n_samples, n_classes)
        Probabilities; a row of NaN has no target. A DataFrame whose columns are the labels is
        read by them.
    y : ndarray of shape (n_samples,)
        Labels.
    teacher_classes : array-like of shape (n_classes,), default=None
        The order of the columns; None means the sorted classes of y.
    calibrate : bool or {"temperature", "prior"}, default=False
        See `teacher_targets`.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    Targets

    Raises
    ------
    ValueError
        When the shape or the values are not those of probabilities.
    """
    classes, positions = np.unique(y, return_inverse=True)
    if teacher_classes is None and set(getattr(soft_targets, "columns", [])) == set(classes):
        teacher_classes = soft_targets.columns
    try:
        soft_targets = np.array(soft_targets, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"soft_targets is of type {type(soft_targets).__name__}, which is no array of numbers "
            f"({error}); expected an array of shape (n_samples, n_classes)."
        ) from error
    n_columns = len(classes) if teacher_classes is None else len(teacher_classes)
    if soft_targets.shape != (len(y), n_columns):
        raise ValueError(
            f"soft_targets has shape {soft_targets.shape}; expected ({len(y)}, {n_columns}): a "
            f"row per row of X and a column per class, in sorted order or in that of "
            f"teacher_classes."
        )
    told = ~np.isnan(soft_targets).all(axis=1)
    soft_targets[told] = check_probabilities(soft_targets[told], told.sum(), "soft_targets")
    if teacher_classes is not None:
        check_classes(teacher_classes, classes, explicit=True)
        soft_targets = align_columns(soft_targets, np.asarray(teacher_classes), classes)
        leave_unknown_to_labels(soft_targets, np.asarray(teacher_classes), y)
    calibration = fit_calibration(soft_targets, positions, calibrate, sample_weight)
    soft_targets = calibration(soft_targets)
    warn_of_misleading_targets(soft_targets, positions, sample_weight)
    return Targets(soft_targets, "probabilities", False, None)


def teacher_targets(
    teacher,
    X,
    y=None,
    *,
    cv=None,
    calibrate=False,
    sample_weight=None,
    groups=None,
    teacher_classes=None,
    memory=None,
    device="auto",
    n_jobs=None,
    random_state=None,
    verbose=0,
):
    """Give the very soft targets that `DistilledClassifier.fit` would use.

    To look at them, to keep them, or to hand them to a whole search as `soft_targets=` without
    pickling the teacher to every worker.

    Parameters
    ----------
    teacher : object
        A teacher of any kind that `DistilledClassifier` takes, fitted or not.
    X : array-like of shape (n_samples, ...)
        Rows, as the teacher wants them.
    y : array-like of shape (n_samples,), default=None
        Labels. Only a fitted teacher can do without: the columns are then its own classes, in
        sorted order.
    cv : int, splitter, iterable or "in-sample", default=None
        The cross-fitting of an unfitted teacher; None is five stratified folds.
    calibrate : bool or {"temperature", "prior"}, default=False
        What is fitted on these answers and labels, and applied to them. True or "temperature":
        one temperature, against answers that are too sure or too timid. "prior": one offset per
        class, against class weights and resampling; see `fit_prior_offsets`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights for the fit of the teacher, where that takes them, and for the calibration.
    groups : array-like of shape (n_samples,), default=None
        Groups that no split may tear apart.
    teacher_classes : array-like of shape (n_columns,), default=None
        The order of the teacher's columns where it has no `classes_`.
    memory : str or joblib.Memory, default=None
        Where the answers are kept, each as soon as it is there, and found again.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    n_jobs : int, default=None
        Folds fitted at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the teacher where its own `random_state` is None.
    verbose : int, default=0
        1 prints a line for every fold, and how far a fitted teacher is.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        Probabilities in the sorted order of the classes. A row of NaN has no target (no split
        left it out, or the teacher does not know its class) and learns from its label alone.

    Raises
    ------
    TeacherError
        When the teacher or its answer does not meet the contract.
    ValueError
        For a fitted teacher with `cv`, an unfitted one without y, groups that do not fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.targets import teacher_targets
    >>> X, y = load_iris(return_X_y=True)
    >>> targets = teacher_targets(RandomForestClassifier(random_state=0), X, y)
    >>> targets.shape
    (150, 3)
    """
    X = as_rows(X)
    teacher = as_teacher(teacher, teacher_classes)
    if y is None:
        if not check_teacher(teacher, cv):
            raise ValueError(
                f"The teacher {type(teacher).__name__} is not fitted and y is None; expected "
                f"labels to fit it on. Pass y, or a fitted teacher."
            )
        if calibrate:
            raise ValueError(f"calibrate={calibrate!r} needs labels and y is None; pass y.")
        return ask_aligned(
            teacher,
            X,
            None,
            teacher_classes=teacher_classes,
            device=device,
            memory=memory,
            verbose=verbose,
        )[0]
    check_consistent_length(X, y, sample_weight, groups)
    return compute_targets(
        teacher,
        X,
        y,
        cv=cv,
        calibrate=calibrate,
        sample_weight=sample_weight,
        groups=groups,
        teacher_classes=teacher_classes,
        memory=memory,
        device=device,
        n_jobs=n_jobs,
        random_state=random_state,
        verbose=verbose,
        refit=False,
    ).probabilities
