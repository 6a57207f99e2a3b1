"""Settings, labels and names as JSON has them, and back: plain values, and nothing that runs."""

import math
import re

import numpy as np

from skdistill._compat import keep_columns
from skdistill._names import columns_of
from skdistill._words import one_line, shorten
from skdistill.exceptions import StudentError

OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "SGD")
"""Of `torch.optim`, those that a file may name."""

WIDEST_LABELS = 2**28


class NotPlainError(Exception):
    """A value that a file has no form for."""


def encode(value):
    """Return a setting in a form that JSON has; raise NotPlainError for what has none."""
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, np.generic):
        return encode(value.item())
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if type(value) is list:
        return [encode(part) for part in value]
    if type(value) is tuple:
        return {"tuple": [encode(part) for part in value]}
    if type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: encode(part) for key, part in value.items()}}
    import torch  # which takes seconds, and is not needed to read

    from skdistill.training import HoldOut

    if type(value) is HoldOut:
        return {"HoldOut": {name: encode(part) for name, part in vars(value).items()}}
    if isinstance(value, type) and value in map(torch.optim.__dict__.get, OPTIMIZERS):
        return {"optimizer": value.__name__}
    raise NotPlainError(shorten(value))


def decode(value):
    """Return the setting that `encode` was given."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "float":
            return float(content)
        case "tuple":
            return tuple(decode(part) for part in content)
        case "dict":
            return {key: decode(part) for key, part in content.items()}
        case "HoldOut":
            from skdistill.training import HoldOut

            return HoldOut(**{name: decode(part) for name, part in content.items()})
        case "optimizer" if content in OPTIMIZERS:
            import torch

            return getattr(torch.optim, content)
    raise ValueError(f"{kind[:40]!r} is no kind of setting")


def encode_settings(params, defaults=None):
    """Return the settings of an estimator that a file can hold, and the names of the others.

    Parameters
    ----------
    params : dict
    defaults : dict, default=None
        What needs no word, as a new estimator has it.

    Returns
    -------
    settings : dict
        Sorted by their names, so that the order in which they were given makes no other file.
    left_out : list of str
        Settings of these are left out with them.
    """
    settings, left_out = {}, []
    for name, value in sorted(params.items()):
        try:
            settings[name] = encode(value)
        except NotPlainError:
            if defaults is None or name not in defaults or defaults[name] is not value:
                left_out.append(name)
    for name in [name for name in settings if name.partition("__")[0] in left_out]:
        del settings[name]
    return settings, left_out


def encode_labels(labels):
    """Return labels and their dtype; refuse those that JSON has no form for.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
    """
    try:
        if labels.dtype.kind not in "biufUO":
            raise NotPlainError(f"dtype {labels.dtype}")
        return {"dtype": labels.dtype.str, "values": encode(labels.tolist())}
    except NotPlainError as error:
        raise StudentError(
            f"The classes are of a kind that a file does not hold ({one_line(error)}); expected "
            "texts, whole numbers, floats or booleans. Fit on labels of one of these."
        ) from error


def decode_labels(content):
    """Return the labels that `encode_labels` was given."""
    dtype, values = content["dtype"], decode(content["values"])
    if not re.fullmatch(r"[<>|=]?([biuf][1248]|U[0-9]{1,6}|O)", dtype):
        raise ValueError(f"{dtype[:20]!r} is no dtype of labels")
    dtype = np.dtype(dtype)
    if dtype.itemsize * len(values) > WIDEST_LABELS:
        raise ValueError(f"labels of dtype {dtype} and number {len(values)} are no honest ones")
    labels = np.empty(len(values), dtype=dtype)
    labels[:] = values
    return labels


def encode_columns(estimator):
    """Return the width and the names of the columns that an estimator of ours has seen."""
    found = {}
    if "n_features_in_" in vars(estimator):
        found["n_features"] = int(estimator.n_features_in_)
    if "_columns_in_" in vars(estimator):
        try:
            found["names"] = encode(columns_of(estimator).names)
        except NotPlainError as error:
            raise StudentError(
                f"The columns have names that a file does not hold ({one_line(error)}); expected "
                "texts or whole numbers. Name them so and fit again: X.columns = [...]."
            ) from error
    return found


def decode_columns(estimator, content):
    """Let an estimator know the columns that `encode_columns` has found."""
    if "n_features" in content:
        estimator.n_features_in_ = int(content["n_features"])
    if "names" in content:
        keep_columns(estimator, decode(content["names"]), columns_of(estimator).form)
