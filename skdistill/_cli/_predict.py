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
    if summary.kind == "classifier":
        columns = student.predict_proba(X).T
        answers |= {f"p({name})": p for name, p in zip(student.classes_, columns, strict=True)}
    elif np.ndim(answers["prediction"]) == 2:
        columns = answers.pop("prediction").T
        answers |= {f"prediction_{i}": values for i, values in enumerate(columns)}
    import pandas as pd  # which read_rows has found

    table = pd.DataFrame(answers)
    if path is None:
        table.to_csv(sys.stdout, index=False)
        return
    with written_aside(path) as beside:
        table.to_csv(beside, index=False)
    print(f"{path}: {len(table)} answers", file=sys.stderr)
