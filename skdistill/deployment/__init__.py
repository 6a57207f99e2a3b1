"""The last step: the student at work, in one file or beside its teacher."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill.deployment._bundle._export import export
    from skdistill.deployment._cascade import CascadeClassifier
    from skdistill.deployment._facts import TeacherComparison, compare_with_teacher
    from skdistill.deployment._inspect import FileSummary, inspect
    from skdistill.deployment._load import load
    from skdistill.deployment._onnx._to_onnx import to_onnx
    from skdistill.deployment._prune import prune
    from skdistill.deployment._quantize import quantize
    from skdistill.deployment._save import save
    from skdistill.deployment._tuned_cascade import TunedCascadeClassifier
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "CascadeClassifier": "skdistill.deployment._cascade",
            "FileSummary": "skdistill.deployment._inspect",
            "TeacherComparison": "skdistill.deployment._facts",
            "TunedCascadeClassifier": "skdistill.deployment._tuned_cascade",
            "compare_with_teacher": "skdistill.deployment._facts",
            "export": "skdistill.deployment._bundle._export",
            "inspect": "skdistill.deployment._inspect",
            "load": "skdistill.deployment._load",
            "prune": "skdistill.deployment._prune",
            "quantize": "skdistill.deployment._quantize",
            "save": "skdistill.deployment._save",
            "to_onnx": "skdistill.deployment._onnx._to_onnx",
        },
    )

__all__ = [
    "CascadeClassifier",
    "FileSummary",
    "TeacherComparison",
    "TunedCascadeClassifier",
    "compare_with_teacher",
    "export",
    "inspect",
    "load",
    "prune",
    "quantize",
    "save",
    "to_onnx",
]
