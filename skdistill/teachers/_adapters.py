"""Each kind of teacher asked in the same way: rows in, a row of numbers for each out."""

import contextlib
import warnings
from typing import NamedTuple

import numpy as np
import torch
from sklearn.base import is_regressor
from skorch import NeuralNet, NeuralNetBinaryClassifier

from skdistill._compat import safe_indexing
from skdistill._generators import generator_put_back
from skdistill._input._inputs import name_rows
from skdistill._input._tensors import array_of
from skdistill._names import copy_rows, names_of, own_rows
from skdistill._token_ids import naming_ids
from skdistill._torch import (
    as_array,
    evaluating,
    forward_in_batches,
    forward_net,
    resolve_device,
)
from skdistill._unwrap import split_pipeline, unfrozen
from skdistill._words import one_line, shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._align import match_names
from skdistill.teachers._last_step import kind_of_module

_READ_ONLY = ("catboost", "lightgbm", "skdistill", "sklearn", "skorch", "xgboost")
"""Packages whose models do not write into the rows that they are asked about, unless they are told
not to copy them. Others get a copy."""


class Reply(NamedTuple):
    """What a teacher said of some rows, as it said it.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_columns), float64
        Finite numbers.
    columns : ndarray of shape (n_columns,) or None
        The labels of the columns, where the teacher or its answer names them.
    kind : {"logits", "probabilities"} or None
        What the numbers are, where that is known; None leaves it to their values.
    source : str
        Who answered, as a sentence's subject.
    """

    values: np.ndarray
    columns: np.ndarray | None
    kind: str | None
    source: str


class Adapter:
    """A fitted teacher, brought to the one contract.

    A subclass has `_answer(X)`, which returns what the teacher says of rows.

    Parameters
    ----------
    source : str
        Who answers, as a sentence's subject.
    asks : Classes or Numbers
        What it is asked for.
    columns : array-like of shape (n_columns,), default=None
        The labels of the columns, where the teacher knows them.
    kind : {"logits", "probabilities"}, default=None
        What it says, where that is known.
    """

    chunk_size: int | None = None
    """Rows that it is asked about at once; None is any number."""

    def __init__(self, source, asks, columns=None, kind=None):
        self.source = source
        self.asks = asks
        self.columns = None if columns is None else np.asarray(columns)
        self.kind = kind

    def ask(self, X):
        """Return what the teacher says of rows.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)

        Returns
        -------
        Reply

        Raises
        ------
        TeacherError
            When the answer is no row of finite numbers for each row, or names other classes than
            the teacher does.
        """
        answer = self._answer(X)
        names = names_of(answer)
        values = self.asks.as_values(answer, X.shape[0], self.source)
        columns = self.columns
        if names is not None:
            columns = names if columns is None else match_names(names, columns, self.source)
        kind = self._kind_of(values, X) if len(self.asks.kinds) > 1 else None
        return Reply(values, columns, kind, self.source)

    def _answer(self, X):
        raise NotImplementedError

    def _kind_of(self, values, X):
        return self.kind

    def at_hand(self):
        """Keep the teacher where it answers, inside the block, for many questions."""
        return contextlib.nullcontext()


class MethodAdapter(Adapter):
    """Anything with `predict_proba`, or `predict` for numbers."""

    def __init__(self, estimator, asks):
        name = type(estimator).__name__
        columns = asks.labels(getattr(estimator, "classes_", None), name)
        super().__init__(f"{name}.{asks.method}", asks, columns, "probabilities")
        self.estimator = estimator

    def _answer(self, X):
        writes = type(self.estimator).__module__.partition(".")[0] not in _READ_ONLY
        X = copy_rows(X) if writes else own_rows(self.estimator, X)
        with unnoticed(self.estimator):
            answer = getattr(self.estimator, self.asks.method)(X)
        return self.asks.join(answer, getattr(self.estimator, "classes_", None), self.source)


class _ModuleAdapter(Adapter):
    """A torch module, asked in evaluation mode and without gradients."""

    def __init__(self, module, device, asks):
        super().__init__(type(module).__name__, asks)
        self.module = module
        self.device = resolve_device(device)

    def _answer(self, X):
        with evaluating(self.module, self.device), reading_rows(self.source, X, self.module):
            return forward_in_batches(self.module, X, self.device)

    def _kind_of(self, values, X):
        if values.shape[1] > 1:
            return None
        return kind_of_module(self.module, safe_indexing(X, [0]))

    def at_hand(self):
        """Keep the module in evaluation mode and on the device, inside the block."""
        return evaluating(self.module, self.device)


class _SkorchAdapter(Adapter):
    """A skorch net of someone else, asked through its own batches, behind steps of a Pipeline."""

    def __init__(self, net, steps, asks):
        is_binary = isinstance(net, NeuralNetBinaryClassifier)  # whose classes_ are 0 and 1 always
        columns, name = getattr(net, "classes_", None), type(net).__name__
        columns = None if is_binary else asks.labels(columns, name)
        super().__init__(f"The module of {name}", asks, columns)
        self.net = net
        self.steps = steps

    def _answer(self, X):
        rows = self._transform(X)
        with evaluating(self.net.module_), reading_rows(self.source, rows, self.net.module_):
            return forward_net(self.net, as_array(rows, self.net.module_))

    def _transform(self, X):
        with unnoticed(None):
            for step in self.steps:
                X = step.transform(X)
        return X

    def _kind_of(self, values, X):
        if values.shape[1] > 1:
            return None
        return kind_of_module(self.net.module_, self._transform(safe_indexing(X, [0])))


