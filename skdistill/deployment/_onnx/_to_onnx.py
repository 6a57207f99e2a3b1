"""The whole fitted student as one ONNX graph."""

from pathlib import Path
from typing import Any

from skdistill._aside import written_aside
from skdistill.deployment._files import new_file
from skdistill.deployment._onnx._proof import prove
from skdistill.deployment._onnx._runner import Runner
from skdistill.deployment._onnx._written import write_student


def to_onnx(
    model: Any, path: str | Path | None = None, *, X: Any = None, check: bool = True
) -> Any:
    r"""Write a fitted student, preprocessing and all, as one ONNX graph.

    The graph reads raw rows: numbers with gaps, texts with gaps and with categories that nobody
    has seen. It gives labels and probabilities, or numbers in the unit of y. onnxruntime runs it
    without torch and without scikit-learn. The teacher is not in it.

    Before it is handed over it is run, and compared with the student: on the rows of X, on a single
    row and on 1,025 rows, and where a `TablePreprocessor` reads them also on rows with gaps and
    unseen categories in each column, with zeros, and with numbers of :math:`\pm 10^{12}`.

    Parameters
    ----------
    model : distilled estimator, student or Pipeline
        Fitted. A Pipeline ends in one of the others, as `student_` does; of a search it is the
        best estimator. Its steps may be `TablePreprocessor`, `ImagePreprocessor`, a
        scaler of scikit-learn or a `SimpleImputer` of numbers; its last one a network, or a linear
        model, tree, forest or histogram boosting of scikit-learn. A network of other layers than
        the ordinary ones is written by `torch.onnx.export`, which needs onnxscript.
    path : str or Path, default=None
        Where it is written, a name that ends in ``.onnx``. None writes no file.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...), default=None
        Rows to compare the answers on. None is rows made of what the preprocessing has learnt,
        which says less than rows of the user's.
    check : bool, default=True
        Whether the answers are compared, which needs onnxruntime.

    Returns
    -------
    onnx.ModelProto or pathlib.Path
        The graph; where it is written into a file, the file's path, and ``onnx.load`` reads it.

    Raises
    ------
    ExportError
        For a step or layer that ONNX has no counterpart for, and where the graph answers otherwise
        than the student: a probability by more than 5e-5, a number by more than that many standard
        deviations of the predictions, or another label where the two best ones are more than 1e-4
        apart. It names the row.
    ImportError
        When the extra ``onnx`` is missing.
    NotFittedError
        When the model is not fitted.
    TypeError
        When it is no student.

    See Also
    --------
    export : The graph with all that a service needs.
    skdistill.teachers.load_teacher : Reads the file back.

    Notes
    -----
    The graph has an input of shape (n_samples, 1) for each column, under the column's name: float64
    for numbers, in which a gap is NaN, and str for categories. Rows without names of columns, and
    images, are one input ``X``. The outputs are ``label`` of shape (n_samples,) and
    ``probabilities`` of shape (n_samples, n_classes), float32; of several labels ``labels``, 0 and
    1, and ``probabilities``, both of shape (n_samples, n_labels); or ``prediction`` of the shape of
    y, float64.

    Numbers are scaled in float64 and cast to float32 where the network begins. Texts come as str()
    writes the values: a gap in a category may be ``""``, ``"None"``, ``"nan"``, ``"NaN"``,
    ``"<NA>"`` or ``"NaT"``, unless this is a category itself, and the category ``"3"`` may also be
    written ``"3.0"``. ONNX cannot refuse rows: what the student would refuse, such as infinity,
    gets an answer.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.deployment import to_onnx
    >>> X = np.array([[1.0, "red"], [2.0, "blue"], [3.0, None], [4.0, "red"]] * 10, dtype=object)
    >>> model = DistilledClassifier(alpha=0, random_state=0).fit(X, ["a", "a", "b", "b"] * 10)
    >>> graph = to_onnx(model, X=X).graph
    >>> [one.name for one in graph.input], [one.name for one in graph.output]
    (['x0', 'x1'], ['label', 'probabilities'])
    """
    if path is not None:
        path = new_file(path, ".onnx")
    written = write_student(model, "to_onnx")
    if check:
        prove(Runner(written), model, X)
    if path is None:
        return written.model
    with written_aside(path) as beside:
        beside.write_bytes(written.model.SerializeToString())
    return path
