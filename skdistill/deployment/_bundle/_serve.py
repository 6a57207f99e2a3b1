"""Answer as the student in this folder does. requirements.txt says what it needs.

    from predict import predict

    predict({"age": 39, "work": "private"})  # a row, a dict of its columns
    predict([{...}, {...}])                  # several: a list of answers

    python predict.py rows.csv               # a table of answers, to the standard output
    python predict.py --self-test            # the answers of the day of the export, compared

A gap is None, NaN or an empty cell; in a table also what pandas.read_csv takes for one, or "?". A
category that the student has not seen is unknown to it, and no error. Columns that it does not know
are left alone; one that is missing is refused.
"""

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
AT_ONCE = 1024  # rows; more do not fit into the caches of a processor
TOLERANCE = 5e-5
FLAGS = {"true": 1.0, "false": 0.0}
NUMBER = re.compile(
    r"\s*[+-]?(inf(inity)?|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*", re.ASCII | re.IGNORECASE
)
GAPS = ("", "None", "nan", "NaN", "<NA>", "NaT")
GAPS_OF_TABLES = (
    *("?", "", "NA", "N/A", "n/a", "#NA", "#N/A", "#N/A N/A", "<NA>", "None", "NULL", "null"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Flags, numbers and gaps as pandas.read_csv reads them, and a question mark."""
ANSWERS = {"classes": "label", "labels": "labels", "numbers": "prediction"}


class Student:
    """A student, with all that it needs. Several threads may ask it at once.

    Parameters
    ----------
    folder : str or Path
        With student.onnx, which onnxruntime runs, or student.npz, for which NumPy is enough.
    n_threads : int, default=1
        Of a single call of onnxruntime.
    """

    def __init__(self, folder=FOLDER, n_threads=1):
        self.graph: Any
        arrays = Path(folder) / "student.npz"
        if arrays.exists():
            self.graph = open_arrays(arrays)
            said, self.shape = self.graph.said, self.graph.shape
        else:
            self.graph = open_onnx(Path(folder) / "student.onnx", n_threads)
            said = self.graph.get_modelmeta().custom_metadata_map["skdistill"]
            self.shape = self.graph.get_inputs()[0].shape[1:]  # of a row, without columns
        said = json.loads(said)
        self.names = said["classes"]  # of the columns of probabilities
        self.texts = [one for one in said["columns"] if one["kind"] == "texts"]
        self.outputs = [ANSWERS[said["task"]], *["probabilities"] * bool(self.names)]
        self.columns = [one["name"] for one in said["columns"]]
        self.named = said["named"]
        self.kinds = []  # one array for all columns of a kind takes less than one for each
        for kind, read, dtype in (("numbers", _number, np.float64), ("texts", _text, object)):
            found = [one for one in said["columns"] if one["kind"] == kind]
            columns = [(one["name"], one["gap"]) for one in found]
            if found:
                self.kinds.append((read, dtype, columns, [one["input"] for one in found]))

    def predict(self, rows):
        """Return an answer for a row, or a list of answers for several.

        Parameters
        ----------
        rows : dict or list of dict
            The columns of each row by their names; further ones are left alone. Where the student
            learnt an array without names of columns that are numbers, or images: a row, or several,
            as an array or a list.

        Returns
        -------
        dict or list of dict
            "label" and "probabilities", a dict by the labels; where a row may have several, a list
            of "labels" and theirs; or "prediction", a number or a list.

        Raises
        ------
        ValueError
            For a row without one of the columns, and for what is no finite number.
        """
        if not self.columns:
            rows = self._as_array(rows)
            is_single = rows.ndim == len(self.shape)
            rows = rows[None] if is_single else rows
        else:
            is_single = isinstance(rows, dict) or not hasattr(rows, "__iter__")  # refused below
            rows = [rows] if is_single else list(rows)
        answers = []
        for start in range(0, len(rows), AT_ONCE):
            answers += self._answers(rows[start : start + AT_ONCE])
        return answers[0] if is_single else answers

    def _answers(self, rows):
        found = self.graph.run(self.outputs, self._feeds(rows))
        answers = [{self.outputs[0]: value} for value in found[0].tolist()]
        for answer, p in zip(answers, found[-1].tolist(), strict=True):
            if "labels" in answer:  # 1 for each that the row has
                pairs = zip(self.names, answer["labels"], strict=True)
                answer["labels"] = [name for name, is_there in pairs if is_there]
            if self.names:
                answer["probabilities"] = dict(zip(self.names, p, strict=True))
        return answers

    def _feeds(self, rows):
        if not self.columns:
            return {"X": rows}
        feeds: dict[str, np.ndarray] = {}
        try:
            for read, dtype, columns, inputs in self.kinds:
                cells = []
                for name, gap in columns:  # known below, where one cannot be read
                    cells.append([read(row[name], gap) for row in rows])
                feeds.update(zip(inputs, np.array(cells, dtype)[..., None], strict=True))
        except KeyError:
            number = next(i for i, row in enumerate(rows) if name not in row)
            raise ValueError(
                f"Row {number} has no {name!r}; expected the columns {self.columns}. Write None "
                f"for a gap."
            ) from None
        except (OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"The column {name!r} cannot be read ({error}); expected a dict for each row, with "
                f"finite numbers in this column, and None for a gap."
            ) from None
        return feeds

    def _as_array(self, rows):
        try:
            rows = np.asarray(rows, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The rows are no arrays of numbers of one shape ({error}); expected numbers of "
                f"the shape {self.shape} for each."
            ) from None
        if list(rows.shape[rows.ndim - len(self.shape) :]) != self.shape or np.isinf(rows).any():
            raise ValueError(
                f"The rows are an array of shape {rows.shape}; expected finite numbers of the "
                f"shape {self.shape} for each."
            )
        return rows


def open_onnx(path, n_threads):
    """Return a session of onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_arrays(file):
    """Return the graph of an .npz file, a path or a binary file, in which nothing is pickled."""
    with np.load(file, allow_pickle=False) as arrays:
        kept = json.loads(str(arrays["description"]))
        constants = {name: arrays[f"array {i}"] for i, name in enumerate(kept["arrays"])}
    for name, array in constants.items():
        if array.dtype.kind == "U":
            constants[name] = array.astype(object)
    return NumpyGraph(kept["steps"], constants, kept["said"], kept["shape"])


class NumpyGraph:
    """A graph that NumPy computes step by step.

    Parameters
    ----------
    steps : list of (op, inputs, output, settings)
    constants, said, shape
        Arrays by name, what the graph says of itself as JSON, and the shape of a row.
    """

    def __init__(self, steps, constants, said, shape):
        self.constants, self.said, self.shape = dict(constants), said, shape
        self.steps = []
        for op, inputs, name, settings in steps:
            compute = _encoder(settings) if op == "LabelEncoder" else OPERATORS[op]
            if all(one in self.constants for one in inputs):  # such as weights from fewer bits
                self.constants[name] = compute(*map(self.constants.get, inputs), **settings)
            else:
                self.steps.append((compute, inputs, name, settings))

    def run(self, outputs, feeds):
        """Return the values of some outputs, as a session of onnxruntime does."""
        values = self.constants | feeds
        with np.errstate(all="ignore"):
            for compute, inputs, name, settings in self.steps:
                values[name] = compute(*[values[one] for one in inputs], **settings)
        return [values[name] for name in outputs]


def _encoder(settings):
    places = dict(zip(settings["keys_strings"], settings["values_int64s"], strict=True))
    unknown = settings["default_int64"]
    return lambda texts, **_: np.array(
        [[places.get(text, unknown)] for text in texts[:, 0].tolist()], np.int64
    )


def _cast(x, to):
    return x.astype({1: np.float32, 7: np.int64, 9: np.bool_, 11: np.float64}[to])


def _softmax(x, axis):
    p = np.exp(x - x.max(axis=axis, keepdims=True))
    return p / p.sum(axis=axis, keepdims=True)


def _log_softmax(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _log_sum_exp(x, axes, keepdims):
    greatest = x.max(axis=tuple(axes), keepdims=True)
    sums = np.log(np.exp(x - greatest).sum(axis=tuple(axes), keepdims=True)) + greatest
    return sums if keepdims else np.squeeze(sums, tuple(axes))


OPERATORS: dict[str, Callable] = {
    **{"Add": np.add, "Div": np.divide, "Equal": np.equal, "Exp": np.exp, "Greater": np.greater},
    **{"IsNaN": np.isnan, "Log": np.log, "MatMul": np.matmul, "Max": np.maximum},
    **{"Mul": np.multiply, "Neg": np.negative, "Sqrt": np.sqrt, "Sub": np.subtract},
    **{"Tanh": np.tanh, "Where": np.where, "Cast": _cast, "LabelEncoder": _encoder},
    **{"LogSoftmax": _log_softmax, "ReduceLogSumExp": _log_sum_exp, "Softmax": _softmax},
    "ArgMax": lambda x, axis, keepdims: np.argmax(x, axis=axis),
    "Clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "Concat": lambda *parts, axis: np.concatenate(parts, axis=axis),
    "Flatten": lambda x, axis: x.reshape(len(x), -1),
    "Gather": lambda x, places, axis=0: np.take(x, places, axis=axis),
    "Identity": lambda x: x,
    "ReduceMean": lambda x, axes, keepdims: x.mean(axis=tuple(axes), keepdims=bool(keepdims)),
    "ReduceSum": lambda x, axes, keepdims: x.sum(axis=tuple(axes), keepdims=bool(keepdims)),
    "Relu": lambda x: np.maximum(x, 0),
    "Reshape": lambda x, shape: x.reshape(shape),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Slice": lambda x, start, end, axis: x[:, start[0] : end[0]],
    "Softplus": lambda x: np.logaddexp(0, x),
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(axes)),
    "Transpose": lambda x, perm: np.transpose(x, perm),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
}
"""What ONNX calls the steps of a table's preprocessing and of linear layers."""


def _number(value, _):
    if type(value) is float and value - value == 0:  # finite
        return value
    if type(value) is int:
        return float(value)
    if value is None or str(value) in GAPS:
        return np.nan
    if isinstance(value, str) and value.lower() in FLAGS:
        return FLAGS[value.lower()]
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError(f"{value!r} is no number")
    number = float(value)
    if number in (np.inf, -np.inf):
        raise ValueError(number)
    return number


def _text(value, gap):
    if type(value) is str:
        return value  # the graph knows how a gap may be spelt
    if value is None or value != value:
        return gap
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@cache
def load():
    """Return the student of this folder, opened once."""
    return Student()


def predict(rows):
    """Return an answer for a row, or a list of answers for several; see `Student.predict`."""
    return load().predict(rows)


def read_csv(path, student):
    """Return the rows of a table with a header; without names of columns they count by position."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} cannot be read ({error}); expected a CSV file in UTF-8. Save it anew."
        ) from None
    lines = [cells for cells in lines if cells and (len(cells) > 1 or not cells[0].isspace())]
    if len(lines) < 2:
        raise ValueError(f"{path} has no rows below its header; expected some.")
    names = [name or f"Unnamed: {i}" for i, name in enumerate(lines.pop(0))]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{path} names a column twice in {names}; expected different names. Rename one."
        )
    for number, cells in enumerate(lines):
        if len(cells) != len(names):
            raise ValueError(
                f"Row {number} of {path} has {len(cells)} fields; expected {len(names)}, as its "
                f"header. Put texts with commas into quotes, and leave the fields of gaps empty."
            )
    if student.columns and not student.named:
        if len(names) != len(student.columns):
            raise ValueError(
                f"{path} has {len(names)} columns; expected {len(student.columns)} in the order in "
                f"which the student has learnt from them, for they had no names."
            )
        names = student.columns
    texts = {one["name"]: one["no_gaps"] for one in student.texts}
    columns = []
    for name, column in zip(names, zip(*lines, strict=True), strict=True):
        gaps = [gap for gap in GAPS_OF_TABLES if gap not in texts.get(name, ())]
        columns.append([None if cell in gaps else cell for cell in column])
        are_flags = {cell.lower() in FLAGS for cell in columns[-1] if cell is not None}
        is_number = name not in texts and (name in student.columns or not student.columns)
        if is_number and len(are_flags) > 1:
            raise ValueError(
                f"The column {name!r} of {path} holds flags and others; expected numbers, or True "
                f"and False alone. Write one kind."
            )
    if student.columns:
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return [[_number(cell, None) for cell in row] for row in zip(*columns, strict=True)]


def write_csv(answers, file):
    """Write answers as a table."""
    table = csv.writer(file, lineterminator="\n")
    if "probabilities" in answers[0]:
        names = list(answers[0]["probabilities"])
        has = names if "labels" in answers[0] else []
        head = [f"has {name}" for name in has] or ["label"]
        table.writerow([*head, *(f"probability of {name}" for name in names)])
        for one in answers:
            first = [int(name in one["labels"]) for name in has] or [one["label"]]
            table.writerow([*first, *one["probabilities"].values()])
        return
    rows = [np.atleast_1d(one["prediction"]).tolist() for one in answers]
    several = [f"prediction {i}" for i in range(len(rows[0]))]
    table.writerows([several if len(several) > 1 else ["prediction"], *rows])


def self_test(student, path=FOLDER / "self_test.json"):
    """Return how far the answers are from those of the day of the export.

    Of probabilities, or of numbers in the unit that stands beside them.
    """
    kept = json.loads(Path(path).read_text(encoding="utf-8"))
    answers = student.predict(kept["rows"])
    key = student.outputs[-1]
    found = [list(one[key].values()) if student.names else one[key] for one in answers]
    return float((np.abs(np.array(found) - kept["answers"]) / kept["unit"]).max())


def main(arguments=None):
    """Answer for a table, or test this folder; return the exit code."""
    parser = argparse.ArgumentParser(description="Answer as the student in this folder does.")
    parser.add_argument("table", nargs="?", help="a CSV file with a header")
    parser.add_argument("--self-test", action="store_true", help="compare the kept answers")
    options = parser.parse_args(arguments)
    if (options.table is None) != options.self_test:
        parser.error("expected a CSV file or --self-test, one of them")
    student = load()
    if options.self_test:
        off = self_test(student)
        is_fine = off <= TOLERANCE
        print(f"{'passed' if is_fine else 'FAILED'}: at most {off:.1e} off, {TOLERANCE} allowed")
        return 0 if is_fine else 1
    try:
        write_csv(student.predict(read_csv(options.table, student)), sys.stdout)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
