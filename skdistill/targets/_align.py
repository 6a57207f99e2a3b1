"""The alignment of columns by label, as the teachers have it."""

from skdistill.teachers._align import align_columns, check_classes

__all__ = ["align_columns", "check_classes"]
