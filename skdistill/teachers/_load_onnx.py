"""Teachers from ONNX files, whatever framework they come from."""

from collections.abc import Mapping, Sequence

import numpy as np

from skdistill._input._columns import is_gap
from skdistill._input._frames import column_names, is_table, read_column
from skdistill._torch import INFERENCE_BATCH
from skdistill._warn import warn
from skdistill.exceptions import TeacherError, TeacherWarning
from skdistill.teachers._file_teacher import FileTeacher, as_dense, import_extra
from skdistill.teachers._onnx_checks import check_model, load_external
from skdistill.teachers._onnx_rows import OnnxColumn, make_feeds, read_metadata

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


KINDS_OF_OPERATIONS = {
    "Sigmoid": "probabilities",
    "Softmax": "probabilities",
    "ZipMap": "probabilities",
    "Gemm": "logits",
    "LogSoftmax": "logits",
    "MatMul": "logits",
}
"""What an output is by the last operation; of others its values must tell."""


def load_onnx(path):
    """Load an ONNX model, with weights that lie in files beside it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    OnnxTeacher
    """
    onnx = import_extra("onnx", "onnx")
    content = path.read_bytes()
    model = onnx.load_model_from_string(content)
    if not model.graph.node:
        raise TeacherError(
            "it holds no operation, as an empty or damaged file does; expected a model. Export it "
            "again"
        )
    stored = len(content) + load_external(model, path.parent, onnx)
    check_model(model, stored, onnx)
    teacher = OnnxTeacher(model.SerializeToString())
    said = read_metadata({one.key: one.value for one in model.metadata_props})
    if said is None:
        teacher.classes_ = _zipmap_labels(model, onnx)
        teacher.kind = _find_kind(model, teacher.output)
        return teacher
    names = {one.name for one in model.graph.input}
    if said["columns"] and {one.input for one in said["columns"]} != names:
        raise TeacherError(
            f"its metadata name other columns than its inputs {sorted(names)[:6]}; expected an "
            f"input for each column. Write the file again"
        )
    teacher.kind = "numbers" if said["task"] == "numbers" else "probabilities"
    if said["task"] == "classes":
        teacher.classes_ = np.array(said["classes"])
    teacher.columns, teacher.is_named = said["columns"], said["named"]
    if teacher.is_named:
        teacher.feature_names_in_ = np.array([one.name for one in teacher.columns], dtype=object)
    return teacher


class OnnxTeacher(FileTeacher):
    """A model that onnxruntime runs on the CPU.

    One input gets all columns. Of several inputs each gets the column of a DataFrame with its
    name, or the array of a dict. Of the outputs, the probabilities count, or the only one of
    floating numbers.

    Attributes
    ----------
    columns : list of OnnxColumn
        Those that the file says it reads; empty where it says nothing, or reads one input.
    is_named : bool
        Whether they are found by their names.
    feature_names_in_ : ndarray of shape (n_features,)
        These names; there where they are.
    """

    columns: Sequence[OnnxColumn] = ()
    is_named = False
    feature_names_in_: np.ndarray

    def _open(self):
        runtime = import_extra("onnxruntime", "onnx")
        session = runtime.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        self.output = _find_output(session.get_outputs())
        return session, None

    def _answer(self, X):
        feeds = self._feeds(X)
        first = self._model.get_inputs()[0].shape[:1]
        fixed = first[0] if first and isinstance(first[0], int) else None
        size = fixed or INFERENCE_BATCH
        parts = []
        for start in range(0, X.shape[0], size):
            batch = {name: rows[start : start + size] for name, rows in feeds.items()}
            if fixed:  # exported for batches of one size: the last one is filled up
                batch = {
                    name: np.resize(rows, (fixed, *rows.shape[1:])) for name, rows in batch.items()
                }
            part = self._model.run([self.output], batch)[0]
            parts.append(_as_table(part)[: X.shape[0] - start])
        return np.concatenate(parts)

    def _feeds(self, X):
        if self.columns:
            return make_feeds(X, self.columns, self.is_named)
        inputs = self._model.get_inputs()
        if len(inputs) == 1:
            return {inputs[0].name: as_dense(X, _dtype(inputs[0]))}
        names = [one.name for one in inputs]
        are_inputs = isinstance(X, Mapping)
        known = column_names(X) if is_table(X) else list(X) if are_inputs else []
        missing = [name for name in names if name not in known]
        if missing:
            raise TeacherError(
                f"The ONNX model has the inputs {names} and X has no columns {missing}; expected a "
                f"DataFrame with a column, or a dict with an array, for every input."
            )
        if are_inputs:
            return {one.name: as_dense(X[one.name], _dtype(one)) for one in inputs}
        for one in inputs:
            if _dtype(one) is object:
                _warn_of_gaps(one.name, read_column(X, known.index(one.name))[1])
        return {
            one.name: X[one.name].to_numpy().astype(_dtype(one)).reshape(-1, 1) for one in inputs
        }


def _warn_of_gaps(name, values):
    """Warn of gaps in a column that a model of other people reads as texts."""
    n_gaps = sum(map(is_gap, values))
    if n_gaps:
        warn(
            f"The ONNX model reads texts from the column {name!r}, and {n_gaps} of {len(values)} "
            f"rows have a gap there, which reaches it as the text 'nan' or 'None'; expected a text "
            f"that it knows. Fill the gaps with what stood for them when it was fitted.",
            TeacherWarning,
        )


def _dtype(one):
    if one.type not in DTYPES:
        raise TeacherError(
            f"The ONNX model's input {one.name} is of type {one.type}; expected one of "
            f"{list(DTYPES)}."
        )
    return DTYPES[one.type]


def _find_output(outputs):
    """Return the name of the one output that tells the classes apart, or gives the numbers."""
    mapped = [one for one in outputs if one.type.startswith("seq(map(")]
    floats = [one for one in outputs if one.type in list(DTYPES)[:3]]
    named = [one for one in floats if "prob" in one.name.lower()]
    for found in (mapped, floats, named):
        if len(found) == 1:
            return found[0].name
    came = {one.name: one.type for one in outputs}
    raise TeacherError(
        f"the model has the outputs {came}; expected one of probabilities or logits. Export "
        f"it with that output alone, a skl2onnx model with options={{'zipmap': False}}"
    )


def _find_kind(model, output):
    """Return what an output is by the operation that makes it, or by its name; None for others."""
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    kind = KINDS_OF_OPERATIONS.get(made_by.get(output, ""))
    return "probabilities" if kind is None and "prob" in output.lower() else kind


def _as_table(answer):
    """Turn the dicts of a ZipMap, one for each row, into an array."""
    if isinstance(answer, list):
        return np.array([list(row.values()) for row in answer])
    return answer


def _zipmap_labels(model, onnx):
    """Return the labels of a ZipMap, in the order of its columns, or None without one."""
    for node in model.graph.node:
        if node.op_type == "ZipMap":
            values = onnx.helper.get_attribute_value(node.attribute[0])
            return np.array([v.decode() if isinstance(v, bytes) else v for v in values])
    return None
