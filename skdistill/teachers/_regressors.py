"""Teachers that answer with numbers: each kind asked in the same way."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.base import is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNet

from skdistill._compat import safe_indexing
from skdistill._torch import as_tensor, evaluating, forward_in_batches, resolve_device
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import is_bare_net, unnoticed
from skdistill.teachers._callable import CallableTeacher
from skdistill.teachers._chunks import chunk_slices, stack_answers
from skdistill.teachers._contract import check_finite

KIND = "values"


def adapt_regressor(teacher, *, device="auto", n_outputs=None):
    """Bring a fitted teacher to the one contract of those that answer with numbers.

    Parameters
    ----------
    teacher : object
        A regressor with `predict`, a `torch.nn.Module`, a skorch net or a callable that returns
        numbers.
    device : str or torch.device, default="auto"
        Where a torch module runs. A skorch net stays on its own device.
    n_outputs : int, default=None
        How many numbers it must give for a row; None takes any.

    Returns
    -------
    RegressorAdapter

    Raises
    ------
    TeacherError
        When it is none of these. The message says how to make it one.
    """
    core = teacher.estimator if isinstance(teacher, FrozenEstimator) else teacher
    name = type(core).__name__
    if isinstance(core, type):
        raise TeacherError(
            f"The teacher is the class {core.__name__}; expected an instance. Write "
            f"{core.__name__}(...)."
        )
    answer: Callable
    chunk_size = None
    if isinstance(core, torch.nn.Module):
        answer = _ModuleAnswer(core, resolve_device(device))
    elif hasattr(core, "_regressor_answer"):  # our ensemble of regressors
        answer = core._regressor_answer(device)
    elif isinstance(core, CallableTeacher):
        core._validate_params()
        answer, name, chunk_size = core.function, _name_of(core.function), core.chunk_size
    elif _gives_probabilities(core):
        raise TeacherError(
            f"The teacher {name} gives class probabilities; expected a regressor, whose predict "
            f"gives numbers. For classes use DistilledClassifier; for several regressors give a "
            f"list."
        )
    elif is_bare_net(core):
        answer = _SkorchAnswer(core)
    elif hasattr(core, "predict"):
        answer, name = _PredictAnswer(core), f"{name}.predict"
    elif callable(core):
        answer, name = core, _name_of(core)
    else:
        raise TeacherError(
            f"The teacher is {teacher!r} of type {name}; expected a regressor with predict, a "
            f"torch.nn.Module, a skorch net, or a callable X -> numbers."
        )
    return RegressorAdapter(answer, name, n_outputs, chunk_size)


class RegressorAdapter:
    """A fitted teacher that is asked for numbers.

    Parameters
    ----------
    answer : callable
        From rows to what the teacher says.
    name : str
        Who answers, for errors.
    n_outputs : int or None
        See `adapt_regressor`.
    chunk_size : int or None
        Rows that it is asked about at once; None is any number.
    """

    classes = None

    def __init__(self, answer, name, n_outputs, chunk_size):
        self.answer = answer
        self.name = name
        self.n_outputs = n_outputs
        self.chunk_size = chunk_size

    def ask(self, X):
        """Return what the teacher says of rows, checked.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)

        Returns
        -------
        values : ndarray of shape (n_samples, n_outputs), float64
        kind : "values"
        """
        if self.chunk_size is None:
            return self._ask(X), KIND
        chunks = chunk_slices(X.shape[0], self.chunk_size)
        return stack_answers([self._ask(safe_indexing(X, chunk)) for chunk in chunks]), KIND

    def _ask(self, X):
        answer = self.answer(X)
        if isinstance(answer, torch.Tensor):
            answer = answer.detach().cpu().numpy()
        return check_values(answer, X.shape[0], self.name, self.n_outputs)


def check_values(values, n_samples, source, n_outputs=None):
    """Check that an answer is a row of finite numbers for each row.

    Parameters
    ----------
    values : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What the teacher answered.
    n_samples : int
        The rows that it was asked about.
    source : str
        Who answered, as a sentence's subject.
    n_outputs : int, default=None
        Numbers that are expected for each row; None takes any.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float64

    Raises
    ------
    TeacherError
    """
    wanted = f"({n_samples}, {'n_outputs' if n_outputs is None else n_outputs})"
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TeacherError(
            f"{source} gave {type(values).__name__}, which is no array of numbers ({error}); "
            f"expected an array of shape {wanted}."
        ) from error
    came = values.shape
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != n_samples or n_outputs not in (None, values.shape[1]):
        raise TeacherError(
            f"{source} gave an array of shape {came} for {n_samples} rows; expected {wanted}: a "
            f"number for each row and each column of y."
        )
    check_finite(values, source)
    return values


class _ModuleAnswer:
    """A torch module, asked in evaluation mode and without gradients."""

    def __init__(self, module, device):
        self.module = module
        self.device = device

    def __call__(self, X):
        with evaluating(self.module, self.device):
            return forward_in_batches(self.module, X, self.device)


class _SkorchAnswer:
    """A skorch net of someone else, asked through its own `forward`."""

    def __init__(self, net):
        self.net = net

    def __call__(self, X):
        module = self.net.module_
        rows = as_tensor(X, module).numpy()
        with evaluating(module), unnoticed(self.net):
            outputs = self.net.forward(rows)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        return outputs.double().numpy()


class _PredictAnswer:
    """Anything with `predict`."""

    def __init__(self, regressor):
        self.regressor = regressor

    def __call__(self, X):
        with unnoticed(self.regressor):
            return self.regressor.predict(X)


def _gives_probabilities(teacher):
    if hasattr(teacher, "_adapter"):  # ours: ensembles, class graphs, models from files
        return True
    if hasattr(teacher, "__sklearn_tags__"):
        return is_classifier(teacher) or (
            hasattr(teacher, "predict_proba")
            and not (isinstance(teacher, NeuralNet) or is_regressor(teacher))
        )
    return hasattr(teacher, "predict_proba")


def _name_of(function):
    return f"The callable {getattr(function, '__name__', type(function).__name__)}"
