"""Students: the modules to train and the preprocessing before them."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill.students._conv import ConvNet
    from skdistill.students._default import DefaultStudent
    from skdistill.students._embedding import PiecewiseLinearEmbedding
    from skdistill.students._factorize import factorize
    from skdistill.students._freeze import freeze
    from skdistill.students._grow import grow, weight_norms
    from skdistill.students._images import ImagePreprocessor
    from skdistill.students._layers import layer_names
    from skdistill.students._mlp import MLP, Linear
    from skdistill.students._shrink import shrink
    from skdistill.students._soft_tree import SoftDecisionTree
    from skdistill.students._sparse import SparseMLP
    from skdistill.students._split import split
    from skdistill.students._table import TablePreprocessor
    from skdistill.students._tabular import TabularMLP
    from skdistill.students._truncate import truncate
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "ConvNet": "skdistill.students._conv",
            "DefaultStudent": "skdistill.students._default",
            "ImagePreprocessor": "skdistill.students._images",
            "Linear": "skdistill.students._mlp",
            "MLP": "skdistill.students._mlp",
            "PiecewiseLinearEmbedding": "skdistill.students._embedding",
            "SoftDecisionTree": "skdistill.students._soft_tree",
            "SparseMLP": "skdistill.students._sparse",
            "TablePreprocessor": "skdistill.students._table",
            "TabularMLP": "skdistill.students._tabular",
            "factorize": "skdistill.students._factorize",
            "freeze": "skdistill.students._freeze",
            "grow": "skdistill.students._grow",
            "layer_names": "skdistill.students._layers",
            "shrink": "skdistill.students._shrink",
            "split": "skdistill.students._split",
            "truncate": "skdistill.students._truncate",
            "weight_norms": "skdistill.students._grow",
        },
    )

__all__ = [
    "MLP",
    "ConvNet",
    "DefaultStudent",
    "ImagePreprocessor",
    "Linear",
    "PiecewiseLinearEmbedding",
    "SoftDecisionTree",
    "SparseMLP",
    "TablePreprocessor",
    "TabularMLP",
    "factorize",
    "freeze",
    "grow",
    "layer_names",
    "shrink",
    "split",
    "truncate",
    "weight_norms",
]
