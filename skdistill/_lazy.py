"""Names of a package that are imported when they are first asked for (PEP 562)."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Its public folders and files are found too, as they are where all is imported at once.

    Parameters
    ----------
    package : str
        Its full name.
    homes : dict of str to str
        For each public name the module that defines it.

    Returns
    -------
    getattr, dir : callable
    """
    this = sys.modules[package]

    def folders() -> list[str]:
        return [found.name for found in iter_modules(this.__path__) if found.name[0] != "_"]

    def find(name: str) -> object:
        if name in homes:
            value = getattr(import_module(homes[name]), name)
            setattr(this, name, value)
            return value
        if name[0] != "_" and name in folders():
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        return sorted({*vars(this), *homes, *folders()})

    return find, listed
