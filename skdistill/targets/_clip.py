"""The logarithm of a probability that may be 0, as the teachers take it."""

from skdistill.teachers._clip import EPSILON, log_probabilities

__all__ = ["EPSILON", "log_probabilities"]
