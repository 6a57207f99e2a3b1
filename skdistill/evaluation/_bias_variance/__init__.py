"""Over- and underfitting, measured: the loss of many fits as bias plus variance."""

from skdistill.evaluation._bias_variance._compare import Comparison, compare
from skdistill.evaluation._bias_variance._decompose import bias_variance_decomposition
from skdistill.evaluation._bias_variance._result import BiasVarianceDecomposition

__all__ = ["BiasVarianceDecomposition", "Comparison", "bias_variance_decomposition", "compare"]
