"""From a teacher and rows to the soft targets that the student learns."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

from skdistill._compat import check_sample_weight
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.targets._ask import (
    Desk,
    Fitting,
    ask_fitted,
    ask_one,
    ask_out_of_fold,
    check_verbose,
    fit_on_all_rows,
)
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import check_teacher, kind_of_task, plan_splits
from skdistill.targets._tasks import ClassTask
from skdistill.targets._value import Targets
from skdistill.teachers._align import align_columns
from skdistill.teachers._features import find_net
from skdistill.teachers._key import content_key, teacher_key
from skdistill.teachers._panel import common_kind
from skdistill.transfer._gather import check_alike
from skdistill.transfer._unlabeled import plain_rows


def compute_targets(
    teacher,
    X,
    task,
    *,
    cv=None,
    calibrate=False,
    groups=None,
    columns=None,
    fitting,
    desk,
    refit=True,
    X_more=(),
    X_generated=None,
    layers=(),
):
    """Ask a teacher about rows, and fit it where it is not.

    Parameters
    ----------
    teacher : Examined
        See `check_teacher`.
    X, cv, calibrate, groups
        As in `teacher_targets`.
    task : ClassTask or NumberTask
        With y.
    columns : array-like of shape (n_columns,), default=None
        The labels of the teacher's columns, above what it says itself.
    fitting : Fitting
        How an unfitted teacher is fitted; its weights are those of the calibration, too.
    desk : Desk
        How it is asked.
    refit : bool, default=True
        Whether an unfitted teacher is fitted on all rows too.
    X_more : sequence of array-like, default=()
        Rows without labels that the teacher, fitted on all others, is asked about too.
    X_generated : dict of int to array-like, default=None
        For splits of a cross-fitting, by their number: rows made from those that the split leaves
        out, which its clone is asked about.
    layers : sequence of str, default=()
        Layers of a teacher that is a fitted network whose features are wanted for all rows.

    Returns
    -------
    targets : Targets
        Their `more` are the answers for `X_more`, and after them those for `X_generated`.
    teacher : object or None
        The fitted teacher; None where none was wanted.
    """
    fitted = teacher.is_fitted
    if teacher.answers_from_labels:
        return _from_labels(teacher.teacher, task, calibrate, X_more), teacher.teacher
    splits = plan_splits(fitted, task, X, cv, groups)
    key = None
    if desk.memory is not None and not fitted:
        key = content_key(teacher_key(teacher.teacher), task.asks.name, X, task.y, *fitting)
    columns = None if columns is None else np.asarray(columns)
    generated, pool = {}, None
    if splits is not None:
        values, kinds, generated, pool = ask_out_of_fold(
            teacher, task, X, splits, fitting, X_generated or {}, desk=desk, key=key
        )
    if not fitted and (refit or splits is None or X_more):
        teacher = fit_on_all_rows(teacher, task, X, fitting, pool, desk=desk, key=key)
    ask = partial(ask_fitted, teacher, desk=desk, key=key)
    if splits is None:
        values, kinds = ask_one(teacher, task, X, ask, columns)
    calibration = task.fit_calibration(
        values, calibrate, fitting.sample_weight, out_of_fold=splits is not None
    )
    more = [task.read(ask(rows), kinds, teacher.panel, columns)[0] for rows in X_more]
    more += generated.values()
    said = values
    if calibration is not None:
        values, more = calibration(values), list(map(calibration, more))
    targets = Targets(
        values,
        common_kind(kinds),
        task.classes,
        out_of_fold=splits is not None,
        calibrated=calibration is not None,
        more=more,
        features=_features(teacher, [X, *X_more], layers, desk),
        said=None if calibration is None else said,
    )
    task.warn(targets, fitting.sample_weight)
    if any(member.answers_from_labels for member in teacher.members):
        values = teacher.teacher.add_answers_from_labels(targets.values, task.y, task.classes)
        targets = targets.replace(values=values, kind="probabilities", said=said)
    return targets, teacher.teacher if teacher.is_fitted else None


def _from_labels(teacher, task, calibrate, X_more):
    """Return the targets of a teacher that knows the labels' meaning alone."""
    name = type(teacher).__name__
    if calibrate and calibrate != "auto":
        raise ValueError(
            f"calibrate={shorten(calibrate)} was given with the teacher {name}, whose answers come "
            "from the labels; expected False: no label can judge them."
        )
    if len(X_more):
        raise ValueError(
            f"Rows without labels were given with the teacher {name}, whose answers come from the "
            f"labels; expected none, or a list of teachers of which one answers for rows."
        )
    values = teacher.soft_targets(task.y, task.classes)
    return Targets(values, classes=task.classes, from_labels=True)


