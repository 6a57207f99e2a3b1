"""What models from files have in common."""

import importlib
import sys
from collections.abc import Mapping

import numpy as np
from scipy import sparse

from skdistill._input._inputs import form_of, name_form
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import Adapter
from skdistill.teachers._says_kind import SaysKind
from skdistill.teachers._versions import check_reader


def import_extra(module, extra, who="This teacher"):
    """Import an optional package that is patched, or say how to install it.

    Parameters
    ----------
    module : str
        Such as "onnxruntime" or "skops.io".
    extra : str
        The extra of skdistill that brings it.
    who : str, default="This teacher"
        What needs it, as a sentence's subject.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        When it is missing.
    TeacherError
        When it is older than its patches; see `check_reader`.
    """
    package = module.partition(".")[0]
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{who} needs {package}, which cannot be imported ({one_line(error)}): "
            f'pip install "skdistill[{extra}]".'
        ) from error
    check_reader(sys.modules[package])
    return found


def as_dense(X, dtype=np.float32):
    """Return rows as a dense array of one dtype.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
    dtype : dtype, default=numpy.float32

    Returns
    -------
    ndarray of shape (n_samples, ...)

    Raises
    ------
    TeacherError
        For several inputs.
    """
    if isinstance(X, Mapping):
        raise TeacherError(
            f"The model from a file reads one array, and X is {name_form(form_of(X))}; expected "
            f"one. Put a step before it that makes it: CallableTeacher(lambda X: "
            f"teacher.run(X[name]), cache_key=...)."
        )
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=dtype)


class _FileAdapter(Adapter):
    """A model from a file, opened anew where it was pickled."""

    def __init__(self, teacher, asks):
        name = type(teacher).__name__
        super().__init__(name, asks, asks.labels(teacher.classes_, name), teacher.kind)
        self.teacher = teacher

    def _answer(self, X):
        return self.teacher.run(X)


class FileTeacher(SaysKind):
    """A fitted model that is run from the content of its file, so that it can be pickled.

    Parameters
    ----------
    content : bytes
        The file, read once.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or None
        The labels of the columns, where the file names them.
    kind : {"logits", "probabilities", "numbers"} or None
        What its outputs are, where that is known.
    """

    classes_: np.ndarray | None = None
    kind: str | None = None

    def __init__(self, content):
        self.content = content
        self._model, self.kind = self._open()

    def __repr__(self):
        kind = "" if self.kind is None else f"of {self.kind}, "
        return f"{type(self).__name__}({kind}from a file of {len(self.content):,} bytes)"

    def run(self, X):
        """Return what the model makes of rows, of shape (n_samples, n_columns)."""
        if self._model is None:
            self._model, _ = self._open()
        return self._answer(X)

    def _open(self):
        """Make of `content` what answers; return it, and its kind as far as it shows."""
        raise NotImplementedError

    def _answer(self, X):
        """Return what the model makes of rows, of shape (n_samples, n_columns)."""
        raise NotImplementedError

    def _make_adapter(self, asks):
        return _FileAdapter(self, asks)

    def __getstate__(self):
        return {**vars(self), "_model": None}
