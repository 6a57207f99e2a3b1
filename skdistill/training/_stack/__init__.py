"""Students of one shape that are trained in lock-step, as one stacked module."""

from skdistill.training._stack._learn import Learnt, learn_together
from skdistill.training._stack._rungs import learn_in_rungs

__all__ = ["Learnt", "learn_in_rungs", "learn_together"]