def _features(teacher, parts, layers, desk):
    """Return what layers of a network make of each part of the rows."""
    if not layers:
        return None
    found = find_net(teacher.teacher, desk.device).features(layers, parts)
    if desk.verbose:
        n_bytes = sum(values.nbytes for values in found.values())
        print(f"[skdistill] teacher: {n_bytes / 1e6:.1f} MB of features of hidden layers")
    ends = np.cumsum([part.shape[0] for part in parts])[:-1]
    return {name: np.split(values, ends) for name, values in found.items()}


def teacher_targets(
    teacher: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    cv: Any = None,
    calibrate: bool | str = False,
    sample_weight: Any = None,
    groups: ArrayLike | None = None,
    X_unlabeled: Any = None,
    teacher_classes: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    memory: Any = None,
    device: Any = "auto",
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
    layers: Sequence[str] = (),
    task: Any = "auto",
) -> Targets:
    """Ask a teacher for the very soft targets that `fit` would use.

    To look at them, to keep them, or to hand them to a whole search as `soft_targets=` without
    pickling the teacher to every worker. With the same settings and `random_state`,
    ``fit(X, y, soft_targets=targets)`` gives the student that `fit` with the teacher gives.

    Parameters
    ----------
    teacher : object
        A teacher of any kind that `DistilledClassifier`, or `DistilledRegressor`, takes, fitted or
        not.
    X : array-like of shape (n_samples, ...), or dict of array-like
        Rows, as the teacher wants them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Labels, or numbers. Only a fitted teacher can do without: the columns are then its own
        classes, in sorted order.
    cv : int, splitter, iterable or "in-sample", default=None
        The cross-fitting of an unfitted teacher; None is five stratified folds.
    calibrate : bool or {"temperature", "prior", "auto"}, default=False
        What is fitted on these answers and labels, and applied to them. True or "temperature":
        one temperature, against answers that are too sure or too timid. "prior": one offset per
        class, against class weights and resampling; see `fit_prior_offsets`. "auto": a temperature
        where the answers are out of fold and it lowers their log-loss by more than a standard
        error over the rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights for the fit of the teacher, where that takes them, and for the calibration.
    groups : array-like of shape (n_samples,), default=None
        Groups that no split may tear apart.
    X_unlabeled : array-like of shape (n_unlabeled, ...) or Unlabeled, default=None
        Rows without labels that the teacher, fitted on all others, is asked about too, for
        ``fit(X, y, soft_targets=targets, X_unlabeled=X_unlabeled)``.
    teacher_classes : array-like of shape (n_columns,), default=None
        The order of the teacher's columns where it has no `classes_`.
    classes : array-like of shape (n_classes,), default=None
        Labels to learn beyond those of y, as in `fit`; None is those of y.
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
    layers : sequence of str, default=()
        Layers of a teacher that is a fitted network, by name: what they make of the rows comes
        along, for the `feature_losses` of a student.
    task : {"auto", "classes", "numbers", "labels"}, default="auto"
        What the teacher is asked for: "auto" is numbers of a regressor, as scikit-learn tells one,
        and classes of any other. A module, a skorch net or a function of numbers needs "numbers",
        and several labels of a row "labels".

    Returns
    -------
    Targets
        Which numpy reads as an array of shape (n_samples, n_classes): probabilities in the sorted
        order of the classes; of numbers (n_samples, n_outputs). A row of NaN has no target (no
        split left it out, or the teacher does not know its class) and learns from its label alone.

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
    >>> teacher_targets(RandomForestClassifier(random_state=0), X, y)
    Targets(shape=(150, 3), kind='probabilities', classes=[0, 1, 2], out_of_fold=True)
    """
    check_verbose(verbose, "teacher_targets")
    X = as_rows(X)
    check_consistent_length(X, y, groups)
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, X)
    desk = Desk(device, open_memory(memory), n_jobs, verbose)
    X_more = []
    if X_unlabeled is not None:
        X_more.append(as_rows(plain_rows(X_unlabeled)))
        check_alike(X_more[0], X)
    kind = kind_of_task(teacher, task, "teacher_targets")
    kind.check_settings(calibrate, teacher_classes)
    _check_layers(teacher, layers, X, device)
    if classes is None:
        task = None if y is None else kind.from_y(y)
    else:
        _check_classes_wanted(kind, y, classes)
        task = kind.from_y(y, classes)
    teacher = check_teacher(teacher, cv, kind.asks, teacher_classes, device)
    if task is None:
        _check_without_labels(teacher, calibrate)
        return _ask_without_labels(teacher, X, X_more, teacher_classes, layers, desk)
    return compute_targets(
        teacher,
        X,
        task,
        cv=cv,
        calibrate=calibrate,
        groups=groups,
        columns=teacher_classes,
        fitting=Fitting(draw_seeds(random_state, 1)[0], sample_weight),
        desk=desk,
        refit=False,
        X_more=X_more,
        layers=layers,
    )[0]


