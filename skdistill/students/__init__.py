"""Students: the modules to train and the preprocessing before them."""

from skdistill.students._embedding import PiecewiseLinearEmbedding
from skdistill.students._mlp import MLP
from skdistill.students._table import TablePreprocessor
from skdistill.students._tabular import TabularMLP

__all__ = ["MLP", "PiecewiseLinearEmbedding", "TablePreprocessor", "TabularMLP"]
