"""Teachers: whatever can give class probabilities, brought to one contract."""

from skdistill.teachers._adapters import adapt_teacher
from skdistill.teachers._contract import check_probabilities, looks_like_probabilities
from skdistill.teachers._fit import fit_teacher, is_fitted

__all__ = [
    "adapt_teacher",
    "check_probabilities",
    "fit_teacher",
    "is_fitted",
    "looks_like_probabilities",
]