class FunctionAdapter(Adapter):
    """A function from rows to probabilities, logits or numbers, which may do to rows what it likes.

    Parameters
    ----------
    function : callable
    asks, columns, kind, chunk_size
        See `Adapter`.
    """

    def __init__(self, function, asks, columns=None, kind="probabilities", chunk_size=None):
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(f"The callable {name}", asks, columns, kind)
        self.function = function
        self.chunk_size = chunk_size

    def _answer(self, X):
        answer = self.function(copy_rows(X))
        is_tensor = isinstance(answer, torch.Tensor)
        return array_of(answer, f"What {self.source} gave") if is_tensor else answer


def adapt(teacher, asks, device="auto"):
    """Bring a fitted teacher that answers for rows to the one contract.

    Parameters
    ----------
    teacher : object
        A classifier with `predict_proba` or a regressor with `predict`, a `torch.nn.Module`, a
        skorch net, a callable, a model from a file; no ensemble of ours, whose members are asked
        each for itself.
    asks : Classes or Numbers
        What it is asked for.
    device : str or torch.device, default="auto"
        Where a torch module runs. A skorch net stays on its own device.

    Returns
    -------
    Adapter

    Raises
    ------
    TeacherError
        When it is none of these. The message says how to make it one.
    """
    core = unfrozen(teacher)
    if isinstance(core, type):
        raise TeacherError(
            f"The teacher is the class {core.__name__}; expected an instance. Write "
            f"{core.__name__}(...)."
        )
    if isinstance(core, torch.nn.Module):
        return _ModuleAdapter(core, device, asks)
    if hasattr(core, "_adapter"):  # ours: functions, class graphs, models from files, ensembles
        return core._adapter(asks)
    asks.refuse(core)
    *steps, last = split_pipeline(core)
    if is_bare_net(last):
        return _SkorchAdapter(last, steps, asks)
    if hasattr(core, asks.method):
        return MethodAdapter(core, asks)
    if callable(core):
        return FunctionAdapter(core, asks)
    hint = ""
    if isinstance(teacher, str):
        hint = " A file is read by load_teacher(path), and the student itself is SelfTeacher()."
    raise TeacherError(
        f"The teacher is {shorten(teacher)} of type {type(teacher).__name__}; expected "
        f"{asks.teachers}.{hint}"
    )


def gives_numbers(teacher):
    """Whether a teacher says that it gives numbers, or scikit-learn takes it for a regressor."""
    core = unfrozen(teacher)
    if hasattr(core, "_adapter") and getattr(core, "kind", None) == "numbers":
        return True
    knows_tags = hasattr(core, "__sklearn_tags__") and not isinstance(core, type)
    return knows_tags and is_regressor(core)


def answers_from_labels(teacher):
    """Whether a teacher knows the labels' meaning alone and has nothing to say about rows.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    bool
    """
    return getattr(teacher, "answers_from_labels", False) is True


def is_bare_net(estimator):
    """Whether an estimator is a skorch net of someone else, which reads tensors alone.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    bool
        False for a `StudentNet`, which reads rows of any kind as other estimators do.
    """
    return isinstance(estimator, NeuralNet) and not hasattr(estimator, "prepare_more")


@contextlib.contextmanager
def reading_rows(source, X, module):
    """Say whose module it is that cannot read rows inside the block."""
    try:
        with naming_ids(module, X, f"{source} cannot be asked about", TeacherError):
            yield
    except (torch.OutOfMemoryError, TeacherError):
        raise
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as error:
        raise TeacherError(
            f"{source} cannot be asked about {name_rows(X)}: "
            f"{one_line(error)}. Give it rows that it was made for; what "
            f"prepares them belongs before it, in a Pipeline or in the module itself."
        ) from error


@contextlib.contextmanager
def unnoticed(estimator):
    """Ask an estimator inside the block: torch's generator is put back, names are not compared.

    Parameters
    ----------
    estimator : estimator or None
        None is one that does not draw.
    """
    draws = any(map(is_bare_net, parts_of(estimator)))  # for its batches, even in order
    alone = generator_put_back() if draws else contextlib.nullcontext()
    with warnings.catch_warnings(), alone:
        # Names that differ are compared, and warned of, once by the targets.
        warnings.filterwarnings("ignore", message="X (has|does not have) .*feature names")
        yield


def holds_net(estimator):
    """Whether an estimator is a skorch net or has one among its parts.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    bool
    """
    return any(isinstance(part, NeuralNet) for part in parts_of(estimator))


def parts_of(estimator):
    """Return an estimator and all its parameters, those of its parts too."""
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return [estimator, *parts]
