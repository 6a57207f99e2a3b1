"""Where in an estimator a parameter of `fit` is to be handed in."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skdistill._compat import routing_enabled


def fit_keyword(estimator: Any, parameter: str) -> str | None:
    """The keyword under which `fit` takes a parameter, None where it does not.

    It is looked for in the estimator's own `fit` and, of a Pipeline, in that of the last step. A
    search takes groups if its cv is a splitter by groups; any other would ignore them.

    Parameters
    ----------
    estimator : estimator
        A clone. With metadata routing enabled, the last step of a Pipeline is made to ask for
        the parameter.
    parameter : {"groups", "soft_targets"}

    Returns
    -------
    str or None
    """
    if not isinstance(estimator, Pipeline):
        takes = has_fit_parameter(estimator, parameter) or (
            parameter == "groups" and _splits_by_groups(estimator)
        )
        return parameter if takes else None
    name, last = estimator.steps[-1]
    if last in (None, "passthrough"):
        return None
    inner = fit_keyword(last, parameter)
    if inner is None or not routing_enabled():
        return None if inner is None else f"{name}__{inner}"
    if has_fit_parameter(last, parameter):
        last.set_fit_request(**{parameter: True})
    return inner


def _splits_by_groups(estimator: Any) -> bool:
    cv = getattr(estimator, "cv", None)
    return hasattr(cv, "get_metadata_routing") and bool(
        get_routing_for_object(cv).consumes("split", ["groups"])
    )
