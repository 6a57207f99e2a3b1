"""A fitted model whose network has fewer units."""

import contextlib
import copy
from numbers import Integral, Real
from typing import Any

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from skdistill._compat import Interval, check_names_and_width
from skdistill._estimators._base import BaseDistilled
from skdistill._fitting._halves import learn_more
from skdistill._input._rows import as_rows
from skdistill._unwrap import named_steps
from skdistill.deployment._inside import replace_inside, trained_net
from skdistill.deployment._parts import take_apart
from skdistill.exceptions import StudentError
from skdistill.students import shrink
from skdistill.students._settings import check_settings
from skdistill.training._fitted import epochs_of
from skdistill.transfer._unlabeled import plain_rows

CONSTRAINTS = {
    "amount": [Interval(Real, 0, 1, closed="neither")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "verbose": ["verbose"],
}


def prune(
    model: Any,
    X: Any,
    y: ArrayLike,
    *,
    amount: float = 0.5,
    max_epochs: int = 10,
    soft_targets: Any = None,
    sample_weight: ArrayLike | None = None,
    X_unlabeled: Any = None,
    groups: ArrayLike | None = None,
    X_val: Any = None,
    y_val: ArrayLike | None = None,
    verbose: int = 0,
) -> Any:
    """Return a fitted model whose network has lost its weakest units, and has learnt without them.

    Of each hidden layer the units of the smallest weights go, with all that reads them; see
    `shrink`. What is left learns some epochs more, as `fit` of the model would: with its loss,
    alpha, learning rate and other settings, on its preprocessing as it is, from its teacher or
    from `soft_targets`. A teacher that was given unfitted is fitted for it again, out of fold: with
    a `memory` its answers are found there. A `StudentNet` learns as by its `partial_fit`, from
    rows, labels and weights alone.

    Parameters
    ----------
    model : distilled estimator, student or Pipeline
        Fitted, with a `StudentNet` or a sibling of it as its student; not changed. A
        Pipeline ends in one of the others, as `student_` does. Of a search it is the best
        estimator that is pruned.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
        Rows to learn from, such as those of `fit`.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their labels, of all classes that the model knows, or their numbers.
    amount : float, default=0.5
        Share of the units of each hidden layer that goes, between 0 and 1; one is left.
    max_epochs : int, default=10
        Epochs of the training afterwards.
    soft_targets : Targets or array-like of shape (n_samples, n_classes), default=None
        In place of the model's teacher; see `fit`.
    sample_weight, X_unlabeled, groups, X_val, y_val : default=None
        As `fit` of the model takes them: weights of the rows, rows without labels, groups that stay
        together, rows to choose the best of these epochs by. All rows are as the model, or the
        Pipeline, reads them.
    verbose : int, default=0
        1 shows how far the teacher and the training are, 2 prints a line for every epoch, as the
        `verbose` of a model or a student does.

    Returns
    -------
    estimator
        Of the class of `model`. It shares with it all but the student and `history_`. A clone of
        it, fitted anew, is the whole student again.

    Raises
    ------
    StudentError
        For a student without a network of its own, and for a network of which no units can be
        left out.
    NotFittedError
        When the model is not fitted.
    TypeError
        When it is no student.
    ValueError
        For settings out of their range, and for rows that are none of the model's: other columns,
        other classes. All of this before any training.

    See Also
    --------
    quantize : Weights in fewer bits.
    skdistill.students.shrink : The network alone.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.deployment import prune
    >>> from skdistill.students import TablePreprocessor
    >>> X, y = load_iris(return_X_y=True)
    >>> student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=3))
    >>> model = DistilledClassifier(GaussianNB(), student, random_state=0).fit(X, y)
    >>> small = prune(model, X, y, amount=0.75, max_epochs=2)
    >>> [sum(p.numel() for p in m.student_[-1].module_.parameters()) for m in (model, small)]
    [77059, 7747]
    """
    given = {"amount": amount, "max_epochs": max_epochs, "verbose": verbose}
    check_settings("prune", CONSTRAINTS, **given)
    take_apart(model, "prune")  # which refuses what is no fitted student

    learnt = {"soft_targets": soft_targets, "groups": groups, "y_val": y_val}
    rows = X, plain_rows(X_unlabeled), X_val

    def change(inner, X, X_unlabeled, X_val):
        is_distilled = isinstance(inner, BaseDistilled)
        student = _with_fewer_units(inner.student_ if is_distilled else inner, amount)
        if is_distilled:
            check_names_and_width(inner, as_rows(X))
        given = learnt | {"X_unlabeled": X_unlabeled, "X_val": X_val}
        unheard = [name for name, value in given.items() if value is not None]
        if unheard and not is_distilled:
            raise ValueError(
                f"{' and '.join(unheard)} were given for a {type(inner).__name__}, which goes on "
                f"learning from rows, labels and weights alone; expected None. Give the "
                f"DistilledClassifier or DistilledRegressor, or leave them out."
            )
        changes = {"verbose": verbose} if verbose else {}
        with _settings(student[-1], max_epochs=max_epochs, **changes):
            if is_distilled:
                told = copy.copy(inner).set_params(**changes)
                learn_more(told, student, X, y, sample_weight=sample_weight, **given)
            else:
                student[-1].partial_fit(X, y, sample_weight=sample_weight)
        return _with_student(inner, student) if is_distilled else student[-1]

    return replace_inside(model, change, *rows)


def _with_fewer_units(student, amount):
    """Return a Pipeline around a copy of a student, whose network has lost its weakest units."""
    *before, (name, learner) = named_steps(student)
    net = trained_net(learner, "prune")
    if net is not learner:
        raise StudentError(
            f"prune was given a student around a {type(net).__name__}, which makes its module "
            f"anew, as wide as it was, wherever it is read; expected a StudentNet. Give that the "
            f"module, or distil into shrink(student_.module_)."
        )
    learner = copy.deepcopy(learner)
    learner.module_ = shrink(learner.module_, 1 - amount)
    return Pipeline([*before, (name, learner)])


@contextlib.contextmanager
def _settings(net, **changes):
    """Let a net train with other settings than its own inside the block."""
    own = {name: getattr(net, name) for name in changes}
    vars(net).update(changes)
    try:
        yield
    finally:
        vars(net).update(own)


def _with_student(model, student):
    """Return a copy of a distilled estimator with another student."""
    found = copy.copy(model)
    net = student[-1]
    found.student_ = student if len(student) > 1 else net
    found.history_ = epochs_of(net)
    return found
