"""The settings of modules and of functions on modules, checked where one is made."""

from numbers import Integral, Real

from skdistill._compat import Interval, StrOptions, validate_parameter_constraints
from skdistill._words import shorten


class TupleOf(Interval):
    """A tuple, or list, of numbers that lie in an interval."""

    def is_satisfied_by(self, value):
        """Whether all members are in the interval."""
        return isinstance(value, tuple | list) and all(map(super().is_satisfied_by, value))

    def __str__(self):
        """Return what stands in the message."""
        return super().__str__().replace("an int", "a tuple of ints", 1)


COUNT = [Interval(Integral, 1, None, closed="left")]
COUNTS = [TupleOf(Integral, 1, None, closed="left")]
MEANS = [StrOptions({"probabilities", "outputs"})]

CONSTRAINTS = {
    **dict.fromkeys(("n_features", "n_channels", "embedding_size", "n_bins", "pool"), COUNT),
    **dict.fromkeys(("hidden_units", "cardinalities"), COUNTS),
    "n_classes": COUNT,
    "n_members": COUNT,
    "depth": [Interval(Integral, 1, 12, closed="both")],
    "beta": [Interval(Real, 0, None, closed="neither")],
    "penalty": [Interval(Real, 0, None, closed="left")],
    "n_numeric": [Interval(Integral, 0, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    **dict.fromkeys(("member_mean", "leaf_mean"), MEANS),
    "numeric_embedding": [StrOptions({"piecewise-linear"}), None],
    "width": [Interval(Real, 0, 1, closed="right")],
    "upto": [str],
    "names": [str, list, tuple],
}
"""What each setting may be, whatever has it."""


def check_settings(owner, /, constraints=(), **settings):
    """Refuse settings out of their range.

    Parameters
    ----------
    owner : str
        The class or function that is called.
    constraints : dict, default=()
        What settings may be that are not in `CONSTRAINTS`, or are something else there.
    **settings
        By their names.

    Raises
    ------
    ValueError
        In scikit-learn's words.
    """
    validate_parameter_constraints(CONSTRAINTS | dict(constraints), settings, owner)


def check_columns(owner, n_features, n_numeric, cardinalities):
    """Refuse more quantities and codes than there are columns."""
    if len(cardinalities) > n_features:
        raise ValueError(
            f"The 'cardinalities' parameter of {owner} must be a tuple of no more than "
            f"{n_features} ints, one for each column of codes. Got {shorten(cardinalities)} "
            "instead."
        )
    most = n_features - len(cardinalities)
    if n_numeric > most:
        raise ValueError(
            f"The 'n_numeric' parameter of {owner} must be an int in the range [0, {most}]. Got "
            f"{shorten(n_numeric)} instead, of n_features={n_features} columns with "
            f"{len(cardinalities)} of codes."
        )
