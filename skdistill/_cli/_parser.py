"""The words of the command line, and what each command says of itself."""

import argparse
from pathlib import Path

import skdistill

OVERVIEW = """\
Distil a strong teacher into a small student, from tables in files.

  skdistill report customers.csv --target churned          is it worth it?
  skdistill fit customers.csv --target churned -o student.safetensors
  skdistill inspect student.safetensors                    what is in the file?
  skdistill predict student.safetensors new.csv -o answers.csv
  skdistill export student.safetensors test.csv -o service  a folder that serves it

python -m skdistill does the same. Each command has a --help of its own.
"""

TABLE = """\
A table is a .csv or .csv.gz file in UTF-8, with commas between the fields and the names of the
columns in the first line. Columns of numbers are read as such, all others as categories. A gap is
an empty field, ?, NA, N/A, NaN, None or null.
"""

FIT = """\
Fit a student on all rows of a table, taught by boosted trees or by a model of yours, and save it in
one file without code. Whether it is as good as its teacher is what `skdistill report` says.

  skdistill fit customers.csv --target churned -o student.safetensors
  skdistill fit houses.csv.gz --target price --regression -o student.safetensors
  skdistill fit customers.csv --target churned --teacher model.onnx -o student.safetensors
  skdistill fit customers.csv --target churned --teacher mine.joblib --trust -o s.safetensors

"""

REPORT = """\
Set teacher, plain student and distilled student side by side on rows that none has seen.

  skdistill report customers.csv --target churned
  skdistill report train.csv --target churned --test test.csv --n-seeds 3 --html report.html
  skdistill report customers.csv --target churned --cascade 0.2

With --cascade there is one more line: the student where it is sure, the teacher elsewhere. Which
rows the teacher gets is chosen on labelled rows that nobody learns from and that are no test rows,
909 or more: a share of the table, or a file of their own. The accuracy is then within half a point
of the teacher's, with 95 % confidence.

"""

INSPECT = """\
Show what a saved student reads and answers, and what it was saved with. Nothing in the file is run.

  skdistill inspect student.safetensors
"""

PREDICT = """\
Answer the rows of a table by a saved student: a column with the prediction, and for classes one
with the probability of each.

  skdistill predict student.safetensors new.csv
  skdistill predict student.safetensors new.csv.gz -o answers.csv

Columns are found by their names, in any order; others are left alone. Networks and soft trees for
tables answer without torch, which takes seconds to start, as torch does up to 5e-5.
"""

EXPORT = """\
Write a folder that serves a saved student without torch and scikit-learn. Its answers are compared
on rows that it has not learnt from, and with --target its model card says how good they are.

  skdistill export student.safetensors test.csv -o service
  skdistill export student.safetensors test.csv --target churned --runtime numpy -o service
  skdistill export student.safetensors test.csv --weights int8 -o small
"""

DEMO = """\
Distil a strong teacher and print the report: on the digits of scikit-learn, of which a hundred
have a label, or on a table of your own.

  skdistill demo
  skdistill demo --html demo.html --picture demo.png
  skdistill demo --data customers.csv --target churned
"""

LAST = "Exit status: 0, or 2 when the words or a file cannot be used; the reason is on stderr."


