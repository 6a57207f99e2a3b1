"""A folder that serves a student: the graph, a script, a schema, a test of itself and a card."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

from skdistill._aside import written_aside
from skdistill._compat import validate_parameter_constraints
from skdistill._input._rows import as_rows
from skdistill._words import shorten
from skdistill.deployment._bundle._card import card_of, measure
from skdistill.deployment._bundle._numpy_graph import as_arrays
from skdistill.deployment._bundle._schema import as_json_rows, rounded, schema_of
from skdistill.deployment._bundle._serve import open_arrays
from skdistill.deployment._onnx._proof import Case, made_rows, prove, prove_case
from skdistill.deployment._onnx._runner import Runner
from skdistill.deployment._onnx._written import write_student
from skdistill.targets._labels_task import LabelsTask

SCRIPT = Path(__file__).with_name("_serve.py")
REQUIREMENTS = {"onnx": "numpy>=1.26\nonnxruntime>=1.31\n", "numpy": "numpy>=1.26\n"}

N_KEPT, MOST_CELLS = 8, 20_000
"""Rows of the self-test; fewer of rows that are large."""


def export(
    model: Any,
    folder: str | Path,
    *,
    X: Any,
    y: ArrayLike | None = None,
    runtime: str = "onnx",
    verbose: int = 0,
) -> Path:
    """Write a folder that serves a fitted student without torch and without scikit-learn.

    ==================== =======================================================================
    file                 what it is
    ==================== =======================================================================
    ``student.onnx``     the student, preprocessing and all; see `to_onnx`
    ``predict.py``       answers for dicts and for CSV files
    ``requirements.txt`` what that needs: numpy and onnxruntime
    ``schema.json``      a row, as a JSON schema
    ``self_test.json``   rows and the student's answers, for ``python predict.py --self-test``
    ``README.md``        the model card: what it predicts, and how well on X and y
    ==================== =======================================================================

    The rows of the self-test are made of medians and known categories; of X nothing is kept but
    the figures on the card. The teacher is not in the folder.

    Parameters
    ----------
    model : distilled estimator, student or Pipeline
        Fitted; see `to_onnx`.
    folder : str or Path
        A new one. It is written under another name and renamed when it is whole.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
        Rows that nothing was fitted on: the answers are compared on them, and the card says how
        good they are.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Their labels, or numbers; 0 and 1 in a column for each of several labels. Without them the
        card has no accuracy.
    runtime : {"onnx", "numpy"}, default="onnx"
        What serves. For "numpy" the student stands in ``student.npz``, and NumPy is enough, which
        takes less memory and more time for many rows: for tables with a network of linear layers,
        a soft tree or a linear model.
    verbose : int, default=0
        1 prints how far the teacher is, which a model that has kept it is compared with.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ExportError
        See `to_onnx`.
    FileExistsError
        When the folder is there.
    ImportError
        When the extra ``onnx`` is missing.
    ValueError
        For y of another length, with labels that the student does not know, or numbers that are
        not finite, and for another runtime.

    See Also
    --------
    to_onnx : The graph alone.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.deployment import export
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = DistilledClassifier(alpha=0, random_state=0).fit(X[::2], y[::2])
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = export(model, Path(place) / "iris", X=X[1::2], y=y[1::2])
    ...     for path in sorted(folder.iterdir()):
    ...         print(path.name)
    README.md
    predict.py
    requirements.txt
    schema.json
    self_test.json
    student.onnx
    """
    path = _new_folder(folder)
    if runtime not in REQUIREMENTS:
        raise ValueError(
            f"The 'runtime' parameter of export must be one of {list(REQUIREMENTS)}. Got "
            f"{shorten(runtime)} instead."
        )
    validate_parameter_constraints({"verbose": ["verbose"]}, {"verbose": verbose}, "export")
    written = write_student(model, "export")
    parts = written.parts
    if runtime == "numpy":
        name, content = "student.npz", as_arrays(written)
        graph = Runner(written, open_arrays(io.BytesIO(content)))
    else:
        name, content = "student.onnx", written.model.SerializeToString()
        graph = Runner(written)
    X = as_rows(X)
    y = _read_y(y, X, parts)
    unit = prove(graph, model, X)
    rows, test = _self_test(graph, unit)
    figures = measure(model, X, y, graph, verbose)
    texts = {
        "predict.py": SCRIPT.read_text(encoding="utf-8"),
        "requirements.txt": REQUIREMENTS[runtime],
        "schema.json": _as_json(schema_of(parts, written.columns)),
        "self_test.json": _as_json(test),
        "README.md": card_of(parts, written.columns, figures, rows[0], name),
    }
    with written_aside(path) as beside:
        beside.mkdir()
        (beside / name).write_bytes(content)
        for file, text in texts.items():
            (beside / file).write_text(text, encoding="utf-8")
    return path


def _new_folder(folder):
    if not isinstance(folder, str | Path):
        raise TypeError(
            f"folder={shorten(folder)} was given; expected the path of a folder, a str or a "
            f"pathlib.Path."
        )
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(
            f"The folder {str(folder)!r} is there already; expected a new one, so that nothing is "
            f"lost. Remove it, or choose another name."
        )
    if not folder.parent.is_dir():
        raise FileNotFoundError(
            f"The folder {str(folder)!r} cannot be made, for {str(folder.parent)!r} is no folder; "
            f"expected one that is there. Make it first."
        )
    return folder


def _read_y(y, X, parts):
    """Return what y says of the rows; refuse what no figure can be made of."""
    if y is None:
        return None
    if parts.answers.task == "labels":
        names = parts.answers.names
        y = LabelsTask(np.zeros((1, len(names))), names).encode(y, "y")
        check_consistent_length(X, y)
        return y
    y = np.asarray(y)
    check_consistent_length(X, y)
    if parts.answers.task == "numbers":
        shape = (X.shape[0],) if len(parts.link.scale) == 1 else (X.shape[0], len(parts.link.scale))
        if y.dtype.kind not in "biuf" or y.size != np.prod(shape) or not np.isfinite(y).all():
            raise ValueError(
                f"y is of dtype {y.dtype} and shape {y.shape}; expected finite numbers of shape "
                f"{shape}. Give the numbers that belong to X."
            )
        return y.reshape(shape).astype(np.float64)
    if y.ndim != 1:
        raise ValueError(
            f"y has the shape {y.shape}; expected one label for each row, shape ({len(y)},). Give "
            f"the column of labels: of an array y[:, 0], or y.ravel()."
        )
    known = parts.answers.names.tolist()
    unknown = sorted(set(y.tolist()) - set(known), key=str)
    if unknown:
        raise ValueError(
            f"y has the labels {unknown[:6]}, which the student does not know; expected labels "
            f"among {known[:6]}. Leave such rows out of X and y."
        )
    return y


def _self_test(graph, unit):
    """Return rows of our own, and them with the student's answers."""
    parts = graph.parts
    n_rows = min(N_KEPT, max(1, MOST_CELLS // int(np.prod(parts.shape))))
    rows = rounded(made_rows(parts)[:n_rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these rows have no names
        prove_case(Case("the rows of the self-test", rows), parts.fitted, graph, unit)
        answers = parts.answers.ask(parts.fitted, rows)
    size = 1.0
    if unit is not None:
        size = unit.spread[0] if answers.ndim == 1 else unit.spread
    rows = as_json_rows(rows, graph.columns)
    return rows, {"rows": rows, "answers": answers.tolist(), "unit": np.asarray(size).tolist()}


def _as_json(content):
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
