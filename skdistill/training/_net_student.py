"""What students that are nets share: one way to learn, and to go on learning."""

import numpy as np

from skdistill._atomic import all_or_nothing
from skdistill._compat import check_names_and_width, learn_names_and_width
from skdistill._input._labels import check_labels, read_labels
from skdistill._input._rows import as_rows
from skdistill._names import columns_of
from skdistill._token_ids import refuse_ids
from skdistill.exceptions import StudentError
from skdistill.targets._tasks import ClassTask
from skdistill.training._base_student import BaseStudent
from skdistill.training._compiled import uncompiled
from skdistill.training._number_rows import NumberRows, check_weights, only_numbers
from skdistill.training._packed import Packed

UNHEARD = ("predict", "predict_proba", "forward", "forward_iter")
"""Methods of a net that no prediction of a student goes through."""

UNHEARD_OF_OURS = (*UNHEARD, "evaluation_step", "infer")
"""The same of a StudentNet, whose module is asked without the net."""


def refuse_unheard(net, methods):
    """Refuse a net that predicts in a way of its own, which its student would not.

    Parameters
    ----------
    net : skorch.NeuralNet
    methods : sequence of str
        Those that a class of the user's own may not have.

    Raises
    ------
    StudentError
    """
    unheard = [f"has its own {name}" for name in methods if _is_users(net, name)]
    if callable(net.predict_nonlinearity):
        name = getattr(net.predict_nonlinearity, "__name__", type(net.predict_nonlinearity))
        unheard.append(f"sets predict_nonlinearity={name}")
    if unheard:
        raise StudentError(
            f"The student {type(net).__name__} {' and '.join(unheard)}, which the student's "
            f"predictions would not hear: they are what its module returns, logits, probabilities "
            f"or numbers. Do it in the module's forward, from which it also learns."
        )


def _is_users(net, name):
    """Whether a method comes from a class that is neither skorch's nor of this package."""
    owner = next(kind for kind in type(net).__mro__ if name in vars(kind))
    return owner.__module__.partition(".")[0] not in ("skorch", "skdistill")


class NetStudentMixin(BaseStudent):
    """A student whose module learns from packed targets, epoch by epoch.

    A subclass has `prepare`, `prepare_again`, `goes_on`, `_train` and `_body`.
    """

    def __setattr__(self, name, value):
        """Set an attribute; a module that is a setting is one before the first fit, too."""
        if name in ("module", "criterion"):  # skorch takes a new one alone for a part of the net
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def _number_rows(self):
        return NumberRows(columns_of(self), getattr(self, "dtype", "float32"))

    def prepare_more(self, X):
        """Check further rows of a kind that `prepare` has seen.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, ...)
            For `learn`, below the rows that `prepare` returned.
        """
        X = as_rows(X)
        check_names_and_width(self, X)
        X = self._only_numbers(X)
        refuse_ids(uncompiled(self.module_), X)
        return X

    def _learn_columns(self, X):
        """Record the columns of rows to learn from; refuse rows that a module cannot read."""
        X = as_rows(X)
        learn_names_and_width(self, X)
        return self._only_numbers(X)

    def _only_numbers(self, X):
        return only_numbers(X, type(self).__name__, getattr(self, "dtype", "float32"))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags

    def _prepare_or_go_on(self, X, task):
        if not hasattr(self, "link_") or not self.goes_on():
            return self.prepare(X, task)
        self.link_.check_again(task)
        return self.prepare_again(X)

    def _go_on(self, X, task, sample_weight):
        """Learn some more rows from the weights that are there, or as `fit` does."""
        sample_weight = check_weights(sample_weight, X, task.y)
        goes_on = hasattr(self, "link_")
        with all_or_nothing(self, forget=False):
            if goes_on:
                self.link_.check_more(task)
            X = self.prepare_again(X) if goes_on else self.prepare(X, task)
            packed = Packed(task.hard, weight=sample_weight)
            return self.learn([X], packed, keep_link=goes_on)

    def learn(self, X, packed, *, seed=None, terms=(), keep_link=False, **settings):
        """Train on packed targets.

        Parameters
        ----------
        X : list of {ndarray, CSR matrix} of shape (n_i, ...)
            What `prepare` and `prepare_more` returned, in the order of the packed targets.
        packed : Packed
        seed : int, default=None
            Seeds the order of the rows, dropout and views; None draws from torch's generator.
        terms : sequence of Term, default=()
            Of the loss, beside that of the labels and the teacher's.
        keep_link : bool, default=False
            Whether numbers are standardised as those of an earlier fit were.
        **settings
            Of the criterion: loss, alpha and, for classes, temperature.

        Returns
        -------
        self
        """
        if keep_link:
            packed = self.link_.same(packed)
        else:
            packed, self.link_ = self.link_.learnt(packed)
        self._train(X, packed, {**settings, "terms": tuple(terms)}, seed)
        return self


def read_more_labels(student, y, classes):
    """Return the task of labels that a classifier is to go on with.

    Parameters
    ----------
    student : NetStudentMixin
        Its classes, where it has learnt some, are those of the labels.
    y : array-like of shape (n_samples,)
    classes : array-like of shape (n_classes,) or None
        All labels that will ever come; of a student that has learnt, those that it knows.

    Returns
    -------
    ClassTask

    Raises
    ------
    ValueError
        For other classes than those that it knows.
    """
    known = student.link_.classes if hasattr(student, "link_") else None
    y = read_labels(y) if known is None and classes is None else check_labels(y)
    if known is not None and classes is not None:
        if not np.array_equal(np.unique(classes), known):
            raise ValueError(
                f"classes={np.unique(classes).tolist()[:6]} were given to a student that has "
                f"learnt {known.tolist()[:6]}; expected the same. Leave them out, or fit anew."
            )
    elif classes is not None:
        known = np.unique(check_labels(classes))
    return ClassTask(y, known)
