"""How the groups of rows reach the splits within an estimator's `fit`."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skdistill._compat import routing_enabled


def groups_keyword(estimator: Any) -> str | None:
    """The keyword under which `fit` takes groups, None where it does not.

    It is looked for in the estimator's own `fit` and, of a Pipeline, in that of the last step. A
    search takes groups if its cv is a splitter by groups; any other would ignore them.

    Parameters
    ----------
    estimator : estimator
        A clone. With metadata routing enabled, the last step of a Pipeline is made to ask for
        groups.

    Returns
    -------
    str or None
    """
    if not isinstance(estimator, Pipeline):
        takes = has_fit_parameter(estimator, "groups") or _splits_by_groups(estimator)
        return "groups" if takes else None
    name, last = estimator.steps[-1]
    if last in (None, "passthrough"):
        return None
    inner = groups_keyword(last)
    if inner is None or not routing_enabled():
        return None if inner is None else f"{name}__{inner}"
    if has_fit_parameter(last, "groups"):
        last.set_fit_request(groups=True)
    return inner


def _splits_by_groups(estimator: Any) -> bool:
    cv = getattr(estimator, "cv", None)
    return hasattr(cv, "get_metadata_routing") and bool(
        get_routing_for_object(cv).consumes("split", ["groups"])
    )
