"""Deployment: the student in one file, without its teacher, a pickle or code."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill.deployment._inspect import FileSummary, inspect
    from skdistill.deployment._load import load
    from skdistill.deployment._save import save
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "FileSummary": "skdistill.deployment._inspect",
            "inspect": "skdistill.deployment._inspect",
            "load": "skdistill.deployment._load",
            "save": "skdistill.deployment._save",
        },
    )

__all__ = ["FileSummary", "inspect", "load", "save"]
