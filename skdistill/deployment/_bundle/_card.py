"""The model card of a bundle."""

import numpy as np
from sklearn.metrics import log_loss, r2_score

from skdistill._versions import package_versions
from skdistill.deployment._asking import ask_teacher, check_teacher_of
from skdistill.deployment._facts import most_different
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
    table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]
    return CARD.format(
        what=_what(parts),
        version=package_versions()["skdistill"],
        name=name,
        row=_listed_row(row),
        figures="\n".join(table),
        columns=_described(parts, columns),
    )


def measure(model, X, y, graph, verbose=0):
    """Return what the card says of the rows of the user.

    Parameters
    ----------
    model : estimator
        The student, or what holds it.
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    graph : Runner
    verbose : int, default=0
        1 prints how far the teacher is.

    Returns
    -------
    dict of str to str
    """
    answers = graph.parts.answers
    wanted = answers.ask(model, X)
    got = graph.run(X)[answers.outputs[-1]].astype(np.float64)
    figures = {
        "rows of the comparison": f"{len(wanted):,}",
        "farthest from the student": f"{np.abs(got - wanted).max():.1g}",
        **_beside_teacher(model, X, answers, got, verbose),
    }
    return figures if y is None else figures | SCORES[answers.task](answers, y, got)


def _what(parts):
    names = parts.answers.names
    match parts.answers.task:
        case "classes":
            what = f"the probabilities of {len(names)} classes"
        case "labels":
            what = f"the probability of each of {len(names)} labels, of which it may have several"
        case _:
            several = len(parts.link.scale) > 1
            numbers = f"{len(parts.link.scale)} numbers" if several else "a number"
            return f"A small model that predicts {numbers} for each row."
    listed = _listed([repr(name) for name in names.tolist()])
    return f"A small model that gives each row {what}: {listed}."


def _score_numbers(answers, y, got):
    error = np.sqrt(np.mean((y - got) ** 2))
    return {"root mean squared error": f"{error:.4g}", "R²": f"{r2_score(y, got):.4f}"}


def _score_classes(answers, y, p):
    p = p / p.sum(axis=1, keepdims=True)
    accuracy = np.mean(answers.names[np.argmax(p, axis=1)] == y)
    loss = log_loss(y, p, labels=answers.names)
    return {"accuracy": f"{accuracy:.4f}", "log-loss": f"{loss:.4f}"}


def _score_labels(answers, y, p):
    are_right = (p > 0.5) == y
    loss = log_loss(y.ravel(), p.ravel(), labels=[0, 1])
    return {
        "rows with all labels right": f"{are_right.all(axis=1).mean():.4f}",
        "labels right": f"{are_right.mean():.4f}",
        "log-loss, mean of the labels": f"{loss:.4f}",
    }


SCORES = {"classes": _score_classes, "labels": _score_labels, "numbers": _score_numbers}
"""Lines of the table, from y and what the graph answers."""


def _beside_teacher(model, X, answers, probabilities, verbose):
    """Return how often the student of classes differs from the teacher that it has kept."""
    teacher = getattr(model, "teacher_", None)
    if answers.task != "classes" or teacher is None or answers_from_labels(teacher):
        return {}
    examined = check_teacher_of(model, teacher)
    told = ask_teacher(examined, X, answers.names, few=True, verbose=verbose)
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
