"""The packages that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("skdistill", "numpy", "scipy", "scikit-learn", "torch", "skorch")


def package_versions() -> dict[str, str]:
    """The versions of Python and of the packages, by their names."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a copy of the sources on the path
        return "not installed as a package"
