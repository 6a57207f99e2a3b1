"""What is shipped: names, version, imports, and docstrings that keep their word."""

import ast
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest
import torch

import skdistill
from skdistill import StudentNet
from skdistill.deployment import save

FOLDER = Path(skdistill.__file__).parent
MAX_LINES = 400
OPTIONAL = ["lightgbm", "matplotlib", "onnx", "pandas", "xgboost"]


def find_modules():
    """Return the package and its public parts; their `__all__` is what users may rely on."""
    names = [module.name for module in pkgutil.iter_modules(skdistill.__path__)]
    public = [name for name in names if not name.startswith("_")]
    return [skdistill, *(importlib.import_module(f"skdistill.{name}") for name in public)]


def find_objects(modules):
    """Return the public classes and functions by name, once each, under their shortest name."""
    named = {}
    for module in reversed(modules):
        for name in module.__all__:
            value = getattr(module, name, None)
            if inspect.isclass(value) or inspect.isfunction(value):
                named[value] = f"{module.__name__}.{name}"
    return {name: value for value, name in named.items()}


def find_methods(objects):
    """Return the public methods that the public classes define themselves."""
    return {
        f"{name}.{attribute}": getattr(value, attribute)
        for name, value in objects.items()
        if inspect.isclass(value)
        for attribute, member in vars(value).items()
        if not attribute.startswith("_")
        and isinstance(member, staticmethod | classmethod | type(find_modules))
    }


MODULES = find_modules()
OBJECTS = find_objects(MODULES)
METHODS = find_methods(OBJECTS)


# Docstrings, read the numpydoc way.


