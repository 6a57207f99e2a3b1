"""From a file to a fitted student."""

import os
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skdistill._words import one_line, shorten
from skdistill.deployment._file import read_file
from skdistill.deployment._golden import golden_answers
from skdistill.deployment._header import NEEDS_MODULE, refuse
from skdistill.deployment._inspect import FAULTS, check_file
from skdistill.deployment._learners import build_learner
from skdistill.deployment._steps import build_step
from skdistill.exceptions import StudentError, TeacherError

TOLERANCE = 1e-5
"""How far golden answers may lie from those of the machine that wrote the file."""


def load(path: str | os.PathLike, *, module: Any = None) -> Any:
    """Load a student that `save` has written.

    Nothing of the file is run, and no name in it is imported: the classes of its parts stand in a
    table of this package. What is damaged, was changed, or comes from a newer release is refused,
    and sizes are compared with the file's before memory is taken. The student must give the
    answers that the file brings for some rows of its own, up to 1e-5.

    Parameters
    ----------
    path : str or Path
    module : torch.nn.Module, skorch.NeuralNet, type or callable, default=None
        For a student whose module is of a class of your own: that class, a function that makes
        one, or an instance, which is copied. For a student around another skorch net, that net.
        Its weights come from the file.

    Returns
    -------
    Pipeline or student
        What `student_` was: it predicts, can be cloned, fitted anew and, where it is a network,
        fitted further by `partial_fit`. Networks are on the CPU.

    Raises
    ------
    StudentError
        With the reason, for a file that is not read and for a `module` that its weights do not
        fit.
    FileNotFoundError
        When there is no such file.
    ImportError
        Without ``skops``, for a file that holds estimators of scikit-learn.
    ValueError
        For a `module` too few or too many.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from torch import nn
    >>> from skdistill import StudentNet
    >>> from skdistill.deployment import load, save
    >>> class Two(nn.Module):
    ...     def __init__(self, n_features, n_classes):
    ...         super().__init__()
    ...         self.linear = nn.Linear(n_features, n_classes)
    ...
    ...     def forward(self, X):
    ...         return 2 * self.linear(X)
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(StudentNet(Two, max_epochs=2).fit(X, y), Path(folder) / "two.safetensors")
    ...     student = load(path, module=Two)
    >>> student.predict(X).shape
    (150,)
    """
    found = check_file(path)
    return restore_student(found, module, name=found.name)


def restore_student(path, module, *, name, check=True):
    """Return the student of a file, which is called by a name in errors; see `load`."""
    description, arrays = read_file(path)
    try:
        content, kind = description["student"], description["kind"]
        last = last_of(content)
        wanted = last[NEEDS_MODULE]
        of = str(last["of"])[:60]
    except FAULTS as error:
        _damaged(name, error)
    if wanted and module is None:
        raise ValueError(
            f"{name} holds the weights of {of}, a class of somebody's own, and module is None; "
            f"expected that class, a function that makes one, or an instance. Pass module={of}."
        )
    if not wanted and module is not None:
        raise ValueError(
            f"module={shorten(module)} was given for {name}, which brings its own; expected None. "
            f"Leave it out."
        )
    try:
        student = _build(content, arrays, module)
        golden = description["golden"] if check else None
        expected = None if golden is None else arrays.get_array(golden)
        found = None if golden is None else golden_answers(student)
    except (StudentError, TeacherError) as error:
        refuse(name, one_line(error, 1000))
    except ImportError:
        raise
    except Exception as error:  # what is no file of save fails wherever it is looked at
        _damaged(name, error)
    if expected is not None:
        _check_answers(expected, found, kind, description, name)
    return student


def last_of(content):
    """Return what a description says of the step that predicts."""
    while content["class"] == "Pipeline":
        content = content["steps"][-1][1]
    return content


def _build(content, arrays, module, path="steps"):
    if content["class"] != "Pipeline":
        return build_learner(content, arrays, module)
    *before, (last_name, last) = content["steps"]
    steps = [(name, build_step(step, f"{path}.{name}", arrays)) for name, step in before]
    return Pipeline([*steps, (last_name, _build(last, arrays, module, f"{path}.{last_name}"))])


def _check_answers(expected, found, kind, description, name):
    fits = found is not None and found.shape == expected.shape
    scale = 1.0
    if kind == "regressor":  # of numbers in any unit
        scale = np.abs(expected).max(axis=0).clip(np.finfo(float).tiny)
    with np.errstate(all="ignore"):
        difference = np.max(np.abs(found - expected) / scale) if fits else np.inf
    if not difference <= TOLERANCE:
        refuse(
            name,
            f"its student answers otherwise here than where it was saved (by {difference:.1g} for "
            f"rows of its own); expected no more than {TOLERANCE}. It was saved with "
            f"{str(description.get('versions'))[:300]}: install these, or save it anew",
        )


def _damaged(name, error):
    said = one_line(f"{type(error).__name__}: {error}", 200)
    refuse(
        name,
        f"it does not hold what a file of save does ({said}); expected one as it was "
        f"written. Save the student again",
    )
