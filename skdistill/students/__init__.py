"""Students: the modules to train and the preprocessing before them."""

from skdistill.students._mlp import MLP
from skdistill.students._table import TablePreprocessor

__all__ = ["MLP", "TablePreprocessor"]
