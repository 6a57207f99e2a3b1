"""What a file says of itself, without what it takes to make a student of it."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skdistill._words import one_line, shorten
from skdistill.deployment._header import NEEDS_MODULE, STATE, read_header, refuse


@dataclass(frozen=True)
class FileSummary:
    """What a file says of the student in it; see `inspect`.

    Attributes
    ----------
    kind : {"classifier", "multilabel classifier", "regressor"}
    steps : list of str
        The classes of its steps; the last one predicts.
    classes : list or None
        Labels in the order of the columns of `predict_proba`. Where a row may have several, the
        names of the columns of y, or their numbers.
    columns : list of dict or None
        For each column its "name" (a position where it has none) and "kind" ("number", "flag" or
        "category"), the "categories" in their order, None among them for a gap, and of numbers
        the "center" and "scale". None where the student has no `TablePreprocessor` for a table.
    n_features : int or None
        Size of the rows' first axis, where it is known.
    n_parameters : int or None
        Weights of the network, None for another student.
    weights : str or None
        The precision in which most of them are kept, such as "float32" or "int8"; None likewise.
    needs_module : bool
        Whether `load` wants a `module`.
    left_out : list of str
        Settings that no file can hold, such as callbacks. A fit anew goes without them.
    metadata : dict
        What the user has given to `save`.
    versions : dict of str to str
        Of Python and the packages that it was saved with.
    n_bytes : int
        Size of the file.
    sha256 : str
        The digest of its content, which `load` compares and `inspect` does not.
    format : int
        Of the file.
    """

    kind: str
    steps: list[str]
    classes: list[Any] | None
    columns: list[dict[str, Any]] | None
    n_features: int | None
    n_parameters: int | None
    weights: str | None
    needs_module: bool
    left_out: list[str]
    metadata: dict[str, Any]
    versions: dict[str, str]
    n_bytes: int
    sha256: str
    format: int

    def __str__(self) -> str:
        lines = [
            f"{self.kind}: {', '.join(self.steps)}",
            _line(
                "classes" if self.kind == "classifier" else "labels",
                None if self.classes is None else _listed(self.classes),
            ),
            _line("features", self.n_features),
            *(f"    {_column(column)}" for column in (self.columns or [])[:MOST_LINES]),
            "    ..." if len(self.columns or []) > MOST_LINES else None,
            _line("parameters", self.n_parameters),
            _line("weights", self.weights),
            _line("bytes", self.n_bytes),
            _line("needs module", "yes, a class of somebody's own" if self.needs_module else None),
            _line("left out", _listed(self.left_out) if self.left_out else None),
            *(_line(name, value) for name, value in self.metadata.items()),
            _line("saved with", ", ".join(f"{n} {v}" for n, v in self.versions.items())),
            _line("sha256", self.sha256),
        ]
        return "\n".join(_printable(line) for line in lines if line is not None)


FAULTS = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)
"""What is raised where a file does not say what is asked for."""

PRECISIONS = {"I8": "int8", "F16": "float16", "F32": "float32", "F64": "float64"}
"""Of weights, by what the header calls them."""

MOST_LINES = 40
MOST_SHOWN = 10


def inspect(path: str | os.PathLike) -> FileSummary:
    """Read what a file of `save` says of itself, and nothing more of it.

    It takes neither torch nor scikit-learn, and little time.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    FileSummary

    Raises
    ------
    StudentError
        With the reason, for a file that is none of `save`.
    FileNotFoundError
        When there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import StudentNet
    >>> from skdistill.deployment import inspect, save
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(StudentNet(max_epochs=2).fit(X, y), Path(folder) / "iris.safetensors")
    ...     summary = inspect(path)
    >>> summary.kind, summary.classes, summary.n_features
    ('classifier', [0, 1, 2], 4)
    """
    found = check_file(path)
    with open(found, "rb") as file:
        header = read_header(file, found.name)
    try:
        summary = _summary(header, found.stat().st_size)
        str(summary)  # whatever is of another kind shows there
        return summary
    except FAULTS as error:
        refuse(
            found.name,
            f"it does not say what a file of save does ({type(error).__name__}: "
            f"{one_line(error, 200)}); expected one as it was written. Save the student again",
        )


def check_file(path: str | os.PathLike) -> Path:
    """Return the path of a file that is there; refuse others."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"path={shorten(path)} was given; expected the path of a file, a str or a pathlib.Path."
        )
    path = Path(path)
    if not path.is_file():
        came = "is a folder" if path.is_dir() else "is not there"
        raise FileNotFoundError(
            f"There is no file {str(path)!r} to read a student from: it {came}; expected a file "
            f"of save. Look at the path."
        )
    return path


def _summary(header, n_bytes):
    description = header.description
    steps = _steps_of(description["student"])
    last = steps[-1]
    labels = last["link"].get("classes")
    seen = [step.get("columns_seen", {}) for step in steps]
    table = next((step["columns"] for step in steps[:-1] if "columns" in step), None)
    return FileSummary(
        kind=_of_kind(str, description["kind"]),
        steps=[_of_kind(str, step.get("of") or step["class"]) for step in steps],
        classes=None if labels is None else _of_kind(list, labels["values"]),
        columns=table,
        n_features=next((one["n_features"] for one in seen if "n_features" in one), None),
        n_parameters=last.get("n_parameters"),
        weights=_precision(header.entries),
        needs_module=_of_kind(bool, last[NEEDS_MODULE]),
        left_out=_of_kind(list, last.get("left_out", [])),
        metadata=_of_kind(dict, description["metadata"]),
        versions=_of_kind(dict, description["versions"]),
        n_bytes=n_bytes,
        sha256=header.digest,
        format=description["format"],
    )


def _precision(entries):
    """Return the precision of most of a network's weights."""
    numbers: dict[str, int] = {}
    for name, entry in entries.items():
        if name.startswith(STATE) and entry.dtype in PRECISIONS:
            numbers[entry.dtype] = numbers.get(entry.dtype, 0) + math.prod(entry.shape)
    return PRECISIONS[max(numbers, key=lambda kind: numbers[kind])] if numbers else None


def _of_kind(kind, value):
    if not isinstance(value, kind):
        raise TypeError(f"{str(value)[:40]!r} is no {kind.__name__}")
    return value


def _steps_of(content):
    if content["class"] != "Pipeline":
        return [content]
    return [part for _, step in content["steps"] for part in _steps_of(step)]


def _printable(line):
    """Return a line whose texts, which anybody may have written, begin no other line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _line(name, value):
    return None if value is None else f"{name}: {value}"


def _listed(values):
    more = f" and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
    return ", ".join(map(str, values[:MOST_SHOWN])) + more


def _column(column):
    found = f"{column['name']}: {column['kind']}"
    if "categories" not in column:
        return f"{found} around {column['center']:g}"
    return f"{found} of {_listed(['a gap' if c is None else c for c in column['categories']])}"