def _check_layers(teacher, layers, X, device):
    """Refuse layers that cannot be read, before anything is asked."""
    if isinstance(layers, str) or not all(isinstance(name, str) for name in layers):
        raise ValueError(
            f"The 'layers' parameter of teacher_targets must be a list of names of layers, of "
            f"type str. Got {shorten(layers)} instead."
        )
    if layers:
        find_net(teacher, device, "layers").shapes(layers, X)


def _check_classes_wanted(kind, y, classes):
    """Refuse classes where there are none to add to."""
    if kind is not ClassTask:
        raise ValueError(
            f"classes={shorten(classes)} was given where {kind.asks.name} are asked for; expected "
            "None: it is about classes, of which a row has one."
        )
    if y is None:
        raise ValueError(
            f"classes={shorten(classes)} was given without y; expected None: the columns are then "
            "the teacher's own classes."
        )


def _check_without_labels(teacher, calibrate):
    """Refuse what needs labels where there are none."""
    if not teacher.is_fitted:
        raise ValueError(
            f"The teacher {type(teacher.teacher).__name__} is not fitted and y is None; expected "
            f"labels to fit it on. Pass y, or a fitted teacher."
        )
    if calibrate:
        raise ValueError(f"calibrate={shorten(calibrate)} needs labels and y is None; pass y.")


def _ask_without_labels(teacher, X, X_more, columns, layers, desk):
    """Ask a fitted teacher about rows of which nobody knows the labels."""
    groups = [ask_fitted(teacher, rows, desk=desk) for rows in [X, *X_more]]
    features = _features(teacher, [X, *X_more], layers, desk)
    kinds, panel = teacher.asks.find_kinds(groups), teacher.panel
    answers = [teacher.asks.read(replies, kinds, panel) for replies in groups]
    if columns is not None:
        answers = [(values, np.asarray(columns)) for values, _ in answers]
    (first, known), *_ = answers
    classes = None if known is None else np.sort(known)
    wanted = np.arange(first.shape[1]) if classes is None else classes
    values, *more = (align_columns(values, named, wanted) for values, named in answers)
    return Targets(values, common_kind(kinds), classes, more=more, features=features)
