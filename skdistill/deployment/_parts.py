"""What of a fitted model is shipped: the student, from the user's rows to its predictions."""

from typing import Any, NamedTuple, Never

from sklearn.utils.validation import check_is_fitted

from skdistill._unwrap import split_pipeline
from skdistill.deployment._onnx._answers import Answers, answers_of


class StudentParts(NamedTuple):
    """A fitted student, taken apart.

    Attributes
    ----------
    steps : list of transformer
        What comes before `body`.
    body : ModuleBody, or another object with `outputs(X)`
        What computes.
    link : ClassLink, ProbabilityLink, LabelLink or NumberLink
        From its outputs to predictions.
    names : list of str or None
        Those of the columns of `fit`, where all had one.
    shape : tuple of int
        That of a row.
    """

    steps: list[Any]
    body: Any
    link: Any
    names: list[str] | None
    shape: tuple[int, ...]

    @property
    def answers(self) -> Answers:
        """What it answers: a class, labels or numbers."""
        return answers_of(self.link)

    @property
    def fitted(self) -> Any:
        """What predicts, without a comparison of the user's rows with those of `fit`."""
        from skdistill.training._fitted import FittedStudent  # which imports torch

        return FittedStudent(self.body, self.link, self.steps)


def take_apart(model: Any, action: str) -> StudentParts:
    """Return the parts of a fitted student.

    Parameters
    ----------
    model : distilled estimator, student or Pipeline
        Fitted. A Pipeline ends in one of the others, as `student_` does; of a search it is the
        best estimator.
    action : str
        What is done with it, for the error.

    Returns
    -------
    StudentParts

    Raises
    ------
    NotFittedError
    TypeError
        For another object.
    """
    if hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    steps, last = _flat(model)
    refuse_cascade(last, action)
    if not hasattr(type(last), "fitted_"):
        refuse_other(last, action)
    check_is_fitted(last)
    fitted = last.fitted_
    names = getattr(model, "feature_names_in_", None)
    names = None if names is None else names.tolist()
    all_steps = _transformers([*steps, *fitted.steps])
    net = _flat(last.student_)[1] if hasattr(last, "student_") else last
    if all_steps:
        width = (getattr(model, "n_features_in_", 0),)  # which texts have not
        shape = getattr(all_steps[0], "image_shape_", width)
    else:
        shape = getattr(net, "row_shape_", (getattr(model, "n_features_in_", 0),))
    return StudentParts(all_steps, fitted.body, fitted.link, names, tuple(shape))


def refuse_other(model: Any, action: str) -> Never:
    """Raise an error for what is no student, with the student that it may hold."""
    came = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    if type(model).__module__.startswith("skdistill."):
        check_is_fitted(model)
    step = "Fit a student and give that, or keep this by its own library's means."
    if hasattr(model, "students_"):
        step = f"It has {len(model.students_)} of these: give one, such as model.students_[0]."
    elif hasattr(model, "student_"):
        step = "It has one of these: give model.student_, and keep its settings beside it."
    raise TypeError(
        f"{action} was given {came}; expected a fitted DistilledClassifier, DistilledRegressor, "
        f"DistilledMultilabelClassifier or StudentNet, or a Pipeline that ends in one. {step}"
    )


def refuse_cascade(model: Any, action: str) -> None:
    """Raise a TypeError for a student and its teacher together, which no file holds."""
    if hasattr(model, "defers"):
        name = model.__name__ if isinstance(model, type) else type(model).__name__
        raise TypeError(
            f"{action} was given {name}, which asks a teacher, and no file holds a teacher; "
            f"expected the student alone. Give its student, keep the teacher by its own library's "
            f"means and the threshold beside them, and put the three together again where they "
            f"serve: CascadeClassifier(student, teacher, threshold=...)."
        )


def _flat(model):
    """Return the steps of a Pipeline and its last one, which is no Pipeline."""
    *steps, last = split_pipeline(model)
    if last is model:
        return steps, last
    more, last = _flat(last)
    return [*steps, *more], last


def _transformers(steps):
    """Return the steps that change something, those of Pipelines in the place of these."""
    found = []
    for step in steps:
        parts = split_pipeline(step)
        if parts[-1] is not step:
            found += _transformers(parts)
        elif step not in (None, "passthrough"):
            found.append(step)
    return found
