"""Types: what py.typed promises, every public name says of its parameters, results, attributes."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import skdistill

HOOKS = "what it overrides of skorch has no types there; what a user calls has"
UNTYPED = {
    "skdistill.StudentNet": HOOKS,
    "skdistill.StudentNetMultilabel": HOOKS,
    "skdistill.StudentNetRegressor": HOOKS,
    "skdistill.training.DistributedStudentNet": HOOKS,
    "skdistill.training.StudentNet": HOOKS,
    "skdistill.training.StudentNetMultilabel": HOOKS,
    "skdistill.training.StudentNetRegressor": HOOKS,
}
"""Public names that do not say all their types yet, and why."""


def find_public_names():
    """Return the public classes and functions, by the name that a user imports."""
    names = [module.name for module in pkgutil.iter_modules(skdistill.__path__)]
    modules = [importlib.import_module(f"skdistill.{n}") for n in names if n[0] != "_"]
    return {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in [skdistill, *modules]
        for name in module.__all__
    }


def find_untyped(value, package="skdistill"):
    """Say, a line each, which parameters, results and documented attributes have no type.

    Of a class those that this package defines, itself or in a base of the class.
    """
    if not inspect.isclass(value):
        return _untyped_in(value, value.__name__)
    found = []
    own = [base for base in value.__mro__ if base.__module__.startswith(package)]
    for base in own:
        for name, member in vars(base).items():
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            is_public = name == "__init__" or not name.startswith("_")
            if is_public and inspect.isfunction(function):
                found += _untyped_in(function, name)
    typed = {name for base in own for name in inspect.get_annotations(base)}
    typed |= {name for base in own for name, member in vars(base).items() if _is_property(member)}
    return found + [
        f"{name} has no type" for name in _documented_attributes(value) if name not in typed
    ]


def _untyped_in(function, name):
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    found = [f"{name}({p})" for p in parameters if p.annotation is p.empty]
    return found + [f"{name} -> ?"] * (signature.return_annotation is signature.empty)


def _is_property(member):
    return isinstance(member, property)


def _documented_attributes(value):
    text = inspect.cleandoc(value.__doc__ or "")
    sections = re.split(r"^(\S.*)\n-{3,}\n", text + "\n", flags=re.M)
    section = dict(zip(sections[1::2], sections[2::2], strict=True)).get("Attributes", "")
    lines = re.findall(r"^(\w[\w, ]*) : ", section, flags=re.M)
    return [name.strip() for names in lines for name in names.split(",")]


PUBLIC = find_public_names()


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_say_their_types(name):
    found = find_untyped(PUBLIC[name])
    assert bool(found) == (name in UNTYPED), found


def test_mypy_reads_a_use_of_every_public_name():
    uses = (Path(__file__).parent / "typing" / "uses.py").read_text(encoding="utf-8")
    assert {name.rpartition(".")[2] for name in PUBLIC} - set(re.findall(r"\w+", uses)) == set()


class Half:
    """A class for the check itself.

    Attributes
    ----------
    known_, unknown_ : int
        Of which one has a type.
    """

    known_: int

    def __init__(self, first: int, second=2) -> None: ...

    def method(self, *rest, only: int) -> int: ...

    def nothing(self): ...

    @property
    def asked(self): ...

    @classmethod
    def made(cls, how: str): ...

    def _private(self, anything): ...


def test_what_has_no_type_is_found():
    assert find_untyped(Half, __name__) == [
        "__init__(second=2)",
        "method(*rest)",
        "nothing -> ?",
        "asked -> ?",
        "made -> ?",
        "unknown_ has no type",
    ]


def test_a_function_without_types_is_found():
    assert find_untyped(find_untyped) == [
        "find_untyped(value)",
        "find_untyped(package='skdistill')",
        "find_untyped -> ?",
    ]