def parse(arguments=None):
    """Return what the command line says; leave the program where it says too little.

    Parameters
    ----------
    arguments : list of str, default=None
        Words after the program's name; None takes those of the process.

    Returns
    -------
    Namespace
    """
    parser = _make(argparse.ArgumentParser, prog="skdistill", description=OVERVIEW)
    parser.add_argument("--version", action="version", version=skdistill.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    report = _command(commands, "report", REPORT + TABLE, "say whether distilling pays")
    _add_table(report)
    report.add_argument(
        "--test", action=_Once, type=Path, help="test rows; otherwise a fifth of the table"
    )
    report.add_argument(
        "--cascade",
        type=_share_or_file,
        metavar="SHARE|FILE",
        help="also the cascade, chosen on this share of the rows, such as 0.2, or this table",
    )
    _add_faces(report)
    _add_teacher(report)
    _add_n_seeds(report)

    fit = _command(commands, "fit", FIT + TABLE, "fit a student and save it")
    _add_table(fit)
    fit.add_argument(
        "-o", "--output", type=Path, required=True, help="the file: student.safetensors"
    )
    _add_teacher(fit)
    fit.add_argument(
        "--verbose", action="store_true", help="print the losses of every epoch of the student"
    )

    inspect = _command(commands, "inspect", INSPECT, "show what is in a saved student")
    inspect.add_argument("student", type=Path, help="a file of skdistill fit")

    predict = _command(commands, "predict", PREDICT + "\n" + TABLE, "answer rows by a student")
    predict.add_argument("student", type=Path, help="a file of skdistill fit")
    predict.add_argument("rows", type=Path, help="a table")
    predict.add_argument("-o", "--output", type=Path, help="a .csv file; otherwise it is printed")

    export = _command(commands, "export", EXPORT + "\n" + TABLE, "write a folder that serves it")
    export.add_argument("student", type=Path, help="a file of skdistill fit")
    export.add_argument("rows", type=Path, help="a table")
    export.add_argument("--target", action=_Once, help="its column of labels, or of numbers")
    export.add_argument("-o", "--output", type=Path, required=True, help="a new folder")
    export.add_argument(
        "--runtime", choices=["onnx", "numpy"], default="onnx", help="what serves (default: onnx)"
    )
    export.add_argument(
        "--weights", choices=["int8", "float16"], help="round its network's weights to fewer bits"
    )

    demo = _command(commands, "demo", DEMO, "distil a strong teacher and print the report")
    demo.add_argument("--data", type=Path, help="a table of your own")
    demo.add_argument("--target", action=_Once, help="the column of --data that holds the labels")
    demo.add_argument(
        "--test", action=_Once, type=Path, help="test rows; otherwise a fifth of --data"
    )
    _add_faces(demo)
    demo.set_defaults(regression=False)
    _add_n_seeds(demo)

    for learns in (report, fit, demo):
        learns.add_argument(
            "--alpha", type=_weight, help="weight of the teacher in [0, 1], or auto (default: 0.5)"
        )
        learns.add_argument("--seed", type=int, default=0, help="random state (default: 0)")
    options = parser.parse_args(arguments)
    _check(options, {"report": report, "fit": fit, "demo": demo}.get(options.command))
    return options


class _Once(argparse.Action):
    """Keeps a value; refuses a second one, for which the first would be dropped."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        if before is not None:
            parser.error(
                f"{option_string} takes one value and got {str(before)!r} and {str(values)!r}: "
                f"leave one out. Several labels of a row, and several teachers, are learnt in "
                f"Python: DistilledMultilabelClassifier, and a list as the teacher."
            )
        setattr(namespace, self.dest, values)


def _make(make, **words):
    return make(formatter_class=argparse.RawDescriptionHelpFormatter, epilog=LAST, **words)


def _command(commands, name, description, line):
    return _make(commands.add_parser, name=name, description=description, help=line)


def _add_table(parser):
    parser.add_argument("data", type=Path, help="the table to learn from")
    parser.add_argument(
        "--target", action=_Once, required=True, help="its column of labels, or of numbers"
    )
    parser.add_argument(
        "--regression", action="store_true", help="the target holds numbers, and no labels"
    )


def _add_faces(parser):
    parser.add_argument("--html", type=Path, help="also write the report as a page")
    parser.add_argument("--picture", type=Path, help="also draw its arms: a .png, .svg or .pdf")


def _add_teacher(parser):
    parser.add_argument(
        "--teacher",
        action=_Once,
        type=Path,
        help="a fitted model: .onnx, .skops, .keras, .joblib (default: boosted trees)",
    )
    parser.add_argument(
        "--trust", action="store_true", help="run the code in a .joblib or .pkl file of a teacher"
    )


def _weight(text):
    try:
        value = text if text == "auto" else float(text)
    except ValueError:
        value = float("nan")
    if value != "auto" and not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be auto or lie in [0, 1], got {text}")
    return value


def _share_or_file(text):
    try:
        value = float(text)
    except ValueError:
        return Path(text)
    if not 0 < value < 0.8:  # a fifth are test rows
        raise argparse.ArgumentTypeError(f"must be a file, or a share in (0, 0.8), got {text}")
    return value


def _add_n_seeds(parser):
    parser.add_argument("--n-seeds", type=int, default=1, help="fits of each student (default: 1)")


def _check(options, parser):
    """Refuse words that contradict each other, or are out of their range."""
    if parser is None:
        return
    if options.command == "demo" and (options.data is None) != (options.target is None):
        parser.error("--data and --target go together")
    if options.command == "demo" and options.test is not None and options.data is None:
        parser.error("--test needs --data and --target")
    if getattr(options, "n_seeds", 1) < 1:
        parser.error(f"--n-seeds must be at least 1, got {options.n_seeds}")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must lie in [0, {2**32 - 1}], got {options.seed}")
    if getattr(options, "cascade", None) is not None and options.regression:
        parser.error("--cascade goes by the probabilities of labels: leave it or --regression out")
    if getattr(options, "trust", False) and options.teacher is None:
        parser.error("--trust needs --teacher")
