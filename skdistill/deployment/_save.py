"""From a fitted model to a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from skdistill._aside import written_aside
from skdistill._estimators._base import BaseDistilled
from skdistill._unwrap import ending_in, last_step, named_steps, unwrap
from skdistill._versions import package_versions
from skdistill._words import one_line, shorten
from skdistill.deployment._file import Arrays, write_file
from skdistill.deployment._files import new_file
from skdistill.deployment._golden import golden_answers
from skdistill.deployment._header import FORMATS, NEEDS_MODULE, OF_INPUTS
from skdistill.deployment._learners import describe_learner, is_learner
from skdistill.deployment._load import last_of, restore_student
from skdistill.deployment._parts import refuse_cascade, refuse_other
from skdistill.deployment._steps import describe_step
from skdistill.exceptions import StudentError

SUFFIX = ".safetensors"

KINDS = {
    "NumberLink": "regressor",
    **dict.fromkeys(("LabelLink", "LabelShareLink"), "multilabel classifier"),
}
"""What a file says that its student is, by its link; others are of classifiers."""


def save(model: Any, path: str | Path, *, metadata: dict[str, Any] | None = None) -> Path:
    """Save the student of a fitted model in one file of arrays and of what they are.

    The file holds no code, no pickle and nothing of the teacher, and of the rows of `fit` what the
    student itself keeps, as neighbours do and networks do not. It is in the safetensors format,
    whose readers open it too. It is read again, and answers as the student does bit for bit,
    before it gets its name; a file that was there is then replaced. What can be saved, and what of
    a student stays behind, is told in the user guide.

    Parameters
    ----------
    model : distilled estimator, Pipeline or student
        Fitted: such as a `DistilledClassifier`, its `student_`, or a Pipeline that ends in one of
        these. Of a search it is the best estimator.
    path : str or Path
        Of a file ``*.safetensors``.
    metadata : dict, default=None
        Whatever JSON can hold, to be found again by `inspect`.

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    StudentError
        When the student holds what a file cannot: what, and what to do, is said.
    sklearn.exceptions.NotFittedError
        When the model is not fitted.
    ImportError
        Without ``skops``, for a student or a step of scikit-learn.
    TypeError, ValueError
        For another model, another suffix or metadata that JSON cannot hold.

    See Also
    --------
    load : The student again.
    inspect : What a file says of itself.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import StudentNet
    >>> from skdistill.deployment import load, save
    >>> X, y = load_iris(return_X_y=True)
    >>> net = StudentNet(max_epochs=2).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(net, Path(folder) / "student.safetensors", metadata={"by": "me"})
    ...     student = load(path)
    >>> np.array_equal(student.predict_proba(X), net.predict_proba(X))
    True
    """
    target = new_file(path, SUFFIX)
    _check_metadata(metadata)
    student = _find_student(model)
    arrays = Arrays()
    content = _describe(student, arrays)
    golden = golden_answers(student)
    last = last_of(content)
    link, shape = last["link"]["class"], last.get("rows", {}).get("shape")
    are_inputs = isinstance(shape, dict)
    description = {
        "format": max(FORMATS[link], OF_INPUTS if are_inputs else 1),
        "kind": KINDS.get(link, "classifier"),
        "student": content,
        "golden": None if golden is None else arrays.add("golden", golden),
        "versions": package_versions(),
        "metadata": metadata or {},
    }
    with written_aside(target) as beside:
        write_file(beside, description, arrays)
        _check_copy(student, beside, target, golden, last[NEEDS_MODULE])
    return target


def _check_metadata(metadata):
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(key, str) for key in metadata):
        raise TypeError(
            f"metadata={shorten(metadata)} was given; expected a dict whose keys are texts."
        )
    try:
        same = json.loads(json.dumps(metadata, allow_nan=False)) == metadata
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The metadata holds what JSON has no form for ({one_line(error)}); expected texts, "
            "finite numbers, truth values, None, and lists and dicts of these."
        ) from error
    if not same:
        raise ValueError(
            f"The metadata {shorten(metadata)} would be another when it is read; expected lists in "
            f"place of tuples, and texts as keys. Convert it."
        )


def _find_student(model):
    """Return the fitted student of a model, as a Pipeline or a learner."""
    if isinstance(model, BaseDistilled):
        model.fitted_  # noqa: B018 (raises where it is not fitted)
        return model.student_
    last = last_step(model)
    if last is not model:
        return ending_in(model, _find_student(last))
    if is_learner(model):
        model.fitted_  # noqa: B018
        return model
    if hasattr(model, "best_estimator_"):
        return _find_student(model.best_estimator_)
    if isinstance(model, FrozenEstimator):
        return _find_student(model.estimator)
    refuse_cascade(model, "save")
    return refuse_other(model, "save")


def _describe(student, arrays, path="steps"):
    steps = []
    *before, (last_name, last) = named_steps(student)
    if last is student:
        return describe_learner(student, arrays)
    for name, step in before:
        steps.append([name, describe_step(step, f"{path}.{name}", arrays)])
    steps.append([last_name, _describe(last, arrays, f"{path}.{last_name}")])
    return {"class": "Pipeline", "steps": steps}


def _check_copy(student, beside, path, golden, needs_module):
    """Refuse a file whose student answers otherwise than the one that was given."""
    module = None
    if needs_module:
        last = unwrap(student).core
        module = last.net if hasattr(last, "net") else last.module_
    copy = restore_student(beside, module, name=path.name, check=False)
    found = golden_answers(copy)
    same = (golden is None and found is None) or np.array_equal(golden, found, equal_nan=True)
    if not same:
        raise StudentError(
            "The student cannot be saved: what was read back answers otherwise. Expected a module "
            "that keeps all that it knows in its state dict, and answers alike whenever it is "
            "asked the same. Keep such values as buffers, and draw nothing in evaluation mode."
        )
