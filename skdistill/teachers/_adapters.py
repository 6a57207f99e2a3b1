"""One small class for each kind of teacher, all asked in the same way."""

import contextlib
import warnings

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNet, NeuralNetBinaryClassifier

from skdistill._generators import generator_put_back
from skdistill._torch import (
    as_tensor,
    evaluating,
    forward_in_batches,
    resolve_device,
)
from skdistill.exceptions import TeacherError
from skdistill.teachers._contract import check_network_outputs, check_probabilities


def adapt_teacher(teacher, *, device="auto"):
    """Bring a fitted teacher to the one contract: `ask(X)` and `classes`.

    Parameters
    ----------
    teacher : object
        A classifier with `predict_proba`, a `torch.nn.Module` that returns logits, a skorch net
        or a callable that returns probabilities; see the user guide.
    device : str or torch.device, default="auto"
        Where a torch module runs. A skorch net stays on its own device.

    Returns
    -------
    adapter
        With `classes`, the teacher's labels in the order of its columns or None where it does
        not know them, and `ask(X)`, which returns `(probabilities, kind)`: a float64 array of
        shape (n_samples, n_columns) and "logits" or "probabilities".

    Raises
    ------
    TeacherError
        When it is none of these. The message says how to make it one.
    """
    name = type(teacher).__name__
    core = teacher.estimator if isinstance(teacher, FrozenEstimator) else teacher
    if isinstance(core, torch.nn.Module):
        return _ModuleTeacher(core, device)
    if isinstance(core, type):
        raise TeacherError(
            f"The teacher is the class {core.__name__}; expected an instance. Write "
            f"{core.__name__}(...)."
        )
    if hasattr(core, "_adapter"):  # ours: ensembles, class graphs, models from files
        return core._adapter(device)
    if is_bare_net(core):
        return _SkorchTeacher(core)
    if hasattr(core, "predict_proba"):
        return _ClassifierTeacher(core)
    if hasattr(core, "decision_function"):
        raise TeacherError(
            f"The teacher {name} has decision_function but no predict_proba; expected "
            f"probabilities, and margins are not log-odds. Calibrate it first: "
            f"CalibratedClassifierCV({name}(...))."
        )
    if hasattr(core, "predict"):
        raise TeacherError(
            f"The teacher {name} has predict but no predict_proba; expected a classifier that "
            f"gives class probabilities. For a teacher of numbers use DistilledRegressor."
        )
    if callable(core):
        return _CallableTeacher(core)
    raise TeacherError(
        f"The teacher is {teacher!r} of type {name}; expected a classifier with predict_proba, a "
        f"torch.nn.Module that returns logits, a skorch net, or a callable X -> probabilities."
    )


class _ClassifierTeacher:
    """Anything with `predict_proba`."""

    def __init__(self, classifier):
        self.classifier = classifier
        classes = getattr(classifier, "classes_", None)
        if isinstance(classes, list) and classes and np.ndim(classes[0]) == 1:
            raise TeacherError(
                f"The teacher {type(classifier).__name__} was fitted on {len(classes)} outputs; "
                f"expected one. Distil one output at a time, as MultiOutputClassifier does."
            )
        self.classes = None if classes is None else np.asarray(classes)

    def ask(self, X):
        with unnoticed(self.classifier):
            answer = self.classifier.predict_proba(X)
        if self.classes is None and hasattr(answer, "columns"):
            self.classes = np.asarray(answer.columns)
        source = f"{type(self.classifier).__name__}.predict_proba"
        return check_probabilities(answer, X.shape[0], source), "probabilities"


class _ModuleTeacher:
    """A torch module, asked in evaluation mode and without gradients."""

    classes = None

    def __init__(self, module, device):
        self.module = module
        self.device = resolve_device(device)

    def ask(self, X):
        with evaluating(self.module, self.device):
            outputs = forward_in_batches(self.module, X, self.device)
        return check_network_outputs(outputs, X.shape[0], type(self.module).__name__)


class _SkorchTeacher:
    """A skorch net of someone else, asked through its own `forward`."""

    def __init__(self, net):
        self.net = net

    @property
    def classes(self):
        if isinstance(self.net, NeuralNetBinaryClassifier):
            return None  # its classes_ are 0 and 1 whatever the labels
        return getattr(self.net, "classes_", None)

    def ask(self, X):
        module = self.net.module_
        rows = as_tensor(X, module).numpy()
        with evaluating(module), generator_put_back():
            outputs = self.net.forward(rows)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        name = f"The module of {type(self.net).__name__}"
        return check_network_outputs(outputs.double().numpy(), X.shape[0], name)


class _CallableTeacher:
    """A function from rows to probabilities."""

    classes = None

    def __init__(self, function):
        self.function = function

    def ask(self, X):
        answer = self.function(X)
        if isinstance(answer, torch.Tensor):
            answer = answer.detach().cpu().numpy()
        source = getattr(self.function, "__name__", type(self.function).__name__)
        return check_probabilities(answer, X.shape[0], f"The callable {source}"), "probabilities"


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
def unnoticed(estimator):
    """Ask an estimator inside the block: torch's generator is put back, names are not compared.

    Parameters
    ----------
    estimator : estimator
    """
    alone = generator_put_back() if holds_net(estimator) else contextlib.nullcontext()
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
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return any(isinstance(part, NeuralNet) for part in (estimator, *parts))
