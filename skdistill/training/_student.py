"""From what the user calls a student to steps that can be prepared and trained."""

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from torch import nn

from skdistill.exceptions import StudentError
from skdistill.students import ImagePreprocessor, TablePreprocessor
from skdistill.training._estimator_student import EstimatorStudent
from skdistill.training._net import StudentNet
from skdistill.training._skorch_student import SkorchStudent


def as_student(student, *, n_axes=2, device=None, verbose=0):
    """Return a Pipeline that ends in a learner, for whatever was given as a student.

    Parameters
    ----------
    student : None, skorch.NeuralNet, torch.nn.Module, type, estimator or Pipeline
        None is `TablePreprocessor`, or `ImagePreprocessor` for rows of more axes than a table's,
        and `StudentNet`. A module's class or instance becomes a StudentNet, a scikit-learn
        classifier or regressor an `EstimatorStudent`.
    n_axes : int, default=2
        Number of axes of the rows X.
    device : str, default=None
        Given to a StudentNet that has none.
    verbose : int, default=0
        Given to a StudentNet that has 0.

    Returns
    -------
    Pipeline
        Unfitted; nothing of it is the user's own object. Its last step has `prepare` and `learn`.

    Raises
    ------
    StudentError
        When it is none of these, or an estimator that cannot learn from soft targets.
    """
    if student is None:
        preprocess = ImagePreprocessor() if n_axes > 2 else TablePreprocessor()
        student = Pipeline([("preprocess", preprocess), ("net", StudentNet())])
    if isinstance(student, Pipeline):
        pipeline = clone(student)
        name, last = pipeline.steps[-1]
        pipeline.steps[-1] = (name, _as_learner(last, device, verbose))
        return pipeline
    return Pipeline([("net", _as_learner(student, device, verbose))])


def _as_learner(student, device, verbose):
    if isinstance(student, nn.Module) or (
        isinstance(student, type) and issubclass(student, nn.Module)
    ):
        student = StudentNet(student)
    if isinstance(student, StudentNet):
        net = clone(student)
        return net.set_params(device=net.device or device, verbose=net.verbose or verbose)
    if isinstance(student, NeuralNet):
        return SkorchStudent(student)
    if isinstance(student, SkorchStudent | EstimatorStudent):
        return clone(student)
    is_estimator = hasattr(student, "__sklearn_tags__") and not isinstance(student, type)
    if is_estimator and (is_classifier(student) or is_regressor(student)):
        return EstimatorStudent(clone(student)).check_estimator()
    came = f"the class {student.__name__}" if isinstance(student, type) else repr(student)
    raise StudentError(
        f"The student is {came}; expected None, a StudentNet or other skorch net, a "
        f"torch.nn.Module or its class, a scikit-learn classifier or regressor (an instance), or "
        f"a Pipeline that ends in one of these."
    )
