"""Rows without columns: dicts, one for each row, and several inputs, an array of rows for each."""

import contextlib
from collections.abc import Mapping

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skdistill._input._frames import is_table
from skdistill._input._tensors import array_of

__all__ = [
    "as_inputs",
    "check_form",
    "form_of",
    "holds_dicts",
    "map_inputs",
    "name_form",
    "name_rows",
    "shape_of_row",
]


def as_inputs(X):
    """Return a dict of arrays as one that is sliced by rows, all else as it is.

    Parameters
    ----------
    X : object
        What the user brought; not changed.

    Returns
    -------
    object
        `skorch.helper.SliceDict` of arrays for a dict: it has a shape, (n_samples,), and gives
        some of its rows as an array does.

    Raises
    ------
    TypeError
        For names that are no strings, and for values that are no arrays.
    ValueError
        For no inputs, inputs of different lengths, and numbers that are infinite or complex.
    """
    if not isinstance(X, Mapping) or sparse.issparse(X):  # a dict of keys is sparse
        return X
    if not X.keys():
        raise ValueError(
            "X is a dict without inputs; expected an array of rows for each. Pass "
            "{'image': images, 'table': numbers}, by the names of the arguments of forward."
        )
    parts = {}
    for name, part in X.items():
        with _found_in(name):
            parts[name] = _read_input(name, part)
    lengths = {name: len(part) for name, part in parts.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"The inputs in X have different numbers of rows ({lengths}); expected the same. A row "
            f"is one entry of each."
        )
    return _sliced(parts)


def map_inputs(function, X, *others):
    """Return what a function makes of rows, and of others alike; of several inputs, of each."""
    if not isinstance(X, Mapping):
        return function(X, *others)
    each = {}
    for name in X:
        with _found_in(name):
            each[name] = function(X[name], *(other[name] for other in others))
    return _sliced(each)


@contextlib.contextmanager
def _found_in(name):
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"This was found in X[{name!r}].")
        raise


def _sliced(parts):
    from skorch.helper import SliceDict  # which imports torch

    return SliceDict(**parts)


def _read_input(name, part):
    if not isinstance(name, str):
        raise TypeError(
            f"X is a dict with the key {name!r}; expected the names of inputs, strings. A dict of "
            f"columns is a table: pandas.DataFrame(X)."
        )
    source = f"X[{name!r}]"
    came = f"{source} is of type {type(part).__name__}"
    if is_table(part) or sparse.issparse(part):
        how = "toarray" if sparse.issparse(part) else "to_numpy"
        raise TypeError(f"{came}; expected an array of rows. Write {source}.{how}().")
    part = array_of(part, source) if hasattr(part, "detach") else part
    part = part if isinstance(part, Mapping) else np.asarray(part)
    if not getattr(part, "shape", ()):
        raise TypeError(
            f"{came}, and X a dict of inputs; expected an array of rows for each. Rows that are "
            f"dicts come in a list, a single one too: [X]."
        )
    some = {"dtype": None, "ensure_2d": False, "allow_nd": True, "ensure_all_finite": "allow-nan"}
    return check_array(part, input_name=source, **some)


def holds_dicts(X):
    """Whether rows are dicts, one each, as scikit-learn's `DictVectorizer` reads them."""
    is_list = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    return is_list and len(X) > 0 and isinstance(X[0], Mapping)


def form_of(X):
    """Return what is known of rows without columns, by which others are compared with them.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame, SliceDict}
        See `skdistill._input._rows.as_rows`.

    Returns
    -------
    None, "dicts" or dict of str to list of int
        Of several inputs the size of the rows' first axis, where they have one; None for all
        other rows.
    """
    if isinstance(X, Mapping):
        return {name: list(X[name].shape[1:2]) for name in sorted(X)}
    return "dicts" if holds_dicts(X) else None


def check_form(X, form_of_fit, owner):
    """Refuse rows of another form than that of those on which `owner` was fitted.

    Raises
    ------
    ValueError
    """
    form = form_of(X)
    if form != form_of_fit:
        raise ValueError(
            f"X is {name_form(form)}, and {owner} was fitted on {name_form(form_of_fit)}; expected "
            f"the same. Pass rows as fit got them; a dict of columns is pandas.DataFrame(X)."
        )


def name_form(form):
    """Return a form of rows, see `form_of`, in words."""
    if isinstance(form, dict):
        sizes = [f"{name!r} of {n[0]} features" if n else repr(name) for name, n in form.items()]
        return f"a dict of the inputs {', '.join(sizes)}"
    return "a list of dicts" if form else "an array, a table or texts"


def shape_of_row(X):
    """Return the shape of a row, a tuple; of several inputs that of each by its name."""
    if isinstance(X, Mapping):
        return {name: shape_of_row(X[name]) for name in sorted(X)}
    return X.shape[1:]


def name_rows(X):
    """Return what rows of numbers are, in words: their shape and dtype."""
    if isinstance(X, Mapping):
        each = [f"{name!r}, {name_rows(part)}" for name, part in X.items()]
        return f"a dict of the inputs {'; '.join(each)}"
    dtype = f" and dtype {X.dtype}" if hasattr(X, "dtype") else ""
    return f"rows of shape {tuple(X.shape[1:])}{dtype}"
