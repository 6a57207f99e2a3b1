"""Students of one shape that are trained in lock-step, as one stacked module."""

from skdistill.training._stack._learn import Learnt, learn_together

__all__ = ["Learnt", "learn_together"]
