"""`skdistill predict`: rows of a table answered by a saved student."""

import sys

import numpy as np

from skdistill._cli._tables import read_rows
from skdistill.deployment import inspect, load
from skdistill.deployment._file import whole_file


def run(options):
    """Read a student and rows; write its answers as a table."""
    summary = inspect(options.student)
    student = load(options.student)
    X = read_rows(options.rows, summary.columns)
    answers = {"prediction": student.predict(X)}
    if summary.kind == "classifier":
        columns = student.predict_proba(X).T
        answers |= {f"p({name})": p for name, p in zip(student.classes_, columns, strict=True)}
    elif np.ndim(answers["prediction"]) == 2:
        columns = answers.pop("prediction").T
        answers |= {f"prediction_{i}": values for i, values in enumerate(columns)}
    import pandas as pd  # which read_rows has found

    table = pd.DataFrame(answers)
    if options.output is None:
        table.to_csv(sys.stdout, index=False)
        return
    with whole_file(options.output) as beside:
        table.to_csv(beside, index=False)
    print(f"{options.output}: {len(table)} answers", file=sys.stderr)
