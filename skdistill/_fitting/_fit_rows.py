"""The rows of one fit, and all that belongs to them."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sklearn.utils.validation import check_consistent_length

from skdistill._compat import check_names_and_width
from skdistill._input._inputs import as_inputs
from skdistill._input._rows import as_rows, has_gaps
from skdistill._names import own_rows
from skdistill._random import seed_parameters
from skdistill.exceptions import StudentError


class Seeds(NamedTuple):
    """What is drawn in a fit, each from a seed of its own.

    Attributes
    ----------
    teacher : int
        The fits of an unfitted teacher.
    weights : int
        The student's first weights.
    order : int
        The order of the rows, dropout and views.
    generated : int or None
        Rows that are made of rows; None where none can be.
    """

    teacher: int
    weights: int
    order: int
    generated: int | None = None


@dataclass(frozen=True)
class Rows:
    """What is learnt from, checked, and what is settled by then.

    Attributes
    ----------
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        The labelled rows.
    task : ClassTask or NumberTask
        What y asks for, and y itself.
    sample_weight : ndarray of shape (n_samples,) or None
    groups : array-like of shape (n_samples,) or None
    fit_params : dict or None
        What metadata routing brings for the teacher's `fit`; None without routing.
    cv : None, int, splitter, list of (train, test) or "in-sample"
        The cross-fitting of the teacher.
    alpha : float or "auto"
        The weight of the teacher in this fit: 1 without labels.
    seeds : Seeds or None
        None before they are drawn.
    soft_targets : object or None
        As given to `fit`.
    teacher : Examined or None
        What is known of the teacher; None where there is none.
    more : list of {ndarray, CSR matrix, DataFrame}
        Rows without labels that the teacher, fitted on the others, answers.
    generated : dict of int to {ndarray, CSR matrix, DataFrame}
        Rows that the clone of a split answers, by the number of the split.
    X_val : {ndarray, CSR matrix, DataFrame} of shape (n_val, ...) or None
        Rows to choose the best epoch by.
    held : ndarray of shape (n_val, ...) or None
        The positions of their classes, or their numbers.
    """

    X: Any
    task: Any
    sample_weight: object
    groups: object
    fit_params: dict | None
    cv: Any
    alpha: float | str
    seeds: Seeds | None = None
    soft_targets: object = None
    teacher: Any = None
    more: list = field(default_factory=list)
    generated: dict = field(default_factory=dict)
    X_val: object = None
    held: object = None

    @property
    def has_more(self):
        """Whether some rows carry no label."""
        return bool(self.more or self.generated)

    @property
    def parts(self):
        """All rows that the student sees: the labelled ones, those without labels, those held."""
        held = [] if self.X_val is None else [self.X_val]
        return [self.X, *self.more, *self.generated.values(), *held]

    @property
    def are_weighted(self):
        """Whether they differ in weight."""
        return self.sample_weight is not None or (self.has_more and self.alpha != 1)

    def at(self, alpha):
        """Return the same with another weight of the teacher; at 0 nobody labels further rows."""
        if alpha == 0:
            return replace(self, alpha=alpha, more=[], generated={})
        return replace(self, alpha=alpha)

    def have_gaps(self):
        """Whether a value is missing in any of them."""
        return any(map(has_gaps, self.parts))


def read_held(model, task, X_val, y_val):
    """Check rows to choose the best epoch by.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        That has read the names and the width of X.
    task : ClassTask or NumberTask
    X_val : array-like of shape (n_val, ...) or None
    y_val : array-like of shape (n_val, ...) or None

    Returns
    -------
    X_val : {ndarray, CSR matrix, DataFrame} of shape (n_val, ...) or None
    held : ndarray of shape (n_val, ...) or None
        See `Rows`.

    Raises
    ------
    ValueError
        For one without the other, and for those that are not like X and y.
    """
    if (X_val is None) != (y_val is None):
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(f"{missing} is None; expected both X_val and y_val, or neither.")
    if X_val is None:
        return None, None
    try:
        X_val = as_rows(X_val)
        check_names_and_width(model, X_val)
        held = task.encode(y_val, "y_val")
        check_consistent_length(X_val, held)
    except ValueError as error:
        error.add_note("This was found with X_val and y_val.")
        raise
    return X_val, held


def fit_steps(student, rows):
    """Fit what comes before a student's net.

    Parameters
    ----------
    student : Pipeline
        Of two steps or more, the last of which is left alone.
    rows : Rows
        Whose seed of the weights is that of what the steps leave unseeded.

    Returns
    -------
    list of {ndarray, sparse matrix, DataFrame}
        The parts of the rows as the net sees them.

    Raises
    ------
    StudentError
        For a step that makes more or fewer rows, as a vectorizer of texts does of several inputs.
    """
    steps = student[:-1]
    X, *more = (own_rows(steps, part) for part in rows.parts)
    seed_parameters(steps, rows.seeds.weights)
    made = as_inputs(steps.fit_transform(X, rows.task.y))
    n_made = made.shape[0] if hasattr(made, "shape") else len(made)
    if n_made != X.shape[0]:
        raise StudentError(
            f"The steps before the student's net made {n_made} rows of {X.shape[0]}; expected as "
            f"many. Check that the first of them reads X, which is of type {type(X).__name__}."
        )
    return [made, *(steps.transform(part) for part in more)]
