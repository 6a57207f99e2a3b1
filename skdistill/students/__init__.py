"""Students: the modules to train and the preprocessing before them."""

from skdistill.students._conv import ConvNet
from skdistill.students._embedding import PiecewiseLinearEmbedding
from skdistill.students._freeze import freeze
from skdistill.students._images import ImagePreprocessor
from skdistill.students._layers import layer_names
from skdistill.students._mlp import MLP, Linear
from skdistill.students._shrink import shrink
from skdistill.students._soft_tree import SoftDecisionTree
from skdistill.students._sparse import SparseMLP
from skdistill.students._table import TablePreprocessor
from skdistill.students._tabular import TabularMLP
from skdistill.students._truncate import truncate

__all__ = [
    "MLP",
    "ConvNet",
    "ImagePreprocessor",
    "Linear",
    "PiecewiseLinearEmbedding",
    "SoftDecisionTree",
    "SparseMLP",
    "TablePreprocessor",
    "TabularMLP",
    "freeze",
    "layer_names",
    "shrink",
    "truncate",
]
