"""`skdistill predict`: rows of a table answered by a saved student, where it can without torch."""

import sys

import numpy as np

from skdistill import deployment
from skdistill._aside import written_aside
from skdistill._cli._tables import read_rows
from skdistill.deployment._files import new_file
from skdistill.deployment._without_torch import load_without_torch


def run(options):
    """Read a student and rows; write its answers as a table."""
    path = None if options.output is None else new_file(options.output, ".csv")
    summary = deployment.inspect(options.student)
    student = load_without_torch(options.student) or deployment.load(options.student)
    X, _ = read_rows(options.rows, summary)
    answers = {"prediction": student.predict(X)}
    names = summary.classes
    if np.ndim(answers["prediction"]) == 2:
        columns = answers.pop("prediction").T
        several = range(len(columns)) if names is None else names
        answers |= {f"prediction_{i}": v for i, v in zip(several, columns, strict=True)}
    if names is not None:
        columns = student.predict_proba(X).T
        answers |= {f"p({name})": p for name, p in zip(names, columns, strict=True)}
    import pandas as pd  # which read_rows has found

    table = pd.DataFrame(answers)
    if path is None:
        table.to_csv(sys.stdout, index=False)
        return
    with written_aside(path) as beside:
        table.to_csv(beside, index=False)
    print(f"{path}: {len(table)} answers", file=sys.stderr)
