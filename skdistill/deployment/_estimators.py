"""Estimators of scikit-learn as bytes of skops, of which nothing needs trust.

skops has a list of what it takes to be harmless. `KNOWN` is what is let in besides, by this code
and by no file: trees and dtypes, which are then looked through, and parts of scikit-learn's own
transformers that call nothing but themselves.
"""

import importlib

import numpy as np

from skdistill._words import one_line
from skdistill.deployment._skops_bytes import settled
from skdistill.deployment._skops_parts import BOOSTED_TREE, TREE, check_parts
from skdistill.exceptions import StudentError, TeacherError


def dump(estimator, what):
    """Return an estimator as the bytes of a .skops file.

    Parameters
    ----------
    estimator : estimator, or list of these
    what : str
        What it is called in errors.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ImportError
        Without skops.
    StudentError
        Where it holds types, or functions, that a reader would have to trust.
    """
    skops = _import_skops(what)
    try:
        content = settled(skops.dumps(estimator))
        unknown = [t for t in skops.get_untrusted_types(data=content) if t not in KNOWN]
    except Exception as error:  # whatever an estimator of others raises when it is taken apart
        raise StudentError(
            f"{what} cannot be saved: skops does not write it ({one_line(error)}). {_ADVICE}"
        ) from error
    if unknown:
        raise StudentError(
            f"{what} cannot be saved: it holds {unknown[:5]}, which a reader of the file would "
            f"have to trust; expected scikit-learn's own estimators, and no functions. {_ADVICE}"
        )
    try:
        _read(content)
    except (TeacherError, ValueError) as error:
        raise StudentError(f"{what} cannot be saved: {one_line(error)}. {_ADVICE}") from error
    return np.frombuffer(content, np.uint8)


def restore(content, what):
    """Return the estimator that `dump` was given.

    Parameters
    ----------
    content : ndarray of uint8
    what : str
        What it is called in errors.
    """
    _import_skops(what)
    return _read(content.tobytes())


def _read(content):
    from skdistill.teachers._load_skops import read_skops  # which imports torch

    return check_parts(read_skops(content, KNOWN))


_SCORES = ("chi2", "f_classif", "f_oneway", "f_regression", "r_regression")

KNOWN = [
    TREE,
    BOOSTED_TREE,
    *("builtins.object", "numpy.dtype", "numpy.mean", "numpy.number"),
    "sklearn.compose._column_transformer.make_column_selector",
    *(f"sklearn.feature_selection._mutual_info.mutual_info_{y}" for y in ("classif", "regression")),
    *(f"sklearn.feature_selection._univariate_selection.{score}" for score in _SCORES),
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    *(f"sklearn.model_selection._split.{folds}" for folds in ("KFold", "StratifiedKFold")),
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
]

_ADVICE = "Put another in its place, or keep the whole by joblib.dump, for yourself alone."


def _import_skops(what):
    try:
        return importlib.import_module("skops.io")
    except ImportError as error:
        raise ImportError(
            f"{what} is an estimator of scikit-learn, whose part of the file needs skops, which "
            f'cannot be imported ({one_line(error)}): pip install "skdistill[skops]".'
        ) from error
