"""The layers of the package, read off the imports: a file imports only from below its own."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "skdistill"

# Stage → the other stages that it may import, anywhere in its files. A stage is a folder or a
# file of the package, "__init__" its public face, which only a program on top of it imports.
_0 = {
    *("exceptions", "_ascent", "_aside", "_atomic", "_cascade_threshold", "_compat", "_gap_test"),
    *("_generators", "_input", "_interrupts", "_lazy", "_names", "_parallel", "_progress"),
    *("_random", "_temperature", "_token_ids", "_torch", "_unwrap", "_versions", "_warn", "_words"),
}
_1 = _0 | {"teachers", "targets", "transfer", "losses", "students"}
_2 = _1 | {"training"}
_3 = _2 | {"_fitting", "_datasets", "_estimators"}
_4 = _3 | {"model_selection", "evaluation", "deployment"}
MAY_IMPORT = {
    # layer 0
    "exceptions": set(),
    "_ascent": set(),
    "_aside": set(),
    "_atomic": set(),
    "_cascade_threshold": {"_gap_test"},
    "_compat": {"exceptions", "_input", "_names", "_words"},
    "_gap_test": set(),
    "_generators": set(),
    "_input": {"exceptions", "_aside", "_warn", "_words"},
    "_interrupts": set(),
    "_lazy": set(),
    "_names": set(),
    "_parallel": set(),
    "_progress": set(),
    "_random": {"exceptions"},
    "_temperature": {"_input"},
    "_token_ids": {"exceptions", "_input", "_torch"},
    "_torch": {"exceptions", "_input", "_words"},
    "_unwrap": {"_names"},
    "_versions": set(),
    "_words": set(),
    "_warn": set(),
    # layer 1
    "teachers": _0,
    "transfer": _0,
    "losses": _0,
    "students": _0,
    "targets": _0 | {"teachers", "transfer"},
    # layer 2
    "training": _1,
    # layer 3
    "_fitting": _2,
    "_datasets": _2 | {"_fitting"},
    "_estimators": _2 | {"_fitting", "_datasets"},
    # layer 4
    "model_selection": _3,
    "evaluation": _3,
    "deployment": _3,
    # the public names, and layer 5
    "__init__": _4,
    "_cli": _4 | {"__init__"},
    "__main__": {"_cli"},
}

# Prose of the three other rules, as the messages say them.
NO_TORCH = {"targets"}  # these import no torch when they are imported
PRIVATE = {"sklearn", "skorch"}  # private names of these are for _compat alone
FRAME_FILES = tuple(
    f"skdistill._input.{name}" for name in ("_arrow", "_frames", "_new_frames", "_parquet")
)
FRAMES = {"narwhals", "polars", "pyarrow"}  # these are for the files in FRAME_FILES


class Import(NamedTuple):
    """One name that a module imports, by its full dotted path."""

    line: int
    target: str
    at_import_time: bool


def find_imports(source, module, *, is_package=False):
    """List the imports of a module, relative ones resolved, those inside functions too."""
    tree = ast.parse(source)
    deferred = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(block)
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = node.level - is_package
            base = module.split(".")[: -up or None] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [Import(node.lineno, target, id(node) not in deferred) for target in targets]
    return found


def _is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def stage_of(target):
    """Return the stage that a dotted path of the package lies in."""
    parts = target.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else "__init__"


def violations(source, module, *, is_package=False):
    """Say, a sentence each, which imports of a module break a rule."""
    stage = stage_of(module)
    allowed = MAY_IMPORT[stage] | {stage}
    broken = []
    for line, target, at_import_time in find_imports(source, module, is_package=is_package):
        top, *rest = target.split(".")
        where = f"{module}, line {line}: imports {target}, but"
        if top == PACKAGE and stage_of(target) not in allowed:
            broken.append(f"{where} {stage} may import only {', '.join(sorted(allowed))}")
        if top == "torch" and at_import_time and stage in NO_TORCH:
            broken.append(f"{where} {stage} does without torch")
        if top in FRAMES and module not in FRAME_FILES:
            broken.append(f"{where} {top} is for {', '.join(FRAME_FILES)}")
        if top in PRIVATE and stage != "_compat" and any(_is_private(part) for part in rest):
            broken.append(f"{where} private names of {top} are for _compat alone")
    return broken


def _is_private(name):
    return name.startswith("_") and not name.endswith("__")


def module_of(path):
    """Return the dotted name of a file, and whether it is a package's."""
    *folders, name = path.relative_to(ROOT).with_suffix("").parts
    is_package = name == "__init__"
    return ".".join(folders if is_package else [*folders, name]), is_package


