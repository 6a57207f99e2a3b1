"""A fit that is refused leaves the estimator as it was."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def all_or_nothing(estimator, *, forget=True) -> Iterator[None]:
    """Put an estimator's attributes back where the block, which fits it, fails.

    Parameters
    ----------
    estimator : estimator
    forget : bool, default=True
        Whether the block begins without what an earlier fit has left, the attributes whose names
        end with an underscore.
    """
    before = dict(vars(estimator))
    for name in before:
        if forget and name.endswith("_") and not name.startswith("_"):
            delattr(estimator, name)
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
