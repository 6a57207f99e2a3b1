"""What a report was made with, so that it can be made again."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from skdistill.evaluation._report._checks import ReportInput

_PACKAGES = ("skdistill", "numpy", "scipy", "scikit-learn", "torch", "skorch")
_LONGEST = 2000


def describe_settings(model: Any, given: ReportInput) -> dict[str, dict[str, Any]]:
    """The recipe, the sizes of the data, and the versions, as text and numbers.

    Parameters
    ----------
    model : DistilledClassifier
        The recipe.
    given : ReportInput
        What it was scored on.

    Returns
    -------
    settings : dict of str to dict
        ``model``: the repr of each parameter, cut where it is very long; ``data``: numbers of
        rows and classes, and whether the model came fitted; ``versions``: of Python and the
        packages; ``machine``: its system, and the threads of torch, which the times depend on.
    """
    return {
        "model": {name: _short(value) for name, value in model.get_params(deep=False).items()},
        "data": {
            "training rows": len(given.y_train),
            "test rows": len(given.test_index),
            "classes": len(given.classes),
            "model came fitted": given.fitted,
        },
        "versions": {"python": platform.python_version(), **{p: _version(p) for p in _PACKAGES}},
        "machine": {"system": platform.platform(), "torch threads": torch.get_num_threads()},
    }


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... ({len(text)} characters)"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a copy of the sources on the path
        return "not installed as a package"