FILES = sorted((ROOT / PACKAGE).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_to_the_layers(path):
    module, is_package = module_of(path)
    broken = violations(path.read_text(encoding="utf-8"), module, is_package=is_package)
    assert not broken, "\n".join(broken)


def test_every_stage_has_its_row():
    stages = {path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert stages <= MAY_IMPORT.keys()


def order_of(sources):
    """Order modules so that each stands behind all that it imports, inside functions too.

    Parameters
    ----------
    sources : dict of (str, bool) to str
        The text of each module, by its dotted name and whether it is a package's.

    Raises
    ------
    CycleError
        When some import each other in a circle.
    """
    names = {module for module, _ in sources}
    below = {module: set() for module in names}
    for (module, is_package), source in sources.items():
        for _, target, _ in find_imports(source, module, is_package=is_package):
            # A name of a package comes from the file that defines it, through the package's own.
            home = target if target in names else target.rpartition(".")[0]
            if home in names - {module}:
                below[module].add(home)
    return tuple(TopologicalSorter(below).static_order())


def test_no_files_import_each_other_in_a_circle():
    sources = {module_of(path): path.read_text(encoding="utf-8") for path in FILES}
    assert len(order_of(sources)) == len(FILES)


@pytest.mark.parametrize("deferred", ["", "def f():\n    ", "if TYPE_CHECKING:\n    "])
def test_a_circle_is_caught(deferred):
    sources = {
        ("skdistill.a", True): "from skdistill.a._one import X",
        ("skdistill.a._one", False): "import numpy",
        ("skdistill.b", False): "from skdistill.a import X",
    }
    assert len(order_of(sources)) == len(sources)
    sources["skdistill.a._one", False] = f"{deferred}from skdistill.b import Y"
    with pytest.raises(CycleError):
        order_of(sources)


def test_the_layers_have_no_cycle():
    def below(stage):
        return MAY_IMPORT[stage].union(*map(below, MAY_IMPORT[stage]))

    assert [stage for stage in MAY_IMPORT if stage in below(stage)] == []


GOOD = [
    ("skdistill.losses._kd", "import torch"),
    ("skdistill.losses._kd", "from skdistill._torch import as_tensor"),
    ("skdistill.losses._kd", "from ._base import Loss"),
    ("skdistill.losses._kd", "from . import _base"),
    ("skdistill.losses._kd", "from .. import exceptions"),
    ("skdistill.targets._align", "from skdistill.teachers import is_fitted"),
    ("skdistill.targets._align", "def f():\n    import torch"),
    ("skdistill.targets._align", "if TYPE_CHECKING:\n    import torch"),
    ("skdistill.training._net", "from ..losses import KD"),
    ("skdistill.training._net", "from sklearn import __version__"),
    ("skdistill._compat", "from sklearn.base import _fit_context"),
    ("skdistill._input._frames", "import narwhals.stable.v2 as nw"),
    ("skdistill._cli._fit", "from skdistill import DistilledClassifier"),
    ("skdistill", "from skdistill.evaluation import distillation_report"),
]
BAD = [
    # upwards
    ("skdistill.losses._kd", "from skdistill.training import StudentNet"),
    ("skdistill.losses._kd", "import skdistill.training"),
    ("skdistill.losses._kd", "from ..training._net import StudentNet"),
    ("skdistill.losses._kd", "from .. import training"),
    ("skdistill.losses._kd", "def f():\n    from skdistill.training import StudentNet"),
    ("skdistill.exceptions", "from skdistill import _compat"),
    ("skdistill._estimators._classifier", "from skdistill.evaluation import distillation_report"),
    # sideways
    ("skdistill.losses._kd", "from skdistill.students import TabularMLP"),
    ("skdistill.training._net", "from skdistill.evaluation import agreement"),
    ("skdistill.evaluation._report", "from skdistill.deployment import save"),
    # through the public face
    ("skdistill.losses._kd", "import skdistill"),
    ("skdistill.losses._kd", "from skdistill import DistilledClassifier"),
    ("skdistill.evaluation._report", "from .. import DistilledClassifier"),
    ("skdistill", "import skdistill.__main__"),
    # the other rules
    ("skdistill.targets._align", "import torch"),
    ("skdistill.targets._align", "if True:\n    from torch import nn"),
    ("skdistill.training._net", "from sklearn.base import _fit_context"),
    ("skdistill.training._net", "from sklearn.utils._param_validation import Interval"),
    ("skdistill.training._net", "def f():\n    import skorch._version"),
    ("skdistill._input._rows", "import narwhals.stable.v2 as nw"),
    ("skdistill.transfer._table", "def f():\n    import polars"),
]


@pytest.mark.parametrize(("module", "source"), GOOD)
def test_good_imports_pass(module, source):
    assert violations(source, module, is_package=module == PACKAGE) == []


@pytest.mark.parametrize(("module", "source"), BAD)
def test_bad_imports_are_caught(module, source):
    assert len(violations(source, module, is_package=module == PACKAGE)) == 1


def test_relative_imports_of_a_package_are_its_own():
    caught = violations(
        "from ._kd import KD\nfrom ..training import X", "skdistill.losses", is_package=True
    )
    assert len(caught) == 1 and "skdistill.training.X" in caught[0]
