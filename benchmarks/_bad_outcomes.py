"""How an outcome is classed: by one mechanical rule for every library."""

import copy
import logging
import re
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.metrics import log_loss

RIGHT, CLEAR, RAW = "right", "clear error", "raw error"
WARNED, SILENT, CRASH, NONE = "warned", "WRONG", "crash/hang", "-"
OUTCOMES = {
    RIGHT: "finishes with the right value",
    CLEAR: "an error before any training that names what is wrong, by the library or scikit-learn",
    RAW: "any other error",
    WARNED: "finishes with a wrong value, and a warning names what is wrong",
    SILENT: "finishes with a wrong value, or changes what is the user's, in silence",
    CRASH: "the process ended, or took longer than the limit",
    NONE: "the library has no such call",
}


def accurate(call, labels, p):
    """Whether most test rows are predicted rightly: a plain fit gives .93, the class rates .63."""
    return bool(np.isfinite(p).all() and np.mean(_texts(labels) == _texts(call["y_test"])) >= 0.85)


def sure(call, labels, p):
    """Whether the probabilities are those of the teacher: a plain fit gives a log-loss of .2."""
    known, y = np.unique(_texts(call["y_test"])), _texts(call["y_test"])
    rows = np.ndim(p) == 2 and len(p) == len(y) and np.shape(p)[1] >= len(known)
    if not rows or not np.isfinite(p).all():
        return False
    p = np.clip(p[:, : len(known)], 1e-7, 1)
    return bool(log_loss(y, p / p.sum(axis=1, keepdims=True), labels=known) <= 0.3)


def empty(call, labels, p):
    """Whether no rows give no answers."""
    return len(labels) == 0 and len(p) == 0


def _texts(labels):
    """Return labels as texts, so that 1, 1.0 and True are one label."""
    labels = np.asarray(labels).ravel()
    numbers = labels.dtype.kind in "biuf"
    return (labels.astype(float) if numbers else labels).astype(str)


def is_clear(error, home, names):
    """Whether an error is one that was meant, by the library or by scikit-learn's checks.

    The innermost frame must be a `raise` or `assert` in a folder of the library's own code (`home`)
    or in scikit-learn's checks of input, and the message must hold one of the case's words.
    """
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    where = Path(innermost.filename).as_posix()
    place = any(f"/{folder}/" in where for folder in (*home, "sklearn/utils"))
    place = (place or where.endswith("sklearn/base.py")) and "/keras/src/backend/" not in where
    meant = innermost.line.startswith(("raise", "assert"))
    return bool(meant and place and re.search(names, str(error), re.IGNORECASE))


def same(now, before):
    """Whether a value of the user's is as it was."""
    if sparse.issparse(before):
        return (now != before).nnz == 0
    if isinstance(before, (pd.DataFrame, np.ndarray)) and np.ndim(before) <= 2:
        return pd.DataFrame(now).equals(pd.DataFrame(before))
    if isinstance(before, np.ndarray):
        return bool(np.array_equal(now, before))
    if isinstance(before, (list, tuple)) and len(before) == 2:
        return all(same(a, b) for a, b in zip(now, before, strict=True))
    return True


def copied(call):
    """Return copies of the tables and arrays of a call."""
    kinds = (pd.DataFrame, np.ndarray, tuple)
    return {
        name: copy.deepcopy(value)
        for name, value in call.items()
        if isinstance(value, kinds) or sparse.issparse(value)
    }


class Heard(logging.Handler):
    """What was said in warnings and in log records of that level or above, while it is open."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        """Keep a log record's text."""
        self.said.append(record.getMessage())

    def __enter__(self):
        known = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
        self.loggers = [logging.root, *(logger for logger in known if not logger.propagate)]
        for logger in self.loggers:
            logger.addHandler(self)
        self.catcher = warnings.catch_warnings(record=True)
        self.caught = self.catcher.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *error):
        self.said += [str(warning.message) for warning in self.caught]
        self.catcher.__exit__(*error)
        for logger in self.loggers:
            logger.removeHandler(self)

    def names(self, words):
        """Return the first text that holds one of the words."""
        return next((text for text in self.said if re.search(words, text, re.IGNORECASE)), None)
