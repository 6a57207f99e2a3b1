"""What a report was made with, so that it can be made again."""

from __future__ import annotations

import platform
from typing import Any

import torch

from skdistill._versions import package_versions
from skdistill.evaluation._problem import Problem

_LONGEST = 2000


def describe_settings(
    model: Any, problem: Problem, test_set: Any, *, fitted: bool, n_held_back: int | None = None
) -> dict[str, dict[str, Any]]:
    """The recipe, the sizes of the data, and the versions, as text and numbers.

    Parameters
    ----------
    model : DistilledClassifier
        The recipe.
    problem : Problem
    test_set : hashable
        The name of the test set that it was scored on.
    fitted : bool
        Whether it came fitted.
    n_held_back : int, default=None
        Rows that chose the threshold of a cascade, where there is one.

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
            "training rows": len(problem.y),
            **({} if problem.more is None else {"rows without labels": problem.more.X.shape[0]}),
            "test rows": len(problem.tests[test_set][1]),
            **problem.task.counted,
            **({} if n_held_back is None else {"rows of the cascade": n_held_back}),
            "model came fitted": fitted,
        },
        "versions": package_versions(),
        "machine": {"system": platform.platform(), "torch threads": torch.get_num_threads()},
    }


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... ({len(text)} characters)"
