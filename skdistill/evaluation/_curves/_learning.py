"""Scores against the number of training rows, and against the number of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skdistill.evaluation._arguments import check_random_state
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._curves._input import check_curve_input
from skdistill.evaluation._curves._run import run_curve
from skdistill.evaluation._curves._scores import mean_rows, title, without_squares
from skdistill.evaluation._curves._subsets import nested_subsets
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import OWN, Arm
from skdistill.evaluation._recipes import student_arms
from skdistill.evaluation._tables import TableResult
from skdistill.teachers._adapters import answers_from_labels

ROWS, LABELS = "n_train", "n_labels"

UNLABELLED = "distilled + unlabelled"


@dataclass(repr=False, eq=False)
class LearningCurves(TableResult):
    """What `learning_curves` and `label_budget_curve` return.

    Attributes
    ----------
    rows : list of dict
        One for each arm and size; the keys are described in the functions.
    title : str
        What the table shows.
    size_name : {"n_train", "n_labels"}
        The key of the size.
    """

    rows: list[dict[str, Any]]
    title: str
    size_name: str

    def _shown(self) -> list[dict[str, Any]]:
        return without_squares(self.rows)


def learning_curves(
    model: Any,
    X: Any,
    y: Any,
    *,
    train_sizes: Any = (0.1, 0.325, 0.55, 0.775, 1.0),
    cv: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> LearningCurves:
    """Score teacher, plain, label-smoothed and distilled student against the training rows.

    All arms learn from the same rows. The subsets of a split are parts of each other, keep the
    proportions of the classes, and hold a row of every class before a second one of any. An
    unfitted teacher is fitted on each subset alone, its targets out of fold, so that no target
    has seen a test row; a fitted one is used as it is.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe, with a teacher. It is not changed, and its `random_state` seeds every fit; of
        None or a generator one seed is drawn.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or numbers.
    train_sizes : array-like of shape (n_ticks,), default=(0.1, 0.325, 0.55, 0.775, 1.0)
        Floats are shares of the training rows of the smallest split, ints numbers of rows.
    cv : int, splitter or iterable, default=None
        As in `sklearn.model_selection.learning_curve`; None is five stratified folds. One fixed
        test set is ``cv=[(train, test)]``.
    n_jobs : int, default=None
        Subsets at a time, through joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw of the subsets; None takes the seed of the fits.
    verbose : int, default=0
        1 prints a line for every subset, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished subset is kept, and found again by the content of rows,
        arms and seed: a call that was interrupted goes on where it was.

    Returns
    -------
    curves : LearningCurves
        Its ``rows`` hold for each ``arm`` ("teacher", "plain", "label smoothing", "distilled")
        and ``n_train`` the means over the splits of ``train_log_loss`` and ``test_log_loss`` (in
        nats), ``train_accuracy``, ``test_accuracy``, ``train_brier`` and ``test_brier`` (sum over
        the classes, in [0, 2]), and under ``<name>_std`` the standard deviations (ddof=1). The
        training scores are those of the rows that were learnt from; of a class that a subset
        lacks its students give the probability 0, which the log-loss takes as 2.2e-16. Of a
        regressor the scores are ``rmse``, ``mse``, ``mae`` and ``r2`` as in `distillation_report`
        (of several outputs each is divided by its standard deviation over all rows; ``rmse`` is the
        root in each split), ``mse`` is not printed, and there is no arm "label smoothing".

    Raises
    ------
    ValueError
        For input that does not fit, before any training.

    Warns
    -----
    TeacherWarning
        When a fitted teacher's log-loss on the training rows of the splits is below half of that
        on the test rows, by more than two standard errors: it has memorised the former. One that
        has seen both cannot be caught in this way, and its scores are worth nothing.

    See Also
    --------
    label_budget_curve : Against the number of labels.
    LearningCurvesDisplay : The picture.
    sklearn.model_selection.learning_curve : For a single estimator, with any scorer.

    Notes
    -----
    Sample weights and the groups of a splitter are not passed on; give the splits of a
    `GroupKFold` as ``cv=list(GroupKFold().split(X, y, groups))``.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import learning_curves
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> curves = learning_curves(model, X, y, train_sizes=[50, 100], cv=2)
    >>> [(row["arm"], row["n_train"]) for row in curves.rows][:3]
    [('teacher', 50), ('teacher', 100), ('plain', 50)]
    """
    work = Work("learning_curves", n_jobs, verbose, memory)
    check_random_state(work.owner, random_state)
    given = check_curve_input(work.owner, model, X, y, cv)
    subsets = nested_subsets(given, train_sizes, random_state, parameter="train_sizes")
    names = given.problem.task.curve_arms
    samples = run_curve(work, given, subsets, student_arms(model, names))
    rows = mean_rows(given, samples, (TEACHER, *names), ROWS)
    return LearningCurves(rows, title("Learning curves", given), ROWS)


def label_budget_curve(
    model: Any,
    X: Any,
    y: Any,
    *,
    budgets: Any = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    cv: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> LearningCurves:
    """Score plain and distilled student against the number of labels that are paid for.

    The budget buys the labels of so many training rows, drawn as in `learning_curves`. An
    unfitted teacher is fitted on them alone; a fitted one came with labels of its own. The other
    training rows of the split are there without their labels: a third student learns from what the
    teacher says of them too.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe, with a teacher; see `learning_curves`.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or numbers.
    budgets : array-like of shape (n_ticks,), default=(0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
        Floats are shares of the training rows of the smallest split, ints numbers of labels.
    cv : int, splitter or iterable, default=None
        None is five stratified folds. One fixed test set is ``cv=[(train, test)]``.
    n_jobs : int, default=None
        Subsets at a time, through joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw of the labelled rows; None takes the seed of the fits.
    verbose : int, default=0
        1 prints a line for every subset, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished subset is kept, and found again by the content of rows,
        arms and seed: a call that was interrupted goes on where it was.

    Returns
    -------
    curve : LearningCurves
        Its ``rows`` are those of `learning_curves`, for the arms "teacher", "plain", "distilled"
        and "distilled + unlabelled", with ``n_labels`` in the place of ``n_train``. The training
        scores are those of the labelled rows.

    Raises
    ------
    ValueError
        For input that does not fit, before any training.

    Warns
    -----
    TeacherWarning
        When a fitted teacher has memorised the training rows of the splits.

    Notes
    -----
    For "distilled + unlabelled" the teacher is fitted, or asked, once more on each subset, unless
    the model has a `memory`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import label_budget_curve
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> curve = label_budget_curve(model, X, y, budgets=[50, 100], cv=2)
    >>> [(row["arm"], row["n_labels"]) for row in curve.rows][2:4]
    [('plain', 50), ('plain', 100)]
    """
    work = Work("label_budget_curve", n_jobs, verbose, memory)
    check_random_state(work.owner, random_state)
    given = check_curve_input(work.owner, model, X, y, cv)
    if answers_from_labels(model.teacher):
        raise ValueError(
            f"The teacher {type(model.teacher).__name__} answers from the labels, and "
            f"label_budget_curve asks about rows without one; see learning_curves instead."
        )
    subsets = nested_subsets(given, budgets, random_state, parameter="budgets")
    arms = (
        *student_arms(model, (PLAIN, DISTILLED)),
        Arm(UNLABELLED, model, OWN, {"verbose": 0}),
    )
    samples = run_curve(work, given, subsets, arms)
    rows = mean_rows(given, samples, (TEACHER, PLAIN, DISTILLED, UNLABELLED), LABELS)
    return LearningCurves(rows, title("Label budget", given), LABELS)
