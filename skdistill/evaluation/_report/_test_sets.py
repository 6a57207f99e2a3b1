"""The test sets of a report, and the segments of their rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from skdistill._words import one_line, shorten


def pair_test_sets(
    X_test: Any, y_test: Any, groups: Any, X_train: Any = None
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The test sets of a report by name, not read yet, and the groups of those that have some.

    Where `X_train` is a dict of inputs, so are the rows of a single test set.

    Returns
    -------
    tests : dict of str to (X_test, y_test)
        A single one that has no name is under "test".
    groups : dict of str to object
    """
    is_rows = not isinstance(X_test, Mapping) or isinstance(X_train, Mapping)
    if is_rows and not isinstance(y_test, Mapping):
        return {"test": (X_test, y_test)}, {} if groups is None else {"test": groups}
    if not isinstance(X_test, Mapping) or not isinstance(y_test, Mapping) or not X_test:
        raise ValueError(
            "Several test sets are a dict of rows and a dict of labels. Got X_test of type "
            f"{type(X_test).__name__} and y_test of type {type(y_test).__name__}; pass "
            "X_test={'clean': X_clean, ...}, y_test={'clean': y_clean, ...}."
        )
    if not isinstance(groups, Mapping | None):
        raise ValueError(
            f"X_test has {len(X_test)} test sets, and groups is of type {type(groups).__name__}; "
            "pass a dict with the groups of each set, or of some of them."
        )
    groups = {} if groups is None else groups
    unknown = [name for name in groups if name not in X_test]
    if set(X_test) != set(y_test) or unknown:
        raise ValueError(
            f"X_test has the test sets {list(X_test)}, y_test {list(y_test)} and groups "
            f"{list(groups)}; pass the same names."
        )
    return {name: (X, y_test[name]) for name, X in X_test.items()}, dict(groups)


def read_groups(groups: Any, n_test: int) -> list[Any]:
    """The segment of each of so many test rows."""
    try:
        values = np.asarray(groups)
    except ValueError as error:
        raise ValueError(
            f"groups holds sequences of different lengths ({one_line(error)}); pass one value for "
            f"each test row, shape ({n_test},)."
        ) from None
    if values.shape != (n_test,):
        raise ValueError(
            f"groups has shape {values.shape}, but there are {n_test} test rows; pass one value "
            f"for each test row, shape ({n_test},)."
        )
    odd = [value for value in values.tolist() if not isinstance(value, Hashable)]
    if odd:
        raise ValueError(
            f"groups holds {shorten(odd[0])}; expected names, numbers or other values that can be "
            "the key of a dict. Write them as text: [str(group) for group in groups]."
        )
    return values.tolist()
