"""The model card of a bundle."""

import numpy as np
from sklearn.metrics import log_loss, r2_score

from skdistill._versions import package_versions
from skdistill.deployment._asking import ask_teacher, check_teacher_of
from skdistill.deployment._facts import most_different
from skdistill.deployment._onnx._links import PREDICTION, PROBABILITIES
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._onnx_rows import NUMBERS, TEXTS

CONFIDENCE = 0.95

MOST_NAMED = 12
"""Classes, columns and categories that are named one by one."""

CARD = """# A student

{what}

It was made by knowledge distillation, with skdistill {version}. Nothing in this folder needs torch,
scikit-learn or skdistill: `pip install -r requirements.txt` is enough.

## Use

```python
from predict import predict

predict({row})
```

`python predict.py rows.csv` answers for a table, `python predict.py --self-test` compares the
answers with those of the day of the export. `schema.json` describes a row,
`self_test.json` holds whole ones, `{name}` is the model itself.

## Figures

{figures}

## What a row holds

{columns}

A gap is null. A category that is not among the known ones is unknown to the student, and no error.
"""


def card_of(parts, columns, figures, row, name):
    """Return the text of a model card.

    Parameters
    ----------
    parts : Parts
    columns : list of OnnxColumn
    figures : dict of str to str
        Lines of the table.
    row : object
        A row as JSON has it.
    name : str
        The file of the model.

    Returns
    -------
    str
    """
    if parts.classes is None:
        what = "A small model that predicts a number for each row."
        if len(parts.link.scale) > 1:
            what = f"A small model that predicts {len(parts.link.scale)} numbers for each row."
    else:
        names = _listed([repr(label) for label in parts.classes.tolist()])
        what = f"A small model that gives each row the probabilities of {len(parts.classes)} "
        what += f"classes: {names}."
    table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]
    return CARD.format(
        what=what,
        version=package_versions()["skdistill"],
        name=name,
        row=_listed_row(row),
        figures="\n".join(table),
        columns=_described(parts, columns),
    )


def measure(model, X, y, graph):
    """Return what the card says of the rows of the user.

    Parameters
    ----------
    model : estimator
        The student, or what holds it.
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    graph : Runner

    Returns
    -------
    dict of str to str
    """
    classes, found = graph.parts.classes, graph.run(X)
    if classes is None:
        wanted, got = model.predict(X), found[PREDICTION]
    else:
        wanted, got = model.predict_proba(X), found[PROBABILITIES].astype(np.float64)
    figures = {
        "rows of the comparison": f"{len(wanted):,}",
        "farthest from the student": f"{np.abs(got - wanted).max():.1g}",
        **_beside_teacher(model, X, classes, got),
    }
    if y is None:
        return figures
    if classes is None:
        error = np.sqrt(np.mean((y - got) ** 2))
        return figures | {
            "root mean squared error": f"{error:.4g}",
            "R²": f"{r2_score(y, got):.4f}",
        }
    p = got / got.sum(axis=1, keepdims=True)
    accuracy = np.mean(classes[np.argmax(p, axis=1)] == y)
    return figures | {
        "accuracy": f"{accuracy:.4f}",
        "log-loss": f"{log_loss(y, p, labels=classes):.4f}",
    }


def _beside_teacher(model, X, classes, probabilities):
    """Return how often the student differs from the teacher that it has kept."""
    teacher = getattr(model, "teacher_", None)
    if classes is None or teacher is None or answers_from_labels(teacher):
        return {}
    told = ask_teacher(check_teacher_of(model, teacher), X, classes, few=True)
    n_different = int(np.count_nonzero(told.argmax(axis=1) != probabilities.argmax(axis=1)))
    bound = most_different(n_different, len(told), CONFIDENCE)
    return {
        "differs from its teacher": f"on {n_different:,} rows; on at most {100 * bound:.2g} % of "
        f"new ones like these ({100 * CONFIDENCE:g} %)"
    }


def _described(parts, columns):
    if not columns:
        shape = " x ".join(map(str, parts.shape))
        return f"An array of {shape} numbers."
    kinds = {NUMBERS: "a number", TEXTS: "a category"}
    lines = [f"- `{column.name}`: {kinds[column.kind]}" for column in columns]
    return "\n".join(lines)


def _listed(names):
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _listed_row(row):
    if isinstance(row, dict) and len(row) <= MOST_NAMED:
        return repr(row)
    return "row" if isinstance(row, list) else "{...}"