def read_sections(docstring):
    """Return the text of each section of a numpydoc docstring by its title."""
    pieces = re.split(r"^(\S.*)\n-{3,}\n", inspect.cleandoc(docstring) + "\n", flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def read_parameters(docstring):
    """Return the type line of each parameter by its name, in the docstring's order.

    A class that users are given, and do not make, has Attributes instead.
    """
    sections = read_sections(docstring)
    section = sections.get("Parameters", sections.get("Attributes", ""))
    lines = re.findall(r"^([*\w][*\w, ]*)(?: : (.*))?$", section, flags=re.M)
    return {name.strip(): kind for names, kind in lines for name in names.split(",")}


def same_value(claim, default):
    """Whether the words after `default=` mean this value; 8/255 is a number."""
    if re.fullmatch(r"\d+/\d+", claim):
        return float(Fraction(claim)) == default
    try:
        return repr(ast.literal_eval(claim)) == repr(default)
    except (ValueError, SyntaxError):
        name = getattr(default, "__name__", None)
        return claim == repr(default) or claim.split(".")[-1] == name


def broken_promises(docstring, signature, *, complete=True):
    """Say, a sentence each, where the Parameters section and the signature disagree.

    With `complete`, every parameter must be there, in its order and with its default. Of a class
    that users are given, and do not make, only the names must be there.
    """
    documented = read_parameters(docstring)
    actual = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    sections = read_sections(docstring)
    if "Attributes" in sections and "Parameters" not in sections:
        return [f"{name} is not documented" for name in actual if name not in documented]
    open_ended = len(actual) < len(signature.parameters)
    broken = []
    for name, kind in documented.items():
        claim = re.search(r"default=(.*)$", kind)
        if name not in actual:
            if not open_ended:
                broken.append(f"{name} is documented, and no parameter")
        elif claim is None:
            if complete and actual[name] is not inspect.Parameter.empty:
                broken.append(f"{name} has the default {actual[name]!r}, which is not documented")
        elif not same_value(claim[1], actual[name]):
            broken.append(f"{name} is said to be {claim[1]} by default, and is {actual[name]!r}")
    if complete:
        broken += [f"{name} is not documented" for name in actual if name not in documented]
        common = [name for name in documented if name in actual]
        if common != [name for name in actual if name in documented]:
            broken.append(f"the documented order {common} is not that of the signature")
    return broken


def example(first, second=0.5, *, third="auto", fourth=(256, 256), **rest):
    """Serve the tests of the reader below."""


GOOD = """Title.

    Parameters
    ----------
    first : int
        Text : with a colon.
    second : float, default=0.5
    third : {"auto"} or float, default='auto'
    fourth : tuple of int, default=(256, 256)
    rest__lr : float, default=0.1

    Returns
    -------
    nothing : int, default=7
"""
BAD = {
    "first is not documented": GOOD.replace("first :", "fist :"),
    "second is said to be 0.7": GOOD.replace("=0.5", "=0.7"),
    "second has the default 0.5, which is not documented": GOOD.replace(", default=0.5", ""),
    "third is said to be auto": GOOD.replace("'auto'", "auto"),
    "fourth is said to be [256, 256]": GOOD.replace("(256, 256)", "[256, 256]"),
    "the documented order": re.sub("(first)(.*?)(second)", r"\3\2\1", GOOD, count=1, flags=re.S),
}


def test_promises_that_are_kept_pass():
    assert broken_promises(GOOD, inspect.signature(example)) == []
    assert list(read_sections(GOOD)) == ["Parameters", "Returns"]


@pytest.mark.parametrize("sentence", BAD)
def test_broken_promises_are_caught(sentence):
    broken = broken_promises(BAD[sentence], inspect.signature(example))
    assert any(found.startswith(sentence) for found in broken)


def test_of_a_class_that_users_are_given_the_names_must_be_there():
    docstring = "Title.\n\nAttributes\n----------\nfourth, second : int\nrows : list\n"
    assert broken_promises(docstring, inspect.signature(example)) == [
        "first is not documented",
        "third is not documented",
    ]


def test_a_parameter_that_is_none_is_caught():
    def closed(first):
        pass

    docstring = "Title.\n\nParameters\n----------\nfirst : int\nlast : int\n"
    assert broken_promises(docstring, inspect.signature(closed)) == [
        "last is documented, and no parameter"
    ]


# The package.


def test_version_is_the_installed_one():
    assert skdistill.__version__ == importlib.metadata.version("skdistill")


def test_the_page_of_versions_has_each_python_of_the_classifiers():
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    found = (re.fullmatch(r".*:: (3\.\d+)", line) for line in project["classifiers"])
    named = [python[1] for python in found if python]
    page = (root / "docs/install.rst").read_text("utf-8")
    table = page[page.index(".. _tested-versions:") :]
    assert named == re.findall(r"^(3\.\d+)\.\d+ ", table, flags=re.M)
    assert f"the tests pass on {', '.join(named[:-1])} and {named[-1]}\n" in page


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_public_names_exist(module):
    assert module.__doc__
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


IMPORTS = f"""
import sys, skdistill
assert {{"DistilledClassifier", "losses", "deployment"}} <= set(dir(skdistill))
assert "torch" not in sys.modules, "its names are said before they are imported"

# scikit-learn itself imports pandas where it is installed, so the names are forgotten.
import sklearn, skorch, torch
for name in {OPTIONAL}:
    sys.modules.pop(name, None)

from skdistill.deployment import load
load(sys.argv[1])
unneeded = {{"skops", "torch._dynamo"}} & set(sys.modules)
assert not unneeded, f"load does without what training needs, and imports {{unneeded}}"

assert skdistill.losses.KD and skdistill.StudentNet is skdistill.training.StudentNet
from skdistill import *
assert DistilledClassifier and skdistill.evaluation.diagnose and not hasattr(skdistill, "nothing")
loaded = set({OPTIONAL}) & set(sys.modules)
assert not loaded, f"it imports {{loaded}}, which are optional"
"""


def test_what_an_import_imports(tmp_path):
    """All in one process: each costs the seconds of an import of torch."""
    student = StudentNet(max_epochs=1)
    with torch.random.fork_rng():
        path = save(student.fit([[0.0], [1.0]] * 8, [0, 1] * 8), tmp_path / "s.safetensors")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(path)],
        cwd=FOLDER.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [str(p.relative_to(FOLDER)) for p in sorted(FOLDER.rglob("*.py"))])
def test_no_file_is_long(path):
    assert len((FOLDER / path).read_text(encoding="utf-8").splitlines()) < MAX_LINES


@pytest.mark.parametrize("name", OBJECTS)
def test_docstring_says_what_the_signature_says(name):
    value = OBJECTS[name]
    assert value.__doc__, f"{name} has no docstring"
    if not (inspect.isclass(value) and issubclass(value, Exception)):
        assert broken_promises(value.__doc__, inspect.signature(value)) == []


@pytest.mark.parametrize("name", METHODS)
def test_docstring_of_a_method_claims_no_other_default(name):
    method = METHODS[name]
    docstring = method.__doc__ or ""
    assert broken_promises(docstring, inspect.signature(method), complete=False) == []


@pytest.mark.parametrize(
    "name",
    [name for name, value in OBJECTS.items() if inspect.isfunction(value) or hasattr(value, "fit")],
)
def test_estimators_and_functions_have_an_example(name):
    assert ">>> " in read_sections(OBJECTS[name].__doc__).get("Examples", "")


def test_reference_lists_every_public_name():
    reference = (FOLDER.parent / "docs" / "api.rst").read_text(encoding="utf-8")
    listed, module = set(), ""
    for line in reference.splitlines():
        if found := re.match(r"\.\. automodule:: (\S+)", line):
            module = found[1]
        listed.add(f"{module}.{line.strip()}")
    assert [name for name in OBJECTS if name not in listed] == []


def test_the_citation_names_the_version():
    said = (FOLDER.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {skdistill.__version__}\n" in said
