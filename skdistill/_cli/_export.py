"""`skdistill export`: a saved student as a folder that serves it."""

from skdistill._cli._tables import read_rows
from skdistill.deployment import export, inspect, load, quantize


def run(options):
    """Read a student and rows that it has not learnt from; write the folder."""
    summary = inspect(options.student)
    if options.target is not None and summary.kind == "multilabel classifier":
        raise ValueError(
            f"--target {options.target} was given for {options.student}, whose rows may have "
            f"several labels; expected none, for a target is one column. Leave --target out, or "
            f"call skdistill.deployment.export, which takes an array of 0 and 1 as y."
        )
    student = load(options.student)
    if options.weights is not None:
        student = quantize(student, options.weights)
    X, y = read_rows(options.rows, summary, options.target)
    folder = export(student, options.output, X=X, y=y, runtime=options.runtime)
    print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
